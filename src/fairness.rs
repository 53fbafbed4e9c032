//! Callers that wait for something scarce → a slot for each of them in turn. One that asks for much waits behind its
//! own requests and not in front of the others', and its share is bounded, so that a new caller finds a slot.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

/// The weight of the slot that was given back last in how long slots are usually held.
const WEIGHT: f64 = 0.2;
/// The bounds of a hint when to ask again.
const HINTS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(600));

/// Who asks, as far as that is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) enum CallerKey {
    /// There is no other: the client on standard input.
    Only,
    /// A session, or the credentials that a client sends without one.
    Known(u64),
    /// A client that states its name and nothing else.
    Named(u64),
    /// All clients that state nothing at all.
    #[default]
    Anonymous,
}

/// A number for a value that tells callers apart, which can't be computed outside of this process.
pub(crate) fn key_of(value: &impl Hash) -> u64 {
    static SEED: OnceLock<RandomState> = OnceLock::new();
    SEED.get_or_init(RandomState::new).hash_one(value)
}

/// How many slots there are, and for whom.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shares {
    /// All of them.
    pub(crate) all: usize,
    /// How many of `all` one caller may hold.
    pub(crate) of_one: fn(CallerKey, usize) -> usize,
    /// How many requests of one caller may wait.
    pub(crate) waiting: usize,
}

impl Shares {
    /// All but one for each caller, unless there is only one.
    pub(crate) fn all_but_one(all: usize) -> Self {
        let of_one = |key, all: usize| if key == CallerKey::Only { all } else { all.saturating_sub(1).max(1) };
        Self { all: all.max(1), of_one, waiting: usize::MAX }
    }
}

/// Slots that callers share; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Slots(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    shares: Shares,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// By number, so that the oldest is first.
    held: BTreeMap<u64, (CallerKey, Instant)>,
    /// Those who hold or wait.
    callers: HashMap<CallerKey, OfCaller>,
    /// Those who wait, the next one first.
    turns: VecDeque<CallerKey>,
    last: u64,
    /// For how many seconds a slot is usually held.
    usual: Option<f64>,
}

#[derive(Debug, Default)]
struct OfCaller {
    held: usize,
    waiting: VecDeque<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    number: u64,
    until: Instant,
    give: oneshot::Sender<Slot>,
}

/// One of the slots; it is given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    number: u64,
    /// `None` where its receiver has left, and it is given back already.
    of: Option<Slots>,
}

/// Why there is no slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoSlot {
    /// Whether the caller's own share is used up, and not all slots.
    pub(crate) own: bool,
    /// How many slots that share has, or all of them have.
    pub(crate) most: usize,
    /// When there will be one, as things go.
    pub(crate) retry_after: Duration,
}

impl Slots {
    pub(crate) fn new(shares: Shares) -> Self {
        Self(Arc::new(Inner { shares, state: Mutex::default() }))
    }

    /// Takes a slot, or waits for one until `until`; `on_wait` receives why.
    ///
    /// # Errors
    /// There is none in time, or too many requests of this caller wait already.
    pub(crate) async fn acquire(
        &self,
        key: CallerKey,
        until: Instant,
        on_wait: impl FnOnce(NoSlot),
    ) -> Result<Slot, NoSlot> {
        let (queued, slot) = {
            let mut state = self.state();
            let most = self.share(key);
            let mine = state.callers.get(&key);
            let (held, waiting) = mine.map_or((0, 0), |mine| (mine.held, mine.waiting.len()));
            if state.held.len() < self.0.shares.all && held < most {
                return Ok(self.take(&mut state, key));
            }
            let refused = self.refusal(&state, key);
            if waiting >= self.0.shares.waiting {
                return Err(refused);
            }
            on_wait(refused);
            let (give, slot) = oneshot::channel();
            state.last += 1;
            let number = state.last;
            state.callers.entry(key).or_default().waiting.push_back(Waiting { number, until, give });
            if waiting == 0 {
                state.turns.push_back(key);
            }
            (Queued { slots: self, key, number }, slot)
        };
        let given = timeout_at(until, slot).await;
        drop(queued);
        match given {
            Ok(Ok(slot)) => Ok(slot),
            _ => Err(self.refusal(&self.state(), key)),
        }
    }

    /// How many slots a caller may hold.
    fn share(&self, key: CallerKey) -> usize {
        let Shares { all, of_one, .. } = self.0.shares;
        of_one(key, all).min(all)
    }

    fn take(&self, state: &mut State, key: CallerKey) -> Slot {
        state.last += 1;
        state.held.insert(state.last, (key, Instant::now()));
        state.callers.entry(key).or_default().held += 1;
        Slot { number: state.last, of: Some(self.clone()) }
    }

    /// Gives free slots to those whose turn it is.
    fn give(&self, state: &mut State) {
        while state.held.len() < self.0.shares.all {
            let may_have_more =
                |key: &CallerKey| state.callers.get(key).is_some_and(|caller| caller.held < self.share(*key));
            let Some(next) = state.turns.iter().position(may_have_more) else { return };
            let Some(key) = state.turns.remove(next) else { return };
            let Some(caller) = state.callers.get_mut(&key) else { continue };
            let waiting = caller.waiting.pop_front();
            if !caller.waiting.is_empty() {
                state.turns.push_back(key);
            }
            let Some(waiting) = waiting else { continue };
            if waiting.give.is_closed() {
                continue;
            }
            let slot = self.take(state, key);
            if let Err(mut unwanted) = waiting.give.send(slot) {
                unwanted.of = None;
                state.give_back(unwanted.number);
            }
        }
    }

    /// Why there is no slot for a caller, and when there will be one: after the turns of those who still wait then.
    fn refusal(&self, state: &State, key: CallerKey) -> NoSlot {
        let (all, share) = (self.0.shares.all, self.share(key));
        let own = state.callers.get(&key).is_some_and(|mine| mine.held >= share) && share < all;
        let now = Instant::now();
        let oldest = state.held.values().find(|(of, _)| !own || *of == key).map(|(_, since)| now - *since);
        let age = oldest.unwrap_or_default().as_secs_f64();
        let usual = state.usual.unwrap_or_default().max(age);
        // Of one that is held longer than usual nothing better is known than that it may take as long again.
        let first = if usual > age { usual - age } else { age };
        let still_waiting = |caller: &OfCaller| {
            let later = now + Duration::from_secs_f64(first.min(HINTS.1.as_secs_f64()));
            caller.waiting.iter().filter(|waiting| waiting.until > later).count()
        };
        let mine = state.callers.get(&key).map_or(0, still_waiting);
        // The others have their turns between those of this caller.
        let others = state.callers.iter().filter(|(of, _)| **of != key).map(|(_, of)| still_waiting(of).min(mine + 1));
        #[expect(clippy::cast_precision_loss, reason = "counts of requests fit a float")]
        let turns = ((mine + others.sum::<usize>()) as f64 / all as f64).max(mine as f64 / share.max(1) as f64);
        let seconds = (first + usual * turns).min(HINTS.1.as_secs_f64());
        let retry_after = Duration::from_secs_f64(seconds).max(HINTS.0);
        NoSlot { own, most: if own { share } else { all }, retry_after }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn give_back(&mut self, number: u64) {
        let Some((key, since)) = self.held.remove(&number) else { return };
        let seconds = since.elapsed().as_secs_f64();
        self.usual = Some(self.usual.map_or(seconds, |usual| usual + (seconds - usual) * WEIGHT));
        if let Some(caller) = self.callers.get_mut(&key) {
            caller.held -= 1;
        }
        self.forget(key);
    }

    /// Removes a caller that neither holds nor waits.
    fn forget(&mut self, key: CallerKey) {
        let Some(caller) = self.callers.get(&key) else { return };
        if caller.waiting.is_empty() {
            if caller.held == 0 {
                self.callers.remove(&key);
            }
            self.turns.retain(|waits| *waits != key);
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(slots) = self.of.take() {
            let mut state = slots.state();
            state.give_back(self.number);
            slots.give(&mut state);
        }
    }
}

/// A place in the queue, which is left when it is dropped.
struct Queued<'a> {
    slots: &'a Slots,
    key: CallerKey,
    number: u64,
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        let mut state = self.slots.state();
        if let Some(caller) = state.callers.get_mut(&self.key) {
            caller.waiting.retain(|waiting| waiting.number != self.number);
        }
        state.forget(self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GREEDY: CallerKey = CallerKey::Known(1);
    const MODEST: CallerKey = CallerKey::Known(2);
    const THIRD: CallerKey = CallerKey::Known(3);

    async fn acquire(slots: &Slots, key: CallerKey, seconds: u64) -> Result<Slot, NoSlot> {
        slots.acquire(key, Instant::now() + Duration::from_secs(seconds), |_| {}).await
    }

    /// Has a caller use slots for so many seconds each, in the background.
    fn use_slots(slots: &Slots, key: CallerKey, times: usize, seconds: u64) {
        for _ in 0..times {
            let slots = slots.clone();
            tokio::spawn(async move {
                let slot = acquire(&slots, key, 1_000).await;
                tokio::time::sleep(Duration::from_secs(seconds)).await;
                drop(slot);
            });
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_with_many_requests_leaves_a_slot_to_the_others() {
        let slots = Slots::new(Shares::all_but_one(4));
        use_slots(&slots, GREEDY, 16, 20);
        tokio::time::sleep(Duration::from_secs(1)).await;
        let started = Instant::now();
        for _ in 0..3 {
            acquire(&slots, MODEST, 30).await.unwrap();
        }
        assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn callers_that_wait_have_their_turns() {
        let slots = Slots::new(Shares { of_one: |_, all| all, ..Shares::all_but_one(2) });
        use_slots(&slots, GREEDY, 40, 10);
        tokio::time::sleep(Duration::from_secs(1)).await;
        let started = Instant::now();
        // Two end every ten seconds: the first of the newcomers gets one of the next two.
        acquire(&slots, MODEST, 30).await.unwrap();
        assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
        use_slots(&slots, MODEST, 40, 10);
        tokio::time::sleep(Duration::from_secs(1)).await;
        let started = Instant::now();
        acquire(&slots, THIRD, 60).await.unwrap();
        assert!(started.elapsed() <= Duration::from_secs(20), "{:?}", started.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn the_only_caller_may_use_all() {
        let slots = Slots::new(Shares::all_but_one(2));
        let _held =
            [acquire(&slots, CallerKey::Only, 0).await.unwrap(), acquire(&slots, CallerKey::Only, 0).await.unwrap()];
        let one = Slots::new(Shares::all_but_one(1));
        acquire(&one, GREEDY, 0).await.expect("the only slot is for everybody");
    }

    #[tokio::test(start_paused = true)]
    async fn a_hint_is_true() {
        let mut refusals = 0;
        // (slots, requests that run, seconds of each, asked after, waiting for)
        for (all, busy, takes, after, wait) in
            [(4, 16, 20, 1, 30), (1, 1, 50, 5, 30), (1, 2, 7, 1, 3), (2, 30, 3, 4, 2)]
        {
            let slots = Slots::new(Shares { of_one: |_, all| all, ..Shares::all_but_one(all) });
            // So that it is known how long they take.
            use_slots(&slots, THIRD, 1, takes);
            tokio::time::sleep(Duration::from_secs(takes + 1)).await;
            use_slots(&slots, GREEDY, busy, takes);
            tokio::time::sleep(Duration::from_secs(after)).await;
            let Err(refused) = acquire(&slots, GREEDY, wait).await else { continue };
            refusals += 1;
            tokio::time::sleep(refused.retry_after).await;
            // Another second, because hints are rounded.
            acquire(&slots, GREEDY, 1 + wait)
                .await
                .unwrap_or_else(|error| panic!("{busy} × {takes} s: {refused:?} {error:?}"));
        }
        assert_eq!(refusals, 4);
    }

    #[tokio::test(start_paused = true)]
    async fn a_queue_is_bounded_and_left_without_a_trace() {
        let slots = Slots::new(Shares { waiting: 2, ..Shares::all_but_one(1) });
        let held = acquire(&slots, GREEDY, 0).await.unwrap();
        for _ in 0..2 {
            let slots = slots.clone();
            tokio::spawn(async move { acquire(&slots, GREEDY, 5).await.map(drop) });
        }
        tokio::task::yield_now().await;
        let started = Instant::now();
        let refused = acquire(&slots, GREEDY, 5).await.unwrap_err();
        assert_eq!((refused.own, refused.most, started.elapsed()), (false, 1, Duration::ZERO));
        acquire(&slots, MODEST, 1).await.unwrap_err();
        tokio::time::sleep(Duration::from_secs(6)).await;
        assert!(slots.state().turns.is_empty(), "no turn is left");
        drop(held);
        assert!(slots.state().callers.is_empty() && slots.state().held.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_slot_for_a_request_that_was_dropped_goes_to_the_next() {
        let slots = Slots::new(Shares::all_but_one(1));
        let held = acquire(&slots, GREEDY, 0).await.unwrap();
        let left = tokio::spawn({
            let slots = slots.clone();
            async move { acquire(&slots, GREEDY, 50).await.map(drop) }
        });
        let next = tokio::spawn({
            let slots = slots.clone();
            async move { acquire(&slots, MODEST, 50).await.map(drop) }
        });
        tokio::task::yield_now().await;
        left.abort();
        drop(held);
        next.await.unwrap().unwrap();
    }
}
