//! A BPF file system of a test's own, to pin in.

use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, MsFlags, mount, umount2};

/// A mounted bpffs, unmounted when dropped; what is pinned in it goes with it.
#[derive(Debug)]
pub struct Bpffs {
    path: PathBuf,
}

impl Bpffs {
    /// Mounts one on a new directory.
    ///
    /// # Panics
    /// When the kernel refuses.
    #[track_caller]
    pub fn mount(directory: &Path) -> Self {
        std::fs::create_dir(directory).expect("make a directory to mount on");
        mount(
            Some("bpf"),
            directory,
            Some("bpf"),
            MsFlags::empty(),
            None::<&str>,
        )
        .expect("mount a bpffs");
        Self {
            path: directory.to_owned(),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Bpffs {
    fn drop(&mut self) {
        umount2(&self.path, MntFlags::MNT_DETACH).ok();
    }
}
