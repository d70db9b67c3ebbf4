//! The state directory: made, locked, and cleared of a database that is of no use.

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
/// Written and removed, to see whether something can be.
const PROBE: &str = "bwmon.probe";
const PROBE_BYTES: usize = 64 * 1024;
/// Who used what is private to the owner and the group of the service.
const DIRECTORY_MODE: u32 = 0o750;
const FILE_MODE: u32 = 0o640;

/// A state directory that nobody else uses, as long as this lives.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    _lock: File,
}

/// Why a database has to give way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aside {
    /// It can't be read.
    Corrupt,
    /// Another program's.
    Foreign,
    /// Of a bwmon yet to come.
    Newer,
}

impl Aside {
    fn as_str(self) -> &'static str {
        match self {
            Self::Corrupt => "corrupt",
            Self::Foreign => "foreign",
            Self::Newer => "newer",
        }
    }
}

impl Directory {
    /// Makes the directory where it is not there, locks it, and makes sure that something can be
    /// written in it.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        DirBuilder::new()
            .recursive(true)
            .mode(DIRECTORY_MODE)
            .create(path)
            .map_err(|source| StoreError::creating(path.to_owned(), source))?;
        let lock = lock(path)?;
        let directory = Self {
            path: path.to_owned(),
            _lock: lock,
        };
        directory.try_writing()?;
        directory.make_database()?;
        Ok(directory)
    }

    /// Where the database is.
    pub(super) fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }

    /// Whether there is room for what SQLite needs besides the database. It would not tell what is
    /// in the way.
    pub(super) fn try_writing(&self) -> Result<(), StoreError> {
        let path = self.path.join(PROBE);
        let tried = options()
            .truncate(true)
            .open(&path)
            .and_then(|mut file| file.write_all(&[0; PROBE_BYTES]));
        // Where it could not be made, it can't be removed either.
        if let Err(error) = fs::remove_file(&path)
            && error.kind() != io::ErrorKind::NotFound
        {
            log::debug!("cannot remove {}: {error}", path.display());
        }
        tried.map_err(|source| StoreError::writing(self.path.clone(), source))
    }

    /// Moves a database out of the way, to where the path returned says. `at` makes its name a new
    /// one. Nobody in this process may have it open.
    pub(super) fn move_aside(&self, why: Aside, at: Timestamp) -> Result<PathBuf, StoreError> {
        let database = self.database();
        let fail = |source| StoreError::MoveAside {
            path: database.clone(),
            source,
        };
        let stamp = format!(".{}-{}", why.as_str(), at.strftime("%Y%m%dT%H%M%SZ"));
        let aside = (1..)
            .map(|number: u32| match number {
                1 => with_suffix(&database, &stamp),
                _ => with_suffix(&database, &format!("{stamp}-{number}")),
            })
            .find(|aside| !aside.exists())
            .ok_or_else(|| fail(io::ErrorKind::AlreadyExists.into()))?;
        // SQLite finds the others by these names, should somebody try to rescue what is left. They
        // go first, since a new database must not meet an old log.
        for suffix in ["-journal", "-wal", "-shm", ""] {
            match fs::rename(with_suffix(&database, suffix), with_suffix(&aside, suffix)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(fail(error)),
                _ => {}
            }
        }
        self.make_database()?;
        Ok(aside)
    }

    /// Makes an empty one where there is none, since SQLite gives its further files the mode of
    /// this one. One that is there is not touched: to close a file gives up the locks that SQLite
    /// holds on it.
    fn make_database(&self) -> Result<(), StoreError> {
        let path = self.database();
        match options().create_new(true).open(&path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                Err(StoreError::writing(path, error))
            }
            _ => Ok(()),
        }
    }
}

/// The lock of a directory that can't be written: `None` where there is no file to lock, so that
/// nobody ever wrote here.
pub(super) fn lock_unwritable(directory: &Path) -> Result<Option<File>, StoreError> {
    let path = directory.join(LOCK);
    let Ok(file) = File::open(&path) else {
        return Ok(None);
    };
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(in_use(directory, file)),
        // Some file systems (NFS) lock only what can be written.
        Err(TryLockError::Error(error)) => {
            log::debug!("cannot lock {}: {error}", path.display());
            Ok(None)
        }
        Ok(()) => Ok(Some(file)),
    }
}

fn lock(directory: &Path) -> Result<File, StoreError> {
    let path = directory.join(LOCK);
    let mut file = options()
        .open(&path)
        .map_err(|source| StoreError::writing(path.clone(), source))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(in_use(directory, file)),
        Err(TryLockError::Error(source)) => return Err(StoreError::NotWritable { path, source }),
    }
    // For a message only, so a full disk is no reason to stop.
    let written = file
        .set_len(0)
        .and_then(|()| writeln!(file, "{}", std::process::id()));
    if let Err(error) = written {
        log::debug!("cannot write the process id to {}: {error}", path.display());
    }
    Ok(file)
}

fn in_use(directory: &Path, mut lock: File) -> StoreError {
    StoreError::InUse {
        directory: directory.to_owned(),
        holder: holder(&mut lock),
    }
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

/// Whether the file system that a file is on takes nothing.
pub(super) fn is_read_only(path: &Path) -> bool {
    let probe = path.with_file_name(PROBE);
    match options().open(&probe) {
        Err(error) => error.kind() == io::ErrorKind::ReadOnlyFilesystem,
        Ok(_) => {
            fs::remove_file(&probe).ok();
            false
        }
    }
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true);
    options.truncate(false).mode(FILE_MODE);
    options
}

pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}
