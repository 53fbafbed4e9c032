//! `[[paging]]` of vendor.toml → the styles in which a vendor pages, and which of them an
//! operation can page by. Called by `vendor_file` and `tool_draft`.

use crate::lower::arguments::Argument;
use crate::lower::inputs::Input;
use crate::read::finding::{Errors, Finding};
use crate::read::located::Located;
use toolwright_model::{Binding, Paging, PagingKind, PagingStyle, Place, Signs, Tool};

const KEYS: [&str; 13] = [
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
];

/// Reads the styles, reporting whatever is wrong with one.
pub fn read_styles(at: &Located<'_>) -> Vec<PagingStyle> {
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
    let position = required("position", "the parameter or body property that says where a page begins");
    let size = at.get("size").and_then(|size| size.text().map(str::to_owned));
    let pointer = |key| {
        let entry = at.get(key)?;
        let text = entry.text()?;
        if !text.is_empty() && !text.starts_with('/') {
            entry.wrong("a JSON pointer, such as `/values`; empty for the answer itself");
        }
        Some(text.to_owned())
    };
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
    };
    let (name, kind, position) = (name?, kind?, position?);
    if kind == PagingKind::Token && signs.next.is_none() && signs.next_header.is_none() {
        let expected = "`next` or `next_header`: where an answer says which position comes next".to_owned();
        at.report(expected, "neither".to_owned(), None);
    }
    if let Some(first) = at.get("first")
        && kind != PagingKind::Page
    {
        first.report("`first` with the kind `page` only".to_owned(), format!("it with `{kind}`"), None);
    }
    Some(PagingStyle { name, kind, position, size, signs })
}

/// How an operation with these inputs pages by a style; `None` where it lacks what that needs.
pub fn fit(style: &PagingStyle, inputs: &[Input]) -> Option<Paging> {
    let of = |name: &str| {
        let right = |input: &&Input| {
            input.key == name && matches!(input.place, Place::Query(_) | Place::Header(_) | Place::Property(_))
        };
        inputs.iter().find(right)
    };
    let position = of(&style.position)?;
    let size = match &style.size {
        Some(size) => Some(of(size)?.place.clone()),
        None => None,
    };
    Some(Paging {
        kind: style.kind,
        position: position.place.clone(),
        always: position.required && style.kind != PagingKind::Token,
        size,
        most: None,
        signs: style.signs.clone(),
    })
}

/// The most records of a page, where the argument's schema states it.
pub fn most(paging: &Paging, bindings: &[Binding], arguments: &[Argument]) -> Option<u64> {
    let binding = bindings.iter().find(|binding| Some(&binding.place) == paging.size.as_ref())?;
    let argument = arguments.iter().find(|argument| argument.name == binding.argument)?;
    argument.schema.get("maximum")?.as_u64()
}

/// What a style needs an operation to have.
pub fn names(style: &PagingStyle) -> String {
    match &style.size {
        Some(size) => format!("`{}`, `{size}`", style.position),
        None => format!("`{}`", style.position),
    }
}

/// Reports each style by which no tool pages: a parameter's name is mistyped.
pub fn check_used(styles: &[PagingStyle], tools: &[&Tool], file: &str, errors: &mut Errors) {
    for (index, style) in styles.iter().enumerate() {
        let used = |tool: &&&Tool| tool.paging().is_some_and(|paging| is_by(paging, style));
        if !tools.iter().any(|tool| used(&tool)) {
            errors.push(Finding {
                file: file.to_owned(),
                pointer: format!("/paging/{index}"),
                expected: format!("a listing that takes {}", names(style)),
                found: format!("none that pages by `{}`", style.name),
                hint: Some("a style before it may fit first; an overlay's `paging` chooses one".to_owned()),
            });
        }
    }
}

fn is_by(paging: &Paging, style: &PagingStyle) -> bool {
    let named = |place: &Place, name: &str| match place {
        Place::Query(own) | Place::Header(own) | Place::Property(own) => own == name,
        _ => false,
    };
    let size = match (&paging.size, &style.size) {
        (Some(place), Some(name)) => named(place, name),
        (None, None) => true,
        _ => false,
    };
    paging.kind == style.kind && paging.signs == style.signs && named(&paging.position, &style.position) && size
}
