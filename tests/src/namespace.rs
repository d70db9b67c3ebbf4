//! Network namespaces: one test's private network.

use std::{
    fs::{self, File},
    os::unix::fs::FileExt,
    panic,
    path::{Path, PathBuf},
    process::{self, Command},
    sync::{
        Once,
        atomic::{AtomicU32, Ordering},
    },
    thread,
};

use nix::sched::{CloneFlags, setns};

use crate::{counters::LinkCounters, process::run};

const NAME_PREFIX: &str = "bwmon-test-";

/// A network namespace, deleted when dropped. IPv6 is off on its interfaces until switched on, so
/// that nobody sends anything a test did not ask for.
#[derive(Debug)]
pub struct Namespace {
    name: String,
    handle: File,
    interfaces: File,
}

impl Namespace {
    /// Makes one; `role` tells a test's namespaces apart.
    ///
    /// # Panics
    /// When not run as root, or `ip` is missing.
    #[track_caller]
    pub fn new(role: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        assert!(
            nix::unistd::geteuid().is_root(),
            "end-to-end tests need root, for network namespaces and to load programs"
        );
        delete_those_of_dead_runs();
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{NAME_PREFIX}{}-{number}-{role}", process::id());
        run("ip", ["netns", "add", &name]);
        let handle = File::open(path_of(&name)).expect("open the new namespace");
        let interfaces = enter(&handle, || File::open("/proc/thread-self/net/dev"))
            .expect("open the counters of the new namespace");
        let namespace = Self {
            name,
            handle,
            interfaces,
        };
        namespace.ip("link set lo up");
        namespace.sysctl("net/ipv6/conf/all/disable_ipv6", "1");
        namespace.sysctl("net/ipv6/conf/default/disable_ipv6", "1");
        namespace.sysctl("net/ipv6/conf/default/accept_dad", "0");
        namespace.sysctl("net/ipv6/conf/default/router_solicitations", "0");
        namespace.sysctl("net/ipv4/ip_forward", "0");
        namespace
    }

    /// Its name, as `ip -n` takes it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs `work` in this namespace, on a thread of its own. Sockets and processes that it makes
    /// stay in the namespace. `/sys` is still that of the machine; `/proc/thread-self/net` and
    /// `/proc/sys/net` are the namespace's.
    pub fn enter<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        enter(&self.handle, work)
    }

    /// `ip -n NAME` with these words.
    ///
    /// # Panics
    /// When it fails.
    #[track_caller]
    pub fn ip(&self, words: &str) -> String {
        run(
            "ip",
            ["-n", &self.name]
                .into_iter()
                .chain(words.split_whitespace()),
        )
    }

    /// Runs a program in the namespace and returns what it wrote.
    ///
    /// # Panics
    /// When it fails.
    #[track_caller]
    pub fn run(&self, program: &str, args: &[&str]) -> String {
        self.enter(|| run(program, args))
    }

    /// Sets a kernel parameter, such as `net/ipv4/ip_forward`.
    ///
    /// # Panics
    /// When the kernel refuses.
    #[track_caller]
    pub fn sysctl(&self, key: &str, value: &str) {
        let written = self.enter(|| fs::write(Path::new("/proc/sys").join(key), value));
        if let Err(error) = written {
            panic!("set {key} to {value}: {error}");
        }
    }

    /// A file of `/proc/net`, as of this namespace.
    ///
    /// # Panics
    /// When there is no such file.
    #[track_caller]
    pub fn proc_net(&self, file: &str) -> String {
        match self.enter(|| fs::read_to_string(Path::new("/proc/thread-self/net").join(file))) {
            Ok(text) => text,
            Err(error) => panic!("read /proc/net/{file}: {error}"),
        }
    }

    /// What an interface counted; `None` if there is none of that name.
    pub(crate) fn link_counters(&self, interface: &str) -> Option<LinkCounters> {
        // The open file stays the namespace's, and reading it from the start reads it anew.
        let mut text = Vec::new();
        let mut chunk = [0; 4096];
        loop {
            let read = self
                .interfaces
                .read_at(&mut chunk, text.len() as u64)
                .expect("read the interfaces' counters");
            if read == 0 {
                break;
            }
            text.extend_from_slice(&chunk[..read]);
        }
        LinkCounters::find(&String::from_utf8_lossy(&text), interface)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // Whatever goes wrong here, the test has its verdict already.
        Command::new("ip")
            .args(["netns", "delete", &self.name])
            .output()
            .ok();
    }
}

fn path_of(name: &str) -> PathBuf {
    Path::new("/run/netns").join(name)
}

fn enter<T: Send>(namespace: &File, work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let inside = scope.spawn(|| {
            setns(namespace, CloneFlags::CLONE_NEWNET).expect("enter the namespace");
            work()
        });
        inside
            .join()
            .unwrap_or_else(|reason| panic::resume_unwind(reason))
    })
}

/// A run that was interrupted could not clean up; its process id is in the names it left.
fn delete_those_of_dead_runs() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let Ok(entries) = fs::read_dir("/run/netns") else {
            return;
        };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let pid = name
                .strip_prefix(NAME_PREFIX)
                .and_then(|rest| rest.split('-').next());
            if pid.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
                Command::new("ip")
                    .args(["netns", "delete", &name])
                    .output()
                    .ok();
            }
        }
    });
}
