//! Writing files so that no reader ever sees half of one.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process;

use anyhow::{Context, Result};

/// Writes `content` beside `path` and renames it into place, directories made as needed. A running
/// program can be replaced that way too.
///
/// # Errors
/// When the directory cannot be made or the file not written.
pub(crate) fn write(path: &Path, content: &[u8], mode: u32) -> Result<()> {
    let directory = path
        .parent()
        .with_context(|| format!("write {}: it has no directory", path.display()))?;
    fs::create_dir_all(directory)
        .with_context(|| format!("make the directory {}", directory.display()))?;
    let temporary = temporary(path);
    let written = write_whole(&temporary, content, mode).and_then(|()| {
        fs::rename(&temporary, path).with_context(|| format!("move {} into place", path.display()))
    });
    if written.is_err() {
        // The first error is the one to tell; a left-over has our process id in its name.
        drop(fs::remove_file(&temporary));
    }
    written
}

/// Writes `content` unless `path` already holds it, so that its time stays and nobody who depends
/// on it is built anew. Says whether it wrote.
///
/// # Errors
/// As [`write`].
pub(crate) fn write_if_changed(path: &Path, content: &[u8], mode: u32) -> Result<bool> {
    if fs::read(path).is_ok_and(|present| present == content) {
        return Ok(false);
    }
    write(path, content, mode)?;
    Ok(true)
}

/// Removes a file; none being there is fine.
///
/// # Errors
/// When it is there and stays.
pub(crate) fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("remove {}", path.display()))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Removes a directory and all below it; none being there is fine.
///
/// # Errors
/// When it is there and stays.
pub(crate) fn remove_directory(path: &Path) -> Result<()> {
    if !path.exists() {
        return Ok(());
    }
    fs::remove_dir_all(path).with_context(|| format!("remove {}", path.display()))
}

fn temporary(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", process::id()));
    path.with_file_name(name)
}

fn write_whole(path: &Path, content: &[u8], mode: u32) -> Result<()> {
    let write = || {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(path)?;
        file.write_all(content)?;
        // The umask may have taken from the mode.
        file.set_permissions(Permissions::from_mode(mode))?;
        file.sync_all()
    };
    write().with_context(|| format!("write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unchanged_content_is_not_written_again() {
        let directory = std::env::temp_dir().join(format!("xtask-files-{}", process::id()));
        let path = directory.join("below/file");
        assert!(write_if_changed(&path, b"one", 0o644).unwrap());
        assert!(!write_if_changed(&path, b"one", 0o644).unwrap());
        assert!(write_if_changed(&path, b"two", 0o755).unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"two");
        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o755);
        let names = fs::read_dir(path.parent().unwrap()).unwrap().count();
        assert_eq!(names, 1, "no temporary file is left");
        remove_directory(&directory).unwrap();
        remove_directory(&directory).unwrap();
    }
}
