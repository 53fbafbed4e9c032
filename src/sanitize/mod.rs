//! What a vendor sent → the same for a model: nothing invisible in it, HTML as Markdown, links
//! and images of outsiders inert, and the names of the fields that outsiders wrote.

mod hosts;
mod html;
mod invisible;
pub(crate) mod json;
mod links;

use std::borrow::Cow;

use hosts::Hosts;
use json::Json;
use links::What;
use toolwright_model::Vendor;

/// The name for "every field" among the names of untrusted fields.
pub(crate) const EVERY: &str = "*";

/// What a vendor file says of its answers, and where links may lead.
#[derive(Debug, Clone)]
pub struct Rules {
    untrusted: Vec<String>,
    html: Vec<String>,
    hosts: Hosts,
}

/// Nobody has said anything of the vendor: any text may be an outsider's, and no link leads home.
impl Default for Rules {
    fn default() -> Self {
        Self { untrusted: vec![EVERY.to_owned()], html: Vec::new(), hosts: Hosts::default() }
    }
}

impl Rules {
    /// The rules for a vendor's answers; `own` are the hosts of the configured addresses.
    pub fn new<'a>(vendor: &'a Vendor, own: impl Iterator<Item = &'a str>) -> Self {
        let hosts = Hosts::new(vendor.links.iter().map(String::as_str).chain(own));
        let untrusted = vendor.untrusted.clone().unwrap_or_else(|| vec![EVERY.to_owned()]);
        Self { untrusted, html: vendor.html.clone(), hosts }
    }

    /// Cleans the tree of an answer; returns the names of the fields that outsiders wrote, in the
    /// order in which they occur.
    pub(crate) fn clean(&self, json: &mut Json<'_>) -> Vec<String> {
        let every = self.untrusted.iter().any(|name| name == EVERY);
        let mut pass = Pass { rules: self, found: Vec::new() };
        pass.value(json, every.then_some(EVERY), false);
        pass.found
    }

    /// Cleans the tree of something made from an answer, all of it an outsider's.
    pub(crate) fn clean_all(&self, json: &mut Json<'_>) {
        Pass { rules: self, found: Vec::new() }.value(json, Some(EVERY), false);
    }

    /// Cleans a text that an outsider wrote.
    pub(crate) fn text(&self, text: &str) -> String {
        let visible = invisible::strip(text);
        links::inert(&visible, &self.hosts, What::Links).into_owned()
    }

    /// Cleans a document of HTML that an outsider wrote.
    pub(crate) fn document(&self, html: &str) -> String {
        self.text(&html::markdown(html))
    }
}

/// Cleans a text of ours that has a vendor's words in it.
pub fn message(text: &str) -> String {
    let visible = invisible::strip(text);
    links::inert(&visible, &Hosts::default(), What::Images).into_owned()
}

/// Whether one of `patterns` is `name`, or its beginning where the pattern ends in `*`.
fn names(patterns: &[String], name: &str) -> bool {
    patterns.iter().any(|pattern| match pattern.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => name == pattern,
    })
}

struct Pass<'r> {
    rules: &'r Rules,
    found: Vec<String>,
}

impl Pass<'_> {
    /// `untrusted` is the name of the field around it that outsiders write.
    fn value(&mut self, json: &mut Json<'_>, untrusted: Option<&str>, html: bool) {
        match json {
            Json::Plain(_) => {}
            Json::Text(text) => {
                if html && html::is_html(text) {
                    *text = Cow::Owned(html::markdown(text));
                }
                clean(text, &self.rules.hosts, if untrusted.is_some() { What::Links } else { What::Images });
                if let Some(name) = untrusted.filter(|_| !text.trim().is_empty())
                    && !self.found.iter().any(|found| found == name)
                {
                    self.found.push(name.to_owned());
                }
            }
            Json::List(items) => items.iter_mut().for_each(|item| self.value(item, untrusted, html)),
            Json::Object(entries) => {
                for (name, value) in entries {
                    clean(name, &self.rules.hosts, What::Images);
                    let of_outsiders = names(&self.rules.untrusted, name);
                    let html = html || names(&self.rules.html, name);
                    let name = untrusted.or(of_outsiders.then_some(&**name));
                    self.value(value, name, html);
                }
            }
        }
    }
}

fn clean(text: &mut Cow<'_, str>, hosts: &Hosts, what: What) {
    if let Cow::Owned(visible) = invisible::strip(text) {
        *text = Cow::Owned(visible);
    }
    if let Cow::Owned(inert) = links::inert(text, hosts, what) {
        *text = Cow::Owned(inert);
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
    fn fields_of_outsiders_are_cleaned_and_named() {
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
    fn without_rules_every_text_is_an_outsiders() {
        let (text, found) = cleaned(r#"["<b>x</b> https://e.example"]"#, &Rules::default());
        assert_eq!((text.as_str(), found), ("[\"<b>x</b> `hxxps://e.example`\"]", vec!["*".to_owned()]));
        assert_eq!(cleaned("[1,true]", &Rules::default()).1, Vec::<String>::new());
    }
}
