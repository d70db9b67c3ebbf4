//! Where checkpoints are written: the database, once it can be opened.
//!
//! While the disk is full or read-only at the start, each write tries to open it first.

use std::{
    fs::{self, File},
    mem,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use jiff::{Timestamp, civil::Date};

use super::{
    backlog::Backlog,
    directory::{DATABASE, lock_unwritable, with_suffix},
    error::StoreError,
    history::HistorySettings,
    opening::{self, Opened},
    records::Loaded,
};

/// A database that is damaged again so soon is not to fill the disk with what was moved aside.
const ANEW_EVERY: Duration = Duration::from_secs(24 * 3600);

/// The one who writes, with or without something to write on.
#[derive(Debug)]
pub(super) struct Desk {
    path: PathBuf,
    place: Place,
    /// The last checkpoint that is known to be in the database.
    last: Option<Timestamp>,
    /// What has not been said yet.
    anew: Option<String>,
    /// When a database was moved aside that was damaged while it was used.
    moved_aside: Option<Instant>,
}

#[derive(Debug)]
enum Place {
    Open(Opened),
    /// It will be tried again. The lock is missing where there is no file to lock.
    Shut(Option<File>),
}

/// What a write did.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// The database is a new one, in which there is only what was written just now. Why.
    pub(super) anew: Option<String>,
    /// Bytes of the database and its log.
    pub(super) bytes: u64,
}

impl Desk {
    /// Opens the database in the directory `path`, or, where it can't be written now, reads it.
    pub(super) fn open(path: &Path, day: Date) -> Result<(Self, Loaded), StoreError> {
        let (place, loaded) = match opening::open(path, day) {
            Ok((opened, loaded)) => (Place::Open(opened), loaded),
            Err(error) if error.passes() => {
                let (lock, loaded) = opening::read(path, day)?;
                (Place::Shut(lock), loaded)
            }
            Err(error) => return Err(error),
        };
        let desk = Self {
            path: path.to_owned(),
            place,
            last: loaded.at,
            anew: None,
            moved_aside: None,
        };
        Ok((desk, loaded))
    }

    /// Where the database is, or will be.
    pub(super) fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }

    /// Bytes of the database and its log.
    pub(super) fn bytes(&self) -> u64 {
        let size = |path: PathBuf| fs::metadata(path).map_or(0, |file| file.len());
        let database = self.database();
        size(with_suffix(&database, "-wal")) + size(database)
    }

    /// Writes all of `backlog`, as a whole or not at all.
    pub(super) fn write(
        &mut self,
        backlog: &Backlog,
        settings: &HistorySettings,
    ) -> Result<Written, StoreError> {
        match self.writer()?.writer.write(backlog, settings) {
            Ok(()) => {}
            Err(error @ StoreError::Corrupt { .. }) if self.may_begin_anew() => {
                log::error!("{error}");
                self.give_up(error)?;
                self.writer()?.writer.write(backlog, settings)?;
            }
            // SQLite does not tell what is in the way.
            Err(error) => {
                let obstacle = self.writer()?.directory.try_writing();
                return Err(obstacle.err().unwrap_or(error));
            }
        }
        self.last = backlog.steps().last().map(|step| step.at).or(self.last);
        Ok(Written {
            anew: self.anew.take(),
            bytes: self.bytes(),
        })
    }

    /// Moves what is in the log to the database, and closes it.
    pub(super) fn close(self) -> Result<(), StoreError> {
        match self.place {
            // The directory stays locked until then.
            Place::Open(Opened { writer, directory }) => writer.close().map(|()| drop(directory)),
            Place::Shut(_) => Ok(()),
        }
    }

    /// Opens the database, if it is not open.
    fn writer(&mut self) -> Result<&mut Opened, StoreError> {
        if let Place::Shut(lock) = &mut self.place {
            // A lock can't be taken twice, not even by the same process.
            drop(lock.take());
            match self.try_open() {
                Ok(opened) => self.place = Place::Open(opened),
                Err(error) => {
                    // If somebody else has it by now, that is what the next try will say.
                    self.place = Place::Shut(lock_unwritable(&self.path).unwrap_or_default());
                    return Err(error);
                }
            }
        }
        match &mut self.place {
            Place::Open(opened) => Ok(opened),
            Place::Shut(_) => Err(StoreError::Stopped),
        }
    }

    fn try_open(&mut self) -> Result<Opened, StoreError> {
        let (opened, loaded) = opening::open(&self.path, Date::default())?;
        match loaded.at {
            Some(at) if self.last == Some(at) => {}
            // What is in it was never read, and would be lost under what is written now.
            Some(_) => {
                return Err(StoreError::Changed {
                    path: self.database(),
                });
            }
            None => {
                let gone = self.last.take().map(|_| {
                    format!(
                        "the database {} is gone; history begins anew",
                        self.database().display()
                    )
                });
                let moved_aside = loaded.warnings.into_iter().next();
                self.anew = moved_aside.or(gone).or(self.anew.take());
            }
        }
        Ok(opened)
    }

    fn may_begin_anew(&self) -> bool {
        self.moved_aside.is_none_or(|at| at.elapsed() >= ANEW_EVERY)
    }

    /// Moves a database aside that is damaged. A new one is opened with the next write.
    fn give_up(&mut self, error: StoreError) -> Result<(), StoreError> {
        let Place::Open(opened) = mem::replace(&mut self.place, Place::Shut(None)) else {
            return Err(error);
        };
        self.moved_aside = Some(Instant::now());
        let Opened { writer, directory } = opened;
        writer.abandon();
        self.anew = Some(opening::move_aside(&directory, error)?);
        self.last = None;
        Ok(())
    }
}
