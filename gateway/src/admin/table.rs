//! Lists for a terminal: columns as wide as they need, separated by two spaces, a line per row.

use std::fmt::Write as _;

/// `rows` under `head`. Without rows there is nothing to print but the head.
pub(super) fn table<const COLUMNS: usize>(
    head: [&str; COLUMNS],
    rows: impl IntoIterator<Item = [String; COLUMNS]>,
) -> String {
    let mut lines = vec![head.map(str::to_owned)];
    lines.extend(rows);
    let widths: [usize; COLUMNS] = std::array::from_fn(|column| {
        let cells = lines.iter().map(|line| line[column].chars().count());
        cells.max().unwrap_or_default()
    });
    let mut text = String::new();
    for line in &lines {
        let mut row = String::new();
        for (cell, width) in line.iter().zip(widths) {
            // Writing into a string can't fail.
            let _written = write!(row, "{cell:<width$}  ");
        }
        text.push_str(row.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_by_characters() {
        let rows = [
            ["Kovač".to_owned(), "operator".to_owned()],
            ["Li".to_owned(), String::new()],
        ];

        assert_eq!(
            table(["NAME", "ROLE"], rows),
            "NAME   ROLE\nKovač  operator\nLi\n"
        );
    }
}
