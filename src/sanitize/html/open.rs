//! The tags of a document → its open elements, with what a person sees of each.
//!
//! Elements end as in browsers as far as that decides what is hidden: a paragraph before a block, an item before the
//! next; `font` and `b` live on after the end of what they were opened in. The look back is bounded, so that the time is
//! linear in the length. A whole tree, as browsers build it, has no such bound: unclosed elements multiply in it.

use std::rc::Rc;

use html5gum::emitters::default::StartTag;

use super::seen::{Applied, Seen, cascade};
use super::sheet::{Facts, Place, Sheet, Strength};
use super::style::{self, Declaration};

/// How many open elements a tag is compared with.
const LOOK_BACK: usize = 64;
/// How many elements may be open; the next ones take the place of the innermost.
const MOST_OPEN: usize = 512;

/// Of an element, what decides when it ends and whether it is displayed; one bit each.
type Kind = u32;

/// Has no end tag.
const VOID: Kind = 1;
/// Its content is not displayed as text.
const NOT_DISPLAYED: Kind = 1 << 1;
/// Lives on after the end of what it was opened in.
const FORMATTING: Kind = 1 << 2;
/// Is not ended by the end of an element outside of it.
const BOUNDARY: Kind = 1 << 3;
/// Ends a paragraph.
const BLOCK: Kind = 1 << 4;
const PARAGRAPH: Kind = 1 << 5;
const ITEM: Kind = 1 << 6;
const LIST: Kind = 1 << 7;
const TERM: Kind = 1 << 8;
const TERMS: Kind = 1 << 9;
const CELL: Kind = 1 << 10;
const ROW: Kind = 1 << 11;
const ROWS: Kind = 1 << 12;
const CAPTION: Kind = 1 << 13;
const TABLE: Kind = 1 << 14;
const OPTION: Kind = 1 << 15;
const LINK: Kind = 1 << 16;
const BUTTON: Kind = 1 << 17;
const PAGE: Kind = 1 << 18;

/// The parts of a table, out of which no formatting lives on.
const OF_TABLE: Kind = CELL | ROW | ROWS | CAPTION | TABLE;

fn kind(name: &str) -> Kind {
    match name {
        "area" | "base" | "br" | "col" | "embed" | "img" | "input" | "link" | "meta" | "source" | "track" | "wbr" => {
            VOID
        }
        "hr" => VOID | BLOCK,
        "script" | "style" | "title" | "noscript" | "iframe" | "noembed" | "noframes" | "audio" | "video"
        | "select" | "datalist" | "param" | "rp" => NOT_DISPLAYED,
        "template" | "object" | "applet" => NOT_DISPLAYED | BOUNDARY,
        "a" => FORMATTING | LINK,
        "b" | "big" | "code" | "em" | "font" | "i" | "nobr" | "s" | "small" | "strike" | "strong" | "tt" | "u" => {
            FORMATTING
        }
        "marquee" => BOUNDARY,
        "html" => BOUNDARY | PAGE,
        "body" => PAGE,
        "p" => BLOCK | PARAGRAPH,
        "li" => BLOCK | ITEM,
        "ul" | "ol" | "menu" | "dir" => BLOCK | LIST,
        "dt" | "dd" => BLOCK | TERM,
        "dl" => BLOCK | TERMS,
        "td" | "th" => BOUNDARY | CELL,
        "tr" => ROW,
        "tbody" | "thead" | "tfoot" => ROWS,
        "caption" => BOUNDARY | CAPTION,
        "table" => BOUNDARY | BLOCK | TABLE,
        "option" => OPTION,
        "button" => BUTTON,
        "address" | "article" | "aside" | "blockquote" | "center" | "details" | "dialog" | "div" | "fieldset"
        | "figcaption" | "figure" | "footer" | "form" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "header" | "main"
        | "nav" | "pre" | "section" | "summary" => BLOCK,
        _ => 0,
    }
}

/// Where a declaration comes from, the strongest last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Origin {
    Hint,
    Rule,
    Style,
}

/// Declarations with their strength.
type Declared = ((Origin, Strength), Rc<[Declaration]>);

/// The elements that are open.
#[derive(Debug, Default)]
pub(super) struct OpenElements {
    sheet: Sheet,
    page: Seen,
    open: Vec<Open>,
    /// The facts of the open elements, for selectors; only where there are rules.
    facts: Vec<Rc<Facts>>,
    /// The last element that ended on the page itself.
    last: Option<Rc<Facts>>,
}

#[derive(Debug, Clone)]
struct Open {
    name: Rc<str>,
    kind: Kind,
    seen: Seen,
    applied: Rc<Applied>,
    /// Whether the kind of element alone hides it.
    not_displayed: bool,
    /// The last element inside.
    last: Option<Rc<Facts>>,
}

impl OpenElements {
    pub(super) fn new(sheet: Sheet) -> Self {
        Self { sheet, ..Self::default() }
    }

    /// Whether rules were left out.
    pub(super) fn is_exhausted(&self) -> bool {
        self.sheet.is_exhausted()
    }

    /// Returns what a person sees here.
    pub(super) fn seen(&self) -> &Seen {
        self.open.last().map_or(&self.page, |open| &open.seen)
    }

    /// Opens an element; returns what is seen of it.
    pub(super) fn start(&mut self, name: &str, tag: &StartTag<()>) -> Seen {
        let kind = kind(name);
        self.end_implicitly(kind);
        let facts = (!self.sheet.is_empty()).then(|| Rc::new(Facts::new(name, attributes(tag))));
        let applied = self.applied(name, tag, facts.as_deref());
        let not_displayed = kind & NOT_DISPLAYED != 0
            || tag.attributes.contains_key(b"hidden".as_slice())
            || name == "dialog" && !tag.attributes.contains_key(b"open".as_slice());
        let around = self.seen();
        let seen = if not_displayed { around.without() } else { around.inside(name, &applied) };
        let last = self.open.last_mut().map_or(&mut self.last, |open| &mut open.last);
        last.clone_from(&facts);
        if kind & VOID == 0 {
            if self.open.len() >= MOST_OPEN {
                self.truncate(MOST_OPEN - 1);
            }
            self.open.push(Open {
                name: name.into(),
                kind,
                seen: seen.clone(),
                applied: Rc::new(applied),
                not_displayed,
                last: None,
            });
            self.facts.extend(facts);
        }
        seen
    }

    /// Ends an element; returns whether it was displayed.
    pub(super) fn end(&mut self, name: &str) -> bool {
        let here = !self.seen().gone;
        let kind = kind(name);
        let mut candidates = self.open.iter().enumerate().rev().take(LOOK_BACK);
        let is_meant = |open: &Open| open.kind == kind && &*open.name == name;
        let found = candidates.find(|(_, open)| !may_cross(kind, open.kind) || is_meant(open));
        let Some((at, _)) = found.filter(|(_, open)| is_meant(open)) else { return here };
        let shown = !self.open[at].seen.gone;
        if kind & FORMATTING == 0 {
            self.close(at);
        } else {
            self.remove(at);
        }
        shown
    }

    /// Ends the elements that the start of another one ends.
    fn end_implicitly(&mut self, next: Kind) {
        let cells = CELL | CAPTION | TABLE;
        let (ended, within) = match next & (ITEM | TERM | OF_TABLE | OPTION | LINK) {
            ITEM => (ITEM, LIST),
            TERM => (TERM, TERMS),
            CELL => (CELL, ROW | TABLE),
            ROW => (ROW, TABLE),
            ROWS => (ROWS | ROW, TABLE),
            OPTION => (OPTION, NOT_DISPLAYED),
            LINK => (LINK, cells),
            _ => (0, 0),
        };
        if let Some(at) = self.nearest(ended, within) {
            if ended == LINK { self.remove(at) } else { self.close(at) }
        }
        if next & BLOCK != 0
            && let Some(at) = self.nearest(PARAGRAPH, cells | BUTTON | NOT_DISPLAYED)
        {
            self.close(at);
        }
    }

    fn nearest(&self, ended: Kind, within: Kind) -> Option<usize> {
        if ended == 0 {
            return None;
        }
        let mut candidates = self.open.iter().enumerate().rev().take(LOOK_BACK);
        let found = candidates.find(|(_, open)| open.kind & (ended | within) != 0);
        found.filter(|(_, open)| open.kind & ended != 0).map(|(at, _)| at)
    }

    /// Ends the element at `at` and those inside; formatting lives on.
    fn close(&mut self, at: usize) {
        let from = if self.open[at].kind & OF_TABLE == 0 { at + 1 } else { self.open.len() };
        let kept: Vec<(Open, Option<Rc<Facts>>)> = (from..self.open.len())
            .filter(|index| self.open[*index].kind & FORMATTING != 0)
            .map(|index| (self.open[index].clone(), self.facts.get(index).cloned()))
            .collect();
        self.truncate(at);
        for (open, facts) in kept {
            self.open.push(open);
            self.facts.extend(facts);
        }
        self.see_again(at);
    }

    /// Takes one element out; those inside stay open.
    fn remove(&mut self, at: usize) {
        self.open.remove(at);
        if at < self.facts.len() {
            self.facts.remove(at);
        }
        self.see_again(at);
    }

    fn truncate(&mut self, length: usize) {
        self.open.truncate(length);
        self.facts.truncate(length);
    }

    /// Computes anew what is seen of the elements from `at` on.
    fn see_again(&mut self, at: usize) {
        for index in at..self.open.len() {
            let around = index.checked_sub(1).map_or(&self.page, |before| &self.open[before].seen);
            let open = &self.open[index];
            let seen = if open.not_displayed { around.without() } else { around.inside(&open.name, &open.applied) };
            self.open[index].seen = seen;
        }
    }

    /// Returns the declarations that apply: of attributes, rules and the element's own style, the later ones stronger.
    fn applied(&mut self, name: &str, tag: &StartTag<()>, facts: Option<&Facts>) -> Applied {
        let mut declared: Vec<Declared> = Vec::new();
        let hints = hints(name, tag);
        if !hints.is_empty() {
            declared.push(((Origin::Hint, (0, 0)), hints.into()));
        }
        if let Some(element) = facts {
            let before = self.open.last().map_or(&self.last, |open| &open.last).clone();
            let place = Place { element, around: &self.facts, before: before.as_deref() };
            declared.extend(
                self.sheet.declarations(place).into_iter().map(|(strength, found)| ((Origin::Rule, strength), found)),
            );
        }
        if let Some(style) = attribute(tag, "style") {
            declared.push(((Origin::Style, (0, 0)), style::declarations(style).into()));
        }
        cascade(&declared)
    }
}

/// Whether the end tag of an element ends it through an open element of another kind.
fn may_cross(ended: Kind, open: Kind) -> bool {
    match ended {
        _ if ended & (TABLE | PAGE) != 0 => true,
        _ if ended & OF_TABLE != 0 => open & TABLE == 0,
        _ if ended & (FORMATTING | BLOCK) != 0 => open & BOUNDARY == 0,
        _ => open & (BOUNDARY | BLOCK) == 0,
    }
}

pub(super) fn attribute<'a>(tag: &'a StartTag<()>, name: &str) -> Option<&'a str> {
    std::str::from_utf8(&tag.attributes.get(name.as_bytes())?.value).ok()
}

fn attributes(tag: &StartTag<()>) -> Vec<(String, String)> {
    let lower = |bytes: &[u8]| String::from_utf8_lossy(bytes).to_ascii_lowercase();
    tag.attributes.iter().map(|(name, value)| (lower(name), lower(&value.value))).collect()
}

/// Attributes that say what CSS says too.
fn hints(name: &str, tag: &StartTag<()>) -> Vec<Declaration> {
    let colour = match name {
        "font" | "basefont" => Some("color"),
        "body" => Some("text"),
        _ => None,
    };
    let colour = colour.and_then(|colour| attribute(tag, colour));
    let ground = matches!(name, "body" | "table" | "tbody" | "thead" | "tfoot" | "tr" | "td" | "th");
    let behind = ground.then(|| attribute(tag, "bgcolor")).flatten();
    let image = ground.then(|| attribute(tag, "background")).flatten().filter(|image| !image.trim().is_empty());
    let mut hints = Vec::new();
    hints.extend(colour.map(|colour| style::colour_attribute("color", colour)));
    hints.extend(behind.map(|behind| style::colour_attribute("background-color", behind)));
    hints.extend(image.map(|_| style::image_attribute()));
    hints
}
