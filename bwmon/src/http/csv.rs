//! A table of comma-separated values (RFC 4180), piece by piece.
//!
//! A spreadsheet takes a cell that begins with `=`, `+`, `-`, `@`, a tab or a line break for a
//! formula, and a formula can send what is in the others to anybody. Devices choose their own
//! names. So text that begins like that has an apostrophe put before it, which a spreadsheet takes
//! for "this is text"; and what can't be seen (line breaks among it) is left out.

use std::{fmt::Display, io};

use axum::response::Response;
use csv::{StringRecord, Terminator, Writer, WriterBuilder};

use super::pieces::{PIECE, Pieces, in_pieces};
use crate::core::text::is_harmless;

/// The type of such a body.
pub(super) const CSV: &str = "text/csv; charset=utf-8; header=present";

/// What is a row of a table.
pub(crate) trait Record {
    /// The names of its columns, as in JSON; members of members are joined by `_`.
    const COLUMNS: &'static [&'static str];

    /// Adds a cell for each of them, in order.
    fn write(&self, row: &mut Row);
}

/// The cells of a row.
#[derive(Debug, Default)]
pub(crate) struct Row {
    cells: StringRecord,
}

impl Row {
    /// Text that somebody else may have chosen.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        let mut cell: String = text.chars().filter(|&char| is_harmless(char)).collect();
        if cell.starts_with(STARTS_A_FORMULA) {
            cell.insert(0, '\'');
        }
        self.cells.push_field(&cell);
        self
    }

    /// What bwmon writes itself: a number, a time, an address.
    pub(super) fn own(&mut self, value: impl Display) -> &mut Self {
        self.cells.push_field(&value.to_string());
        self
    }

    /// Text as above, or an empty cell.
    pub(super) fn text_or_empty(&mut self, text: Option<&str>) -> &mut Self {
        self.text(text.unwrap_or_default())
    }

    /// A value as above, or an empty cell.
    pub(super) fn own_or_empty(&mut self, value: Option<impl Display>) -> &mut Self {
        match value {
            Some(value) => self.own(value),
            None => self.own(""),
        }
    }

    /// How many cells there are so far.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.cells.len()
    }

    /// Values of bwmon's own with a space between them.
    pub(super) fn own_list(&mut self, values: impl IntoIterator<Item: Display>) -> &mut Self {
        let values: Vec<String> = values.into_iter().map(|value| value.to_string()).collect();
        self.own(values.join(" "))
    }
}

/// The wide forms are what a spreadsheet with an input method makes plain ones of. Tabs and line
/// breaks are gone by then.
const STARTS_A_FORMULA: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];

/// The same table as text, for those who have no response to send.
///
/// # Errors
///
/// When it can't be written; there is nothing that it could fail on but memory.
pub(crate) fn csv_text<T: Record>(items: impl Iterator<Item = T>) -> io::Result<String> {
    let table = Table {
        items: Some(items),
        headed: false,
        columns: T::COLUMNS,
        write: |item: &T, row: &mut Row| item.write(row),
    };
    let mut bytes = Vec::new();
    for piece in table {
        bytes.extend(piece?);
    }
    String::from_utf8(bytes).map_err(io::Error::other)
}

/// A response with a row for each of `items`, after one with the names of the columns.
pub(super) fn csv_table<T, I>(items: I) -> Response
where
    T: Record,
    I: Iterator<Item: AsRef<T>> + Send + 'static,
{
    let table = Table {
        items: Some(items),
        headed: false,
        columns: T::COLUMNS,
        write: |item: &I::Item, row: &mut Row| item.as_ref().write(row),
    };
    in_pieces(CSV, table)
}

struct Table<I, W> {
    /// `None` at the end.
    items: Option<I>,
    headed: bool,
    columns: &'static [&'static str],
    write: W,
}

impl<I, W> Pieces for Table<I, W>
where
    I: Iterator + Send + 'static,
    W: Fn(&I::Item, &mut Row) + Send + 'static,
{
    fn are_over(&self) -> bool {
        self.items.is_none()
    }
}

impl<I: Iterator, W: Fn(&I::Item, &mut Row)> Table<I, W> {
    fn piece(&mut self) -> csv::Result<Writer<Vec<u8>>> {
        let mut piece = WriterBuilder::new()
            .terminator(Terminator::CRLF)
            .buffer_capacity(BUFFER)
            .from_writer(Vec::with_capacity(PIECE + BUFFER));
        if !self.headed {
            piece.write_record(self.columns)?;
            self.headed = true;
        }
        let mut row = Row::default();
        for item in self.items.iter_mut().flatten() {
            row.cells.clear();
            (self.write)(&item, &mut row);
            piece.write_record(&row.cells)?;
            if piece.get_ref().len() >= PIECE {
                return Ok(piece);
            }
        }
        self.items = None;
        Ok(piece)
    }
}

impl<I: Iterator, W: Fn(&I::Item, &mut Row)> Iterator for Table<I, W> {
    type Item = io::Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.items.as_ref()?;
        let piece = self
            .piece()
            .map_err(io::Error::from)
            .and_then(|piece| piece.into_inner().map_err(csv::IntoInnerError::into_error));
        if piece.is_err() {
            self.items = None;
        }
        Some(piece)
    }
}

/// What the crate keeps before it writes to a piece.
const BUFFER: usize = 1024;

#[cfg(test)]
mod tests {
    use axum::{body::to_bytes, http::header};

    use super::*;

    struct Named(String);

    impl AsRef<Self> for Named {
        fn as_ref(&self) -> &Self {
            self
        }
    }

    impl Record for Named {
        const COLUMNS: &'static [&'static str] = &["number", "name", "list"];

        fn write(&self, row: &mut Row) {
            let list: &[u8] = if self.0.is_empty() { &[] } else { &[1, 2] };
            row.own(self.0.len()).text(&self.0).own_list(list);
        }
    }

    async fn table(names: &[&str]) -> String {
        let names: Vec<Named> = names.iter().map(|&name| Named(name.to_owned())).collect();
        let response = csv_table::<Named, _>(names.into_iter());
        assert_eq!(response.headers()[header::CONTENT_TYPE], CSV);
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    async fn check_name(name: &str, cell: &str) {
        let text = table(&[name]).await;
        let row = text.strip_prefix("number,name,list\r\n").unwrap();
        assert_eq!(row, format!("{},{cell},1 2\r\n", name.len()), "{name:?}");
    }

    #[tokio::test]
    async fn what_could_be_a_formula_is_text() {
        check_name("Laptop", "Laptop").await;
        check_name("Ann's = laptop", "Ann's = laptop").await;
        check_name("=1+1", "'=1+1").await;
        check_name(
            "=HYPERLINK(\"http://x\")",
            "\"'=HYPERLINK(\"\"http://x\"\")\"",
        )
        .await;
        check_name("+49", "'+49").await;
        check_name("-2", "'-2").await;
        check_name("@SUM(A1)", "'@SUM(A1)").await;
        check_name("＝1", "'＝1").await;
        check_name("\t=1", "'=1").await;
        check_name("\r=1", "'=1").await;
        check_name("\u{200b}=1", "'=1").await;
        check_name("'=1", "'=1").await;
    }

    #[tokio::test]
    async fn cells_are_quoted_where_they_must_be() {
        check_name("a,b", "\"a,b\"").await;
        check_name("a\"b", "\"a\"\"b\"").await;
        check_name("a\r\nb\u{1b}[1m", "ab[1m").await;
        check_name(" a ", " a ").await;
    }

    #[tokio::test]
    async fn a_table_without_rows_has_its_columns() {
        assert_eq!(table(&[]).await, "number,name,list\r\n");
        assert_eq!(table(&[""]).await, "number,name,list\r\n0,,\r\n");
    }

    #[tokio::test]
    async fn a_long_table_is_whole() {
        let name = "x".repeat(100);
        let rows = vec![name.as_str(); 1000];
        let text = table(&rows).await;
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let read: Vec<_> = reader.records().map(Result::unwrap).collect();
        assert_eq!(read.len(), rows.len());
        assert!(read.iter().all(|row| row[1] == *name && &row[0] == "100"));
    }
}
