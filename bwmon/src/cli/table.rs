//! Tables without borders, one line a row, made to fit.

use anstyle::Style;
use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, Row, TableStyle};

use super::output::Look;

/// A column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    title: &'static str,
    alignment: CellAlignment,
    constraint: Option<ColumnConstraint>,
    gap: u16,
}

impl Column {
    /// Text that is always shown whole.
    pub(super) const fn text(title: &'static str) -> Self {
        let constraint = Some(ColumnConstraint::ContentWidth);
        Self {
            title,
            alignment: CellAlignment::Left,
            constraint,
            gap: 2,
        }
    }

    /// Text that gives way when the table is too wide. One of a table.
    pub(super) const fn rest(title: &'static str) -> Self {
        Self {
            constraint: None,
            ..Self::text(title)
        }
    }

    /// A number with its unit, always shown whole.
    pub(super) const fn number(title: &'static str) -> Self {
        Self {
            alignment: CellAlignment::Right,
            ..Self::text(title)
        }
    }

    /// So many columns from the next one, not two.
    pub(super) const fn gap(self, gap: u16) -> Self {
        Self { gap, ..self }
    }
}

/// A table. The texts of its cells must be printable.
pub(super) struct Table {
    columns: &'static [Column],
    rows: Vec<(Style, Vec<String>)>,
}

impl Table {
    pub(super) fn new(columns: &'static [Column]) -> Self {
        Self {
            columns,
            rows: Vec::new(),
        }
    }

    /// Adds a line that stands out by `style`.
    pub(super) fn row(&mut self, style: Style, cells: impl Into<Vec<String>>) {
        self.rows.push((style, cells.into()));
    }

    /// The lines, each ended. A title may have several.
    pub(super) fn render(&self, look: Look) -> String {
        let heading = self
            .columns
            .iter()
            .map(|column| column.title.lines().count())
            .max();
        let styles = std::iter::repeat_n(Style::new().bold(), heading.unwrap_or_default())
            .chain(self.rows.iter().map(|(style, _)| *style));
        self.layout(look.width)
            .lines()
            .zip(styles)
            .map(|(line, style)| look.paint.apply(style, line.trim_end()) + "\n")
            .collect()
    }

    fn layout(&self, width: u16) -> comfy_table::Table {
        let mut table = comfy_table::Table::new();
        table
            .load_style(TableStyle::new())
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width)
            .set_header(self.columns.iter().map(|column| column.title));
        for (_, cells) in &self.rows {
            let mut row = Row::from(cells.iter().map(Cell::new));
            row.max_height(1);
            table.add_row(row);
        }
        let last = self.columns.len().saturating_sub(1);
        for (index, (column, own)) in table.column_iter_mut().zip(self.columns).enumerate() {
            column.set_padding((0, if index == last { 0 } else { own.gap }));
            column.set_cell_alignment(own.alignment);
            // Text is cut where the room ends, not at the word before.
            column.set_delimiter('\0');
            if let Some(constraint) = own.constraint {
                column.set_constraint(constraint);
            }
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::{super::output::Paint, *};

    const COLUMNS: [Column; 3] = [
        Column::rest("NAME"),
        Column::text("IP").gap(1),
        Column::number("SIZE\nMB"),
    ];

    fn table(names: &[&str]) -> Table {
        let mut table = Table::new(&COLUMNS);
        for name in names {
            table.row(Style::new(), [*name, "::1", "12.5"].map(str::to_owned));
        }
        table
    }

    fn check(width: u16, names: &[&str], expected: &[&str]) {
        let text = table(names).render(Look {
            width,
            paint: Paint::Plain,
        });
        assert_eq!(text.lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_table_is_as_wide_as_its_content() {
        check(
            80,
            &["Laptop"],
            &["NAME    IP  SIZE", "              MB", "Laptop  ::1 12.5"],
        );
    }

    #[test]
    fn a_text_too_long_ends_in_an_ellipsis() {
        check(
            18,
            &["Living room TV", "居間のテレビ", "TV"],
            &[
                "NAME      IP  SIZE",
                "                MB",
                "Living …  ::1 12.5",
                "居間の…   ::1 12.5",
                "TV        ::1 12.5",
            ],
        );
    }

    #[test]
    fn colours_cover_whole_lines_and_change_no_width() {
        let red = anstyle::AnsiColor::Red.on_default();
        let mut table = table(&["TV"]);
        table.rows[0].0 = red;
        let bold = Style::new().bold();
        assert_eq!(
            table.render(Look {
                width: 80,
                paint: Paint::Colours
            }),
            format!(
                "{bold}NAME  IP  SIZE{bold:#}\n{bold}            MB{bold:#}\n\
                 {red}TV    ::1 12.5{red:#}\n"
            )
        );
    }
}
