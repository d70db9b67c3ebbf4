//! A BPF file system of a test's own, to pin in.

use std::path::Path;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use tempfile::TempDir;

/// A mounted bpffs, unmounted when dropped; what is pinned in it goes with it.
#[derive(Debug)]
pub struct Bpffs {
    directory: TempDir,
}

impl Bpffs {
    /// Mounts one on a directory of its own.
    ///
    /// # Panics
    /// When the kernel refuses.
    #[track_caller]
    pub fn mount() -> Self {
        let directory = tempfile::Builder::new().prefix("bwmon-test-").tempdir();
        let directory = directory.expect("make a directory to mount on");
        mount(
            Some("bpf"),
            directory.path(),
            Some("bpf"),
            MsFlags::empty(),
            None::<&str>,
        )
        .expect("mount a bpffs");
        Self { directory }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }
}

impl Drop for Bpffs {
    fn drop(&mut self) {
        // Before the directory is removed, which drops after this.
        umount2(self.path(), MntFlags::MNT_DETACH).ok();
    }
}
