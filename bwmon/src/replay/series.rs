//! Reads a series: a table of times and of the bytes that passed from each on.

use std::{io::Read, time::Duration};

use csv::{ErrorKind, ReaderBuilder, StringRecord, Trim};
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

/// Larger files are not read: a row takes memory.
const MAX_BYTES: u64 = 1 << 30;
/// More bytes than pass in any interval.
const MAX_VALUE: f64 = 1e18;

/// The file can't be read as a series.
#[derive(Debug, thiserror::Error)]
pub enum SeriesError {
    /// A column is missing.
    #[error("the first line names no column {0:?}; it has to name `timestamp` and `value`")]
    NoColumn(&'static str),
    /// It is no table.
    #[error("line {line}: {reason}")]
    NotATable {
        /// Where.
        line: u64,
        /// Why.
        reason: String,
    },
    /// A time can't be read.
    #[error(
        "line {line}: {text:?} is no time; write one such as 2026-03-08T14:00:00+01:00, \
         2026-03-08 14:00 (in UTC), or seconds since 1970"
    )]
    Timestamp {
        /// Where.
        line: u64,
        /// As written.
        text: String,
    },
    /// A value can't be read.
    #[error("line {line}: {text:?} is no number of bytes; write one from 0 to 1e18")]
    Value {
        /// Where.
        line: u64,
        /// As written.
        text: String,
    },
    /// A row is before the one above it.
    #[error("line {line}: {text:?} is before the time of the line above; sort the file by time")]
    Order {
        /// Where.
        line: u64,
        /// As written.
        text: String,
    },
    /// There is no interval.
    #[error("a series needs two times or more, to tell its interval by")]
    TooShort,
    /// There is more of it than is read.
    #[error("the file is larger than {MAX_BYTES} bytes; split it")]
    TooLarge,
    /// It can't be read.
    #[error("cannot read the series: {0}")]
    Read(std::io::Error),
}

/// A series, in the order of time.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// At least two.
    rows: Vec<Row>,
    /// The time that each row is about: the median of the distances between them.
    pub interval: Duration,
    /// Rows that were left out, since they have the time of the row before.
    pub repeated: u64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Row {
    at: Timestamp,
    bytes: f64,
}

/// A row, and how long it holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    /// When it begins.
    pub start: Timestamp,
    /// For how long its bytes passed.
    pub length: Duration,
    /// How many they were.
    pub bytes: f64,
}

impl Series {
    /// Reads all of it.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, with its line.
    pub fn read(source: impl Read) -> Result<Self, SeriesError> {
        let mut source = source.take(MAX_BYTES);
        let mut reader = ReaderBuilder::new()
            .trim(Trim::All)
            .flexible(true)
            .from_reader(&mut source);
        let header = reader.headers().map_err(failed)?;
        let column = |name: &'static str| {
            // Some programs mark a file as Unicode.
            let is_it = |title: &str| title.trim_start_matches('\u{feff}') == name;
            let found = header.iter().position(is_it);
            found.ok_or(SeriesError::NoColumn(name))
        };
        let (timestamp, value) = (column("timestamp")?, column("value")?);
        let mut series = Self {
            rows: Vec::new(),
            interval: Duration::ZERO,
            repeated: 0,
        };
        let mut record = StringRecord::new();
        while reader.read_record(&mut record).map_err(failed)? {
            let line = record.position().map_or(0, csv::Position::line);
            let cell = |index| record.get(index).unwrap_or_default();
            series.add(line, cell(timestamp), cell(value))?;
        }
        drop(reader);
        if source.limit() == 0 {
            return Err(SeriesError::TooLarge);
        }
        series.interval = series.median().ok_or(SeriesError::TooShort)?;
        Ok(series)
    }

    /// How many rows it has.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether it has none, which no series that was read has.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Its rows, each until the next one. Where rows are missing, the last one before holds for an
    /// interval, and what follows is not known.
    pub fn spans(&self) -> impl Iterator<Item = Span> {
        let next = self.rows.iter().skip(1).map(Some).chain([None]);
        self.rows.iter().zip(next).map(|(row, next)| {
            let distance = next.map(|next| distance(row, next));
            let distance = distance.filter(|distance| self.is_next(*distance));
            Span {
                start: row.at,
                length: distance.unwrap_or(self.interval),
                bytes: row.bytes,
            }
        })
    }

    /// In how many places rows are missing.
    pub fn gaps(&self) -> usize {
        let distances = self
            .rows
            .windows(2)
            .map(|pair| distance(&pair[0], &pair[1]));
        distances
            .filter(|distance| !self.is_next(*distance))
            .count()
    }

    /// Whether a row so long after another is the one that follows it: what is a little late is not
    /// missing.
    fn is_next(&self, distance: Duration) -> bool {
        distance <= self.interval * 3 / 2
    }

    fn add(&mut self, line: u64, timestamp: &str, value: &str) -> Result<(), SeriesError> {
        let at = time(timestamp).ok_or_else(|| SeriesError::Timestamp {
            line,
            text: timestamp.to_owned(),
        })?;
        let bytes = value.parse().ok();
        let bytes = bytes.filter(|bytes| (0.0..=MAX_VALUE).contains(bytes));
        let bytes = bytes.ok_or_else(|| SeriesError::Value {
            line,
            text: value.to_owned(),
        })?;
        match self.rows.last() {
            Some(last) if at < last.at => {
                return Err(SeriesError::Order {
                    line,
                    text: timestamp.to_owned(),
                });
            }
            Some(last) if at == last.at => self.repeated += 1,
            _ => self.rows.push(Row { at, bytes }),
        }
        Ok(())
    }

    fn median(&self) -> Option<Duration> {
        let mut distances: Vec<Duration> = self
            .rows
            .windows(2)
            .map(|pair| distance(&pair[0], &pair[1]))
            .collect();
        let middle = distances.len() / 2;
        if distances.is_empty() {
            return None;
        }
        let (_, median, _) = distances.select_nth_unstable(middle);
        Some(*median)
    }
}

fn distance(earlier: &Row, later: &Row) -> Duration {
    later.at.duration_since(earlier.at).unsigned_abs()
}

/// Reads a time: RFC 3339, the same without an offset, or seconds since 1970.
fn time(text: &str) -> Option<Timestamp> {
    if let Ok(seconds) = text.parse::<i64>() {
        return Timestamp::from_second(seconds).ok();
    }
    if let Ok(seconds) = text.parse::<f64>() {
        // Whole microseconds, which is what a number of today's size has.
        return Timestamp::from_microsecond((seconds * 1e6).round() as i64).ok();
    }
    if let Ok(at) = text.parse() {
        return Some(at);
    }
    let local: DateTime = text.parse().ok()?;
    TimeZone::UTC.to_timestamp(local).ok()
}

fn failed(error: csv::Error) -> SeriesError {
    let line = error.position().map_or(1, csv::Position::line);
    match error.into_kind() {
        ErrorKind::Io(reason) => SeriesError::Read(reason),
        ErrorKind::Utf8 { .. } => SeriesError::NotATable {
            line,
            reason: "this is not UTF-8 text; save the file as UTF-8".to_owned(),
        },
        _ => SeriesError::NotATable {
            line,
            reason: "this is no row of a table; write values between commas".to_owned(),
        },
    }
}

#[cfg(test)]
mod tests;
