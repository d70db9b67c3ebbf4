//! The tables, and how a connection is set up.
//!
//! Made for flash: a checkpoint appends to the log, and only once the log is long, about twenty
//! minutes of a home's checkpoints, is it synced and copied to the database. With `synchronous = NORMAL` a
//! crash of bwmon loses nothing; a power cut may lose the checkpoints since that copy, never a
//! part of one, and the kernel's counters are gone then too. Only what has events in it, or what
//! the owner asked for, is synced at once, with `synchronous = FULL`, and all before it with it.

use std::{fs, io, os::unix::ffi::OsStrExt, path::Path, time::Duration};

use rusqlite::{Connection, ErrorCode, OpenFlags, config::DbConfig};

use super::{
    directory::{is_read_only, with_suffix},
    error::StoreError,
    origin::{self, Origin},
};

/// Step n brings a database of version n to version n + 1. Only ever added to.
pub(super) const MIGRATIONS: [&str; 4] = [
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
    include_str!("schema/import.sql"),
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

/// Opens the database, makes it where it is not there, and brings it to the latest version. One of
/// another program or a newer bwmon stays as it is.
pub(super) fn open(path: &Path) -> Result<Connection, StoreError> {
    let fail = |source| StoreError::new(path.to_owned(), "open", source);
    let (mut connection, origin) = match connect(path, "NORMAL") {
        // Readers find their way in the log through a file in shared memory, which some file
        // systems (JFFS2) don't have. Without readers there is no need for it.
        Err(error) if is_of_the_file_system(&error) => {
            let connected = connect(path, "EXCLUSIVE").map_err(fail)?;
            log::info!("no other process can read the database while bwmon runs: {error}");
            connected
        }
        result => result.map_err(fail)?,
    };
    let found = origin.of_this_bwmon(path)?;
    if connection.is_readonly("main").map_err(fail)? {
        return Err(StoreError::NotWritable {
            path: path.to_owned(),
            source: io::ErrorKind::PermissionDenied.into(),
        });
    }
    check(&connection, path)?;
    migrate(&mut connection, path, found)?;
    Ok(connection)
}

/// Opens a database that nobody writes, as it is, on a file system that takes nothing. `None`: it is
/// new, or of an earlier version.
pub(super) fn open_unwritable(path: &Path) -> Result<Option<Connection>, StoreError> {
    let fail = |source| StoreError::new(path.to_owned(), "read", source);
    let connection = connect_unwritable(path).map_err(fail)?;
    let found = Origin::of(&connection).map_err(fail)?.of_this_bwmon(path)?;
    check(&connection, path)?;
    Ok((found == MIGRATIONS.len()).then_some(connection))
}

fn connect(path: &Path, locking_mode: &str) -> rusqlite::Result<(Connection, Origin)> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.pragma_update(None, "locking_mode", locking_mode)?;
    let origin = Origin::of(&connection)?;
    match origin {
        // Holds only if set before the first table is made.
        Origin::New => connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?,
        Origin::Ours(_) => {}
        Origin::Newer(_) | Origin::Foreign(_) => return Ok((connection, origin)),
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
    Ok((connection, origin))
}

fn connect_unwritable(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let has_log = fs::metadata(with_suffix(path, "-wal")).is_ok_and(|log| log.len() > 0);
    let connection = if has_log {
        // Without locks, which want a file that can be written, and with the index of the log in
        // memory.
        let connection = Connection::open_with_flags_and_vfs(path, flags, c"unix-none")?;
        connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        connection
    } else {
        // SQLite would make a log otherwise.
        let uri = format!("file:{}?immutable=1", uri_path(path));
        Connection::open_with_flags(uri, flags | OpenFlags::SQLITE_OPEN_URI)?
    };
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    Ok(connection)
}

fn uri_path(path: &Path) -> String {
    let bytes = path.as_os_str().as_bytes().iter();
    bytes
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' => {
                char::from(*byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
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

/// Opens a database to read it beside the one who writes it.
pub(super) fn open_to_read(path: &Path) -> Result<Connection, StoreError> {
    let fail = |source| StoreError::reading(path.to_owned(), source);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connect = || -> rusqlite::Result<(Connection, Origin)> {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
        let origin = Origin::of(&connection)?;
        Ok((connection, origin))
    };
    let (connection, origin) = match connect() {
        // Where nobody can write, there is nobody to read beside.
        Err(error) if is_of_the_file_system(&error) && is_read_only(path) => {
            let connection = connect_unwritable(path).map_err(fail)?;
            let origin = Origin::of(&connection).map_err(fail)?;
            (connection, origin)
        }
        result => result.map_err(fail)?,
    };
    require_current(origin, path)?;
    Ok(connection)
}

/// Says so where a database is of another version, or of another program.
pub(super) fn check_current(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let origin = Origin::of(connection)
        .map_err(|source| StoreError::new(path.to_owned(), "read", source))?;
    require_current(origin, path)
}

fn require_current(origin: Origin, path: &Path) -> Result<(), StoreError> {
    let found = origin.of_this_bwmon(path)?;
    let known = MIGRATIONS.len();
    if found < known {
        return Err(StoreError::TooOld {
            path: path.to_owned(),
            found,
            known,
        });
    }
    Ok(())
}

fn migrate(connection: &mut Connection, path: &Path, found: usize) -> Result<(), StoreError> {
    let fail = |source| StoreError::new(path.to_owned(), "set up", source);
    for (version, step) in (1_u32..).zip(MIGRATIONS).skip(found) {
        let transaction = connection.transaction().map_err(fail)?;
        transaction
            .execute_batch(step)
            .and_then(|()| transaction.pragma_update(None, "user_version", version))
            .and_then(|()| origin::mark(&transaction))
            .and_then(|()| transaction.commit())
            .map_err(fail)?;
    }
    origin::mark(connection).map_err(fail)
}
