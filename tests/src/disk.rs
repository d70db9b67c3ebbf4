//! A small file system of a test's own, to fill and to lock.

use std::{
    fs::{self, File},
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

use nix::mount::{MntFlags, MsFlags, mount, umount2};

/// A tmpfs, unmounted when dropped.
#[derive(Debug)]
pub struct Tmpfs {
    path: PathBuf,
}

impl Tmpfs {
    /// Mounts one of so many bytes on a directory, which is made.
    ///
    /// # Panics
    /// When the kernel refuses.
    #[track_caller]
    pub fn mount(path: &Path, bytes: u64) -> Self {
        fs::create_dir_all(path).expect("make a directory to mount on");
        let size = format!("size={bytes}");
        mount(
            Some("tmpfs"),
            path,
            Some("tmpfs"),
            MsFlags::empty(),
            Some(size.as_str()),
        )
        .expect("mount a tmpfs");
        Self {
            path: path.to_owned(),
        }
    }

    /// Takes all the room there is.
    ///
    /// # Panics
    /// When it can't be written for another reason.
    #[track_caller]
    pub fn fill(&self) {
        let ballast = File::options()
            .append(true)
            .create(true)
            .open(self.ballast());
        let mut ballast = match ballast {
            Err(error) if error.kind() == ErrorKind::StorageFull => return,
            result => result.expect("make a file"),
        };
        for chunk in [64 * 1024, 4096, 1] {
            let error = loop {
                if let Err(error) = ballast.write_all(&vec![0; chunk]) {
                    break error;
                }
            };
            assert_eq!(error.kind(), ErrorKind::StorageFull, "{error}");
        }
    }

    /// Gives it back.
    ///
    /// # Panics
    /// When it was not taken.
    #[track_caller]
    pub fn make_room(&self) {
        fs::remove_file(self.ballast()).expect("remove what fills the disk");
    }

    /// Makes it read-only, or no longer so.
    ///
    /// # Panics
    /// When somebody has a file open for writing.
    #[track_caller]
    pub fn set_read_only(&self, is_read_only: bool) {
        let mut flags = MsFlags::MS_REMOUNT;
        flags.set(MsFlags::MS_RDONLY, is_read_only);
        mount(None::<&str>, &self.path, None::<&str>, flags, None::<&str>)
            .expect("mount the tmpfs anew");
    }

    fn ballast(&self) -> PathBuf {
        self.path.join("ballast")
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        umount2(&self.path, MntFlags::MNT_DETACH).ok();
    }
}
