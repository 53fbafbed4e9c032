//! Rows and lines of any length → text that fits the width of the terminal, or Markdown.

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};

/// A column of this width can be read, also where its cells are longer and wrap.
const READABLE: usize = 24;
/// The blanks between two columns.
const GAP: u16 = 2;

/// How a column behaves where a table is wider than the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ColumnFit {
    /// Is never wrapped, so that a name can be searched for and copied.
    Whole,
    /// Is wrapped between words.
    Wrapped,
    /// Is left out, the last one first.
    Optional,
}

/// Returns a table of at most `width` columns; only cells that are never wrapped can exceed it.
pub(super) fn fitted<const N: usize>(columns: &[(&str, ColumnFit); N], rows: &[[String; N]], width: usize) -> String {
    let needed = |index: &usize| needed_width(columns[*index], rows.iter().map(|row| row[*index].as_str()));
    let mut shown: Vec<usize> = (0..N).collect();
    while shown.iter().map(needed).sum::<usize>() + (shown.len() - 1) * usize::from(GAP) > width {
        let Some(last) = shown.iter().rposition(|index| columns[*index].1 == ColumnFit::Optional) else { break };
        shown.remove(last);
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
    table.set_header(shown.iter().map(|index| columns[*index].0));
    table.add_rows(rows.iter().map(|row| shown.iter().map(|index| row[*index].as_str())));
    for (column, index) in table.column_iter_mut().zip(&shown) {
        let gap = if Some(index) == shown.last() { 0 } else { GAP };
        column.set_padding((0, gap));
        column.set_constraint(match columns[*index].1 {
            ColumnFit::Whole | ColumnFit::Optional => ColumnConstraint::ContentWidth,
            ColumnFit::Wrapped => {
                let word = longest_word(rows.iter().map(|row| row[*index].as_str()));
                ColumnConstraint::LowerBoundary(Width::Fixed(
                    u16::try_from(word).unwrap_or(u16::MAX).saturating_add(gap),
                ))
            }
        });
    }
    lines(&table)
}

/// Returns the rows as a Markdown table, a line each.
pub(super) fn markdown<const N: usize>(header: &[&str; N], rows: &[[String; N]]) -> String {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header).add_rows(rows);
    lines(&table)
}

/// Returns `label` and `text` as one entry of a list: wrapped between words at `width`, further
/// lines indented by `indent`, a word longer than a line kept whole.
pub(super) fn entry(label: &str, text: &str, indent: usize, width: usize) -> String {
    let next_line = format!("\n{:indent$}", "");
    let mut entry = format!("{label:<indent$}");
    for (number, line) in text.lines().enumerate() {
        if number > 0 {
            entry.push_str(&next_line);
        }
        let mut column = if number > 0 { indent } else { entry.chars().count() };
        for (position, word) in line.split(' ').enumerate() {
            let length = word.chars().count();
            if position > 0 && column + 1 + length > width {
                entry.push_str(&next_line);
                column = indent;
            } else if position > 0 {
                entry.push(' ');
                column += 1;
            }
            entry.push_str(word);
            column += length;
        }
    }
    entry
}

fn needed_width<'a>((header, fit): (&str, ColumnFit), cells: impl Iterator<Item = &'a str> + Clone) -> usize {
    let widest = cells.clone().map(|cell| cell.chars().count()).max().unwrap_or_default().max(header.len());
    match fit {
        ColumnFit::Whole | ColumnFit::Optional => widest,
        ColumnFit::Wrapped => longest_word(cells).max(widest.min(READABLE)),
    }
}

fn longest_word<'a>(cells: impl Iterator<Item = &'a str>) -> usize {
    cells.flat_map(str::split_whitespace).map(|word| word.chars().count()).max().unwrap_or_default()
}

fn lines(table: &Table) -> String {
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [(&str, ColumnFit); 4] = [
        ("name", ColumnFit::Whole),
        ("effect, risks", ColumnFit::Wrapped),
        ("tags", ColumnFit::Optional),
        ("title", ColumnFit::Wrapped),
    ];

    fn row(cells: [&str; 4]) -> [String; 4] {
        cells.map(str::to_owned)
    }

    #[test]
    fn a_table_fits_every_width_that_its_names_leave() {
        let long_name = "a".repeat(48);
        let rows = [
            row([
                &long_name,
                "destructive, weakens_security, irreversible",
                "core, policies",
                "Delete a policy of a group",
            ]),
            row(["list", "read", "", "List"]),
        ];
        for width in [78, 80, 100, 120, 200] {
            let table = fitted(&COLUMNS, &rows, width);
            assert!(table.lines().all(|line| line.chars().count() <= width), "{width}:\n{table}");
            for word in ["weakens_security", "irreversible", "Delete", &long_name] {
                assert!(table.contains(word), "{width}: {word}\n{table}");
            }
            assert_eq!(table.contains("policies"), width > 100, "{width}:\n{table}");
        }
    }

    #[test]
    fn an_entry_wraps_between_words() {
        let text = "ok: you are a person\nhttps://long.example.com/path";
        assert_eq!(
            entry("  login", text, 10, 24),
            "  login   ok: you are a\n          person\n          https://long.example.com/path"
        );
    }
}
