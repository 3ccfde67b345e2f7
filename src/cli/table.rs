//! Tables for people: columns as wide as they must be, and text of others made harmless for a terminal.

use std::fmt::Write;

/// Between two columns.
const GAP: &str = "  ";

/// Rows under a heading. The last column is not padded.
pub(super) fn table<const N: usize>(heading: [&str; N], rows: &[[String; N]]) -> String {
    let mut widths = heading.map(|title| title.chars().count());
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = line(heading, &widths);
    for row in rows {
        text += &line(row.each_ref().map(String::as_str), &widths);
    }
    text
}

fn line<const N: usize>(cells: [&str; N], widths: &[usize; N]) -> String {
    let mut line = String::new();
    for (cell, width) in cells.iter().zip(widths) {
        write!(line, "{cell:width$}{GAP}").expect("a String takes text");
    }
    line.truncate(line.trim_end().len());
    line + "\n"
}

/// A text of somebody else's, with what would steer a terminal or turn the line around spelled out.
pub(super) fn plain(text: &str) -> String {
    let steers = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        if steers(c) {
            plain.extend(c.escape_unicode());
        } else {
            plain.push(c);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["1".into(), "Айгерім".into(), String::new()], ["22".into(), "x".into(), "y".into()]];
        let expected = "a   name     b\n1   Айгерім\n22  x        y\n";
        assert_eq!(table(["a", "name", "b"], &rows), expected);
    }

    #[test]
    fn what_would_steer_a_terminal_is_spelled_out() {
        assert_eq!(plain("CRM-88\u{1b}[2J\n\u{202e}"), r"CRM-88\u{1b}[2J\u{a}\u{202e}");
    }
}
