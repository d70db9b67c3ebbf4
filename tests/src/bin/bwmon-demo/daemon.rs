//! bwmon in the router of the home: its files, its start, and its end.

use std::{
    fs::{self, File},
    net::SocketAddr,
    os::unix::{net::UnixStream, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::home::{CAMERA, DESKTOP, DEVICES, Home, INTERFACES, LAPTOP, NAS, PHONE, TV};

/// How long it may take to answer, and to end.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(50);

/// Its files.
pub(crate) struct Config {
    file: PathBuf,
    log: PathBuf,
    /// The directory of its database.
    pub(crate) state: PathBuf,
    /// Where its API is.
    pub(crate) socket: PathBuf,
}

/// A running bwmon, ended when dropped.
pub(crate) struct Daemon {
    process: Child,
    log: PathBuf,
}

/// Writes its files; events go to `receiver`.
///
/// # Errors
/// When they can't be written.
pub(crate) fn configure(home: &Home, receiver: SocketAddr) -> Result<Config> {
    let directory = home.directory();
    let config = Config {
        file: directory.join("bwmon.toml"),
        log: directory.join("log"),
        state: directory.join("state"),
        socket: directory.join("api.sock"),
    };
    fs::create_dir(&config.state).context("make the state directory")?;
    let write = |path: &Path, text: &str| {
        fs::write(path, text).with_context(|| format!("write {}", path.display()))
    };
    write(&config.file, &settings(&config.socket, receiver))?;
    write(&directory.join("registered_devices.json"), &devices())?;
    Ok(config)
}

fn settings(socket: &Path, receiver: SocketAddr) -> String {
    let socket = socket.display();
    format!(
        r#"interfaces = {INTERFACES:?}
state_dir = "state"

[http]
listen = "unix:{socket}"

# What this machine knows of names has no place in the demo.
[names]
dhcp = false
ethers = false
hosts = false
dns = false

[[notify]]
type = "webhook"
name = "demo"
url = "http://{receiver}/"
"#
    )
}

/// Thresholds are such that something happens in a minute.
fn devices() -> String {
    let rules = |name: &str| match name {
        _ if name == CAMERA.name => {
            r#""group": "things", "rate_threshold": { "sent": "5 Mbit/s", "severity": "critical" }"#
        }
        _ if name == TV.name => r#""group": "living room", "bandwidth_threshold": "60 MB""#,
        _ if name == LAPTOP.name || name == DESKTOP.name => r#""group": "desk", "quota": "500 GB""#,
        _ if name == PHONE.name => r#""bandwidth_threshold": "3 GB""#,
        _ if name == NAS.name => r#""group": "things", "max_active_time": "off""#,
        _ => r#""mute": false"#,
    };
    let entries = DEVICES.map(|device| {
        let (mac, name) = (device.mac(), device.name);
        format!("  \"{mac}\": {{ \"name\": \"{name}\", {} }}", rules(name))
    });
    format!("{{\n{}\n}}\n", entries.join(",\n"))
}

impl Daemon {
    /// Starts it, and waits until it answers.
    ///
    /// # Errors
    /// When it does not, with what it said.
    pub(crate) fn start(home: &Home, bwmon: &Path, config: &Config) -> Result<Self> {
        let log = File::create(&config.log).context("make the log")?;
        let mut command = Command::new("ip");
        command
            .args(["netns", "exec", &home.router_name()])
            // Each of these becomes the next, so bwmon is our child, and it ends when we are killed.
            .args(["setpriv", "--pdeathsig", "TERM"])
            .arg(bwmon)
            .args(["run", "--config"])
            .arg(&config.file)
            .stdin(Stdio::null())
            .stdout(log.try_clone().context("share the log")?)
            .stderr(log)
            // Ctrl-C is for us alone: we end it.
            .process_group(0);
        let process = command.spawn().context("start `ip netns exec`")?;
        let mut daemon = Self {
            process,
            log: config.log.clone(),
        };
        let deadline = Instant::now() + PATIENCE;
        while UnixStream::connect(&config.socket).is_err() {
            if let Some(status) = daemon.ended()? {
                bail!("bwmon ended with {status}, after it said: {}", daemon.log());
            }
            ensure!(
                Instant::now() < deadline,
                "bwmon does not answer; it said: {}",
                daemon.log()
            );
            thread::sleep(PAUSE);
        }
        Ok(daemon)
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    /// When the kernel does not tell.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.process.try_wait().context("look whether bwmon runs")
    }

    /// What it said.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Ends it in good order, or else by force.
    ///
    /// # Errors
    /// When it can't be ended.
    pub(crate) fn stop(mut self) -> Result<()> {
        self.end()
    }

    fn end(&mut self) -> Result<()> {
        if self.ended()?.is_some() {
            return Ok(());
        }
        let pid = i32::try_from(self.process.id()).context("a process id is positive")?;
        kill(Pid::from_raw(pid), Signal::SIGTERM).context("ask bwmon to end")?;
        let deadline = Instant::now() + PATIENCE;
        while self.ended()?.is_none() {
            if Instant::now() > deadline {
                self.process.kill().context("kill bwmon")?;
                self.process.wait().context("wait for bwmon")?;
                return Ok(());
            }
            thread::sleep(PAUSE);
        }
        Ok(())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            eprintln!("bwmon-demo: {error:#}");
        }
    }
}
