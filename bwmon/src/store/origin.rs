//! Whose a database is.
//!
//! SQLite has a place for that in the header of the file. The first versions of bwmon left it at
//! zero, so theirs are known by a table of their own.

use std::path::Path;

use rusqlite::Connection;

use super::{error::StoreError, schema::MIGRATIONS};

/// "bwmn".
const APPLICATION_ID: i64 = 0x6277_6d6e;
/// The latest version that did not have it.
const UNMARKED: usize = 3;

/// Whose a database is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// There is nothing in it.
    New,
    /// Of this bwmon or an earlier one: its version.
    Ours(usize),
    /// Of a newer bwmon: its version.
    Newer(i64),
    /// Of another program, which this tells.
    Foreign(String),
}

impl Origin {
    /// Reads it from the header, and what tables there are.
    pub(super) fn of(connection: &Connection) -> rusqlite::Result<Self> {
        let number = |name: &str| -> rusqlite::Result<i64> {
            connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))
        };
        let (id, found) = (number("application_id")?, number("user_version")?);
        let tables: i64 =
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        let own_tables: i64 = connection.query_row(
            "SELECT count(*) FROM sqlite_schema
             WHERE type = 'table' AND name IN ('state', 'device', 'usage', 'counters')",
            [],
            |row| row.get(0),
        )?;
        let version = usize::try_from(found).ok().filter(|found| *found > 0);
        Ok(match (id, version) {
            (0, None) if tables == 0 && found == 0 => Self::New,
            (0, Some(version)) if version <= UNMARKED && own_tables == 4 => Self::Ours(version),
            (0, _) => Self::Foreign(format!("version {found}, {tables} tables and indices")),
            (APPLICATION_ID, Some(version)) if version <= MIGRATIONS.len() => Self::Ours(version),
            (APPLICATION_ID, Some(_)) => Self::Newer(found),
            _ => Self::Foreign(format!("application id {id:#010x}, version {found}")),
        })
    }

    /// The version, from 0 on, of a database that this bwmon can do something with.
    pub(super) fn of_this_bwmon(self, path: &Path) -> Result<usize, StoreError> {
        let path = path.to_owned();
        match self {
            Self::New => Ok(0),
            Self::Ours(version) => Ok(version),
            Self::Newer(found) => Err(StoreError::TooNew {
                path,
                found,
                known: MIGRATIONS.len(),
            }),
            Self::Foreign(what) => Err(StoreError::Foreign { path, what }),
        }
    }
}

/// Marks a database as bwmon's, where it is not yet.
pub(super) fn mark(connection: &Connection) -> rusqlite::Result<()> {
    let id: i64 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    if id == APPLICATION_ID {
        return Ok(());
    }
    connection.pragma_update(None, "application_id", APPLICATION_ID)
}
