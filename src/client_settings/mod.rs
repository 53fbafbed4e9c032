//! An assistant's name → where its settings are and how a server is written there. Data per client is in one table,
//! `known`; there is one mechanism per notation, `document`.

pub(crate) mod document;
pub(crate) mod entry;
mod known;
pub(crate) mod places;
mod text;

use document::Notation;
pub(crate) use entry::{Connection, Given, Server, Token, Variable};
pub(crate) use known::CLIENTS;
use places::UserFile;
pub(crate) use text::{ClientText, of_link, of_program};

/// The longest name of a server. Clients write `mcp__NAME__TOOL`, the longest name of a tool has 48 characters, and some
/// model interfaces take 64.
pub(crate) const LONGEST_NAME: usize = 9;

/// One client.
#[derive(Debug)]
pub(crate) struct Client {
    /// What a person types.
    pub(crate) word: &'static str,
    pub(crate) title: &'static str,
    /// The settings of a person; `None` where there are only those of a folder.
    pub(crate) user: Option<UserFile>,
    /// The settings of a folder that people share, relative to it: the first that is there, else the last. Empty where
    /// the client has none.
    pub(crate) project: &'static [&'static str],
    pub(crate) notation: Notation,
    /// The key of the servers.
    pub(crate) key: &'static str,
    pub(crate) local: LocalForm,
    /// `None` where the client ignores addresses in its file.
    pub(crate) remote: Option<RemoteForm>,
    pub(crate) reference: Reference,
    /// How the client's own program is asked for its servers.
    pub(crate) asked: Option<Asked>,
    pub(crate) deep_link: Option<DeepLink>,
    /// The command by which people who do not have this program add an address, and the one for an address that demands a
    /// token; `{name}`, `{url}` and `{token}` are filled in. None where they have to paste.
    pub(crate) add: Option<[&'static str; 2]>,
    /// What remains for a person to do.
    pub(crate) then: &'static str,
}

/// How a program on this machine is written.
#[derive(Debug)]
pub(crate) struct LocalForm {
    /// What every entry has, as the text of a JSON object.
    pub(crate) fixed: &'static str,
    /// The key that repeats the server's name.
    pub(crate) named: Option<&'static str>,
    pub(crate) words: Words,
    /// The key of the variables.
    pub(crate) variables: &'static str,
}

/// The command and its arguments.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Words {
    /// Two keys.
    Separate(&'static str, &'static str),
    /// One list.
    Joined(&'static str),
}

/// How an address is written.
#[derive(Debug)]
pub(crate) struct RemoteForm {
    pub(crate) fixed: &'static str,
    pub(crate) named: Option<&'static str>,
    pub(crate) url: &'static str,
    pub(crate) token: TokenForm,
}

/// How a token for `Authorization` is written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum TokenForm {
    /// In a map of headers.
    Header(&'static str),
    /// By the name of the variable that holds it.
    Variable(&'static str),
}

/// How a client takes a secret from elsewhere than its file.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Reference {
    /// A text in which `NAME` is the variable.
    Text(&'static str),
    /// It asks for it: the file declares it in `inputs`.
    Input,
    /// A list of variables that are passed on; in headers, a text as above.
    List(&'static str, Option<&'static str>),
    /// Not at all; what is in its own environment may reach the server.
    None,
}

/// How a client's own program is asked what it sees.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    pub(crate) program: &'static str,
    /// `NAME` is the server.
    pub(crate) arguments: &'static [&'static str],
}

/// A link that a client opens to add a server.
#[derive(Debug, Clone, Copy)]
pub(crate) enum DeepLink {
    Cursor,
    VsCode,
    Goose,
}

impl Client {
    /// The name of its file, for a text.
    pub(crate) fn file_name(&self) -> &'static str {
        let path = self.user.as_ref().and_then(UserFile::example).or(self.project.last().copied()).unwrap_or_default();
        path.rsplit('/').next().unwrap_or(path)
    }
}

/// Finds a client by the word that a person types.
pub(crate) fn find(word: &str) -> Option<&'static Client> {
    CLIENTS.iter().find(|client| client.word == word)
}

/// A name that each client takes: of `a-z`, `0-9` and `-`, no longer than [`LONGEST_NAME`]; words that do not fit are left
/// out. Empty where nothing is left.
pub(crate) fn server_name(name: &str) -> String {
    let text: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    let mut words = text.split('-').filter(|word| !word.is_empty());
    let first = words.next().unwrap_or_default();
    let mut short = first.get(..LONGEST_NAME).unwrap_or(first).to_owned();
    for word in words {
        if short.len() + 1 + word.len() > LONGEST_NAME {
            break;
        }
        short = format!("{short}-{word}");
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_hold_no_command_and_leaves_room_for_a_tool() {
        for (name, expected) in [
            ("", ""),
            ("$(rm -rf /)", "rm-rf"),
            ("Ünï", "n"),
            ("\"; x", "x"),
            ("漢字", ""),
            ("Contractor: ACME & Co", "contracto"),
            ("ACME & Co", "acme-co"),
            ("on call team", "on-call"),
            ("jumpcloud", "jumpcloud"),
        ] {
            assert_eq!(server_name(name), expected, "{name}");
        }
    }

    #[test]
    fn words_and_titles_are_unique_and_a_client_has_a_place() {
        for (index, client) in CLIENTS.iter().enumerate() {
            assert!(CLIENTS[..index].iter().all(|other| other.word != client.word && other.title != client.title));
            assert!(client.user.is_some() || !client.project.is_empty(), "{}", client.word);
            assert!(find(client.word).is_some_and(|found| found.title == client.title));
        }
    }
}
