//! A copy of the database while somebody else writes it: whole, as of one moment, compact.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    process,
};

use super::{directory::DATABASE, error::StoreError, history::History};

/// For the owner and the group: who used what is nobody else's.
const MODE: u32 = 0o640;

/// What becomes of a file that is in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// It stays, and there is no copy.
    Keep,
    /// The copy takes its place.
    Replace,
}

/// Copies the database of a state directory to a file, and returns how many bytes that has. The file
/// is there only once it is whole. Who writes the database is not held up.
///
/// # Errors
///
/// When the database can't be read, the file not be written, or is there already.
pub fn backup(directory: &Path, to: &Path, existing: Existing) -> Result<u64, StoreError> {
    let fail = |source| StoreError::Backup {
        path: to.to_owned(),
        source,
    };
    if existing == Existing::Keep && to.symlink_metadata().is_ok() {
        return Err(StoreError::BackupExists {
            path: to.to_owned(),
        });
    }
    let source = History::at(directory.join(DATABASE));
    let partial = Partial::beside(to).map_err(fail)?;
    source.copy_to(&partial.path)?;
    let file = File::open(&partial.path).map_err(fail)?;
    file.sync_all().map_err(fail)?;
    let bytes = file.metadata().map_err(fail)?.len();
    partial
        .put_into_place(to, existing)
        .map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => StoreError::BackupExists {
                path: to.to_owned(),
            },
            _ => fail(source),
        })?;
    sync_directory_of(to).map_err(fail)?;
    Ok(bytes)
}

/// A file that is not whole yet. It goes away unless it is put into place.
#[derive(Debug)]
struct Partial {
    path: PathBuf,
}

impl Partial {
    fn beside(to: &Path) -> io::Result<Self> {
        let name = to.file_name().ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::InvalidInput,
                "that is not the name of a file",
            )
        })?;
        let mut name = name.to_owned();
        name.push(format!(".partial-{}", process::id()));
        let path = to.with_file_name(name);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(MODE)
            .open(&path)?;
        let partial = Self { path };
        // Whatever the umask is.
        file.set_permissions(Permissions::from_mode(MODE))?;
        Ok(partial)
    }

    fn put_into_place(self, to: &Path, existing: Existing) -> io::Result<()> {
        if existing == Existing::Replace {
            return fs::rename(&self.path, to);
        }
        // Replaces nothing, not even what came since this was looked at.
        match fs::hard_link(&self.path, to) {
            // Not every file system has links, as those of memory sticks.
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                fs::rename(&self.path, to)
            }
            result => result,
        }
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        match fs::remove_file(&self.path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => log::warn!("cannot remove {}: {error}", self.path.display()),
        }
    }
}

/// So that the name survives a power cut, too.
fn sync_directory_of(file: &Path) -> io::Result<()> {
    let directory = match file.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    File::open(directory)?.sync_all()
}
