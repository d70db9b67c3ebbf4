//! The daemon under test.

use std::{
    fs, os::unix::process::ExitStatusExt, path::PathBuf, process::ExitStatus, sync::Arc, thread,
};

use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::{
    api::Api,
    process::Process,
    wait::{SOON, wait_until},
};

/// A running daemon, killed when dropped. Its log is printed when the test panics.
#[derive(Debug)]
pub struct Daemon {
    process: Process,
    /// Its HTTP interface.
    pub api: Api,
    log: PathBuf,
    _directory: Arc<TempDir>,
}

impl Daemon {
    pub(crate) fn new(process: Process, api: Api, log: PathBuf, directory: Arc<TempDir>) -> Self {
        Self {
            process,
            api,
            log,
            _directory: directory,
        }
    }

    /// Everything it wrote, in all its starts.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Sends it a signal.
    #[track_caller]
    pub fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When it still runs after a while.
    #[track_caller]
    pub fn wait(&mut self) -> ExitStatus {
        self.process.wait(SOON)
    }

    /// Asks it to stop, and waits until it has, without an error.
    ///
    /// # Panics
    /// When it does not stop, or not with 0.
    #[track_caller]
    pub fn terminate(mut self) {
        self.signal(Signal::SIGTERM);
        let status = self.wait();
        assert_eq!(status.code(), Some(0), "the daemon ended with {status}");
    }

    /// Kills it where it stands.
    ///
    /// # Panics
    /// When it had ended before.
    #[track_caller]
    pub fn kill(mut self) {
        self.signal(Signal::SIGKILL);
        let status = self.wait();
        let signal = status.signal();
        assert_eq!(
            signal,
            Some(9),
            "the daemon had ended before, with {status}"
        );
    }

    /// Waits until a condition holds, or the daemon ends.
    ///
    /// # Panics
    /// When it ends, or the condition does not hold in time.
    #[track_caller]
    pub fn wait_for<T>(
        &mut self,
        what: &str,
        mut condition: impl FnMut() -> Result<T, String>,
    ) -> T {
        wait_until(what, SOON, || {
            if let Some(status) = self.process.ended() {
                panic!("the daemon ended with {status} before {what}");
            }
            condition()
        })
    }

    /// Waits until the log holds a line with all of these words, and returns it.
    ///
    /// # Panics
    /// When there is none in time.
    #[track_caller]
    pub fn wait_for_log(&self, words: &[&str]) -> String {
        wait_until(&format!("a line of the log with {words:?}"), SOON, || {
            let log = self.log();
            let line = log
                .lines()
                .find(|line| words.iter().all(|word| line.contains(word)));
            line.map(str::to_owned).ok_or("it is not there")
        })
    }

    /// Waits until the loop has taken this many samples more.
    ///
    /// # Panics
    /// When it does not.
    #[track_caller]
    pub fn wait_for_samples(&self, more: u64) {
        let start = wait_until("the count of samples", SOON, || self.api.samples());
        wait_until("more samples", SOON, || {
            let samples = self.api.samples()?;
            if samples >= start + more {
                Ok(())
            } else {
                Err(format!("{samples} since {start}"))
            }
        });
    }

    /// Memory it has in use, in KiB: `VmRSS`.
    ///
    /// # Panics
    /// When it is gone.
    pub fn resident_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid()));
        status
            .expect("read the daemon's status")
            .lines()
            .find_map(|line| {
                line.strip_prefix("VmRSS:")?
                    .trim()
                    .strip_suffix(" kB")?
                    .parse()
                    .ok()
            })
            .expect("the kernel tells a process's memory")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("--- log of the daemon\n{}--- end of the log", self.log());
        }
    }
}
