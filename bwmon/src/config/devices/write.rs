//! Writes a changed file: whole or not at all, and never over what somebody else wrote meanwhile.

use std::{
    fs::{self, File, Metadata, Permissions, TryLockError},
    io::{self, Write},
    os::unix::fs::{MetadataExt, PermissionsExt, fchown},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use nix::unistd::geteuid;

use super::{
    super::{
        error::shown,
        source::{MAX_BYTES, Source, read_at_most},
    },
    edit::{Change, EditError, Entry, Whom, edit, own_entry},
};

/// How often it is tried again when somebody else writes the file at the same time.
const TRIES: u32 = 5;
/// How long to wait for another bwmon that is writing it.
const LOCKED_FOR: Duration = Duration::from_secs(2);
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// Links that are followed, one after the other.
const MAX_LINKS: u32 = 8;
/// Of a file that is made: names are no secret.
const MODE: u32 = 0o644;
const BYTE_ORDER_MARK: &str = "\u{feff}";
/// A file that registers nobody.
const EMPTY: &str = "{\n}\n";

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The file that holds the entry, links followed.
    pub file: PathBuf,
    /// The key of the entry.
    pub key: String,
    /// It said something else before.
    pub is_new: bool,
}

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The file says something else than it should, or is asked to.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// It can't be read.
    #[error("{}: cannot be read: {source}; nothing was changed", shown(.path))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It can't be written.
    #[error(
        "{}: cannot be written: {source}; nothing was changed. Use `sudo bwmon device`, or let \
         user {user} write to the directory {}", shown(.path), shown(.directory)
    )]
    NotWritable {
        /// The file.
        path: PathBuf,
        /// That it is in, and that a new one is made in.
        directory: PathBuf,
        /// The id of the user who tried.
        user: u32,
        /// Why.
        source: io::Error,
    },
    /// A new file would belong to somebody else.
    #[error(
        "{}: belongs to user {owner} and group {group}, which user {user} cannot keep so; nothing \
         was changed. Use `sudo bwmon device`, or give the file to user {user}", shown(.path)
    )]
    Owner {
        /// The file.
        path: PathBuf,
        /// The id of its user.
        owner: u32,
        /// The id of its group.
        group: u32,
        /// The id of the user who tried.
        user: u32,
    },
    /// It is no file, or a link that somebody else may have made.
    #[error("{}: {reason}; nothing was changed", shown(.path))]
    NotAFile {
        /// The path.
        path: PathBuf,
        /// What it is.
        reason: &'static str,
    },
    /// Others change it all the time.
    #[error("{}: is being changed by another program; nothing was changed, try again", shown(.path))]
    Changing {
        /// The file.
        path: PathBuf,
    },
}

/// Changes an entry of the file, which is made where it is not there.
///
/// Waits for the disk, and up to two seconds for another bwmon that is changing the file.
///
/// # Errors
///
/// When it can't be done. Then the file is as it was.
pub fn change_file(path: &Path, whom: &Whom, change: &Change) -> Result<Changed, WriteError> {
    let path = resolve(path)?;
    let directory = Directory::lock(&path)?;
    for _ in 0..TRIES {
        let old = Old::read(&path)?;
        let source = old.source(&path)?;
        let edited = edit(&source, whom, change)?;
        let is_new = edited.text != source.text;
        let changed = Changed {
            file: path.clone(),
            key: edited.key,
            is_new,
        };
        if !is_new {
            return Ok(changed);
        }
        let mut text = edited.text;
        if old.has_byte_order_mark() {
            text.insert_str(0, BYTE_ORDER_MARK);
        }
        match directory.replace(&path, &old, text.as_bytes()) {
            Ok(()) => return Ok(changed),
            Err(Failed::Overtaken) => {}
            Err(Failed::Final(error)) => return Err(error),
        }
    }
    Err(WriteError::Changing { path })
}

/// The own entry of somebody, as the file says it now.
///
/// # Errors
///
/// When the file can't be read, or has a mistake.
pub fn read_entry(path: &Path, whom: &Whom) -> Result<Option<Entry>, WriteError> {
    let path = resolve(path)?;
    let source = Old::read(&path)?.source(&path)?;
    Ok(own_entry(&source, whom)?)
}

/// The file that a path leads to, there or not.
fn resolve(path: &Path) -> Result<PathBuf, WriteError> {
    let failed = |source| WriteError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let not_a_file = |reason| WriteError::NotAFile {
        path: path.to_owned(),
        reason,
    };
    let mut owners = Vec::new();
    let mut file = path.to_owned();
    for _ in 0..=MAX_LINKS {
        let found = match fs::symlink_metadata(&file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            found => Some(found.map_err(failed)?),
        };
        if let Some(link) = found.as_ref().filter(|found| found.is_symlink()) {
            owners.push(link.uid());
            let target = fs::read_link(&file).map_err(failed)?;
            file = file.parent().unwrap_or(Path::new("")).join(target);
            continue;
        }
        if found.as_ref().is_some_and(|found| !found.is_file()) {
            return Err(not_a_file("is no file"));
        }
        // Whoever may make links here must not lead us to what only we may write.
        let ours = [0, geteuid().as_raw()];
        let target = found.map(|found| found.uid());
        if owners
            .iter()
            .any(|owner| !ours.contains(owner) && Some(*owner) != target)
        {
            return Err(not_a_file(
                "is a link that belongs to another user than the file that it leads to",
            ));
        }
        return Ok(file);
    }
    Err(not_a_file("leads from link to link"))
}

/// The file as it was read; `None`: it is not there.
struct Old(Option<(Vec<u8>, Metadata)>);

impl Old {
    fn read(path: &Path) -> Result<Self, WriteError> {
        let read = read_at_most(path, MAX_BYTES);
        match read.and_then(|bytes| Ok((bytes, fs::metadata(path)?))) {
            Ok(old) => Ok(Self(Some(old))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self(None)),
            Err(source) => Err(WriteError::Unreadable {
                path: path.to_owned(),
                source,
            }),
        }
    }

    fn source(&self, path: &Path) -> Result<Source, WriteError> {
        let bytes = self
            .0
            .as_ref()
            .map_or_else(|| EMPTY.into(), |(bytes, _)| bytes.clone());
        Ok(Source::new(path, bytes).map_err(EditError::from)?)
    }

    fn has_byte_order_mark(&self) -> bool {
        let bytes = self.0.as_ref().map(|(bytes, _)| bytes.as_slice());
        bytes.is_some_and(|bytes| bytes.starts_with(BYTE_ORDER_MARK.as_bytes()))
    }

    /// It is still the same file, and says the same.
    fn is_current(&self, path: &Path) -> Result<bool, WriteError> {
        Ok(match (&self.0, Self::read(path)?.0) {
            (None, None) => true,
            (Some((old, before)), Some((new, now))) => {
                (before.dev(), before.ino()) == (now.dev(), now.ino()) && *old == new
            }
            _ => false,
        })
    }
}

/// Why a file was not replaced.
enum Failed {
    /// Somebody else changed it first.
    Overtaken,
    /// It can't be.
    Final(WriteError),
}

impl From<WriteError> for Failed {
    fn from(error: WriteError) -> Self {
        Self::Final(error)
    }
}

/// The directory of the file, for one bwmon at a time.
struct Directory {
    path: PathBuf,
    handle: File,
}

impl Directory {
    fn lock(file: &Path) -> Result<Self, WriteError> {
        let path = match file.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        let handle = File::open(&path).map_err(|source| not_writable(file, &path, source))?;
        let until = Instant::now() + LOCKED_FOR;
        loop {
            match handle.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if Instant::now() < until => {
                    thread::sleep(LOOK_EVERY);
                }
                Err(TryLockError::WouldBlock) => {
                    let path = file.to_owned();
                    return Err(WriteError::Changing { path });
                }
                // There are file systems without locks. That it did not change is looked at anyway.
                Err(TryLockError::Error(error)) => {
                    log::debug!("cannot lock {}: {error}", path.display());
                    break;
                }
            }
        }
        Ok(Self { path, handle })
    }

    /// Puts a new file in the place of the old one.
    fn replace(&self, path: &Path, old: &Old, content: &[u8]) -> Result<(), Failed> {
        let failed = |source| Failed::Final(not_writable(path, &self.path, source));
        let mut new = tempfile::Builder::new()
            .prefix(".bwmon-")
            .suffix(".tmp")
            .tempfile_in(&self.path)
            .map_err(failed)?;
        new.write_all(content).map_err(failed)?;
        self.give(new.as_file(), path, old)?;
        new.as_file().sync_all().map_err(failed)?;
        if !old.is_current(path)? {
            return Err(Failed::Overtaken);
        }
        let placed = match old.0 {
            Some(_) => new.persist(path),
            None => new.persist_noclobber(path),
        };
        match placed {
            Ok(_) => {}
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(Failed::Overtaken);
            }
            Err(error) => return Err(failed(error.error)),
        }
        // The file is in its place, whatever comes of this.
        if let Err(error) = self.handle.sync_all() {
            let path = self.path.display();
            log::warn!("cannot sync {path}, so a power cut may undo the change: {error}");
        }
        Ok(())
    }

    /// Gives the new file the owner and mode of the old one, else of its directory.
    fn give(&self, new: &File, path: &Path, old: &Old) -> Result<(), Failed> {
        let failed = |source| Failed::Final(not_writable(path, &self.path, source));
        let made = new.metadata().map_err(failed)?;
        let (like, mode) = match &old.0 {
            Some((_, old)) => (old.clone(), old.mode() & 0o7777),
            // Who may write the directory is to write the file, too.
            None if geteuid().is_root() => (self.handle.metadata().map_err(failed)?, MODE),
            None => (made.clone(), MODE),
        };
        if (made.uid(), made.gid()) != (like.uid(), like.gid()) {
            fchown(new, Some(like.uid()), Some(like.gid())).map_err(|_| WriteError::Owner {
                path: path.to_owned(),
                owner: like.uid(),
                group: like.gid(),
                user: geteuid().as_raw(),
            })?;
        }
        new.set_permissions(Permissions::from_mode(mode))
            .map_err(failed)
    }
}

fn not_writable(path: &Path, directory: &Path, source: io::Error) -> WriteError {
    WriteError::NotWritable {
        path: path.to_owned(),
        directory: directory.to_owned(),
        user: geteuid().as_raw(),
        source,
    }
}

#[cfg(test)]
#[path = "write_tests.rs"]
mod tests;
