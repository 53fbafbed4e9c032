//! A server → its entry in a client's file, the snippet to paste, and the link that a client opens.

use base64::Engine as _;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use super::document::Notation;
use super::{Client, DeepLink, Reference, TokenForm, Words};

/// What stays as it is in a part of a link: RFC 3986's unreserved characters.
const IN_LINK: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The name by which npm knows this program.
const NPM_PACKAGE: &str = "toolwright";

/// A server, as a client is to have it.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    pub(crate) name: String,
    pub(crate) connection: Connection,
}

/// How a client reaches a server.
#[derive(Debug, Clone)]
pub(crate) enum Connection {
    /// It starts a program.
    Local { command: String, arguments: Vec<String>, variables: Vec<Variable> },
    /// It connects to an address.
    Remote { url: String, token: Option<Token> },
}

/// A variable of a program.
#[derive(Debug, Clone)]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) given: Given,
}

/// Where a variable's value is.
#[derive(Debug, Clone)]
pub(crate) enum Given {
    /// In the client's file: it is no secret.
    Here(String),
    /// Elsewhere, by the client's own way.
    Elsewhere,
}

/// A token for `Authorization: Bearer`.
#[derive(Clone)]
pub(crate) enum Token {
    /// The token itself, for a text that is shown once.
    Shown(String),
    /// The variable that holds it.
    Variable(String),
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Shown(_) => f.write_str("Shown(…)"),
            Self::Variable(name) => f.debug_tuple("Variable").field(name).finish(),
        }
    }
}

/// What is written into a client's file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) value: Value,
    /// What the client asks for once; each has an `id`.
    pub(crate) inputs: Vec<Value>,
    /// Secrets that the client can take from nowhere but its own environment.
    pub(crate) from_environment: Vec<String>,
}

impl Client {
    /// The entry of a server; `None` where the client can't be told of it by its file.
    pub(crate) fn entry(&self, server: &Server) -> Option<Entry> {
        let mut entry = Entry { value: Value::Null, inputs: Vec::new(), from_environment: Vec::new() };
        let value = match &server.connection {
            Connection::Local { command, arguments, variables } => {
                self.local_entry(&server.name, (command, arguments), variables, &mut entry)
            }
            Connection::Remote { url, token } => self.remote_entry(&server.name, url, token.as_ref(), &mut entry)?,
        };
        entry.value = Value::Object(value);
        Some(entry)
    }

    fn local_entry(
        &self,
        name: &str,
        (command, arguments): (&String, &Vec<String>),
        variables: &[Variable],
        entry: &mut Entry,
    ) -> Map<String, Value> {
        let mut value = begun(self.local.fixed, self.local.named, name);
        match self.local.words {
            Words::Separate(first, rest) => {
                value.insert(first.to_owned(), json!(command));
                value.insert(rest.to_owned(), json!(arguments));
            }
            Words::Joined(key) => {
                let words: Vec<&String> = std::iter::once(command).chain(arguments).collect();
                value.insert(key.to_owned(), json!(words));
            }
        }
        let mut texts = Map::new();
        let mut listed = Vec::new();
        for Variable { name, given } in variables {
            match (given, self.reference) {
                (Given::Here(text), _) => drop(texts.insert(name.clone(), json!(text))),
                (Given::Elsewhere, Reference::List(..)) => listed.push(name.as_str()),
                (Given::Elsewhere, _) => match self.referred(name, entry) {
                    Some(text) => drop(texts.insert(name.clone(), json!(text))),
                    None => entry.from_environment.push(name.clone()),
                },
            }
        }
        if !texts.is_empty() {
            value.insert(self.local.variables.to_owned(), Value::Object(texts));
        }
        if let (false, Reference::List(key, _)) = (listed.is_empty(), self.reference) {
            value.insert(key.to_owned(), json!(listed));
        }
        value
    }

    fn remote_entry(
        &self,
        name: &str,
        url: &str,
        token: Option<&Token>,
        entry: &mut Entry,
    ) -> Option<Map<String, Value>> {
        let form = self.remote.as_ref()?;
        let mut value = begun(form.fixed, form.named, name);
        value.insert(form.url.to_owned(), json!(url));
        let Some(token) = token else { return Some(value) };
        match (form.token, token) {
            (TokenForm::Variable(key), Token::Variable(variable)) => {
                value.insert(key.to_owned(), json!(variable));
            }
            // Codex has a way to write a header too; the file then holds the token.
            (TokenForm::Variable(_), Token::Shown(token)) => {
                value.insert("http_headers".to_owned(), bearer(token));
            }
            (TokenForm::Header(key), Token::Shown(token)) => {
                value.insert(key.to_owned(), bearer(token));
            }
            (TokenForm::Header(key), Token::Variable(variable)) => match self.referred(variable, entry) {
                Some(text) => {
                    value.insert(key.to_owned(), bearer(&text));
                    if let Reference::List(list, _) = self.reference {
                        value.insert(list.to_owned(), json!([variable]));
                    }
                }
                None => entry.from_environment.push(variable.clone()),
            },
        }
        Some(value)
    }

    /// The text by which the client puts in a variable's value.
    fn referred(&self, variable: &str, entry: &mut Entry) -> Option<String> {
        match self.reference {
            Reference::Text(text) | Reference::List(_, Some(text)) => Some(text.replace("NAME", variable)),
            Reference::Input => {
                let id = variable.to_ascii_lowercase();
                let about = format!("{variable} of {NPM_PACKAGE}");
                entry.inputs.push(json!({"type": "promptString", "id": id, "description": about, "password": true}));
                Some(format!("${{input:{id}}}"))
            }
            Reference::List(_, None) | Reference::None => None,
        }
    }

    /// A file that holds nothing but these entries, in the client's notation.
    pub(crate) fn snippet(&self, name: &str, entry: &Entry) -> String {
        let mut whole = Map::new();
        if !entry.inputs.is_empty() {
            whole.insert(super::document::INPUTS.to_owned(), json!(entry.inputs));
        }
        whole.insert(self.key.to_owned(), json!({ name: entry.value }));
        match self.notation {
            Notation::Json => format!("{:#}\n", Value::Object(whole)),
            Notation::Toml => super::document::toml_text(&whole),
            Notation::Yaml => super::document::yaml_text(self.key, name, &entry.value),
        }
    }

    /// The link that the client opens to add a server.
    pub(crate) fn link(&self, server: &Server, entry: &Entry) -> Option<String> {
        let part = |text: &str| utf8_percent_encode(text, IN_LINK).to_string();
        let name = part(&server.name);
        Some(match self.deep_link? {
            DeepLink::Cursor => {
                let config = base64::engine::general_purpose::STANDARD.encode(entry.value.to_string());
                format!("cursor://anysphere.cursor-deeplink/mcp/install?name={name}&config={}", part(&config))
            }
            DeepLink::VsCode => {
                let mut whole = Map::from_iter([("name".to_owned(), json!(server.name))]);
                if !entry.inputs.is_empty() {
                    whole.insert(super::document::INPUTS.to_owned(), json!(entry.inputs));
                }
                whole.extend(entry.value.as_object().cloned().unwrap_or_default());
                format!("vscode:mcp/install?{}", part(&Value::Object(whole).to_string()))
            }
            DeepLink::Goose => match &server.connection {
                Connection::Remote { url, .. } => {
                    format!("goose://extension?type=streamable_http&url={}&id={name}&name={name}", part(url))
                }
                // It starts a few programs only from a link, of which npm's is one.
                Connection::Local { arguments, variables, .. } => {
                    let words = ["-y", NPM_PACKAGE].into_iter().chain(arguments.iter().map(String::as_str));
                    let words: Vec<String> = words.map(|word| format!("&arg={}", part(word))).collect();
                    let asked = variables.iter().map(|variable| {
                        let about = format!("{}={}", variable.name, variable.name);
                        format!("&env={}", part(&about))
                    });
                    let asked: Vec<String> = asked.collect();
                    format!("goose://extension?cmd=npx{}&id={name}&name={name}{}", words.concat(), asked.concat())
                }
            },
        })
    }
}

fn begun(fixed: &str, named: Option<&str>, name: &str) -> Map<String, Value> {
    // The table is a constant, and a test reads each.
    let mut value: Map<String, Value> = serde_json::from_str(fixed).unwrap_or_default();
    if let Some(key) = named {
        value.insert(key.to_owned(), json!(name));
    }
    value
}

fn bearer(token: &str) -> Value {
    json!({"Authorization": format!("Bearer {token}")})
}
