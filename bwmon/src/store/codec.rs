//! How values look in the database.
//!
//! Addresses and days are text, so that a person with `sqlite3` can read them. Times are
//! microseconds since the epoch. Raw counters are blobs, since SQLite's integers have a sign.

use std::{error::Error, fmt::Display, net::IpAddr, str::FromStr, time::Duration};

use bwmon_common::layout::{Counter, Row};
use jiff::Timestamp;
use rusqlite::{
    ToSql,
    types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef},
};

/// Amounts above this are stored as this, so that two of them can be added.
pub(super) const LARGEST_AMOUNT: i64 = i64::MAX / 2;

/// A value as its own text.
pub(super) struct Text<T>(pub(super) T);

impl<T: Display> ToSql for Text<T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.to_string().into())
    }
}

impl<T: FromStr<Err: Error + Send + Sync + 'static>> FromSql for Text<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value
            .as_str()?
            .parse()
            .map(Self)
            .map_err(FromSqlError::other)
    }
}

/// A time.
pub(super) struct Micros(pub(super) Timestamp);

impl ToSql for Micros {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.as_microsecond().into())
    }
}

impl FromSql for Micros {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Timestamp::from_microsecond(value.as_i64()?)
            .map(Self)
            .map_err(FromSqlError::other)
    }
}

/// An amount of bytes or seconds.
pub(super) struct Amount(pub(super) u64);

impl ToSql for Amount {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(i64::try_from(self.0)
            .map_or(LARGEST_AMOUNT, |amount| amount.min(LARGEST_AMOUNT))
            .into())
    }
}

impl FromSql for Amount {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let amount = value.as_i64()?;
        u64::try_from(amount)
            .map(Self)
            .map_err(|_| FromSqlError::OutOfRange(amount))
    }
}

/// A duration, in whole seconds.
pub(super) struct Seconds(pub(super) Duration);

impl ToSql for Seconds {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(i64::try_from(self.0.as_secs()).unwrap_or(i64::MAX).into())
    }
}

impl FromSql for Seconds {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let Amount(seconds) = Amount::column_result(value)?;
        Ok(Self(Duration::from_secs(seconds)))
    }
}

/// Addresses, separated by spaces.
pub(super) struct Addresses(pub(super) Vec<IpAddr>);

impl ToSql for Addresses {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let texts: Vec<String> = self.0.iter().map(IpAddr::to_string).collect();
        Ok(texts.join(" ").into())
    }
}

impl FromSql for Addresses {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let addresses = value
            .as_str()?
            .split_ascii_whitespace()
            .map(IpAddr::from_str);
        addresses
            .collect::<Result<_, _>>()
            .map(Self)
            .map_err(FromSqlError::other)
    }
}

/// A row of counters: eight little-endian words.
pub(super) struct Total(pub(super) Row);

impl ToSql for Total {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(row_bytes(&self.0).concat().into())
    }
}

impl FromSql for Total {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value.as_blob()?.as_chunks() {
            (words @ [_, _, _, _, _, _, _, _], []) => row(words).map(Self),
            _ => Err(FromSqlError::InvalidType),
        }
    }
}

/// Rows of a table: for each, the slot in four bytes and the counters in 64, all little-endian.
pub(super) struct Rows(pub(super) Vec<(u32, Row)>);

const ROW_BYTES: usize = 4 + 64;

impl Rows {
    /// The blob of `rows`.
    pub(super) fn pack(rows: &[(u32, Row)]) -> Vec<u8> {
        let mut blob = Vec::with_capacity(rows.len() * ROW_BYTES);
        for (slot, row) in rows {
            blob.extend_from_slice(&slot.to_le_bytes());
            blob.extend_from_slice(row_bytes(row).as_flattened());
        }
        blob
    }
}

impl FromSql for Rows {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let (rows, []) = value.as_blob()?.as_chunks::<ROW_BYTES>() else {
            return Err(FromSqlError::InvalidType);
        };
        let rows = rows.iter().map(|bytes| {
            let (slot, words) = bytes.split_first_chunk().ok_or(FromSqlError::InvalidType)?;
            Ok((u32::from_le_bytes(*slot), row(words.as_chunks().0)?))
        });
        rows.collect::<FromSqlResult<_>>().map(Self)
    }
}

fn row_bytes(row: &Row) -> [[u8; 8]; 8] {
    let Row {
        sent,
        received,
        sent_local,
        received_local,
    } = row;
    let [[a, b], [c, d], [e, f], [g, h]] = [sent, received, sent_local, received_local]
        .map(|counter| [counter.bytes, counter.packets].map(u64::to_le_bytes));
    [a, b, c, d, e, f, g, h]
}

fn row(words: &[[u8; 8]]) -> FromSqlResult<Row> {
    let &[a, b, c, d, e, f, g, h] = words else {
        return Err(FromSqlError::InvalidType);
    };
    let [sent, received, sent_local, received_local] = [[a, b], [c, d], [e, f], [g, h]]
        .map(|pair| pair.map(u64::from_le_bytes))
        .map(|[bytes, packets]| Counter { bytes, packets });
    Ok(Row {
        sent,
        received,
        sent_local,
        received_local,
    })
}
