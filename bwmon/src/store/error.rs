//! What can go wrong with the database, and what to do about it.

use std::{io, path::PathBuf};

use rusqlite::ErrorCode;

/// The database can't be opened or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The state directory is not there and can't be made.
    #[error(
        "cannot create the state directory {}: {source}; give one of your own with `--state-dir DIR`, or run bwmon as the service",
        path.display()
    )]
    Create {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The state directory is there, but files in it can't be written.
    #[error(
        "cannot write to {}: {source}; give a state directory of your own with `--state-dir DIR`, or run bwmon as the service",
        path.display()
    )]
    NotWritable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another daemon uses the state directory.
    #[error(
        "the state directory {} is in use by another bwmon{holder}; stop that one, or give this one its own with `--state-dir DIR`",
        directory.display()
    )]
    InUse {
        /// The directory.
        directory: PathBuf,
        /// ` (process 123)`, or nothing where not known.
        holder: String,
    },
    /// The file system of the state directory is read-only.
    #[error(
        "the file system of {} is read-only; make it writable (`mount -o remount,rw …`), and what is missing will follow",
        path.display()
    )]
    ReadOnly {
        /// The file or directory.
        path: PathBuf,
    },
    /// What is there now is not what was read at the start, so nothing is written over it.
    #[error(
        "the database {} is not the one that bwmon started with; restart bwmon, which goes on with it",
        path.display()
    )]
    Changed {
        /// The database.
        path: PathBuf,
    },
    /// Another program wrote the database.
    #[error("the database {} is another program's ({what}); move it away", path.display())]
    Foreign {
        /// The database.
        path: PathBuf,
        /// What tells so.
        what: String,
    },
    /// A newer bwmon wrote the database.
    #[error(
        "the database {} has version {found}, this bwmon knows up to {known}; install the newer bwmon again, or give this one another `--state-dir DIR`",
        path.display()
    )]
    TooNew {
        /// The database.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The latest version known here.
        known: usize,
    },
    /// An older bwmon wrote the database, and no newer one has run since.
    #[error(
        "the database {} has version {found}, and is read from version {known} on; run `bwmon run` with it once, which brings it up to date",
        path.display()
    )]
    TooOld {
        /// The database.
        path: PathBuf,
        /// Its version.
        found: usize,
        /// The version that can be read.
        known: usize,
    },
    /// No space left.
    #[error(
        "no space left to write {}; free some, and what is missing will follow",
        path.display()
    )]
    Full {
        /// The database.
        path: PathBuf,
    },
    /// The database is damaged. It is moved aside, at the next start at the latest.
    #[error(
        "the database {} is damaged ({what}); restart bwmon, which moves it aside and begins a new one",
        path.display()
    )]
    Corrupt {
        /// The database.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// Somebody who reads can't.
    #[error(
        "cannot read history from {}: {source}; is it a database of bwmon, and may you read it?",
        path.display()
    )]
    Unreadable {
        /// The database.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// A copy can't be made.
    #[error("cannot write the copy {}: {source}", path.display())]
    Backup {
        /// The copy.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A copy would take the place of another file.
    #[error(
        "there is a file {} already; choose another name, or replace it by `--force`",
        path.display()
    )]
    BackupExists {
        /// The file.
        path: PathBuf,
    },
    /// The database is of no use and can't be moved aside.
    #[error(
        "the database {} is damaged or not of this bwmon, and cannot be moved aside: {source}; move it away by hand",
        path.display()
    )]
    MoveAside {
        /// The database.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another process does not let go of it.
    #[error(
        "the database {} is held by another process; try again, and if that is a bwmon on a file system without shared memory, stop it first",
        path.display()
    )]
    Busy {
        /// The database.
        path: PathBuf,
    },
    /// Anything else that SQLite says.
    #[error("cannot {doing} the database {}: {source}", path.display())]
    Database {
        /// The database.
        path: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// Why.
        source: rusqlite::Error,
    },
    /// The thread that writes can't be started.
    #[error("cannot start the thread that writes the database: {0}")]
    Thread(io::Error),
    /// The thread that writes has ended. Nothing can be kept any more.
    #[error("the thread that writes the database has ended; restart bwmon")]
    Stopped,
    /// The last checkpoint was not written in time.
    #[error(
        "the database was not written within {0:?}; the next start goes on from the last checkpoint that was"
    )]
    TimedOut(std::time::Duration),
}

impl StoreError {
    /// What it means that a file in the state directory can't be written.
    pub(super) fn writing(path: PathBuf, source: io::Error) -> Self {
        match obstacle(&source) {
            Some(Obstacle::NoRoom) => Self::Full { path },
            Some(Obstacle::ReadOnly) => Self::ReadOnly { path },
            None => Self::NotWritable { path, source },
        }
    }

    /// What it means that the state directory can't be made.
    pub(super) fn creating(path: PathBuf, source: io::Error) -> Self {
        match obstacle(&source) {
            Some(Obstacle::NoRoom) => Self::Full { path },
            Some(Obstacle::ReadOnly) => Self::ReadOnly { path },
            None => Self::Create { path, source },
        }
    }

    /// Whether it is over once there is room, or the file system can be written. Until then
    /// everything waits in memory.
    pub(super) fn passes(&self) -> bool {
        matches!(self, Self::Full { .. } | Self::ReadOnly { .. })
    }

    /// What `source` means for the one who tried to read the database at `path`, beside the one who
    /// writes it, or without.
    pub(super) fn reading(path: PathBuf, source: rusqlite::Error) -> Self {
        match source.sqlite_error_code() {
            Some(
                ErrorCode::CannotOpen
                | ErrorCode::PermissionDenied
                | ErrorCode::ReadOnly
                | ErrorCode::NotADatabase,
            ) => Self::Unreadable { path, source },
            _ => Self::new(path, "read", source),
        }
    }

    /// What `source` means for the one who tried to do `doing` with the database at `path`.
    pub(super) fn new(path: PathBuf, doing: &'static str, source: rusqlite::Error) -> Self {
        match source.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full { path },
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Corrupt {
                path,
                what: source.to_string(),
            },
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
                Self::NotWritable {
                    path,
                    source: io::Error::other(source),
                }
            }
            _ if is_unreadable(&source) => Self::Corrupt {
                path,
                what: source.to_string(),
            },
            _ => Self::Database {
                path,
                doing,
                source,
            },
        }
    }
}

enum Obstacle {
    NoRoom,
    ReadOnly,
}

fn obstacle(error: &io::Error) -> Option<Obstacle> {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Some(Obstacle::NoRoom),
        io::ErrorKind::ReadOnlyFilesystem => Some(Obstacle::ReadOnly),
        _ => None,
    }
}

/// Whether a value in the database is not one that bwmon wrote.
fn is_unreadable(error: &rusqlite::Error) -> bool {
    use rusqlite::Error::{
        FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType, Utf8Error,
    };
    matches!(
        error,
        FromSqlConversionFailure(..)
            | IntegralValueOutOfRange(..)
            | InvalidColumnType(..)
            | Utf8Error(..)
    )
}
