//! The state directory: made, locked, and cleared of a damaged database.

use std::{
    ffi::OsString,
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use jiff::Timestamp;

use super::error::StoreError;

/// The database in the state directory.
pub const DATABASE: &str = "bwmon.db";
pub(super) const LOCK: &str = "bwmon.lock";
/// Who used what is private to the owner and the group of the service.
const DIRECTORY_MODE: u32 = 0o750;
const FILE_MODE: u32 = 0o640;

/// A state directory that nobody else uses, as long as this lives.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    _lock: File,
}

impl Directory {
    /// Makes the directory where it is not there, and locks it.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        DirBuilder::new()
            .recursive(true)
            .mode(DIRECTORY_MODE)
            .create(path)
            .map_err(|source| StoreError::Create {
                path: path.to_owned(),
                source,
            })?;
        let lock = lock(path)?;
        let directory = Self {
            path: path.to_owned(),
            _lock: lock,
        };
        // SQLite gives its further files the mode of this one.
        writable(&directory.database())?;
        Ok(directory)
    }

    /// Where the database is.
    pub(super) fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }

    /// Moves a damaged database out of the way, to where the path returned says. `at` makes its
    /// name a new one.
    pub(super) fn move_aside(&self, at: Timestamp) -> Result<PathBuf, StoreError> {
        let database = self.database();
        let fail = |source| StoreError::MoveAside {
            path: database.clone(),
            source,
        };
        let stamp = at.strftime("%Y%m%dT%H%M%SZ");
        let aside = (1..)
            .map(|number: u32| match number {
                1 => with_suffix(&database, &format!(".corrupt-{stamp}")),
                _ => with_suffix(&database, &format!(".corrupt-{stamp}-{number}")),
            })
            .find(|aside| !aside.exists())
            .ok_or_else(|| fail(io::ErrorKind::AlreadyExists.into()))?;
        // SQLite finds the other two by these names, should somebody try to rescue what is left.
        // They go first, since a new database must not meet an old log.
        for suffix in ["-wal", "-shm", ""] {
            match fs::rename(with_suffix(&database, suffix), with_suffix(&aside, suffix)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(fail(error)),
                _ => {}
            }
        }
        writable(&database)?;
        Ok(aside)
    }
}

fn lock(directory: &Path) -> Result<File, StoreError> {
    let path = directory.join(LOCK);
    let mut file = writable(&path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let holder = holder(&mut file);
            return Err(StoreError::InUse {
                directory: directory.to_owned(),
                holder,
            });
        }
        Err(TryLockError::Error(source)) => return Err(StoreError::NotWritable { path, source }),
    }
    // For the message above only, so a full disk is no reason to stop.
    let written = file
        .set_len(0)
        .and_then(|()| writeln!(file, "{}", std::process::id()));
    if let Err(error) = written {
        log::debug!("cannot write the process id to {}: {error}", path.display());
    }
    Ok(file)
}

fn holder(lock: &mut File) -> String {
    let mut text = String::new();
    match lock
        .read_to_string(&mut text)
        .map(|_| text.trim().parse::<u32>())
    {
        Ok(Ok(process)) => format!(" (process {process})"),
        _ => String::new(),
    }
}

fn writable(path: &Path) -> Result<File, StoreError> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(FILE_MODE)
        .open(path)
        .map_err(|source| StoreError::NotWritable {
            path: path.to_owned(),
            source,
        })
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}
