//! A terminal that is looked at: tmux.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use nix::{
    sys::signal::{self, Signal},
    unistd::Pid,
};
use tempfile::TempDir;

use crate::{
    namespace::Namespace,
    process::{finish, run},
    setup::binary,
    wait::{SOON, wait_until},
};

/// Runs its arguments, and says in the first one's directory what the terminal was like before and
/// after, and who ran. Then it stays, so that the screen can be looked at.
const SCRIPT: &str = r#"
cd "$0"
stty -g >before
sh -c 'echo $$ >pid; exec "$@"' sh "$@"
echo "ended with $?"
stty -g >after
exec sleep 600
"#;

/// What the program left on the screen once it ended.
const ENDED: &str = "ended with ";

/// A terminal in which bwmon runs. It ends when dropped.
#[derive(Debug)]
pub struct Tmux {
    directory: TempDir,
    _namespace: Arc<Namespace>,
}

impl Tmux {
    /// Runs bwmon with these arguments in a terminal of 100 columns and 24 lines, in an empty
    /// directory.
    ///
    /// # Panics
    /// When tmux is missing or can't be started.
    #[track_caller]
    pub fn bwmon<S: AsRef<OsStr>>(
        namespace: &Arc<Namespace>,
        args: impl IntoIterator<Item = S>,
    ) -> Self {
        let directory = tempfile::Builder::new().prefix("bwmon-tmux-").tempdir();
        let directory = directory.expect("make a directory for tmux");
        let work = directory.path().join("work");
        fs::create_dir(&work).expect("make a directory for bwmon");
        let mut command = Command::new("tmux");
        command
            .arg("-S")
            .arg(directory.path().join("tmux.sock"))
            .args(["-f", "/dev/null", "-u", "new-session", "-d"])
            .args(["-x", "100", "-y", "24", "sh", "-c", SCRIPT])
            .arg(&work)
            .arg(binary());
        command.args(args);
        for name in ["NO_COLOR", "BWMON_CONFIG", "BWMON_API", "TMUX"] {
            command.env_remove(name);
        }
        command.env("LC_ALL", "C.UTF-8").env("TERM", "xterm");
        let output = namespace.enter(|| finish(&mut command));
        assert!(
            output.status.success(),
            "tmux: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Self {
            directory,
            _namespace: Arc::clone(namespace),
        }
    }

    /// Where bwmon runs: `pid` is in it, and what the terminal was `before` and `after`.
    pub fn work(&self) -> PathBuf {
        self.directory.path().join("work")
    }

    /// What is on the screen.
    #[track_caller]
    pub fn screen(&self) -> String {
        self.tmux(&["capture-pane", "-p"])
    }

    /// The same with colours, as escape sequences.
    #[track_caller]
    pub fn coloured(&self) -> String {
        self.tmux(&["capture-pane", "-p", "-e"])
    }

    /// Presses keys, each as tmux calls it.
    #[track_caller]
    pub fn press(&self, keys: &[&str]) {
        self.tmux(&[&["send-keys"], keys].concat());
    }

    /// Gives the terminal another size.
    #[track_caller]
    pub fn resize(&self, columns: u16, lines: u16) {
        let (columns, lines) = (columns.to_string(), lines.to_string());
        self.tmux(&["resize-window", "-x", &columns, "-y", &lines]);
    }

    /// Sends bwmon a signal.
    #[track_caller]
    pub fn signal(&self, signal: Signal) {
        let pid = wait_until("bwmon to start", SOON, || {
            let text = fs::read_to_string(self.work().join("pid"));
            let text = text.map_err(|error| error.to_string())?;
            text.trim().parse().map_err(|_| text)
        });
        signal::kill(Pid::from_raw(pid), signal).expect("signal bwmon");
    }

    /// Waits until the screen is as `condition` wants it, and returns what that does.
    ///
    /// # Panics
    /// When it is not in time, with what is on it.
    #[track_caller]
    pub fn wait_for<T>(&self, what: &str, condition: impl Fn(&str) -> Option<T>) -> T {
        wait_until(what, SOON, || {
            let screen = self.screen();
            condition(&screen).ok_or(format!("on the screen is\n{screen}"))
        })
    }

    /// Waits until all these words are on the screen.
    ///
    /// # Panics
    /// When they are not in time, with what is.
    #[track_caller]
    pub fn wait_for_words(&self, words: &[&str]) {
        self.wait_for(&format!("{words:?}"), |screen| {
            words.iter().all(|word| screen.contains(word)).then_some(())
        });
    }

    /// Waits until bwmon has ended, and makes sure that the terminal is as it was before: no
    /// alternate screen, no mouse, a cursor, and all its modes. Returns its exit status.
    ///
    /// # Panics
    /// When it does not end, or left something behind.
    #[track_caller]
    pub fn wait_for_end(&self) -> i32 {
        let status = self.wait_for("the end of bwmon", |screen| {
            let line = screen.lines().find_map(|line| line.strip_prefix(ENDED))?;
            line.trim().parse().ok()
        });
        let modes = wait_until("the modes of the terminal", SOON, || {
            let after = fs::read_to_string(self.work().join("after"));
            after.ok().filter(|after| after.ends_with('\n')).ok_or("-")
        });
        let before = fs::read_to_string(self.work().join("before"));
        assert_eq!(before.expect("the modes before"), modes);
        let flags = "#{alternate_on} #{mouse_any_flag} #{cursor_flag}";
        assert_eq!(self.tmux(&["display-message", "-p", flags]).trim(), "0 0 1");
        status
    }

    #[track_caller]
    fn tmux(&self, words: &[&str]) -> String {
        let socket = self.socket();
        let args = ["-S".as_ref(), socket.as_os_str()].into_iter();
        run("tmux", args.chain(words.iter().map(OsStr::new)))
    }

    fn socket(&self) -> PathBuf {
        Path::new(self.directory.path()).join("tmux.sock")
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        // Whatever goes wrong here, the test has its verdict already.
        let mut command = Command::new("tmux");
        command.arg("-S").arg(self.socket()).arg("kill-server");
        command.output().ok();
    }
}
