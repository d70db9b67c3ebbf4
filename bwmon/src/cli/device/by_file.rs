//! The file changed from here, and a running daemon told to read it.

use std::{
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use nix::{
    errno::Errno,
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde::Deserialize;
use serde_json::Value;

use super::{
    super::{
        args::{FileArgs, Options},
        client::Client,
        printable::printable,
        wait,
    },
    find::Target,
};
use crate::{
    config::{self, Change, Config, Overrides, change_file, read_entry},
    core::policy,
    http::Registration,
    store,
};

const STATUS: &str = "/api/v1/status";
/// How long a daemon may take to read the file.
const READ_WITHIN: Duration = Duration::from_secs(3);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The files of the configuration.
pub(super) struct ByFile(Config);

/// What a daemon says of its configuration.
#[derive(Deserialize)]
struct Status {
    configuration: Configuration,
    warnings: Vec<String>,
}

#[derive(Deserialize)]
struct Configuration {
    #[serde(default)]
    devices_file: Option<PathBuf>,
    #[serde(default)]
    reloads: u64,
}

impl ByFile {
    pub(super) fn of(options: &Options, files: &FileArgs) -> anyhow::Result<Self> {
        let overrides = Overrides {
            config: options.config.clone(),
            devices: files.devices.clone(),
            state_dir: files.state_dir.clone(),
            ..Overrides::default()
        };
        Ok(Self(config::load(&overrides)?))
    }

    pub(super) fn registered(&self) -> &[policy::Registration] {
        &self.0.policy.registered
    }

    pub(super) fn entry(&self, target: &Target) -> anyhow::Result<Option<Registration>> {
        let file = &self.0.devices_file;
        let entry = read_entry(file, &target.whom)?;
        Ok(entry.and_then(|entry| match entry.value {
            Value::Object(fields) => Some(Registration {
                key: entry.key,
                file: file.clone(),
                entry: fields,
            }),
            _ => None,
        }))
    }

    /// Changes the file, has it read, and says both. `answers`: a daemon does.
    pub(super) fn change(
        &self,
        target: &Target,
        change: &Change,
        client: &Client,
        answers: bool,
    ) -> anyhow::Result<String> {
        let Config {
            devices_file,
            state_dir,
            ..
        } = &self.0;
        let before = match answers {
            true => Some(ask(client)?),
            false => None,
        };
        let theirs = before
            .as_ref()
            .and_then(|before| before.configuration.devices_file.as_deref());
        if let Some(theirs) = theirs.filter(|theirs| !is_same(theirs, devices_file)) {
            let theirs = theirs.display().to_string();
            bail!(
                "the running bwmon reads {}, not {}; nothing was changed. Name its file by --devices, \
                 or its configuration by --config",
                printable(&theirs),
                devices_file.display()
            );
        }
        let changed = change_file(devices_file, &target.whom, change)?;
        let file = changed.file.display();
        let written = format!("{file} has the entry {:?}\n", changed.key);
        let process = store::holder(state_dir).with_context(|| {
            format!(
                "{file} is changed, but it can't be found out which bwmon uses {}, so none was told: \
                 reload it (systemctl reload bwmon)",
                state_dir.display()
            )
        })?;
        let Some(process) = process else {
            if before.is_some() {
                bail!(
                    "{file} is changed, but no bwmon uses {}: reload the one that runs (systemctl \
                     reload bwmon), or name its directory by --state-dir",
                    state_dir.display()
                );
            }
            return Ok(written + "no bwmon is running; the next one reads it\n");
        };
        let signal = i32::try_from(process)
            .map_err(|_| Errno::ESRCH)
            .and_then(|process| kill(Pid::from_raw(process), Signal::SIGHUP));
        signal.with_context(|| {
            format!("{file} is changed, but bwmon (process {process}) can't be told to read it")
        })?;
        let told = match before {
            Some(before) => {
                wait_until_read(client, before.configuration.reloads)
                    .with_context(|| format!("{file} is changed"))?;
                "has read it"
            }
            None => "was told to read it",
        };
        Ok(format!("{written}bwmon (process {process}) {told}\n"))
    }
}

fn ask(client: &Client) -> anyhow::Result<Status> {
    wait(client.get(STATUS, &[]))
}

/// Waits until a daemon has read its configuration anew, and took it.
fn wait_until_read(client: &Client, reloads: u64) -> anyhow::Result<()> {
    let until = Instant::now() + READ_WITHIN;
    loop {
        if ask(client)?.configuration.reloads > reloads {
            let not_taken = "the configuration was not reloaded";
            // Both were looked at one after the other: now they are of the same time.
            let warnings = ask(client)?.warnings;
            let mut warnings = warnings.iter();
            return match warnings.find(|warning| warning.starts_with(not_taken)) {
                Some(warning) => bail!("but not in force: {}", printable(warning)),
                None => Ok(()),
            };
        }
        if Instant::now() > until {
            bail!(
                "but bwmon did not read it within {} s; look at its log",
                READ_WITHIN.as_secs()
            );
        }
        thread::sleep(LOOK_EVERY);
    }
}

/// Whether two paths lead to the same file, there or not.
fn is_same(one: &Path, other: &Path) -> bool {
    one == other
        || matches!(
            (one.canonicalize(), other.canonicalize()),
            (Ok(one), Ok(other)) if one == other
        )
}
