//! How the daemon under test is started: its command line and its files.

use std::{
    env,
    ffi::{OsStr, OsString},
    fs::{self, File},
    os::unix::fs::chown,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::Arc,
};

use tempfile::TempDir;

use crate::{
    api::Api,
    daemon::Daemon,
    namespace::Namespace,
    process::{Process, finish},
};

/// The API's socket, in the daemon's directory.
const SOCKET: &str = "api.sock";

/// What this machine knows of names has no place in a test.
const NO_NAMES: &str = "\n[names]\ndhcp = false\nethers = false\nhosts = false\ndns = false\n";

/// The binary under test: `BWMON_BIN`, else the release build of this workspace.
pub fn binary() -> PathBuf {
    env::var_os("BWMON_BIN").map_or_else(|| project().join("target/release/bwmon"), PathBuf::from)
}

/// The root of the workspace.
pub fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// How to start the daemon: its namespace, its files, and a directory of its own for its state.
///
/// Start it again from the same `Setup`, and it finds the state it left.
#[derive(Debug)]
pub struct Setup {
    directory: Arc<TempDir>,
    namespace: Arc<Namespace>,
    interfaces: Vec<String>,
    listens_on_unix_socket: bool,
    api: Api,
    binary: PathBuf,
    wrapper: Vec<OsString>,
}

impl Setup {
    /// In `namespace`, on the interfaces of these names, with defaults for everything but a short
    /// poll interval and an API on a Unix socket.
    ///
    /// # Panics
    /// When there is no binary.
    #[track_caller]
    pub fn new(namespace: &Arc<Namespace>, interfaces: &[&str]) -> Self {
        assert!(
            binary().is_file(),
            "there is no {}: build it by `cargo xtask build`, or set BWMON_BIN",
            binary().display()
        );
        let directory = tempfile::Builder::new().prefix("bwmon-test-").tempdir();
        let directory = directory.expect("make a directory for the daemon");
        let setup = Self {
            api: Api::unix(directory.path().join(SOCKET)),
            directory: Arc::new(directory),
            namespace: Arc::clone(namespace),
            interfaces: interfaces.iter().map(|&name| name.to_owned()).collect(),
            listens_on_unix_socket: true,
            binary: binary(),
            wrapper: Vec::new(),
        };
        setup.write_config("");
        setup.write_devices("{}");
        setup
    }

    /// With this configuration. The poll interval and the API's socket are added to it unless it
    /// has a `poll_interval` or an `[http]` of its own; and unless it has `[names]` of its own, the
    /// files and the resolver of this machine name nobody.
    #[track_caller]
    pub fn config(mut self, text: &str) -> Self {
        self.listens_on_unix_socket = !text.contains("[http]");
        self.write_config(text);
        self
    }

    /// With these registered devices.
    #[track_caller]
    pub fn devices(self, text: &str) -> Self {
        self.write_devices(text);
        self
    }

    /// Started by another program, as `setpriv` with its options.
    pub fn wrapped(mut self, wrapper: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        self.wrapper = wrapper.into_iter().map(Into::into).collect();
        self
    }

    /// Reached there, since the configuration has an `[http]` of its own.
    pub fn reached_at(mut self, api: Api) -> Self {
        self.api = api;
        self
    }

    /// With everything, a copy of the binary too, owned by this user and readable by it.
    ///
    /// # Panics
    /// When the files can't be given away.
    #[track_caller]
    pub fn owned_by(mut self, user: u32) -> Self {
        // The one that was built may lie in a directory of root's.
        self.binary = self.directory().join("bwmon");
        fs::copy(binary(), &self.binary).expect("copy the binary");
        fs::create_dir(self.state_path()).expect("make the state directory");
        let entries = fs::read_dir(self.directory()).expect("list the daemon's files");
        for entry in entries {
            let path = entry.expect("list the daemon's files").path();
            chown(path, Some(user), Some(user)).expect("give a file away");
        }
        chown(self.directory(), Some(user), Some(user)).expect("give the directory away");
        self
    }

    /// Writes the configuration anew, also under a running daemon.
    ///
    /// # Panics
    /// When the file can't be written.
    #[track_caller]
    pub fn write_config(&self, text: &str) {
        let mut config = String::new();
        if !text.contains("poll_interval") {
            config.push_str("poll_interval = \"200ms\"\n");
        }
        config.push_str(text);
        if !text.contains("[names]") {
            config.push_str(NO_NAMES);
        }
        if self.listens_on_unix_socket {
            config.push_str(&format!("\n[http]\nlisten = \"{}\"\n", self.listen()));
        }
        fs::write(self.config_path(), config).expect("write the configuration");
    }

    /// Writes the registered devices anew, also under a running daemon.
    ///
    /// # Panics
    /// When the file can't be written.
    #[track_caller]
    pub fn write_devices(&self, text: &str) {
        fs::write(self.devices_path(), text).expect("write the registered devices");
    }

    /// Where the daemon runs.
    pub fn namespace(&self) -> &Arc<Namespace> {
        &self.namespace
    }

    /// The directory that holds everything of this daemon.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The configuration.
    pub fn config_path(&self) -> PathBuf {
        self.directory().join("bwmon.toml")
    }

    /// The registered devices.
    pub fn devices_path(&self) -> PathBuf {
        self.directory().join("registered_devices.json")
    }

    /// Where the daemon keeps its state.
    pub fn state_path(&self) -> PathBuf {
        self.directory().join("state")
    }

    fn log_path(&self) -> PathBuf {
        self.directory().join("log")
    }

    fn listen(&self) -> String {
        format!("unix:{}", self.directory().join(SOCKET).display())
    }

    /// Starts the daemon and waits until it counts on every interface.
    ///
    /// # Panics
    /// When it ends or the deadline passes, with its log.
    #[track_caller]
    pub fn start(&self) -> Daemon {
        let mut daemon = self.start_unattached();
        let api = daemon.api.clone();
        daemon.wait_for("the daemon to count", || {
            let interfaces = api.interfaces()?;
            let attached = interfaces
                .iter()
                .filter(|interface| interface.ingress_mode.is_some())
                .count();
            if attached >= self.interfaces.len().max(1) {
                Ok(())
            } else {
                Err(format!("interfaces: {interfaces:?}"))
            }
        });
        daemon
    }

    /// Starts the daemon and waits until it says that it is alive.
    ///
    /// # Panics
    /// When it ends or the deadline passes, with its log.
    #[track_caller]
    pub fn start_unattached(&self) -> Daemon {
        let mut daemon = self.spawn();
        let api = daemon.api.clone();
        daemon.wait_for("the daemon to be alive", || {
            let response = api.get("/healthz").map_err(|error| error.to_string())?;
            if response.status == 200 {
                Ok(())
            } else {
                Err(response.body)
            }
        });
        daemon
    }

    /// Starts the daemon and waits for nothing.
    ///
    /// # Panics
    /// When it can't be started.
    #[track_caller]
    pub fn spawn(&self) -> Daemon {
        fs::create_dir_all(self.state_path()).expect("make the state directory");
        // Appends, so that the log holds every start.
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.log_path());
        let log = log.expect("open the log");
        let mut words: Vec<OsString> = self.wrapper.clone();
        words.push(self.binary.clone().into());
        words.extend(["run".into(), "--config".into(), self.config_path().into()]);
        for interface in &self.interfaces {
            words.extend(["--iface".into(), interface.into()]);
        }
        words.extend(["--state-dir".into(), self.state_path().into()]);
        words.extend(["--devices".into(), self.devices_path().into()]);
        if self.listens_on_unix_socket {
            words.extend(["--listen".into(), self.listen().into()]);
        }
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).stdin(Stdio::null());
        command
            .stdout(log.try_clone().expect("share the log"))
            .stderr(log);
        let process = self.namespace.enter(|| Process::spawn(&mut command));
        Daemon::new(
            process,
            self.api.clone(),
            self.log_path(),
            Arc::clone(&self.directory),
        )
    }

    /// Runs another command of the binary, as `status`, in the daemon's namespace and with its
    /// configuration.
    #[track_caller]
    pub fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Output {
        let mut command = Command::new(binary());
        command
            .args(args)
            .arg("--config")
            .arg(self.config_path())
            .stdin(Stdio::null());
        self.namespace.enter(|| finish(&mut command))
    }
}
