//! Reports → Markdown: the body of a pull request. What a vendor wrote is in code spans, where it can
//! neither format nor mention anything; the whole stays below the size that GitHub takes.

use std::fmt::Write as _;

use super::kind::Severity;
use super::report::{DriftReport, Group, few};

/// GitHub refuses a body of more than 65,536 characters.
const LARGEST: usize = 60_000;

/// Writes the reports of several APIs.
pub(crate) fn markdown(reports: &[DriftReport]) -> String {
    let mut out = String::from(
        "# Changes of vendors' interfaces\n\n| API | breaking | changes | words | tools that may break |\n|---|---|---|---|---|\n",
    );
    for report in reports {
        let counts = report.counts;
        let tools = report.broken_tools().len();
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {tools} |",
            code(&report.api),
            counts.breaking,
            counts.change,
            counts.words
        );
    }
    let mut cut = 0;
    for report in reports.iter().filter(|report| !report.changes.is_empty() || !report.notes.is_empty()) {
        let _ = write!(
            out,
            "\n## {}\n\n{} against {}: {}.\n",
            code(&report.api),
            code(&report.ours),
            code(&report.new),
            report.summary()
        );
        for note in &report.notes {
            let _ = writeln!(out, "\n> {}", code(note));
        }
        for (severity, heading) in
            [(Severity::Breaking, "Breaking"), (Severity::Change, "Changes"), (Severity::Words, "Words only")]
        {
            let groups = report.groups(severity);
            if groups.is_empty() {
                continue;
            }
            let _ = write!(out, "\n### {heading}\n\n");
            for group in groups {
                let entry = entry(&group);
                if out.len() + entry.len() > LARGEST {
                    cut += 1;
                } else {
                    out += &entry;
                }
            }
        }
    }
    if cut > 0 {
        let _ = write!(out, "\n{cut} more changes are left out; `cargo spec diff` shows them.\n");
    }
    out
}

fn entry(group: &Group<'_>) -> String {
    let first = group.first;
    let mut out = format!("- **{}** {}", first.kind.as_str(), code(&group.place()));
    if let Some(values) = group.values() {
        let _ = write!(out, ": {}", code(&values));
    }
    out.push('\n');
    let tools: Vec<String> = group.tools().iter().map(|tool| code(tool)).collect();
    let tools: Vec<&str> = tools.iter().map(String::as_str).collect();
    let _ = match (tools.as_slice(), &first.hits.no_tool) {
        ([], Some(reason)) => writeln!(out, "  - hits no tool: {}", code(reason)),
        ([], None) => writeln!(out, "  - hits no tool"),
        (tools, _) => writeln!(out, "  - hits {}", few(tools)),
    };
    for line in group.others() {
        let _ = writeln!(out, "  - {}", code(&line));
    }
    let _ = writeln!(out, "  - {}; {}", first.means, first.next);
    out
}

/// A text as code: whatever is in it, it stays what it is.
fn code(text: &str) -> String {
    let text: String = crate::import::shown(text).replace('`', "'").split_whitespace().collect::<Vec<_>>().join(" ");
    let short = toolwright_model::truncate(&text, 300);
    format!("`{short}`")
}
