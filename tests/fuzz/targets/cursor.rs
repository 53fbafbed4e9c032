//! The text of a cursor → the request for the next page: the one that the unchanged cursor leads to. A cursor is not sealed; a
//! changed one that is accepted by chance leads to a request that the tool may make.
//!
//! ```text
//! <name of a listing>
//! {0}             the cursor that was returned; {1} that of another call of the same tool
//! {0:3}{1:3:}     its first three characters; the other's from the fourth on
//! ```

use std::cell::{Cell, OnceCell};
use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use toolwright::call::Toolbox;
use toolwright::mcp_result;
use toolwright::policy::Defaults;
use toolwright::sandbox::{Recorded, Sandbox};

use super::{Target, block_on, first_line, number_of};
use crate::common::{everything, sandbox, toolbox};
use crate::fuzz::properties;

pub(super) const TARGET: Target = Target {
    name: "cursor",
    changes: 300,
    words: &[
        "{0}",
        "{1}",
        "{0:1}",
        "{0:20}",
        "{1:20:}",
        "{1:1:}",
        "=",
        "==",
        "-",
        "_",
        "+",
        "/",
        "A",
        "eyJ0IjoiIn0",
        " ",
    ],
    check,
};

/// A cursor's checksum lets one of so many changed ones pass by chance, by far fewer than its 24 bits allow.
const BY_CHANCE: u64 = 1_000_000;

/// The listings: a name, a tool, and the arguments of two calls.
const LISTINGS: [(&str, &str, [&str; 2]); 3] = [
    ("search", "jitbit_search_tickets", [r#"{"query": "printer", "limit": 1}"#, r#"{"query": "screen", "limit": 1}"#]),
    ("requests", "jsm_list_my_requests", [r#"{"limit": 1}"#, r#"{"requestStatus": "OPEN_REQUESTS", "limit": 1}"#]),
    ("users", "jumpcloud_list_users", [r#"{"limit": 1}"#, r#"{"limit": 1, "sort": ["email"]}"#]),
];

/// A tool that pages, and what its own cursors lead to.
struct Listing {
    name: &'static str,
    tool: &'static str,
    cursors: Vec<String>,
    /// The requests of the calls and of their next pages.
    requests: BTreeSet<String>,
}

struct Site {
    sandbox: Sandbox,
    toolbox: Toolbox,
    listings: Vec<Listing>,
    inputs: Cell<u64>,
    /// How many changed cursors led to requests of their own.
    passed: Cell<u64>,
}

impl Site {
    fn new() -> Self {
        let sandbox = block_on(sandbox(None));
        let toolbox = toolbox(&sandbox, &everything(), Defaults::Everything);
        let mut site =
            Self { sandbox, toolbox, listings: Vec::new(), inputs: Cell::default(), passed: Cell::default() };
        for (name, tool, calls) in LISTINGS {
            if site.toolbox.catalog().get(tool).is_some() {
                let listing = site.listing(name, tool, calls);
                site.listings.push(listing);
            }
        }
        site
    }

    fn listing(&self, name: &'static str, tool: &'static str, calls: [&str; 2]) -> Listing {
        let mut requests = BTreeSet::new();
        let mut requested = |arguments| {
            let (values, recorded) = self.call(tool, arguments);
            requests.extend(recorded.iter().map(request));
            values[0]["page"]["next_cursor"].as_str().map(str::to_owned)
        };
        let mut cursors = Vec::new();
        for arguments in calls {
            let cursor = requested(serde_json::from_str(arguments).unwrap()).expect("there is a next page");
            requested(with_cursor(&cursor));
            cursors.push(cursor);
        }
        assert_eq!(requests.len(), 2 * calls.len(), "each leads to another page: {requests:?}");
        Listing { name, tool, cursors, requests }
    }

    fn call(&self, tool: &str, arguments: Map<String, Value>) -> (Vec<Value>, Vec<Recorded>) {
        let vendor = tool.split('_').next().unwrap_or_default();
        let result = mcp_result::result(vendor, block_on(self.toolbox.call(tool, arguments)));
        (properties::check(&result, false, &mut Vec::new()), self.sandbox.take_record())
    }
}

/// A request as far as a cursor could change it.
fn request(recorded: &Recorded) -> String {
    let body = String::from_utf8_lossy(recorded.body.as_deref().unwrap_or_default());
    format!("{} {}?{} {body}", recorded.method, recorded.path, recorded.query)
}

fn with_cursor(cursor: &str) -> Map<String, Value> {
    Map::from_iter([("cursor".to_owned(), json!(cursor))])
}

fn check(input: &[u8]) {
    thread_local! {
        static SITE: OnceCell<Site> = const { OnceCell::new() };
    }
    let (name, template) = first_line(input);
    SITE.with(|site| {
        let site = site.get_or_init(Site::new);
        let named = site.listings.iter().find(|listing| listing.name == name);
        let chosen = named.or_else(|| site.listings.get(number_of(&name, site.listings.len().max(1))));
        let Some(listing) = chosen else { return };
        let cursor = filled(&String::from_utf8_lossy(template), &listing.cursors);
        site.inputs.set(site.inputs.get() + 1);
        for recorded in site.call(listing.tool, with_cursor(&cursor)).1 {
            let request = request(&recorded);
            assert!(recorded.is_accepted(), "{cursor} leads to {request}: {:?}", recorded.verdict);
            let operation = site.toolbox.catalog().get(listing.tool).map(|entry| &entry.tool.calls[0].operation);
            assert_eq!(recorded.operation.as_ref(), operation, "{cursor} leads to another operation");
            if !listing.requests.contains(&request) {
                site.passed.set(site.passed.get() + 1);
                let by_chance = site.inputs.get() / BY_CHANCE;
                assert!(site.passed.get() <= by_chance, "{cursor} leads to {request}");
            }
        }
    });
}

/// Puts cursors, or parts of them, in the places of a template.
fn filled(template: &str, cursors: &[String]) -> String {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let (place, after) = after.split_once('}').unwrap_or((after, ""));
        match part(place, cursors) {
            Some(part) => text.push_str(part),
            None => text.push_str(place),
        }
        rest = after;
    }
    text.push_str(rest);
    text
}

/// `0`, `0:3` up to the third character, `0:3:` from there on.
fn part<'c>(place: &str, cursors: &'c [String]) -> Option<&'c str> {
    let mut numbers = place.split(':');
    let cursor = cursors.get(numbers.next()?.parse::<usize>().ok()?)?;
    match (numbers.next(), numbers.next()) {
        (None, _) => Some(cursor),
        (Some(end), None) => cursor.get(..end.parse::<usize>().ok()?.min(cursor.len())),
        (Some(start), Some(_)) => cursor.get(start.parse::<usize>().ok()?.min(cursor.len())..),
    }
}
