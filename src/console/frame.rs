//! Where a page is and who reads it → what is around its content: the navigation, and addresses that work there.

use std::collections::BTreeSet;
use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stays as it is in a part of a path.
const IN_PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Where pages are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// On a server, at the root of its addresses.
    Server,
    /// In files, at the top of the folder.
    Top,
    /// In files, in the folder of the tools.
    Tools,
}

/// A page of the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    Tools,
    Clients,
    Accounts,
    Links,
    Approvals,
    Record,
    Figures,
    /// None of them: the page for signing in, errors.
    Elsewhere,
}

/// The pages of the catalog.
const CATALOG: [(Section, &str, &str); 2] =
    [(Section::Tools, "/tools", "Tools"), (Section::Clients, "/clients", "Connect a client")];
/// The pages for administrators.
const OPERATING: [(Section, &str, &str); 5] = [
    (Section::Accounts, "/accounts", "Accounts"),
    (Section::Links, "/links", "Links"),
    (Section::Approvals, "/approvals", "Approvals"),
    (Section::Record, "/record", "Record"),
    (Section::Figures, "/figures", "Calls"),
];

/// An entry of the navigation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NavigationEntry {
    pub(super) href: String,
    pub(super) text: &'static str,
    pub(super) current: bool,
}

/// What is around a page.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    place: Place,
    /// The page's heading, and the beginning of its title.
    pub(super) heading: String,
    pub(super) navigation: Vec<NavigationEntry>,
    /// The administrator who is signed in.
    pub(super) administrator: Option<String>,
    /// What each form has to send back.
    pub(super) csrf: String,
    /// The tools that have a page; `None`: all.
    linked: Option<Arc<BTreeSet<String>>>,
}

impl Frame {
    /// A page on a server. `csrf` is that of the session.
    pub(super) fn served(section: Section, heading: &str, administrator: Option<&str>, csrf: &str) -> Self {
        let operating = if administrator.is_some() { OPERATING.as_slice() } else { &[] };
        let entries = CATALOG.iter().chain(operating);
        let entry = |(of, href, text): &(Section, &'static str, &'static str)| NavigationEntry {
            href: (*href).to_owned(),
            text,
            current: *of == section,
        };
        Self {
            place: Place::Server,
            heading: heading.to_owned(),
            navigation: entries.map(entry).collect(),
            administrator: administrator.map(str::to_owned),
            csrf: csrf.to_owned(),
            linked: None,
        }
    }

    /// A page for who is not signed in: without navigation.
    pub(super) fn outside(heading: &str, csrf: &str) -> Self {
        Self { navigation: Vec::new(), ..Self::served(Section::Elsewhere, heading, None, csrf) }
    }

    /// A page in a file: that of a tool is in a folder of its own.
    pub(super) fn in_file(section: Section, heading: &str, of_tool: bool) -> Self {
        let place = if of_tool { Place::Tools } else { Place::Top };
        let frame = Self { place, ..Self::outside(heading, "") };
        let entry =
            |of: Section, href: &str, text| NavigationEntry { href: frame.file(href), text, current: of == section };
        let navigation = vec![
            entry(Section::Tools, "index.html", "Tools"),
            entry(Section::Clients, "clients.html", "Connect a client"),
        ];
        Self { navigation, ..frame }
    }

    /// Whether the page is a file, where no form works.
    pub(super) fn is_file(&self) -> bool {
        self.place != Place::Server
    }

    /// The same, where only these tools have a page.
    pub(super) fn linking_only(self, tools: &Arc<BTreeSet<String>>) -> Self {
        Self { linked: Some(Arc::clone(tools)), ..self }
    }

    /// The address of the page of a tool; empty where it has none.
    pub(super) fn tool(&self, name: &str) -> String {
        if self.linked.as_ref().is_some_and(|tools| !tools.contains(name)) {
            return String::new();
        }
        let name = utf8_percent_encode(name, IN_PATH);
        match self.place {
            Place::Server => format!("/tools/{name}"),
            Place::Top => format!("tools/{name}.html"),
            Place::Tools => format!("{name}.html"),
        }
    }

    /// The address of the stylesheet.
    pub(super) fn style(&self) -> String {
        self.file("style.css")
    }

    /// The address of the list of tools.
    pub(super) fn home(&self) -> String {
        if self.is_file() { self.file("index.html") } else { "/tools".to_owned() }
    }

    /// The version of this program.
    #[expect(clippy::unused_self, reason = "templates ask the frame")]
    pub(super) fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    fn file(&self, name: &str) -> String {
        match self.place {
            Place::Server => format!("/{name}"),
            Place::Top => name.to_owned(),
            Place::Tools => format!("../{name}"),
        }
    }
}
