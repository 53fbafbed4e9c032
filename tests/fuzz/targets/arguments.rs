//! A tool's name and arguments → the request that arrives at the vendor: it keeps to the template of its path, and the
//! vendor's description allows it.
//!
//! ```text
//! <tool> <number>
//! {"id": "an argument in place of a drawn one"}     or a value, for the argument of that number
//! ```
//!
//! The other arguments are drawn from the tool's schema by the number, so that most inputs reach the vendor.

use std::cell::OnceCell;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fastrand::Rng;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};
use toolwright::call::Toolbox;
use toolwright::catalog::CatalogEntry;
use toolwright::formats;
use toolwright::policy::Defaults;
use toolwright::sandbox::{Recorded, RequestProblem, Sandbox, Verdict};
use toolwright_model::{Call, Effect, Place};

use super::{Target, block_on, first_line, number_of};
use crate::common::{draw, everything, sandbox, toolbox};

pub(super) const TARGET: Target = Target {
    name: "arguments",
    changes: 150,
    words: &[
        ".",
        "..",
        "../x",
        "..;",
        "..;a=b",
        "%2e%2e",
        "%2e.",
        ".%00.",
        "a/../b",
        "//host",
        "\\..\\",
        "\u{ff0e}\u{ff0e}",
        "a\r\nb",
        "*",
        "-1d",
        "now",
        "2026-11-01",
        "dry_run",
        "jq",
        "fields",
        "cursor",
        "all",
        "detail",
        "raw",
        "true",
        "null",
        "content_base64",
        "filename",
        "path",
        "$ne",
        "and",
        "or",
        "# heading",
        "**bold**",
        "| a | b |\n|---|---|\n",
    ],
    check,
};

/// What a path may hold: what separates segments, what is encoded, and the unreserved characters of RFC 3986.
const PLAIN_IN_PATHS: &str = "-._~/%";

struct Site {
    sandbox: Sandbox,
    toolbox: Toolbox,
}

impl Site {
    fn new() -> Self {
        let sandbox = block_on(sandbox(None));
        let noon = || UNIX_EPOCH + Duration::from_secs(1_795_176_000);
        let clock: fn() -> SystemTime = noon;
        let toolbox = toolbox(&sandbox, &everything(), Defaults::Everything).with_clock(clock);
        Self { sandbox, toolbox }
    }
}

fn check(input: &[u8]) {
    thread_local! {
        static SITE: OnceCell<Site> = const { OnceCell::new() };
    }
    let (line, rest) = first_line(input);
    let Ok(given) = serde_json::from_slice::<Value>(rest) else { return };
    let (name, number) = line.split_once(' ').unwrap_or((&line, ""));
    SITE.with(|site| {
        let Site { sandbox, toolbox } = site.get_or_init(Site::new);
        let entries = toolbox.catalog().entries();
        let named = toolbox.catalog().get(name);
        let Some(entry) = named.or_else(|| entries.get(number_of(name, entries.len().max(1)))) else { return };
        let number = number.trim().parse().unwrap_or(0);
        let arguments = arguments(entry, number, given);
        let shown = Value::Object(arguments.clone());
        // What is refused sends nothing that this tool is for; what it looked up before is checked as well.
        let called = block_on(toolbox.call(&entry.tool.name, arguments));
        for recorded in sandbox.take_record() {
            let about = || format!("{} {shown}: {} {}", entry.tool.name, recorded.method, recorded.path);
            check_path(entries, entry, &recorded).unwrap_or_else(|fault| panic!("{fault}: {}", about()));
            if let Some(problem) = problem(entry, &recorded) {
                panic!("{problem:?}: {}: {:?}", about(), called.as_ref().err());
            }
        }
    });
}

/// Draws arguments and puts the given ones in their places.
fn arguments(entry: &CatalogEntry, number: u64, given: Value) -> Map<String, Value> {
    static NONE: draw::Samples = draw::Samples::new();
    let tool = &entry.tool;
    let samples = draw::samples().get(&tool.name).unwrap_or(&NONE);
    let schema = Value::Object(tool.checked_schema());
    let mut arguments = draw::arguments(&schema, samples, &mut Rng::with_seed(number));
    arguments.retain(|name, _| !tool.is_own_argument(name));
    match given {
        Value::Object(given) => arguments.extend(given),
        given => {
            let count = arguments.len() as u64;
            let chosen = number.checked_rem(count).and_then(|chosen| usize::try_from(chosen).ok());
            if let Some((_, value)) = chosen.and_then(|chosen| arguments.iter_mut().nth(chosen)) {
                *value = given;
            }
        }
    }
    arguments
}

/// What the description does not allow in a request. Some formats take what the schema does not name, such as any field of an
/// issue, and leave it to the vendor.
fn problem<'r>(entry: &CatalogEntry, recorded: &'r Recorded) -> Option<&'r RequestProblem> {
    let bindings: Vec<_> = entry.tool.calls.iter().flat_map(|call| &call.bindings).collect();
    let is_open = |problem: &&RequestProblem| {
        let mut place = problem.place.split('.');
        let (part, name) = (place.next().unwrap_or_default(), place.next().unwrap_or_default());
        let own = bindings.iter().filter(|binding| match &binding.place {
            Place::Property(property) => part == "body" && property == name,
            Place::Query(parameter) => part == "query" && parameter == name,
            Place::Body | Place::Properties => part == "body",
            Place::Path(_) | Place::Header(_) | Place::Cookie(_) => false,
        });
        let mut formats = own.flat_map(|binding| &binding.formats);
        formats.any(|one| formats::find(one.format.as_str()).is_some_and(|format| !format.open_parts().is_empty()))
    };
    match &recorded.verdict {
        Verdict::Accepted => None,
        Verdict::Problems(problems) => problems.iter().find(|problem| !is_open(problem)),
    }
}

/// Checks that a path is that of one of the tool's operations, or of a look-up, which is a tool that only reads.
fn check_path(entries: &[CatalogEntry], entry: &CatalogEntry, recorded: &Recorded) -> Result<(), String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || PLAIN_IN_PATHS.contains(c);
    if let Some(odd) = recorded.path.chars().find(|c| !is_plain(*c)) {
        return Err(format!("`{odd}` is not encoded"));
    }
    if let Some(climbs) = recorded.path.split('/').find(|segment| climbs(segment)) {
        return Err(format!("`{climbs}` leads to another path"));
    }
    let own = entry.tool.calls.iter().filter(|call| call.api == recorded.api && call.method == recorded.method);
    let fits = own.into_iter().any(|call| fits(&call.path, &recorded.path));
    let is_its = |call: &Call| call.api == recorded.api && Some(&call.operation) == recorded.operation.as_ref();
    let mut readers = entries.iter().filter(|entry| entry.tool.effect == Some(Effect::Read));
    if fits || readers.any(|reader| reader.tool.calls.iter().any(is_its)) {
        return Ok(());
    }
    Err("the path of another operation".to_owned())
}

/// Whether a server may take a segment for a step to another folder, however often it decodes it.
fn climbs(segment: &str) -> bool {
    let mut text = segment.to_owned();
    for _ in 0..3 {
        let before_parameters = |part: &str| part.split(';').next().unwrap_or_default().trim().to_owned();
        if text.split(['/', '\\']).map(before_parameters).any(|part| part == "." || part == "..") {
            return true;
        }
        text = percent_decode_str(&text).decode_utf8_lossy().into_owned();
    }
    false
}

/// Whether a path has the segments of a template, with something in the place of each parameter.
fn fits(template: &str, path: &str) -> bool {
    let (template, path): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
    template.len() == path.len()
        && template.iter().zip(&path).all(|(wanted, found)| match wanted.split_once('{') {
            Some((before, _)) => found.len() > before.len() && found.starts_with(before),
            None => wanted == found,
        })
}
