//! What a vendor sent → what a model may read: without invisible characters, HTML as Markdown,
//! outsiders' links and images inert, with the names of the fields that outsiders wrote.

mod hosts;
mod html;
mod invisible;
pub(crate) mod json;
mod links;

use std::borrow::Cow;

use hosts::Hosts;
use json::Json;
use links::Inert;
use toolwright_model::Vendor;

/// Among the names of untrusted fields: every field.
pub(crate) const EVERY: &str = "*";

/// Which fields of a vendor's answers outsiders write, and where links may lead.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    untrusted: Vec<String>,
    html: Vec<String>,
    hosts: Hosts,
}

/// Without a statement about the vendor, any text may be an outsider's and no host is known.
impl Default for Rules {
    fn default() -> Self {
        Self { untrusted: vec![EVERY.to_owned()], html: Vec::new(), hosts: Hosts::default() }
    }
}

impl Rules {
    /// Creates the rules for a vendor; `own` are the hosts of the configured addresses.
    pub(crate) fn new<'a>(vendor: &'a Vendor, own: impl Iterator<Item = &'a str>) -> Self {
        let hosts = Hosts::new(vendor.links.iter().map(String::as_str).chain(own));
        let untrusted = vendor.untrusted.clone().unwrap_or_else(|| vec![EVERY.to_owned()]);
        Self { untrusted, html: vendor.html.clone(), hosts }
    }

    /// Cleans an answer; returns the names of the fields that outsiders wrote, in the order in
    /// which they occur.
    pub(crate) fn clean(&self, json: &mut Json<'_>) -> Vec<String> {
        let every = self.untrusted.iter().any(|name| name == EVERY);
        let mut cleaner = JsonCleaner { rules: self, found: Vec::new() };
        cleaner.value(json, every.then_some(EVERY), false);
        cleaner.found
    }

    /// Cleans something derived from an answer, all of it written by outsiders.
    pub(crate) fn clean_all(&self, json: &mut Json<'_>) {
        JsonCleaner { rules: self, found: Vec::new() }.value(json, Some(EVERY), false);
    }

    /// Cleans a text that an outsider wrote.
    pub(crate) fn text(&self, text: &str) -> String {
        let visible = invisible::strip(text);
        links::make_inert(&visible, &self.hosts, Inert::Links).into_owned()
    }

    /// Cleans an HTML document that an outsider wrote.
    pub(crate) fn document(&self, html: &str) -> String {
        self.text(&html::markdown(html))
    }
}

/// Cleans a message of ours that quotes a vendor.
pub(crate) fn message(text: &str) -> String {
    let visible = invisible::strip(text);
    links::make_inert(&visible, &Hosts::default(), Inert::Images).into_owned()
}

/// Returns whether one of `patterns` is `name`, or a prefix of it if the pattern ends in `*`.
fn matches(patterns: &[String], name: &str) -> bool {
    patterns.iter().any(|pattern| match pattern.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => name == pattern,
    })
}

/// Cleans one JSON tree.
struct JsonCleaner<'r> {
    rules: &'r Rules,
    /// The names of untrusted fields so far.
    found: Vec<String>,
}

impl JsonCleaner<'_> {
    /// `untrusted` is the name of the enclosing field that outsiders write, `html` whether its
    /// texts may be HTML.
    fn value(&mut self, json: &mut Json<'_>, untrusted: Option<&str>, html: bool) {
        match json {
            Json::Plain(_) => {}
            Json::Text(text) => {
                if html && html::is_html(text) {
                    *text = Cow::Owned(html::markdown(text));
                }
                clean(text, &self.rules.hosts, if untrusted.is_some() { Inert::Links } else { Inert::Images });
                if let Some(name) = untrusted.filter(|_| !text.trim().is_empty())
                    && !self.found.iter().any(|found| found == name)
                {
                    self.found.push(name.to_owned());
                }
            }
            Json::List(items) => items.iter_mut().for_each(|item| self.value(item, untrusted, html)),
            Json::Object(entries) => {
                for (name, value) in entries {
                    clean(name, &self.rules.hosts, Inert::Images);
                    let is_untrusted = matches(&self.rules.untrusted, name);
                    let html = html || matches(&self.rules.html, name);
                    let name = untrusted.or(is_untrusted.then_some(&**name));
                    self.value(value, name, html);
                }
            }
        }
    }
}

fn clean(text: &mut Cow<'_, str>, hosts: &Hosts, inert: Inert) {
    if let Cow::Owned(visible) = invisible::strip(text) {
        *text = Cow::Owned(visible);
    }
    if let Cow::Owned(cleaned) = links::make_inert(text, hosts, inert) {
        *text = Cow::Owned(cleaned);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Rules {
        Rules {
            untrusted: vec!["Body".to_owned(), "custom_*".to_owned()],
            html: vec!["Body".to_owned()],
            hosts: Hosts::new(["desk.example.com"]),
        }
    }

    fn cleaned(text: &str, rules: &Rules) -> (String, Vec<String>) {
        let mut json = Json::parse(text).unwrap();
        let found = rules.clean(&mut json);
        (json.to_text(0), found)
    }

    #[test]
    fn untrusted_fields_are_cleaned_and_named() {
        let given = r#"{"Body":"<p>a\u202e <a href='https://e.example/?d=1'>b</a></p>","Url":"https://e.example/?x=1","custom_1":{"v":["https://e.example"]},"Cus\u200btom":1,"n":1.0}"#;
        let (text, found) = cleaned(given, &rules());
        assert_eq!(
            text,
            r#"{"Body":"a [b] (`hxxps://e.example/…`)","Url":"https://e.example/?x=1","custom_1":{"v":["`hxxps://e.example`"]},"Custom":1,"n":1.0}"#
        );
        assert_eq!(found, ["Body", "custom_1"]);
        assert_eq!(cleaned(r#"{"Body":"","custom_1":7,"x":null}"#, &rules()).1, Vec::<String>::new());
    }

    #[test]
    fn without_rules_every_text_is_untrusted() {
        let (text, found) = cleaned(r#"["<b>x</b> https://e.example"]"#, &Rules::default());
        assert_eq!((text.as_str(), found), ("[\"<b>x</b> `hxxps://e.example`\"]", vec!["*".to_owned()]));
        assert_eq!(cleaned("[1,true]", &Rules::default()).1, Vec::<String>::new());
    }
}
