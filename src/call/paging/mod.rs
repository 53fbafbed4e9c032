//! One call of a listing → its pages: the one that was asked for, or with `all` one after the
//! other up to a bound. What was fetched is given, whatever comes of the rest.

pub(super) mod cursor;
mod signs;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Caller, Page, records};
use crate::client_runtime::Inputs;
use crate::error::CallError;
use crate::upstream::Answer;
use signs::{Next, Seen};
use toolwright_model::{Call, Paging, Place};

/// The most bytes that are gathered before what is there is given.
const LARGEST: usize = 16 * 1024 * 1024;
/// The most pages that are fetched in one call, whatever they hold.
const MOST_PAGES: usize = 1_000;

/// How much of a failure in the middle is told.
const LONGEST_REASON: usize = 600;

/// Where a page begins.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Start {
    /// The position; none for the first page.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Value>,
    /// How many records lie before, where we have read them all.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<u64>,
    /// By what to recognise the records of the page before.
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<String>,
    /// How many records a page holds, where the call does not say it.
    #[serde(rename = "z", default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

impl Start {
    pub(crate) fn is_first(&self) -> bool {
        *self == Self::default()
    }
}

/// How one call pages: by its operation's style, with its arguments.
pub(super) struct Pager<'a> {
    paging: &'a Paging,
    /// How many records the call asks for, where it does.
    asked: Option<u64>,
    /// The most records to gather; `None` for one page only.
    bound: Option<usize>,
}

/// What came of it.
pub(super) struct Pages {
    pub answer: Answer,
    /// `None` where the answer holds no list of records.
    pub page: Option<Page>,
    /// Where to go on.
    pub next: Option<Start>,
}

impl From<Answer> for Pages {
    fn from(answer: Answer) -> Self {
        Self { answer, page: None, next: None }
    }
}

impl<'a> Pager<'a> {
    pub(super) fn new(paging: &'a Paging, call: &Call, arguments: &Map<String, Value>, bound: Option<usize>) -> Self {
        let asked = paging.size.as_ref().and_then(|size| given(call, size, arguments));
        Self { paging, asked: asked.as_ref().and_then(signs::whole), bound }
    }

    /// Where the call begins by its arguments alone.
    pub(super) fn first(&self, call: &Call, arguments: &Map<String, Value>) -> Start {
        let binding = call.bindings.iter().find(|binding| binding.place == self.paging.position);
        let at = binding.and_then(|binding| arguments.get(&binding.argument)).cloned();
        // Whoever wants everything needs no small pages; who names a size has a reason.
        let named = call.bindings.iter().find(|binding| Some(&binding.place) == self.paging.size.as_ref());
        let named = named.is_some_and(|binding| arguments.contains_key(&binding.argument));
        let most = self.paging.most.zip(self.bound).map(|(most, bound)| most.min(bound as u64));
        let size = most.filter(|_| !named);
        Start { seen: at.is_none().then_some(0), at, mark: None, size }
    }

    /// Puts position and size into a request.
    pub(super) fn place(&self, start: &Start, inputs: &mut Inputs) {
        let first = || self.paging.always.then(|| Value::from(self.paging.signs.first));
        if let Some(at) = start.at.clone().or_else(first) {
            inputs.insert(&self.paging.position, at);
        }
        if let (Some(size), Some(place)) = (start.size, &self.paging.size) {
            inputs.insert(place, size.into());
        }
    }

    /// Fetches the page at `start`, and with a bound the ones after it.
    ///
    /// # Errors
    /// The first page could not be fetched.
    pub(super) async fn run<F>(
        &self,
        mut start: Start,
        caller: &Caller,
        fetch: impl Fn(Start) -> F,
    ) -> Result<Pages, CallError>
    where
        F: Future<Output = Result<Answer, CallError>>,
    {
        let answer = readable(fetch(start.clone()).await?);
        let Some(seen) = self.read(&start, &answer) else { return Ok(answer.into()) };
        let mut gathered = Gathered::new(answer, seen.rows);
        let (mut total, mut next) = (seen.total, seen.next);
        let mut note = None;
        let mut rows = seen.rows;
        let mut pages = 1;
        while let (Some(bound), Next::At(after)) = (self.bound, &next) {
            // The next page is likely to be as long as this one.
            if gathered.rows + rows > bound || gathered.bytes > LARGEST || pages >= MOST_PAGES {
                note = Some(format!("stopped at {} records; next_cursor goes on", gathered.rows));
                break;
            }
            caller.tell(format!("{} records so far", gathered.rows));
            let answer = match fetch(after.clone()).await {
                Ok(answer) => readable(answer),
                Err(error) => {
                    let error = error.to_string().replace('\n', "; ");
                    let error: String = error.chars().take(LONGEST_REASON).collect();
                    note = Some(format!("broke off after {} records; next_cursor goes on. {error}", gathered.rows));
                    break;
                }
            };
            pages += 1;
            start = after.clone();
            let Some(seen) = self.read(&start, &answer) else {
                let reason = "the vendor answered the next page with something else";
                note = Some(format!("broke off after {} records; next_cursor goes on. {reason}", gathered.rows));
                break;
            };
            (total, next, rows) = (seen.total.or(total), seen.next, seen.rows);
            // Records that came twice are shown once.
            if !seen.repeated {
                gathered.add(answer, self.paging, rows);
            }
        }
        let (has_more, next) = match next {
            Next::Nothing => (false, None),
            Next::At(start) => (true, Some(start)),
            Next::Stuck(reason) => {
                note = Some(reason);
                (true, None)
            }
        };
        let returned = gathered.rows;
        let page = Page { returned, has_more, next_cursor: None, total, note };
        Ok(Pages { answer: gathered.answer(self.paging), page: Some(page), next })
    }

    fn read(&self, start: &Start, answer: &Answer) -> Option<Seen> {
        signs::read(self.paging, start, start.size.or(self.asked), answer)
    }
}

/// The same answer with the bytes that are no text marked as such, where it is JSON but for them.
fn readable(mut answer: Answer) -> Answer {
    if let Cow::Owned(text) = String::from_utf8_lossy(&answer.body)
        && text.trim_start().starts_with(['[', '{'])
    {
        answer.body = text.into();
    }
    answer
}

/// The value that a call sends to a place.
fn given(call: &Call, place: &Place, arguments: &Map<String, Value>) -> Option<Value> {
    let fixed = call.fixed.iter().find(|fixed| fixed.place == *place).map(|fixed| fixed.value.clone());
    let binding = call.bindings.iter().find(|binding| binding.place == *place);
    let bound = binding.and_then(|binding| arguments.get(&binding.argument).or(binding.default.as_ref()));
    bound.cloned().or(fixed)
}

/// The first page, and the records of those after it.
struct Gathered {
    first: Answer,
    rows: usize,
    bytes: usize,
    /// The texts of the lists behind the first.
    further: Vec<String>,
}

impl Gathered {
    fn new(first: Answer, rows: usize) -> Self {
        Self { bytes: first.body.len(), first, rows, further: Vec::new() }
    }

    fn add(&mut self, answer: Answer, paging: &Paging, rows: usize) {
        self.bytes += answer.body.len();
        self.rows += rows;
        match list(&answer, paging).map(str::to_owned) {
            // A vendor may have left out the list of an empty first page.
            Some(_) if list(&self.first, paging).is_none() => self.first = answer,
            Some(list) => self.further.push(list),
            None => {}
        }
    }

    /// The first answer, with all records in it.
    fn answer(self, paging: &Paging) -> Answer {
        let Self { mut first, further, .. } = self;
        if further.is_empty() {
            return first;
        }
        if let Some(list) = list(&first, paging) {
            let text = std::str::from_utf8(&first.body).unwrap_or_default();
            let lists = std::iter::once(list).chain(further.iter().map(String::as_str));
            let items: Vec<&str> = lists.filter_map(records::items).flatten().collect();
            let whole = records::with_items(text, list, &items);
            first.body = whole.into();
        }
        first
    }
}

fn list<'a>(answer: &'a Answer, paging: &Paging) -> Option<&'a str> {
    records::list(std::str::from_utf8(&answer.body).ok()?, paging.signs.records.as_deref())
}
