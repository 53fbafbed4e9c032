//! The styles of all listings of a vendor → `[[paging]]` of vendor.toml. Called by `paging`.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::Draft;
use crate::import::yaml::{is_hidden, quoted};
use toolwright_model::{PagingKind, PagingStyle, Signs};

/// The styles so far, each with the operations that page by it.
#[derive(Debug, Default)]
pub(crate) struct Styles(Vec<Used>);

#[derive(Debug)]
struct Used {
    style: PagingStyle,
    replaced: BTreeSet<String>,
    evidence: String,
    first: String,
    count: usize,
}

impl Styles {
    /// Adds what an operation pages by; returns the style's name. `operation` is how a reader finds it.
    pub(in crate::import) fn add(&mut self, draft: &Draft, operation: &str) -> String {
        let same = |used: &&mut Used| is_same(&used.style, &draft.style);
        if let Some(used) = self.0.iter_mut().find(same) {
            used.count += 1;
            used.replaced.extend(draft.style.signs.replaced.iter().cloned());
            return used.style.name.clone();
        }
        let name = self.name(&draft.style);
        self.0.push(Used {
            style: PagingStyle { name: name.clone(), ..draft.style.clone() },
            replaced: draft.style.signs.replaced.iter().cloned().collect(),
            evidence: draft.evidence.clone(),
            first: operation.to_owned(),
            count: 1,
        });
        name
    }

    /// The styles without what else describes the page.
    pub(in crate::import) fn all(&self) -> Vec<PagingStyle> {
        self.0.iter().map(|used| used.style.clone()).collect()
    }

    /// A name by the parameters, and a number where it is taken.
    fn name(&self, style: &PagingStyle) -> String {
        let parts = [Some(&style.position), style.size.as_ref()].into_iter().flatten();
        let words: Vec<String> =
            parts.map(|part| toolwright_model::kebab_case(part)).filter(|part| !part.is_empty()).collect();
        let base = if words.is_empty() { "pages".to_owned() } else { words.join("-") };
        let is_free = |name: &String| self.0.iter().all(|used| used.style.name != *name);
        let numbered = (2..u32::MAX).map(|number| format!("{base}-{number}"));
        std::iter::once(base.clone()).chain(numbered).find(is_free).unwrap_or(base)
    }

    /// The part of vendor.toml; empty where nothing pages.
    pub(in crate::import) fn write(&self) -> String {
        if self.0.is_empty() {
            return String::new();
        }
        let mut out = "\n# How listings page, by their parameters and answers: to be reviewed. The overlay names the style of each \
                       listing;\n# it is used once the effect of the tool is stated as `read`. The keys: specs/README.md.\n"
            .to_owned();
        for used in &self.0 {
            let count = if used.count == 1 { "1 listing".to_owned() } else { format!("{} listings", used.count) };
            let plain: String = used.first.chars().filter(|c| !is_hidden(*c)).collect();
            let evidence: String = used.evidence.chars().filter(|c| !is_hidden(*c)).collect();
            let _ = writeln!(out, "\n# {count}, such as {plain}, which {evidence}.");
            entry(&used.style, &used.replaced, &mut out);
        }
        out
    }
}

/// Whether two styles differ in their names at most, and in what else describes the page.
fn is_same(one: &PagingStyle, other: &PagingStyle) -> bool {
    let bare = |style: &PagingStyle| PagingStyle {
        name: String::new(),
        signs: Signs { replaced: Vec::new(), ..style.signs.clone() },
        ..style.clone()
    };
    bare(one) == bare(other)
}

fn entry(style: &PagingStyle, replaced: &BTreeSet<String>, out: &mut String) {
    let Signs { first, records, total, last, next, total_header, next_header, .. } = &style.signs;
    let _ = writeln!(out, "[[paging]]\nname = {}\nkind = \"{}\"", quoted(&style.name), style.kind);
    let keys = [
        ("position", Some(&style.position)),
        ("size", style.size.as_ref()),
        ("records", records.as_ref()),
        ("total", total.as_ref()),
        ("last", last.as_ref()),
        ("next", next.as_ref()),
        ("total_header", total_header.as_ref()),
        ("next_header", next_header.as_ref()),
    ];
    for (key, value) in keys {
        if let Some(value) = value {
            let _ = writeln!(out, "{key} = {}", quoted(value));
        }
    }
    if style.kind == PagingKind::Page {
        let _ = writeln!(out, "first = {first}");
    }
    let signs = [total, last, next];
    let others: Vec<String> = replaced
        .iter()
        .filter(|pointer| signs.iter().all(|sign| sign.as_deref() != Some(pointer.as_str())))
        .map(|pointer| quoted(pointer))
        .collect();
    if !others.is_empty() {
        let _ = writeln!(out, "replaced = [{}]", others.join(", "));
    }
}
