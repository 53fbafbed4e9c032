//! One call of a listing → its pages: the requested one, or with `all` one after the other up to
//! a bound. Pages that were fetched are returned, even if a later one fails.

pub(super) mod cursor;
pub(super) mod page;
mod signs;

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

use serde_json::{Map, Value};

use super::caller::Caller;
use super::off_thread::off_thread;
use super::record_slices;
use crate::client_runtime::Inputs;
use crate::error::{BrokenAnswer, CallError};
use crate::upstream::Answer;
use page::{HasMore, Page, Start};
use signs::{Next, PageSigns, Stuck};
use toolwright_model::{Call, Paging, Place, answer_limits};

/// Gathering stops at this many pages, whatever they hold.
const MOST_PAGES: usize = 1_000;
/// How many characters of a later page's error are quoted.
const LONGEST_REASON: usize = 600;

/// How one call pages: by its operation's style, with its arguments.
pub(super) struct Pager<'a> {
    paging: &'a Paging,
    /// How many records a page has, if the call states it.
    asked: Option<u64>,
    /// The most records to gather; `None` for one page only.
    bound: Option<usize>,
}

/// The fetched pages as one answer.
pub(super) struct Pages {
    pub(super) answer: Answer,
    /// `None` if the answer holds no list of records.
    pub(super) page: Option<Page>,
    /// Where the next page begins.
    pub(super) next: Option<Start>,
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

    /// Returns where a call without a cursor begins.
    pub(super) fn first(&self, call: &Call, arguments: &Map<String, Value>) -> Start {
        let binding = call.bindings.iter().find(|binding| binding.place == self.paging.position);
        let at = binding.and_then(|binding| arguments.get(&binding.argument)).cloned();
        // Gathering is fastest with the largest pages, unless the caller states a size.
        let named = call.bindings.iter().find(|binding| Some(&binding.place) == self.paging.size.as_ref());
        let named = named.is_some_and(|binding| arguments.contains_key(&binding.argument));
        let most = self.paging.most.zip(self.bound).map(|(most, bound)| most.min(bound as u64));
        let size = most.filter(|_| !named);
        Start { seen: at.is_none().then_some(0), at, size, ..Start::default() }
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

    /// Fetches the page at `start`, and with a bound the pages after it.
    ///
    /// # Errors
    /// The first page could not be fetched.
    pub(super) async fn run<F>(
        &self,
        start: Start,
        caller: &Caller,
        fetch: impl Fn(Start) -> F,
    ) -> Result<Pages, CallError>
    where
        F: Future<Output = Result<Answer, CallError>>,
    {
        let (answer, signs) = self.read(&start, fetch(start.clone()).await?).await?;
        let Some(signs) = signs else { return Ok(answer.into()) };
        let mut gathered = Gathered::new(answer, &signs);
        let (last, stop) = match self.bound {
            Some(bound) => self.gather(bound, &start, signs, &mut gathered, caller, fetch).await,
            None => (signs, None),
        };
        let mut end_notes: Vec<String> = stop.into_iter().chain(shortage(&last)).collect();
        let (has_more, next) = match last.next {
            Next::Nothing => (HasMore::No, None),
            Next::More(start) => (HasMore::Yes, Some(start)),
            Next::Perhaps(start) => {
                if end_notes.is_empty() {
                    end_notes.push(self.unknown().to_owned());
                }
                (HasMore::Unknown, Some(start))
            }
            Next::Stuck(Stuck { more, reason }) => {
                end_notes.push(reason);
                (if more { HasMore::Yes } else { HasMore::Unknown }, None)
            }
        };
        let page = Page { returned: gathered.rows, has_more, total: last.total, end_notes, ..Page::default() };
        let paging = self.paging.clone();
        let answer = off_thread(gathered.bytes, move || gathered.answer(&paging)).await?;
        Ok(Pages { answer, page: Some(page), next })
    }

    /// Fetches the pages after the first one, up to the bound. Returns the signs of the last one, and why reading stopped
    /// before the end.
    async fn gather<F>(
        &self,
        bound: usize,
        start: &Start,
        mut signs: PageSigns,
        gathered: &mut Gathered,
        caller: &Caller,
        fetch: impl Fn(Start) -> F,
    ) -> (PageSigns, Option<String>)
    where
        F: Future<Output = Result<Answer, CallError>>,
    {
        let mut visited: HashSet<String> = start.at.iter().map(Value::to_string).collect();
        let mut pages = 1;
        while let Next::More(after) | Next::Perhaps(after) = &signs.next {
            if !visited.insert(after.at.as_ref().map(Value::to_string).unwrap_or_default()) {
                let reason = "the vendor named a position for the second time: reading on would go in a circle; narrow the search";
                signs.next = Next::Stuck(Stuck { more: true, reason: reason.to_owned() });
                break;
            }
            // The next page probably has as many records as this one.
            if gathered.rows + signs.rows > bound || gathered.bytes > answer_limits::BYTES || pages >= MOST_PAGES {
                return (signs, Some(format!("stopped at {} records; next_cursor goes on", gathered.rows)));
            }
            if after.empty >= signs::MOST_EMPTY_PAGES {
                let reason = format!("stopped after {} empty pages; next_cursor goes on", after.empty);
                return (signs, Some(reason));
            }
            caller.report(format!("{} records so far", gathered.rows));
            let (answer, further) = match self.further(after, &fetch).await {
                Ok(further) => further,
                Err(reason) => {
                    let records = gathered.rows;
                    return (signs, Some(format!("broke off after {records} records; next_cursor goes on. {reason}")));
                }
            };
            pages += 1;
            // A page that came twice is added once.
            if !further.repeated {
                gathered.add(answer, &further);
            }
            let total = further.total.or(signs.total);
            signs = PageSigns { total, ..further };
        }
        (signs, None)
    }

    /// Why it is not known whether there are more records, and what to do.
    fn unknown(&self) -> &'static str {
        if self.paging.signs.cuts {
            "`has_more` is unknown: the vendor leaves out records after it has cut a page, so a short or an empty page proves nothing. `all: true` reads on"
        } else {
            "`has_more` is unknown: the vendor marks no last page, and a short page proves nothing. Pass next_cursor as `cursor` until a page comes empty, or call with `all: true`"
        }
    }

    /// Fetches a page after the first one.
    ///
    /// # Errors
    /// Why it can't be added, in one line.
    async fn further<F>(&self, start: &Start, fetch: &impl Fn(Start) -> F) -> Result<(Answer, PageSigns), String>
    where
        F: Future<Output = Result<Answer, CallError>>,
    {
        let read = async { self.read(start, fetch(start.clone()).await?).await };
        let (answer, signs) = read.await.map_err(|error| {
            let line = error.to_string().replace('\n', "; ");
            line.chars().take(LONGEST_REASON).collect::<String>()
        })?;
        let signs = signs.ok_or("the vendor answered the next page with something else")?;
        Ok((answer, signs))
    }

    /// Reads what an answer shows of its page; nothing where it is no page.
    ///
    /// # Errors
    /// It has something else where its records should be.
    async fn read(&self, start: &Start, answer: Answer) -> Result<(Answer, Option<PageSigns>), CallError> {
        let (paging, start, asked) = (self.paging.clone(), start.clone(), start.size.or(self.asked));
        let bytes = answer.body.len();
        let read = move || match signs::read(&paging, &start, asked, &answer) {
            Ok(signs) => Ok((answer, signs)),
            Err(reason) => {
                let (status, request_id) = (answer.status, answer.request_id);
                Err(CallError::Broken(Box::new(BrokenAnswer { status, request_id, reason, advice: Vec::new() })))
            }
        };
        off_thread(bytes, read).await?
    }
}

/// Reports that the vendor counts more records than it returned, where reading came to the end.
fn shortage(last: &PageSigns) -> Option<String> {
    let (total, read) = last.total.zip(last.read).filter(|(total, read)| read < total)?;
    let at_end = matches!(last.next, Next::Nothing);
    at_end.then(|| format!("the vendor counts {total} records and returned {read} of them: it leaves out the others"))
}

/// Returns the value that a call sends to a place.
fn given(call: &Call, place: &Place, arguments: &Map<String, Value>) -> Option<Value> {
    let fixed = call.fixed.iter().find(|fixed| fixed.place == *place).map(|fixed| fixed.value.clone());
    let binding = call.bindings.iter().find(|binding| binding.place == *place);
    let bound = binding.and_then(|binding| arguments.get(&binding.argument).or(binding.default.as_ref()));
    bound.cloned().or(fixed)
}

/// The first page, and the records of those after it.
struct Gathered {
    first: Answer,
    /// Whether the first page has a list of records.
    has_list: bool,
    rows: usize,
    bytes: usize,
    /// The further pages, and where their lists are.
    further: Vec<(Answer, Range<usize>)>,
}

impl Gathered {
    fn new(first: Answer, signs: &PageSigns) -> Self {
        let has_list = signs.list.is_some();
        Self { bytes: first.body.len(), first, has_list, rows: signs.rows, further: Vec::new() }
    }

    fn add(&mut self, answer: Answer, signs: &PageSigns) {
        self.bytes += answer.body.len();
        self.rows += signs.rows;
        match &signs.list {
            // Some vendors omit the list of an empty first page.
            Some(_) if !self.has_list => (self.first, self.has_list) = (answer, true),
            Some(list) => self.further.push((answer, list.clone())),
            None => {}
        }
    }

    /// Returns the first answer with the records of all pages in it, and without what it states of its own page.
    fn answer(self, paging: &Paging) -> Answer {
        let Self { mut first, further, .. } = self;
        let text = std::str::from_utf8(&first.body).unwrap_or_default();
        let list = record_slices::list(text, paging.signs.records.as_deref());
        let whole = match list.filter(|_| !further.is_empty()) {
            Some(list) => {
                let further =
                    further.iter().filter_map(|(page, list)| std::str::from_utf8(&page.body).ok()?.get(list.clone()));
                let items: Vec<&str> =
                    std::iter::once(list).chain(further).filter_map(record_slices::items).flatten().collect();
                Cow::Owned(record_slices::with_items(text, list, &items))
            }
            None => Cow::Borrowed(text),
        };
        let pointers: Vec<&str> = paging.signs.pointers().collect();
        if !pointers.is_empty() && whole.trim_start().starts_with('{') {
            first.body = record_slices::without(&whole, &pointers).into();
        } else if let Cow::Owned(whole) = whole {
            first.body = whole.into();
        }
        first
    }
}
