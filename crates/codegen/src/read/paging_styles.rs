//! `[[paging]]` of vendor.toml → the styles in which a vendor pages. Called by `vendor_file`.

use crate::read::located::Located;
use toolwright_model::{PagingKind, PagingStyle, Signs};

const KEYS: [&str; 16] = [
    "name",
    "kind",
    "position",
    "size",
    "first",
    "records",
    "total",
    "last",
    "next",
    "total_header",
    "next_header",
    "count_header",
    "limit_header",
    "cuts",
    "reach",
    "replaced",
];

/// Reads the styles; reports what is wrong with them.
pub(super) fn read_styles(at: &Located<'_>) -> Vec<PagingStyle> {
    let mut styles: Vec<PagingStyle> = Vec::new();
    for item in at.items() {
        let Some(style) = read_style(&item) else { continue };
        if styles.iter().any(|other| other.name == style.name)
            && let Some(name) = item.get("name")
        {
            name.report("a name of its own for each style".to_owned(), format!("`{}` twice", style.name), None);
        }
        styles.push(style);
    }
    styles
}

fn read_style(at: &Located<'_>) -> Option<PagingStyle> {
    at.only(&KEYS);
    let required = |key, expected| at.required(key, expected).and_then(|entry| entry.text().map(str::to_owned));
    let name = required("name", "a name for overlays to choose it by");
    let kind = at.required("kind", "one of `offset`, `page`, `token`").and_then(|kind| kind.word(PagingKind::ALL));
    let position = required("position", "the parameter or body property for where a page begins");
    let size = at.get("size").and_then(|size| size.text().map(str::to_owned));
    let pointer_of = |entry: &Located<'_>| {
        let text = entry.text()?;
        if !text.is_empty() && !text.starts_with('/') {
            entry.wrong("a JSON pointer, such as `/values`; empty for the answer itself");
        }
        Some(text.to_owned())
    };
    let pointer = |key| pointer_of(&at.get(key)?);
    let header = |key| {
        let entry = at.get(key)?;
        let text = entry.text()?;
        if text.is_empty() || !text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_') {
            entry.wrong("the name of a header");
        }
        Some(text.to_ascii_lowercase())
    };
    let signs = Signs {
        first: at.get("first").and_then(|first| first.unsigned()).unwrap_or_default(),
        records: pointer("records"),
        total: pointer("total"),
        last: pointer("last"),
        next: pointer("next"),
        total_header: header("total_header"),
        next_header: header("next_header"),
        count_header: header("count_header"),
        limit_header: header("limit_header"),
        cuts: at.get("cuts").and_then(|cuts| cuts.flag()).unwrap_or_default(),
        reach: at.get("reach").and_then(|reach| reach.unsigned()),
        replaced: at.get("replaced").iter().flat_map(Located::items).filter_map(|item| pointer_of(&item)).collect(),
    };
    let (name, kind, position) = (name?, kind?, position?);
    if kind == PagingKind::Token && signs.next.is_none() && signs.next_header.is_none() {
        let expected = "`next` or `next_header`: where an answer states the next position".to_owned();
        at.report(expected, "neither".to_owned(), None);
    }
    if let Some(first) = at.get("first")
        && kind != PagingKind::Page
    {
        first.report("`first` with the kind `page` only".to_owned(), format!("it with `{kind}`"), None);
    }
    check_range(at, kind, size.is_some());
    Some(PagingStyle { name, kind, position, size, signs })
}

/// Checks the keys that are about ranges of records: they need positions that are numbers, and a known size.
fn check_range(at: &Located<'_>, kind: PagingKind, sized: bool) {
    for key in ["cuts", "reach"] {
        let Some(entry) = at.get(key) else { continue };
        if kind == PagingKind::Token {
            entry.report(format!("`{key}` with the kind `offset` or `page`"), format!("it with `{kind}`"), None);
        } else if !sized {
            entry.report(format!("`{key}` beside `size`, which states the range"), "no `size`".to_owned(), None);
        }
    }
}
