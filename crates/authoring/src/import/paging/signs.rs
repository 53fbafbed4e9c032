//! Names of parameters, headers and properties of answers → what they say of a page. Called by `paging`.

use serde_json::Value;

use crate::import::answers::{Answer, Property, is_list};
use crate::import::words::is_in;
use toolwright_codegen::read::reference::escape;
use toolwright_model::PagingKind;

const OFFSETS: &str = "offset skip start startat pageoffset first firstresult startindex startrow startposition rowoffset \
    startoffset";
const PAGES: &str = "page pagenumber pagenum pageno pageindex currentpage";
const TOKENS: &str = "cursor pagetoken nextpagetoken nexttoken nextcursor continuationtoken continue pagecursor \
    startingafter after pageafter marker nextmarker scrollparam scrollid startcursor aftercursor skiptoken bookmark \
    paginationtoken pagingtoken startkey nextkey pagestate";
const SIZES: &str = "limit count size pagesize perpage maxresults maxresult max rows top take resultsperpage \
    resultperpage itemsperpage pagelimit maxitems maxrecords num first numresults";

/// Objects of an answer that describe the page.
const CONTAINERS: &str = "pagination paging page pages meta metadata links pageinfo responsemetadata cursor cursors \
    resultinfo cursorinfo responsecontext listmetadata";
const NEXTS: &str = "next nextcursor nextpagetoken nexttoken nextpage nexturl nextlink nexthref nextpageurl nextpagelink \
    continuationtoken nextmarker nextkey aftercursor endcursor odatanextlink nextpagecursor";
const TOTALS: &str = "total totalcount totalresults totalsize totalelements totalrecords totalitems totalhits totalentries \
    totalrows";
const LASTS: &str = "islast islastpage lastpage last";
/// `true` where there are more; no key reads them.
const MORES: &str = "hasmore more hasnext hasnextpage moreresults hasmoreresults moreavailable";
/// What else a page can be described by.
const OTHERS: &str = "offset limit start startat maxresults page perpage pagesize totalpages currentpage pagenumber \
    previous prev previouspage hasprev hasprevious hasmore more hasnext hasnextpage self first pagecount startindex \
    endindex numberofpages itemsperpage";
const TOTAL_HEADERS: &str =
    "x-total-count x-total total-count x-total-results x-pagination-total-count x-total-records";
const NEXT_HEADERS: &str = "x-next-cursor x-next-page-token x-next-token next-cursor x-next-page x-cursor-next";

/// The name without what sets its words apart.
pub(super) fn norm(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

pub(super) fn is_position(kind: PagingKind, name: &str) -> bool {
    let names = match kind {
        PagingKind::Offset => OFFSETS,
        PagingKind::Page => PAGES,
        PagingKind::Token => TOKENS,
    };
    is_in(names, &norm(name))
}

pub(super) fn is_size(name: &str) -> bool {
    is_in(SIZES, &norm(name))
}

pub(super) fn is_total_header(name: &str) -> bool {
    is_in(TOTAL_HEADERS, name)
}

pub(super) fn is_next_header(name: &str) -> bool {
    is_in(NEXT_HEADERS, name)
}

/// Whether a property of an answer describes the page and no record.
pub(in crate::import) fn is_about_a_page(name: &str) -> bool {
    let name = norm(name);
    [CONTAINERS, NEXTS, TOTALS, LASTS, MORES, OTHERS, TOKENS].iter().any(|names| is_in(names, &name))
        || is_in("count object type kind success status ok errors error warnings requestid took", &name)
}

/// What an answer says of its page: pointers to it.
pub(super) struct Names {
    found: Vec<Sign>,
}

/// A scalar beside the records, or within an object that describes the page.
struct Sign {
    pointer: String,
    /// The object in which it is.
    container: String,
    name: String,
    kind: String,
    /// Whether the object around it says that this is about what comes next.
    is_of_next: bool,
    text: String,
}

impl Names {
    pub(super) fn of(answer: &Answer<'_>) -> Self {
        let mut names = Self { found: Vec::new() };
        let rows = answer.rows.as_ref().map(|rows| rows.pointer.as_str()).unwrap_or_default();
        // Beside records that are inside of `data`, the page is described there or at the top.
        let (above, _) = rows.rsplit_once('/').unwrap_or_default();
        let beside = answer.beside();
        names.add(answer, &beside, "", 3, false);
        if let Some((_, schema)) =
            beside.iter().find(|(name, _)| !above.is_empty() && above == format!("/{}", escape(name)))
        {
            let inner = answer.properties(schema);
            names.add(answer, &inner, above, 2, false);
        }
        names
    }

    fn add(&mut self, answer: &Answer<'_>, properties: &[Property<'_>], above: &str, levels: usize, of_next: bool) {
        let Some(levels) = levels.checked_sub(1) else { return };
        for (name, schema) in properties {
            let pointer = format!("{above}/{}", escape(name));
            let inner = if is_list(schema) { Vec::new() } else { answer.properties(schema) };
            let kind = schema.get("type").and_then(Value::as_str);
            let normal = norm(name);
            if !inner.is_empty() || matches!(kind, Some("object" | "array")) {
                let is_next = is_in(NEXTS, &normal);
                if is_in(CONTAINERS, &normal) || is_next {
                    self.add(answer, &inner, &pointer, levels, is_next);
                }
                continue;
            }
            self.found.push(Sign {
                pointer,
                container: above.to_owned(),
                name: normal,
                // Without a type it is a text or a number, as far as anybody says.
                kind: kind.unwrap_or("string").to_owned(),
                is_of_next: of_next,
                text: schema.get("description").and_then(Value::as_str).unwrap_or_default().to_lowercase(),
            });
        }
    }

    /// Where the next position is, by itself or within an address.
    pub(super) fn next(&self, kind: PagingKind, position: &str) -> Option<String> {
        let position = norm(position);
        let fits = |sign: &&Sign| {
            let is_token = sign.name.contains("cursor") || sign.name.contains("token");
            matches!(sign.kind.as_str(), "string" | "number" | "integer") && (kind == PagingKind::Token || !is_token)
        };
        let usable = || self.found.iter().filter(fits);
        let of_next = usable()
            .find(|sign| sign.is_of_next && (sign.name == position || sign.name == "href" || sign.name == "url"));
        let exact = usable().find(|sign| sign.name == format!("next{position}"));
        let named = usable().find(|sign| is_in(NEXTS, &sign.name));
        // The token under its own name, in what describes the page.
        let own = usable().find(|sign| {
            kind == PagingKind::Token
                && sign.name == position
                && (!sign.container.is_empty() || sign.text.contains("next"))
        });
        of_next.or(exact).or(named).or(own).map(|sign| sign.pointer.clone())
    }

    /// Where the number of records in all is. `count` is that only where the description says so, or where it stands
    /// beside the addresses of the next page and the one before, as frameworks write it.
    pub(super) fn total(&self) -> Option<String> {
        let numbers = || self.found.iter().filter(|sign| sign.kind == "integer" || sign.kind == "number");
        let beside = |sign: &&Sign, name: &str| {
            self.found.iter().any(|other| other.container == sign.container && other.name == name)
        };
        let total = numbers().find(|sign| is_in(TOTALS, &sign.name));
        let count = || {
            numbers().find(|sign| {
                sign.name == "count"
                    && (sign.text.contains("total") || beside(sign, "next") && beside(sign, "previous"))
            })
        };
        total.or_else(count).map(|sign| sign.pointer.clone())
    }

    /// Where it says that this is the last page.
    pub(super) fn last(&self) -> Option<String> {
        self.found
            .iter()
            .find(|sign| sign.kind == "boolean" && is_in(LASTS, &sign.name))
            .map(|sign| sign.pointer.clone())
    }

    /// Where it says that there are more.
    pub(super) fn more(&self) -> Option<&str> {
        self.found
            .iter()
            .find(|sign| sign.kind == "boolean" && is_in(MORES, &sign.name))
            .map(|sign| sign.pointer.as_str())
    }

    /// What else describes the page.
    pub(super) fn others(&self) -> impl Iterator<Item = String> {
        self.found.iter().filter(|sign| is_in(OTHERS, &sign.name)).map(|sign| sign.pointer.clone())
    }
}

/// Whether the vendor's words say that a parameter whose type is a text is a number.
pub(super) fn says_number(parameter: &Value) -> bool {
    let text = parameter.get("description").and_then(Value::as_str).unwrap_or_default().to_lowercase();
    let words = ["pagination offset", "number of", "how many", "page number", "maximum result", "maximum number"];
    words.iter().any(|word| text.contains(word))
}

/// The first number of a parameter, and by what: its bounds, its default or the vendor's words.
pub(super) fn first_of(parameter: &Value) -> Option<(u64, &'static str)> {
    const ZERO: [&str; 8] = [
        "zero-based",
        "zero based",
        "0-based",
        "0 based",
        "starts at 0",
        "starting at 0",
        "starting from 0",
        "first page is 0",
    ];
    const ONE: [&str; 9] = [
        "one-based",
        "1-based",
        "1 based",
        "starts at 1",
        "starting at 1",
        "starting from 1",
        "first page is 1",
        "starts with 1",
        "starting with 1",
    ];
    let schema = parameter.get("schema").unwrap_or(parameter);
    let number = |key: &str| schema.get(key).and_then(Value::as_u64).filter(|number| *number < 2);
    if let Some(first) = number("default") {
        return Some((first, "its default"));
    }
    let text = parameter.get("description").and_then(Value::as_str).unwrap_or_default().to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    match (says(&ZERO), says(&ONE)) {
        (true, false) => return Some((0, "its description")),
        (false, true) => return Some((1, "its description")),
        _ => {}
    }
    number("minimum").map(|first| (first, "its minimum"))
}
