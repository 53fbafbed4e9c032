//! One call of a listing → its pages: the requested one, or with `all` one after the other up to
//! a bound. Pages that were fetched are returned, even if a later one fails.

pub(super) mod cursor;
pub(super) mod page;
mod signs;

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::caller::Caller;
use super::record_slices;
use crate::client_runtime::Inputs;
use crate::error::CallError;
use crate::upstream::Answer;
use page::{Page, Start};
use signs::{Next, PageSigns};
use toolwright_model::{Call, Paging, Place};

/// Gathering stops at this many bytes.
const LARGEST: usize = 16 * 1024 * 1024;
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
        let answer = readable(fetch(start.clone()).await?);
        let Some(signs) = self.read(&start, &answer) else { return Ok(answer.into()) };
        let mut gathered = Gathered::new(answer, signs.rows);
        let PageSigns { mut total, mut next, mut rows, .. } = signs;
        let mut note = None;
        let mut pages = 1;
        while let (Some(bound), Next::At(after)) = (self.bound, &next) {
            // The next page probably has as many records as this one.
            if gathered.rows + rows > bound || gathered.bytes > LARGEST || pages >= MOST_PAGES {
                note = Some(format!("stopped at {} records; next_cursor goes on", gathered.rows));
                break;
            }
            caller.report(format!("{} records so far", gathered.rows));
            let (answer, signs) = match self.further(after, &fetch).await {
                Ok(further) => further,
                Err(reason) => {
                    note = Some(format!("broke off after {} records; next_cursor goes on. {reason}", gathered.rows));
                    break;
                }
            };
            pages += 1;
            (total, next, rows) = (signs.total.or(total), signs.next, signs.rows);
            // A page that came twice is added once.
            if !signs.repeated {
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
        let page = Page { returned: gathered.rows, has_more, next_cursor: None, total, note };
        Ok(Pages { answer: gathered.answer(self.paging), page: Some(page), next })
    }

    /// Fetches a page after the first one.
    ///
    /// # Errors
    /// Why it can't be added, in one line.
    async fn further<F>(&self, start: &Start, fetch: &impl Fn(Start) -> F) -> Result<(Answer, PageSigns), String>
    where
        F: Future<Output = Result<Answer, CallError>>,
    {
        let answer = fetch(start.clone()).await.map_err(|error| {
            let line = error.to_string().replace('\n', "; ");
            line.chars().take(LONGEST_REASON).collect::<String>()
        })?;
        let answer = readable(answer);
        let signs = self.read(start, &answer).ok_or("the vendor answered the next page with something else")?;
        Ok((answer, signs))
    }

    fn read(&self, start: &Start, answer: &Answer) -> Option<PageSigns> {
        signs::read(self.paging, start, start.size.or(self.asked), answer)
    }
}

/// Replaces bytes that are no UTF-8 in an answer that is JSON otherwise, so that it can be parsed.
fn readable(mut answer: Answer) -> Answer {
    if let Cow::Owned(text) = String::from_utf8_lossy(&answer.body)
        && text.trim_start().starts_with(['[', '{'])
    {
        answer.body = text.into();
    }
    answer
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
    rows: usize,
    bytes: usize,
    /// The lists of the further pages, as texts.
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
            // Some vendors omit the list of an empty first page.
            Some(_) if list(&self.first, paging).is_none() => self.first = answer,
            Some(list) => self.further.push(list),
            None => {}
        }
    }

    /// Returns the first answer with the records of all pages in it.
    fn answer(self, paging: &Paging) -> Answer {
        let Self { mut first, further, .. } = self;
        if further.is_empty() {
            return first;
        }
        if let Some(list) = list(&first, paging) {
            let text = std::str::from_utf8(&first.body).unwrap_or_default();
            let lists = std::iter::once(list).chain(further.iter().map(String::as_str));
            let items: Vec<&str> = lists.filter_map(record_slices::items).flatten().collect();
            let whole = record_slices::with_items(text, list, &items);
            first.body = whole.into();
        }
        first
    }
}

fn list<'a>(answer: &'a Answer, paging: &Paging) -> Option<&'a str> {
    record_slices::list(std::str::from_utf8(&answer.body).ok()?, paging.signs.records.as_deref())
}
