//! What a vendor sent → what a model may read: without invisible characters, HTML as Markdown,
//! outsiders' links and images inert, with the names of the fields that outsiders wrote. And back:
//! what was replaced has a mark ([`marks`]).

mod field_names;
mod hosts;
mod html;
mod invisible;
pub(crate) mod json;
mod links;
pub(crate) mod marks;

use std::borrow::Cow;

use field_names::FieldNames;
use hosts::Hosts;
pub(crate) use invisible::is_invisible;
use json::Json;
use links::Inert;
use marks::Originals;
use toolwright_model::Vendor;
use toolwright_model::answer_limits::UNTRUSTED_NAMES;

/// Among the names of untrusted fields: every field.
pub(crate) const EVERY: &str = "*";

/// Which fields of a vendor's answers outsiders write, and where links may lead.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    untrusted: FieldNames,
    html: FieldNames,
    hosts: Hosts,
}

/// In which form a text is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum TextForm {
    /// To be read: Markdown, with inert links.
    #[default]
    Inert,
    /// To be changed and written back: as the vendor has it, but for invisible characters.
    Raw,
}

/// A part of a vendor's answer, by what the names that lead to it tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AnswerPart {
    /// The name of the nearest field.
    name: String,
    /// Whether outsiders write it.
    untrusted: bool,
    /// Whether its texts may be HTML.
    html: bool,
    /// Whether names inside tell what a text is: not in a file, whose author chose them.
    by_name: bool,
}

impl AnswerPart {
    /// Text that outsiders wrote, of no answer in particular.
    pub(crate) fn of_outsiders() -> Self {
        Self { name: EVERY.to_owned(), untrusted: true, html: true, by_name: true }
    }

    /// Whether outsiders write all of it.
    pub(crate) fn is_untrusted(&self) -> bool {
        self.untrusted
    }
}

/// What is known of a text or answer after it was cleaned.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Cleaned {
    /// The names of the fields that outsiders wrote, in the order in which they occur.
    pub(crate) untrusted: Vec<String>,
    /// The names of the fields from which invisible characters were removed.
    pub(crate) stripped: Vec<String>,
}

/// Without a statement about the vendor, any text may be an outsider's and no host is known.
impl Default for Rules {
    fn default() -> Self {
        let (untrusted, html) = (FieldNames::new(&[EVERY.to_owned()]), FieldNames::new(&[]));
        Self { untrusted, html, hosts: Hosts::default() }
    }
}

impl Rules {
    /// Creates the rules for a vendor; `own` are the hosts of the configured addresses.
    pub(crate) fn new<'a>(vendor: &Vendor, own: impl Iterator<Item = &'a str>) -> Self {
        let untrusted =
            vendor.untrusted.as_deref().map_or_else(|| FieldNames::new(&[EVERY.to_owned()]), FieldNames::new);
        Self { untrusted, html: FieldNames::new(&vendor.html), hosts: Hosts::new(own) }
    }

    /// Cleans an answer.
    pub(crate) fn clean(&self, json: &mut Json<'_>, form: TextForm) -> Cleaned {
        self.cleaned(json, form).0
    }

    /// Returns what the marks stand for that this answer is shown with.
    pub(crate) fn originals(&self, json: &mut Json<'_>) -> Originals {
        self.cleaned(json, TextForm::Inert).1
    }

    fn cleaned(&self, json: &mut Json<'_>, form: TextForm) -> (Cleaned, Originals) {
        let mut cleaner = JsonCleaner::new(self, form);
        cleaner.value(json, &Field { untrusted: self.untrusted.every.then_some(EVERY), ..Field::TOP });
        (cleaner.cleaned, cleaner.originals)
    }

    /// An answer as a whole.
    pub(crate) fn whole(&self, is_file: bool) -> AnswerPart {
        let untrusted = is_file || self.untrusted.every;
        AnswerPart { name: EVERY.to_owned(), untrusted, html: false, by_name: !is_file }
    }

    /// The entry of this name in a part.
    pub(crate) fn entry(&self, part: &AnswerPart, name: &str) -> AnswerPart {
        AnswerPart {
            name: name.to_owned(),
            untrusted: part.untrusted || part.by_name && self.untrusted.has(name),
            html: part.html || part.by_name && self.html.has(name),
            by_name: part.by_name,
        }
    }

    /// An item of the list that a part is.
    pub(crate) fn item(&self, part: &AnswerPart, is_text: bool) -> AnswerPart {
        let of_texts = is_text && part.by_name && self.untrusted.has_texts_of(&part.name);
        AnswerPart { untrusted: part.untrusted || of_texts, ..part.clone() }
    }

    /// Cleans a part of an answer that is shown under another name.
    pub(crate) fn clean_part(&self, json: &mut Json<'_>, part: &AnswerPart, shown: &str, form: TextForm) -> Cleaned {
        let mut cleaner = JsonCleaner { by_name: part.by_name, ..JsonCleaner::new(self, form) };
        let untrusted = part.untrusted.then_some(shown);
        cleaner.value(json, &Field { name: &part.name, shown, untrusted, html: part.html });
        cleaner.cleaned
    }

    /// Cleans the content of a file: its author chose its names, too.
    pub(crate) fn clean_file(&self, json: &mut Json<'_>, form: TextForm) {
        let mut cleaner = JsonCleaner { by_name: false, ..JsonCleaner::new(self, form) };
        cleaner.value(json, &Field { untrusted: Some(EVERY), ..Field::TOP });
    }

    /// Cleans something derived from an answer that was cleaned, all of it written by outsiders.
    pub(crate) fn clean_all(&self, json: &mut Json<'_>, form: TextForm) {
        let mut cleaner = JsonCleaner { again: true, ..JsonCleaner::new(self, form) };
        cleaner.value(json, &Field { untrusted: Some(EVERY), ..Field::TOP });
    }

    /// Cleans a text that an outsider wrote.
    pub(crate) fn text(&self, text: &str, form: TextForm) -> String {
        let mut text = Cow::Borrowed(text);
        JsonCleaner::new(self, form).text(&mut text, EVERY, Inert::Links);
        text.into_owned()
    }

    /// Cleans an HTML document that an outsider wrote.
    pub(crate) fn document(&self, html: &str, form: TextForm) -> String {
        match form {
            TextForm::Inert => self.text(&html::markdown(html), form),
            TextForm::Raw => self.text(html, form),
        }
    }
}

/// Cleans a name of a vendor's data.
pub(crate) fn name(name: &str) -> String {
    if is_plain(name) {
        return name.to_owned();
    }
    let visible = invisible::strip(name);
    links::make_inert(&visible, &Hosts::default(), Inert::Links, &mut Originals::default()).into_owned()
}

/// Cleans a message of ours that quotes a vendor.
pub(crate) fn message(text: &str) -> String {
    let visible = invisible::strip(text);
    links::make_inert(&visible, &Hosts::default(), Inert::Images, &mut Originals::default()).into_owned()
}

/// Cleans one JSON tree.
struct JsonCleaner<'r> {
    rules: &'r Rules,
    form: TextForm,
    /// Whether marks in the texts are ours, from the first time.
    again: bool,
    /// Whether names tell what a text is.
    by_name: bool,
    cleaned: Cleaned,
    originals: Originals,
}

/// Where a value is.
struct Field<'n> {
    /// The name of the nearest field around it.
    name: &'n str,
    /// The name that it has in what is shown.
    shown: &'n str,
    /// The name of the enclosing field that outsiders write.
    untrusted: Option<&'n str>,
    /// Whether its texts may be HTML.
    html: bool,
}

impl Field<'_> {
    /// An answer as a whole.
    const TOP: Self = Self { name: EVERY, shown: EVERY, untrusted: None, html: false };
}

impl<'r> JsonCleaner<'r> {
    fn new(rules: &'r Rules, form: TextForm) -> Self {
        Self { rules, form, again: false, by_name: true, cleaned: Cleaned::default(), originals: Originals::default() }
    }

    fn value(&mut self, json: &mut Json<'_>, field: &Field<'_>) {
        match json {
            Json::Plain(_) => {}
            Json::Text(text) => {
                if field.html && self.form == TextForm::Inert && html::is_html(text) {
                    *text = Cow::Owned(html::markdown(text));
                }
                self.text(text, field.name, if field.untrusted.is_some() { Inert::Links } else { Inert::Images });
                if let Some(name) = field.untrusted.filter(|_| !text.trim().is_empty()) {
                    add(&mut self.cleaned.untrusted, name);
                }
            }
            Json::List(items) => {
                let of_texts = field.untrusted.is_none() && self.rules.untrusted.has_texts_of(field.name);
                let of_text = Field { untrusted: field.untrusted.or(of_texts.then_some(field.shown)), ..*field };
                for item in items {
                    let field = if matches!(item, Json::Text(_)) { &of_text } else { field };
                    self.value(item, field);
                }
            }
            Json::Object(entries) => {
                for (name, value) in entries {
                    self.text(name, field.name, if field.untrusted.is_some() { Inert::Links } else { Inert::Images });
                    let is_untrusted = self.by_name && self.rules.untrusted.has(name);
                    let html = field.html || self.by_name && self.rules.html.has(name);
                    let untrusted = field.untrusted.or(is_untrusted.then_some(&**name));
                    self.value(value, &Field { name, shown: name, untrusted, html });
                }
            }
        }
    }

    fn text(&mut self, text: &mut Cow<'_, str>, name: &str, inert: Inert) {
        if is_plain(text) {
            return;
        }
        if let Cow::Owned(visible) = invisible::strip(text) {
            *text = Cow::Owned(visible);
            add(&mut self.cleaned.stripped, name);
        }
        if !self.again
            && let Cow::Owned(escaped) = marks::escape(text)
        {
            *text = Cow::Owned(escaped);
        }
        if self.form == TextForm::Inert
            && let Cow::Owned(cleaned) = links::make_inert(text, &self.rules.hosts, inert, &mut self.originals)
        {
            *text = Cow::Owned(cleaned);
        }
    }
}

/// Whether nothing in a text is invisible, a mark or a part of a link, an image or an element; nearly every name and most short
/// texts are such.
fn is_plain(text: &str) -> bool {
    let mut before = 0;
    text.bytes().all(|byte| {
        // As `www.` begins.
        let is_web = matches!((before, byte), (b'w' | b'W', b'w' | b'W'));
        before = byte;
        !is_web && matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~') && !matches!(byte, b'!' | b'<' | b']' | b':')
    })
}

/// Adds a name to those of untrusted or changed fields. Where there are too many, it is any field.
fn add(names: &mut Vec<String>, name: &str) {
    if names.iter().any(|known| known == name || known == EVERY) {
        return;
    }
    if name == EVERY || names.len() >= UNTRUSTED_NAMES {
        names.clear();
        names.push(EVERY.to_owned());
    } else {
        names.push(name.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Rules {
        Rules {
            untrusted: FieldNames::new(&["Body".to_owned(), "custom_*".to_owned()]),
            html: FieldNames::new(&["Body".to_owned()]),
            hosts: Hosts::new(["desk.example.com"]),
        }
    }

    fn cleaned(text: &str, rules: &Rules) -> (String, Vec<String>) {
        let mut json = Json::parse(text).unwrap();
        let found = rules.clean(&mut json, TextForm::Inert);
        (json.to_text(0), found.untrusted)
    }

    #[test]
    fn untrusted_fields_are_cleaned_and_named() {
        let given = r#"{"Body":"<p>a\u202e <a href='https://e.example/?d=1'>b</a></p>","Url":"https://e.example/?x=1","custom_1":{"v":["https://e.example"]},"Cus\u200btom":1,"n":1.0}"#;
        let (text, found) = cleaned(given, &rules());
        assert_eq!(
            text,
            r#"{"Body":"a [b] (`hxxps⟦54067c77⟧//e.example/…`)","Url":"https://e.example/?x=1","custom_1":{"v":["`hxxps⟦:⟧//e.example`"]},"Custom":1,"n":1.0}"#
        );
        assert_eq!(found, ["Body", "custom_1"]);
        assert_eq!(cleaned(r#"{"Body":"","custom_1":7,"x":null}"#, &rules()).1, Vec::<String>::new());
    }

    /// Pieces of what is made inert, and of marks.
    const PIECES: [&str; 24] = [
        "https://evil.example/",
        "http://",
        "?d=1",
        "a/b",
        "[t](",
        "![",
        "](",
        ")",
        "]: ",
        "<a href=",
        "<",
        ">",
        "www.evil.example",
        "`",
        "!",
        " ",
        "\n",
        "⟦",
        "⟧",
        "⟦:⟧",
        "⟦1a2b3c4d⟧",
        "hxxps",
        "//x.example",
        "[image: ",
    ];

    #[test]
    fn every_text_comes_back_as_it_was() {
        let mut rng = fastrand::Rng::with_seed(7);
        for _ in 0..20_000 {
            let text: String = (0..rng.usize(1..12)).map(|_| PIECES[rng.usize(..PIECES.len())]).collect();
            for form in [TextForm::Inert, TextForm::Raw] {
                let mut json = Json::Text(Cow::Borrowed(&text));
                let (_, originals) = Rules::default().cleaned(&mut json, form);
                let Json::Text(shown) = json else { panic!("a text stays one") };
                let restored = marks::restore(&shown, &originals).map(|restored| restored.text);
                assert_eq!(restored.as_ref(), Ok(&text), "{shown}");
            }
        }
    }

    #[test]
    fn a_plain_text_is_one_in_which_there_is_nothing_to_clean() {
        let mut rng = fastrand::Rng::with_seed(11);
        let pieces: Vec<String> =
            PIECES.iter().map(|piece| (*piece).to_owned()).chain(('\0'..='\u{ff}').map(|c| c.to_string())).collect();
        let mut plain = 0;
        for _ in 0..50_000 {
            let text: String = (0..rng.usize(1..8)).map(|_| &*pieces[rng.usize(..pieces.len())]).collect();
            if is_plain(&text) {
                plain += 1;
                let mut originals = Originals::default();
                let inert = links::make_inert(&text, &Hosts::default(), Inert::Links, &mut originals);
                assert_eq!((&*invisible::strip(&text), &*marks::escape(&text), &*inert), (&*text, &*text, &*text));
            }
        }
        assert!(plain > 1_000 && is_plain("wow, w. W") && !is_plain("www.a") && !is_plain("aWw"), "{plain}");
    }

    #[test]
    fn more_names_than_are_listed_are_any() {
        let fields = |count: usize| -> String {
            let entries: Vec<String> = (0..count).map(|n| format!(r#""custom_{n}":"x""#)).collect();
            format!("[{{{}}}]", entries.join(","))
        };
        assert_eq!(cleaned(&fields(UNTRUSTED_NAMES), &rules()).1.len(), UNTRUSTED_NAMES);
        assert_eq!(cleaned(&fields(UNTRUSTED_NAMES + 1), &rules()).1, ["*"]);
        assert_eq!(cleaned(&fields(20_000), &rules()).1, ["*"]);
    }

    #[test]
    fn texts_directly_in_a_list_are_named_by_it() {
        let rules = Rules { untrusted: FieldNames::new(&["values[]".to_owned()]), ..rules() };
        let given =
            r#"{"values":["https://e.example/?d=1",{"url":"https://e.example/"}],"other":["https://e.example/"]}"#;
        let (text, found) = cleaned(given, &rules);
        assert_eq!(
            text,
            r#"{"values":["`hxxps⟦f4320ee1⟧//e.example/…`",{"url":"https://e.example/"}],"other":["https://e.example/"]}"#
        );
        assert_eq!(found, ["values"]);
    }

    #[test]
    fn a_files_names_are_as_untrusted_as_its_texts() {
        let given = r#"{"https://e.example":{"Body":"<p>a</p>"},"untrusted":[],"n":1.50}"#;
        let mut json = Json::parse(given).unwrap();
        rules().clean_file(&mut json, TextForm::Inert);
        assert_eq!(json.to_text(0), r#"{"`hxxps⟦:⟧//e.example`":{"Body":"<p>a</p>"},"untrusted":[],"n":1.50}"#);
    }

    #[test]
    fn without_rules_every_text_is_untrusted() {
        let (text, found) = cleaned(r#"["<b>x</b> https://e.example"]"#, &Rules::default());
        assert_eq!((text.as_str(), found), ("[\"<b>x</b> `hxxps⟦:⟧//e.example`\"]", vec!["*".to_owned()]));
        assert_eq!(cleaned("[1,true]", &Rules::default()).1, Vec::<String>::new());
    }
}
