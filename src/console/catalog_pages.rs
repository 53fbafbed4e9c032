//! A catalog and a query → the pages of tools, of one tool, and of clients' settings. Nothing in them is secret: it is what is
//! compiled in.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;

use super::answer::page;
use super::choice::Choice;
use super::frame::Frame;
use super::query::CatalogQuery;
use super::selection_texts::SelectionTexts;
use super::tool_view::{Control, ToolView};
use super::try_it::Tried;
use crate::catalog::{Catalog, CatalogEntry};
use crate::client_settings::{ClientText, of_program};
use crate::error::ConfigError;
use crate::policy::SelectionWords;
use crate::search::Search;
use toolwright_model::Effect;

/// How many tools a page of the list shows.
const ON_A_PAGE: usize = 100;
/// How many tools a question finds at most.
const MOST_FOUND: usize = 30;
/// The name of the server in clients' settings.
const SERVER: &str = "helpdesk";

/// The catalog, and what pages of it need over and over.
#[derive(Debug)]
pub(super) struct CatalogPages {
    pub(super) catalog: Catalog,
    search: SearchSlot,
    /// The tokens of each tool, by its position.
    tokens: OnceLock<Vec<usize>>,
}

/// The search, once it was asked for.
#[derive(Default)]
struct SearchSlot(OnceLock<Search>);

impl std::fmt::Debug for SearchSlot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SearchSlot")
    }
}

/// A line of a list of tools.
#[derive(Debug, Clone)]
pub(super) struct ToolRow {
    pub(super) href: String,
    pub(super) name: String,
    pub(super) title: String,
    pub(super) effect: &'static str,
    pub(super) risks: Vec<&'static str>,
    pub(super) tags: String,
    pub(super) tokens: usize,
}

/// A page of the list.
#[derive(Debug, Clone)]
struct PageEntry {
    href: String,
    text: String,
    current: bool,
}

#[derive(Template)]
#[template(path = "tools.html", config = "src/console/askama.toml")]
struct ToolsPage {
    frame: Frame,
    query: CatalogQuery,
    vendors: Vec<Choice>,
    methods: Vec<Choice>,
    risks: Vec<Choice>,
    tags: String,
    names: String,
    exclude: String,
    is_narrowed: bool,
    fault: Option<String>,
    count: usize,
    total: usize,
    tokens: usize,
    caption: String,
    rows: Vec<ToolRow>,
    pages: Vec<PageEntry>,
    texts: Option<SelectionTexts>,
    clients_href: String,
}

#[derive(Template)]
#[template(path = "tool.html", config = "src/console/askama.toml")]
struct ToolPage {
    frame: Frame,
    tool: ToolView,
    /// Whether there is a form that tries it.
    can_try: bool,
    action: String,
    tried: Option<Tried>,
    texts: Option<SelectionTexts>,
}

#[derive(Template)]
#[template(path = "clients.html", config = "src/console/askama.toml")]
struct ClientsPage {
    frame: Frame,
    about: String,
    fault: Option<String>,
    clients: Vec<ClientText>,
}

#[derive(Template)]
#[template(path = "index.html", config = "src/console/askama.toml")]
struct IndexPage {
    frame: Frame,
    count: usize,
    total: usize,
    tokens: usize,
    groups: Vec<Group>,
    texts: Option<SelectionTexts>,
}

/// The tools of a vendor.
#[derive(Debug)]
struct Group {
    id: String,
    title: String,
    caption: String,
    rows: Vec<ToolRow>,
}

impl CatalogPages {
    pub(super) fn new(catalog: Catalog) -> Self {
        Self { catalog, search: SearchSlot::default(), tokens: OnceLock::new() }
    }

    /// The tools of a query: those that a question is about, best first, or all of a selection.
    fn found(&self, query: &CatalogQuery) -> Result<Vec<&CatalogEntry>, ConfigError> {
        let selection = query.resolve(&self.catalog)?;
        if query.question.is_empty() {
            let entries = self.catalog.entries().iter();
            return Ok(entries.filter(|entry| selection.decide(entry).is_ok()).collect());
        }
        let search = self.search.0.get_or_init(|| Search::new(&self.catalog));
        let offered = |entry: &CatalogEntry| selection.decide(entry).is_ok();
        Ok(search.find(&query.question, offered, MOST_FOUND))
    }

    fn tokens(&self, entry: &CatalogEntry) -> usize {
        let tokens = self.tokens.get_or_init(|| self.catalog.entries().iter().map(CatalogEntry::tokens).collect());
        let position = self.catalog.position(&entry.head().name);
        position.and_then(|position| tokens.get(position)).copied().unwrap_or_default()
    }

    fn row(&self, entry: &CatalogEntry, frame: &Frame) -> ToolRow {
        let tool = &entry.tool;
        ToolRow {
            href: frame.tool(&tool.name),
            name: tool.name.clone(),
            title: tool.title.clone(),
            effect: tool.effect.map_or("unreviewed", Effect::as_str),
            risks: tool.risks.iter().map(|risk| risk.as_str()).collect(),
            tags: tool.tags.iter().cloned().collect::<Vec<_>>().join(", "),
            tokens: self.tokens(entry),
        }
    }

    /// The page of a list.
    pub(super) fn tools(&self, frame: Frame, query: CatalogQuery) -> Response {
        let (found, fault) = match self.found(&query) {
            Ok(found) => (found, None),
            Err(error) => (Vec::new(), Some(error.to_string())),
        };
        let status = if fault.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
        let last = found.len().div_ceil(ON_A_PAGE).max(1);
        let number = query.page.min(last);
        let first = (number - 1) * ON_A_PAGE;
        let shown = found.iter().skip(first).take(ON_A_PAGE);
        let rows: Vec<ToolRow> = shown.map(|entry| self.row(entry, &frame)).collect();
        let entry = |page: usize| PageEntry {
            href: format!("/tools{}", query.text(page)),
            text: page.to_string(),
            current: page == number,
        };
        let pages = if last > 1 { (1..=last).map(entry).collect() } else { Vec::new() };
        let words = &query.words;
        let tools = ToolsPage {
            vendors: Choice::vendors(&self.catalog, &words.vendors),
            methods: Choice::effects(&words.methods),
            risks: Choice::risks(&words.allow),
            tags: words.tags.join(","),
            names: words.tools.join(","),
            exclude: words.exclude.join(","),
            is_narrowed: *words != SelectionWords::default() || query.served,
            count: found.len(),
            total: self.catalog.entries().len(),
            tokens: found.iter().map(|entry| self.tokens(entry)).sum(),
            caption: format!("Tools {} to {} of {}", first + 1, first + rows.len(), found.len()),
            rows,
            pages,
            texts: SelectionTexts::of(&query, &found, &self.catalog),
            clients_href: format!("/clients{}", query.text(1)),
            fault,
            query,
            frame,
        };
        page(status, &tools)
    }

    /// The page of a tool; `None` where there is none of this name.
    pub(super) fn tool(
        &self,
        frame: Frame,
        name: &str,
        typed: &BTreeMap<String, String>,
        tried: Option<Tried>,
    ) -> Option<Response> {
        Some(page(StatusCode::OK, &self.tool_page(frame, name, typed, tried)?))
    }

    fn tool_page(
        &self,
        frame: Frame,
        name: &str,
        typed: &BTreeMap<String, String>,
        tried: Option<Tried>,
    ) -> Option<ToolPage> {
        let entry = self.catalog.get(name)?;
        let own = SelectionWords { tools: vec![entry.head().name.clone()], ..SelectionWords::default() };
        let texts = SelectionTexts::of(&CatalogQuery::of_words(own, false), &[entry], &self.catalog);
        Some(ToolPage {
            tool: ToolView::of(entry, &self.catalog, &frame, typed),
            can_try: !frame.is_file(),
            action: frame.tool(&entry.head().name),
            tried,
            texts,
            frame,
        })
    }

    /// The page of clients' settings for a selection.
    pub(super) fn clients(&self, frame: Frame, query: &CatalogQuery) -> Response {
        let (status, page_of) = match self.found(query) {
            Ok(found) => (StatusCode::OK, self.clients_page(frame, query, &found)),
            Err(error) => {
                let fault = Some(error.to_string());
                let page_of = ClientsPage { frame, about: String::new(), fault, clients: Vec::new() };
                (StatusCode::UNPROCESSABLE_ENTITY, page_of)
            }
        };
        page(status, &page_of)
    }

    fn clients_page(&self, frame: Frame, query: &CatalogQuery, found: &[&CatalogEntry]) -> ClientsPage {
        // Without any choice, as `serve` has it.
        let is_chosen = *query != (CatalogQuery { page: query.page, ..CatalogQuery::default() });
        let texts = if is_chosen { SelectionTexts::of(query, found, &self.catalog) } else { None };
        let (about, arguments) = match texts {
            Some(texts) => {
                let about = format!("For a server with {} tools: {}", found.len(), texts.serve);
                (about, texts.arguments)
            }
            None => {
                let about = "For a server with the everyday tools that read. The list of tools makes other selections.";
                (about.to_owned(), vec!["serve".to_owned()])
            }
        };
        ClientsPage { frame, about, fault: None, clients: of_program(SERVER, "toolwright", &arguments) }
    }

    /// The first page of the catalog in files.
    pub(super) fn index_file(
        &self,
        frame: Frame,
        query: &CatalogQuery,
        found: &[&CatalogEntry],
    ) -> askama::Result<String> {
        let mut by_vendor: BTreeMap<&str, Vec<&CatalogEntry>> = BTreeMap::new();
        for entry in found {
            by_vendor.entry(&entry.vendor).or_default().push(entry);
        }
        let group = |(vendor, entries): (&str, Vec<&CatalogEntry>)| Group {
            id: format!("of-{vendor}"),
            title: self.catalog.title(vendor).to_owned(),
            caption: format!("{} tools", entries.len()),
            rows: entries.iter().map(|entry| self.row(entry, &frame)).collect(),
        };
        let groups = by_vendor.into_iter().map(group).collect();
        let index = IndexPage {
            count: found.len(),
            total: self.catalog.entries().len(),
            tokens: found.iter().map(|entry| self.tokens(entry)).sum(),
            groups,
            texts: SelectionTexts::of(query, found, &self.catalog),
            frame,
        };
        index.render()
    }

    /// The page of a tool in a file.
    pub(super) fn tool_file(&self, frame: Frame, name: &str) -> Option<askama::Result<String>> {
        Some(self.tool_page(frame, name, &BTreeMap::new(), None)?.render())
    }

    /// The page of clients' settings in a file.
    pub(super) fn clients_file(
        &self,
        frame: Frame,
        query: &CatalogQuery,
        found: &[&CatalogEntry],
    ) -> askama::Result<String> {
        self.clients_page(frame, query, found).render()
    }
}
