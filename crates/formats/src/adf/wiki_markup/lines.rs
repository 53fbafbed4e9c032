//! Lines of wiki markup, such as `h3. Head` → lines of Markdown.

use super::{Signs, Source, line_sign};

const HEADINGS: [&str; 6] = ["h1.", "h2.", "h3.", "h4.", "h5.", "h6."];

/// A line, and whether it may be markup.
struct Line<'a> {
    text: &'a str,
    is_plain: bool,
}

/// Returns whether there is a heading of wiki markup.
pub(super) fn has_headings(text: &str) -> bool {
    lines(text).iter().any(|line| line.is_plain && heading(line.text).is_some())
}

/// Returns a text with headings, quotes, tables and lists as Markdown has them.
pub(super) fn converted(text: &str, signs: &mut Signs) -> String {
    let lines = lines(text);
    // Where headings are wiki markup, a line that begins with `#` is an item.
    let numbered = lines.iter().any(|line| line.is_plain && heading(line.text).is_some());
    let mut out: Vec<String> = Vec::new();
    let mut index = 0;
    while let Some(line) = lines.get(index) {
        index += 1;
        let Line { text, is_plain: true } = line else {
            out.push(line.text.to_owned());
            continue;
        };
        if let Some((sign, level, title)) = heading(text) {
            signs.add(sign);
            out.push(format!("{} {title}", "#".repeat(level)));
        } else if let Some(quote) = text.strip_prefix("bq. ") {
            signs.add("bq.");
            out.extend([String::new(), format!("> {}", quote.trim()), String::new()]);
        } else if let Some((table, length)) = table(&lines[index - 1..]) {
            signs.add("||table||");
            out.extend(table);
            index += length - 1;
        } else if let Some((depth, item)) = item(text, '#').filter(|_| numbered) {
            signs.add("# list");
            out.push(format!("{}1. {item}", "   ".repeat(depth - 1)));
        } else if let Some((depth, item)) = item(text, '*').filter(|(depth, _)| *depth > 1) {
            signs.add("** list");
            out.push(format!("{}* {item}", "  ".repeat(depth - 1)));
        } else {
            out.push((*text).to_owned());
        }
    }
    out.join("\n")
}

fn lines(text: &str) -> Vec<Line<'_>> {
    let source = Source::new(text);
    let mut at = 0;
    let mut lines = Vec::new();
    for text in text.split('\n') {
        lines.push(Line { text, is_plain: source.is_plain(at) });
        at += text.len() + 1;
    }
    lines
}

/// `h3. Head`: the sign, the level, the title.
fn heading(line: &str) -> Option<(&'static str, usize, &str)> {
    let dot = line_sign(line).filter(|_| line.starts_with('h'))?;
    let level = usize::from(line.as_bytes()[1] - b'0');
    let title = line[dot + 1..].trim();
    let sign = HEADINGS.get(level.checked_sub(1)?)?;
    (!title.is_empty()).then_some((*sign, level, title))
}

/// `## item`: how deep it is, and its text.
fn item(line: &str, sign: char) -> Option<(usize, &str)> {
    let rest = line.trim_start_matches(sign);
    let depth = line.len() - rest.len();
    let text = rest.strip_prefix(' ')?.trim();
    ((1..=6).contains(&depth) && !text.is_empty()).then_some((depth, text))
}

/// A table that begins with the first line: its lines in Markdown, and how many lines it was.
fn table(lines: &[Line<'_>]) -> Option<(Vec<String>, usize)> {
    let first = lines.first()?.text.trim();
    let below = lines.get(1).map(|line| line.text.trim()).unwrap_or_default();
    let is_markdown = below.starts_with(['|', ':', '-']) && below.chars().all(|c| matches!(c, '|' | ':' | '-' | ' '));
    if !is_row(first) || !first.starts_with("||") || is_markdown && below.contains('-') {
        return None;
    }
    let rows: Vec<&str> = lines
        .iter()
        .take_while(|line| line.is_plain)
        .map(|line| line.text.trim())
        .take_while(|line| is_row(line))
        .collect();
    let width = rows.iter().map(|row| cells(row).len()).max()?;
    let mut table = vec![String::new()];
    for (index, row) in rows.iter().enumerate() {
        let mut cells = cells(row);
        cells.resize(width, "");
        table.push(format!("| {} |", cells.join(" | ")));
        if index == 0 {
            table.push(format!("|{}", "---|".repeat(width)));
        }
    }
    table.push(String::new());
    Some((table, rows.len()))
}

/// Returns whether a line is a row of wiki markup: it begins and ends with a `|` and has a cell.
fn is_row(line: &str) -> bool {
    line.len() > 2 && line.starts_with('|') && line.ends_with('|') && cells(line).iter().any(|cell| !cell.is_empty())
}

fn cells(row: &str) -> Vec<&str> {
    let row = row.strip_prefix("||").or(row.strip_prefix('|')).unwrap_or(row);
    let row = row.strip_suffix("||").or(row.strip_suffix('|')).unwrap_or(row);
    let mut cells = Vec::new();
    let mut rest = row;
    while let Some(at) = rest.find('|') {
        cells.push(rest[..at].trim());
        rest = &rest[at + 1..];
        rest = rest.strip_prefix('|').unwrap_or(rest);
    }
    cells.push(rest.trim());
    cells
}
