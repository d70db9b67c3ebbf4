//! Which process uses a state directory, found without disturbing it.

use std::{
    fs::{self, Metadata},
    io,
    os::unix::fs::MetadataExt,
    path::Path,
};

use super::directory::LOCK;

/// The process that holds the lock of a state directory: a running bwmon. `None`: there is none.
///
/// What the lock says is believed only of a process that has it open and locked, by the kernel's own
/// account, and that is called bwmon: ids of processes are given anew.
///
/// # Errors
///
/// When the lock can't be read, or what the process has open can't be seen.
pub fn holder(state_dir: &Path) -> io::Result<Option<u32>> {
    let path = state_dir.join(LOCK);
    let text = match fs::read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        text => text?,
    };
    let Ok(process) = text.trim().parse::<u32>() else {
        return Ok(None);
    };
    let lock = fs::metadata(&path)?;
    match holds(process, &lock) {
        // It has ended, a moment ago or long since.
        Err(error) if is_gone(&error) => Ok(None),
        holds => Ok(holds?.then_some(process)),
    }
}

fn holds(process: u32, lock: &Metadata) -> io::Result<bool> {
    let directory = format!("/proc/{process}");
    let name = fs::read_to_string(format!("{directory}/comm"))?;
    if !name.starts_with("bwmon") {
        return Ok(false);
    }
    for entry in fs::read_dir(format!("{directory}/fd"))? {
        let number = entry?.file_name();
        let number = number.to_string_lossy();
        // The process may close one at any time.
        let Ok(open) = fs::metadata(format!("{directory}/fd/{number}")) else {
            continue;
        };
        if (open.dev(), open.ino()) != (lock.dev(), lock.ino()) {
            continue;
        }
        let details = fs::read_to_string(format!("{directory}/fdinfo/{number}"))?;
        let is_locked = |line: &str| line.starts_with("lock:") && line.contains("FLOCK");
        if details.lines().any(is_locked) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(libc::ESRCH)
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn a_process_is_believed_only_if_it_holds_the_lock_and_is_a_bwmon() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        assert_eq!(holder(path).unwrap(), None, "there is no lock");
        let lock = File::create(path.join(LOCK)).unwrap();
        assert_eq!(holder(path).unwrap(), None, "it is empty");
        let own = std::process::id();
        fs::write(path.join(LOCK), format!("{own}\n")).unwrap();
        assert_eq!(holder(path).unwrap(), None, "it is open, but not locked");
        lock.lock().unwrap();
        // The program of these tests is called bwmon-, and a number.
        assert_eq!(holder(path).unwrap(), Some(own));
        fs::write(path.join(LOCK), "1\n").unwrap();
        assert_eq!(holder(path).unwrap(), None, "another process");
        fs::write(path.join(LOCK), format!("{}\n", u32::MAX)).unwrap();
        assert_eq!(holder(path).unwrap(), None, "no process");
    }
}
