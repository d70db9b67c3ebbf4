//! The tables, and how a connection is set up.
//!
//! Made for flash: a checkpoint appends to the log, and only once the log is long, about twenty
//! minutes of a home's checkpoints, is it synced and copied to the database. With `synchronous = NORMAL` a
//! crash of bwmon loses nothing; a power cut may lose the checkpoints since that copy, never a
//! part of one, and the kernel's counters are gone then too. Only what has events in it, or what
//! the owner asked for, is synced at once, with `synchronous = FULL`, and all before it with it.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::error::StoreError;

/// Step n brings a database of version n to version n + 1. Only ever added to.
pub(super) const MIGRATIONS: [&str; 3] = [
    "
    -- The one row of what is not a list.
    CREATE TABLE state (
        id        INTEGER PRIMARY KEY CHECK (id = 1),
        at        INTEGER,                       -- of the last checkpoint
        pruned_on TEXT,                          -- the day (UTC) old rows were last removed
        lifecycle TEXT
    ) STRICT;
    INSERT INTO state (id) VALUES (1);

    -- Others point at the key, so that a device can change its id.
    CREATE TABLE device (
        key        INTEGER PRIMARY KEY,
        id         TEXT NOT NULL UNIQUE,
        mac        TEXT,
        addresses  TEXT NOT NULL,                -- separated by spaces
        first_seen INTEGER NOT NULL,
        last_seen  INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE usage (
        day            TEXT NOT NULL,            -- local, YYYY-MM-DD
        device         INTEGER NOT NULL REFERENCES device (key) ON DELETE CASCADE,
        sent           INTEGER NOT NULL,
        received       INTEGER NOT NULL,
        sent_local     INTEGER NOT NULL,
        received_local INTEGER NOT NULL,
        active_seconds INTEGER NOT NULL,
        state          TEXT,                     -- NULL once nobody goes on counting on that day
        UNIQUE (day, device)
    ) STRICT;
    CREATE INDEX usage_device ON usage (device);

    CREATE TABLE alert (
        id         TEXT PRIMARY KEY,
        device     TEXT NOT NULL,                -- an id: alerts may outlive their device
        rule       TEXT NOT NULL,
        state      TEXT NOT NULL,
        started_at INTEGER NOT NULL,
        ended_at   INTEGER,
        body       TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX alert_started_at ON alert (started_at);

    CREATE TABLE counters (
        interface TEXT PRIMARY KEY,
        identity  TEXT NOT NULL,
        rows      BLOB NOT NULL                  -- slot (4 bytes) and counters (64), little-endian
    ) STRICT;

    CREATE TABLE address (
        address    TEXT PRIMARY KEY,
        mac        TEXT,
        device     INTEGER NOT NULL REFERENCES device (key) ON DELETE CASCADE,
        total      BLOB NOT NULL,                -- 64 bytes, little-endian
        first_seen INTEGER NOT NULL,
        last_seen  INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX address_device ON address (device);
",
    "
    ALTER TABLE state ADD COLUMN ran INTEGER NOT NULL DEFAULT 0;  -- seconds, over all runs

    -- What is to be told to channels, and what could not be.
    CREATE TABLE outbox (
        seq       INTEGER PRIMARY KEY,
        channel   TEXT NOT NULL,
        event     TEXT NOT NULL,                 -- an id: the same on every channel and try
        state     TEXT NOT NULL,
        severity  TEXT NOT NULL,
        at        INTEGER NOT NULL,
        ran       INTEGER NOT NULL,              -- of the table state, at that moment
        body      TEXT NOT NULL,
        failed_at INTEGER,                       -- NULL while it waits
        error     TEXT
    ) STRICT;

    -- What the core wants back. By kind first, since what changes each minute is small, and is to be
    -- in few pages, apart from what is large and rarely changes.
    CREATE TABLE memory (
        kind    TEXT NOT NULL,
        subject TEXT NOT NULL,
        state   TEXT NOT NULL,
        PRIMARY KEY (kind, subject)
    ) STRICT, WITHOUT ROWID;
",
    include_str!("schema/history.sql"),
];

/// Nobody but a person with `sqlite3` ever holds the write lock; the checkpoint comes again.
const BUSY_TIMEOUT: Duration = Duration::from_secs(1);
/// Pages (of 4 KiB) in the log before it is copied to the database. SQLite's own 1000 would take as
/// much space as some routers have in all.
const LOG_PAGES: u32 = 256;
/// A log that is larger, as after a day with very many addresses, is cut to this when it was copied.
const LOG_BYTES: u32 = 2 * 1024 * 1024;
/// For a router with 128 MB. On 32 bits it also keeps the address space free, as does not to map
/// the database (SQLite's default).
const CACHE_KIB: i32 = 2 * 1024;

/// Opens the database, makes it where it is not there, and brings it to the latest version.
pub(super) fn open(path: &Path) -> Result<Connection, StoreError> {
    let fail = |source| StoreError::new(path.to_owned(), "open", source);
    let mut connection = match connect(path, "NORMAL") {
        // Readers find their way in the log through a file in shared memory, which some file
        // systems (JFFS2) don't have. Without readers there is no need for it.
        Err(error) if is_of_the_file_system(&error) => {
            let connection = connect(path, "EXCLUSIVE").map_err(fail)?;
            log::info!("no other process can read the database while bwmon runs: {error}");
            connection
        }
        result => result.map_err(fail)?,
    };
    check(&connection, path)?;
    migrate(&mut connection, path)?;
    Ok(connection)
}

fn connect(path: &Path, locking_mode: &str) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.pragma_update(None, "locking_mode", locking_mode)?;
    let pages: i64 = connection.query_row("PRAGMA page_count", [], |row| row.get(0))?;
    if pages == 0 {
        // Holds only if set before the first table is made.
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    }
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    // The first look at a table is what needs the shared memory.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES)?;
    connection.pragma_update(None, "journal_size_limit", LOG_BYTES)?;
    Ok(connection)
}

fn is_of_the_file_system(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen)
    )
}

/// A crash of the machine may leave anything, so this looks at every page.
fn check(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let found: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|source| StoreError::new(path.to_owned(), "check", source))?;
    if found == "ok" {
        return Ok(());
    }
    Err(StoreError::Corrupt {
        path: path.to_owned(),
        what: found.replace('\n', "; "),
    })
}

/// Whether a reader can make sense of the database.
pub(super) fn check_readable(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    connection
        .busy_timeout(BUSY_TIMEOUT)
        .and_then(|()| connection.pragma_update(None, "cache_size", -CACHE_KIB))
        .map_err(|source| StoreError::reading(path.to_owned(), source))?;
    let found = version(connection, path)?;
    let known = MIGRATIONS.len();
    match usize::try_from(found) {
        Ok(found) if found == known => Ok(()),
        Ok(found) if found < known => Err(StoreError::TooOld {
            path: path.to_owned(),
            found,
            known,
        }),
        _ => Err(StoreError::TooNew {
            path: path.to_owned(),
            found,
            known,
        }),
    }
}

fn version(connection: &Connection, path: &Path) -> Result<i64, StoreError> {
    connection
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .map_err(|source| StoreError::new(path.to_owned(), "read", source))
}

fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let fail = |source| StoreError::new(path.to_owned(), "set up", source);
    let found = version(connection, path)?;
    let missing = usize::try_from(found)
        .ok()
        .and_then(|found| MIGRATIONS.get(found..));
    let Some(missing) = missing else {
        return Err(StoreError::TooNew {
            path: path.to_owned(),
            found,
            known: MIGRATIONS.len(),
        });
    };
    for (step, version) in missing.iter().zip(found + 1..) {
        let transaction = connection.transaction().map_err(fail)?;
        transaction
            .execute_batch(step)
            .and_then(|()| transaction.pragma_update(None, "user_version", version))
            .and_then(|()| transaction.commit())
            .map_err(fail)?;
    }
    Ok(())
}
