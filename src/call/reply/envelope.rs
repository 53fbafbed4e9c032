//! An answer and what the reader must know of it → one JSON text: `page`, `resolved`, `untrusted`, `omitted`,
//! `notes`, then the vendor's data unchanged.

use std::borrow::Cow;
use std::fmt;

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::call::paging::page::Page;
use crate::call::resolved_name::ResolvedName;
use crate::sanitize::{self, EVERY, marks};
use toolwright_model::answer_limits::{LIST_BYTES, NAME_CHARACTERS, NOTE_CHARACTERS, OMITTED_NAMES};
use toolwright_model::truncate;

/// The name of the entry with the records that names in the arguments mean.
pub(crate) const RESOLVED: &str = "resolved";

/// The entries before an answer; all may be empty.
#[derive(Debug, Clone, Default)]
pub(crate) struct Envelope {
    /// Which of the records the answer holds.
    pub(crate) page: Option<Page>,
    /// The records that names in the arguments mean.
    pub(crate) resolved: Vec<ResolvedName>,
    /// The names of the fields whose text outsiders write.
    pub(crate) untrusted: Vec<String>,
    /// The names of the fields that are not shown, or not whole.
    pub(crate) omitted: Vec<String>,
    /// How arguments were interpreted, where that is not obvious.
    pub(crate) notes: Vec<String>,
}

impl Envelope {
    /// The names of the entries.
    pub(crate) const NAMES: [&'static str; 5] = ["page", RESOLVED, "untrusted", "omitted", "notes"];

    /// Adds the entries to a JSON text. An object receives them as its first entries; a list
    /// becomes `items`, an object that has an entry of one of these names `answer`: whatever there is
    /// to add, an answer has one form, and a vendor's data never pass for ours. Anything else becomes
    /// `answer` where there is something to add.
    pub(crate) fn wrap(&self, text: &str) -> String {
        let own = self.entries();
        let text = text.trim();
        let name = match text.as_bytes().first() {
            Some(b'[') => "items",
            Some(b'{') => match serde_json::from_str(text) {
                Ok(Names { has_ours: true, .. }) | Err(_) => "answer",
                Ok(_) if own.is_empty() => return text.to_owned(),
                Ok(Names { are_none: true, .. }) => return [&own.head(), "}"].concat(),
                Ok(_) => return [&own.head(), ",", text[1..].trim_start()].concat(),
            },
            _ if own.is_empty() => return text.to_owned(),
            _ => "answer",
        };
        if own.is_empty() {
            return format!("{{\"{name}\":{text}}}");
        }
        format!("{},\"{name}\":{text}}}", own.head())
    }

    fn entries(&self) -> Entries<'_> {
        let of_page = self.page.iter().flat_map(|page| &page.end_notes);
        Entries {
            page: self.page.as_ref(),
            resolved: &self.resolved,
            untrusted: marked(&self.untrusted),
            omitted: counted(&self.omitted),
            notes: bounded(self.notes.iter().chain(of_page)),
        }
    }
}

/// What is written before an answer; each may be empty, and is left out then.
#[derive(Debug, Serialize)]
struct Entries<'e> {
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<&'e Page>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    resolved: &'e [ResolvedName],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    untrusted: Cow<'e, [String]>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    omitted: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<Cow<'e, str>>,
}

impl Entries<'_> {
    fn is_empty(&self) -> bool {
        let lists = [self.resolved.len(), self.untrusted.len(), self.omitted.len(), self.notes.len()];
        self.page.is_none() && lists == [0; 4]
    }

    /// Its text without the end.
    fn head(&self) -> String {
        let mut head = serde_json::to_string(self).expect("lists of texts and a page are JSON");
        head.truncate(head.len() - 1);
        head
    }
}

/// Returns the names of untrusted fields; where they are too many, any text counts as untrusted.
fn marked(names: &[String]) -> Cow<'_, [String]> {
    // With its quotes and its comma; an escape takes six bytes at most.
    let most: usize = names.iter().map(|name| 6 * name.len() + 3).sum();
    let fits = most < LIST_BYTES || serde_json::to_string(names).expect("a list of texts is JSON").len() <= LIST_BYTES;
    if fits { Cow::Borrowed(names) } else { Cow::Owned(vec![EVERY.to_owned()]) }
}

/// Returns the first names, and how many there are besides.
fn counted(names: &[String]) -> Vec<String> {
    let mut room = LIST_BYTES;
    let mut shown: Vec<String> = Vec::new();
    for name in names.iter().take(OMITTED_NAMES) {
        // A vendor's data may have any name.
        let name = sanitize::name(&truncate(name, NAME_CHARACTERS));
        let Some(left) = room.checked_sub(name.len() + 3) else { break };
        room = left;
        shown.push(name);
    }
    let more = names.len() - shown.len();
    if more > 0 {
        shown.push(format!("… and {more} more"));
    }
    shown
}

/// Returns the notes, the last of them cut short where they are too long.
fn bounded<'n>(notes: impl Iterator<Item = &'n String>) -> Vec<Cow<'n, str>> {
    let mut room = NOTE_CHARACTERS;
    let mut shown = Vec::new();
    for note in notes {
        let length = note.chars().count();
        if length > room {
            shown.push(marks::truncated(note, room));
            break;
        }
        room -= length;
        shown.push(Cow::Borrowed(note.as_str()));
    }
    shown
}

/// What has to be known of the names of an object's entries.
struct Names {
    /// Whether one is a name of ours.
    has_ours: bool,
    are_none: bool,
}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Self { has_ours: false, are_none: true })
    }
}

impl<'de> Visitor<'de> for Names {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<Self, A::Error> {
        while let Some(is_ours) = entries.next_key::<IsOurs>()? {
            entries.next_value::<IgnoredAny>()?;
            self.has_ours |= is_ours.0;
            self.are_none = false;
        }
        Ok(self)
    }
}

/// Whether a name is one of ours.
struct IsOurs(bool);

impl<'de> Deserialize<'de> for IsOurs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_identifier(Self(false))
    }
}

impl Visitor<'_> for IsOurs {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self, E> {
        Ok(Self(Envelope::NAMES.contains(&name)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn page() -> Envelope {
        Envelope { page: Some(Page { returned: 2, ..Page::default() }), ..Envelope::default() }
    }

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn entries_come_before_the_data() {
        let page_head = page().wrap("{}");
        let page_head = page_head.strip_suffix('}').unwrap();
        assert!(page_head.starts_with(r#"{"page":{"returned":2,"#), "{page_head}");
        let marked = Envelope { untrusted: texts(&["Subject"]), ..page() };
        let whole = Envelope { omitted: texts(&["a.b"]), notes: texts(&["n"]), ..marked.clone() };
        for (text, expected) in [
            (r#"[ {"n":1e3} ]"#, r#""items":[ {"n":1e3} ]}"#),
            (r#"{ "total": 2.50, "rows": [] }"#, r#""total": 2.50, "rows": [] }"#),
            ("{}", ""),
            (r#"{"page": 3, "rows": []}"#, r#""answer":{"page": 3, "rows": []}}"#),
            (r#"{"rows": {"page": 3}, "p\u0061ge": 3}"#, r#""answer":{"rows": {"page": 3}, "p\u0061ge": 3}}"#),
            ("7", r#""answer":7}"#),
            (r#""text""#, r#""answer":"text"}"#),
        ] {
            for (envelope, entries) in [
                (page(), ""),
                (marked.clone(), r#","untrusted":["Subject"]"#),
                (whole.clone(), r#","untrusted":["Subject"],"omitted":["a.b"],"notes":["n"]"#),
            ] {
                let rest = if expected.is_empty() { "}".to_owned() } else { format!(",{expected}") };
                let wrapped = envelope.wrap(text);
                assert_eq!(wrapped, format!("{page_head}{entries}{rest}"), "{text}");
                assert!(serde_json::from_str::<Value>(&wrapped).is_ok(), "{wrapped}");
            }
        }
    }

    #[test]
    fn an_answer_has_one_form_whatever_there_is_to_add() {
        for (text, expected) in [
            ("[1, 2]", r#"{"items":[1, 2]}"#),
            ("{\"a\": 1}", "{\"a\": 1}"),
            (r#"{"untrusted":[],"a":1}"#, r#"{"answer":{"untrusted":[],"a":1}}"#),
            (" 7 ", "7"),
        ] {
            assert_eq!(Envelope::default().wrap(text), expected);
        }
        let marked = Envelope { untrusted: texts(&["Subject"]), ..Envelope::default() };
        assert_eq!(marked.wrap(r#"{"page":1}"#), r#"{"untrusted":["Subject"],"answer":{"page":1}}"#);
    }

    #[test]
    fn lists_of_fields_are_bounded() {
        let names: Vec<String> = (0..500).map(|n| format!("customfield_{n}")).collect();
        let envelope = Envelope { untrusted: names.clone(), omitted: names, ..Envelope::default() };
        let entries = json!(envelope.entries());
        assert_eq!(entries["untrusted"], json!(["*"]));
        let quotes = vec!["\"".repeat(30); LIST_BYTES / 40];
        let marked = json!(Envelope { untrusted: quotes, ..Envelope::default() }.entries());
        assert_eq!(marked["untrusted"], json!(["*"]), "counted as it is written");
        let omitted = entries["omitted"].as_array().unwrap();
        assert_eq!((omitted.len(), &omitted[40]), (41, &json!("… and 460 more")));
        let long = Envelope { omitted: vec!["é".repeat(1_000); 60], notes: vec!["n".repeat(1_000); 3], ..envelope };
        let length = json!(long.entries()).to_string().len();
        assert!(length < 3_500, "{length}");
    }
}
