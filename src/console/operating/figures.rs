//! The metrics of the server → calls and errors over the last day, and tables of calls, errors and waits since it started.

use askama::Template;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::super::Console;
use super::super::answer::page;
use super::super::frame::{Frame, Section};
use super::super::sessions::Session;
use super::hours::HoursView;
use crate::metrics::{Counted, Metrics};

/// A table of counters.
#[derive(Debug)]
struct Table {
    id: &'static str,
    title: &'static str,
    caption: &'static str,
    columns: Vec<&'static str>,
    unit: &'static str,
    /// What is said where nothing was counted.
    nothing: &'static str,
    rows: Vec<CountRow>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct CountRow {
    cells: Vec<String>,
    count: String,
}

#[derive(Template)]
#[template(path = "figures.html", config = "src/console/askama.toml")]
struct FiguresPage {
    frame: Frame,
    hours: HoursView,
    tables: Vec<Table>,
}

fn tables(metrics: &Metrics) -> Vec<Table> {
    vec![
        Table {
            id: "calls",
            title: "Calls",
            caption: "Calls that ended, the most frequent first",
            columns: vec!["Tool", "Vendor", "Who", "Outcome"],
            unit: "Calls",
            nothing: "No call has ended yet.",
            rows: rows(metrics.counted("calls"), &["tool", "vendor", "caller", "outcome"]),
        },
        Table {
            id: "errors",
            title: "Errors",
            caption: "Calls that ended in an error, the most frequent first",
            columns: vec!["Kind", "Vendor"],
            unit: "Calls",
            nothing: "No call has ended in an error.",
            rows: rows(metrics.counted("errors"), &["kind", "vendor"]),
        },
        Table {
            id: "waits",
            title: "Waits for vendors’ limits",
            caption: "Times that a call waited, by vendor",
            columns: vec!["Vendor"],
            unit: "Times",
            nothing: "No call has waited.",
            rows: rows(metrics.counted("waits"), &["vendor"]),
        },
    ]
}

fn rows(mut counted: Vec<Counted>, labels: &[&str]) -> Vec<CountRow> {
    counted.sort_by(|a, b| b.count.total_cmp(&a.count));
    let cell = |one: &Counted, label: &&str| match one.labels.get(*label).map(String::as_str) {
        None | Some("") => "unknown tool".to_owned(),
        Some(text) => text.to_owned(),
    };
    let row = |one: &Counted| CountRow {
        cells: labels.iter().map(|label| cell(one, label)).collect(),
        count: format!("{:.0}", one.count),
    };
    counted.iter().map(row).collect()
}

/// Shows the figures.
pub(super) async fn show(State(console): State<Console>, Extension(session): Extension<Session>) -> Response {
    match console.of_administrator(&session) {
        Ok((operating, _)) => {
            let frame = session.frame(Section::Figures, "Calls");
            let metrics = operating.toolbox.metrics();
            let hours = HoursView::of(&metrics.hours());
            page(StatusCode::OK, &FiguresPage { frame, hours, tables: tables(metrics) })
        }
        Err(fault) => session.fault(&fault),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Outcome;

    #[test]
    fn what_is_frequent_comes_first_and_an_unknown_tool_has_a_name() {
        let metrics = Metrics::default();
        metrics.end("", "", "link", Outcome::NotSent, Some("unknown_tool"));
        for _ in 0..3 {
            metrics.end("acme", "acme_get_thing", "link", Outcome::Answered, None);
        }
        let found = tables(&metrics);
        let cells: Vec<Vec<&str>> =
            found[0].rows.iter().map(|row| row.cells.iter().map(String::as_str).collect()).collect();
        assert_eq!(
            cells,
            [["acme_get_thing", "acme", "link", "answered"], ["unknown tool", "unknown tool", "link", "not_sent"]]
        );
        assert_eq!(found[0].rows[0].count, "3");
        assert_eq!((found[1].rows.len(), found[2].rows.len()), (1, 0));
    }
}
