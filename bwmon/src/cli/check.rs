//! `bwmon check`: is the configuration right, and what would `run` do with it?

use std::{fmt::Write as _, process::ExitCode};

use super::{
    args::{Options, RunArgs},
    output,
};
use crate::{
    config::{self, Config, LocalNetworks},
    core::{human, policy::Rules},
};

/// Exit status of a check that found something.
const FOUND: u8 = 1;

/// Reads the configuration as `run` would. Status 1 when there is a mistake in it.
pub fn check(options: &Options, args: &RunArgs) -> anyhow::Result<ExitCode> {
    match config::load(&args.overrides(options)) {
        Ok(config) => {
            output::print(&summary(&config))?;
            Ok(ExitCode::SUCCESS)
        }
        Err(errors) => {
            output::print(&format!("{errors}\n"))?;
            Ok(ExitCode::from(FOUND))
        }
    }
}

fn summary(config: &Config) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: String| {
        // Writing to a string does not fail.
        writeln!(text, "{name:<16}{value}").ok();
    };
    let list = |items: Vec<String>, none: &str| {
        if items.is_empty() {
            none.to_owned()
        } else {
            items.join(", ")
        }
    };
    let files = config
        .sources
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    line("files", list(files, "none: built-in defaults"));
    line(
        "interfaces",
        list(config.interfaces.clone(), "found automatically"),
    );
    line(
        "local networks",
        match &config.local_networks {
            LocalNetworks::Auto => "those of the interfaces".to_owned(),
            LocalNetworks::List(networks) => {
                list(networks.iter().map(ToString::to_string).collect(), "none")
            }
        },
    );
    line("listen", config.http.listen.to_string());
    line("state", config.state_dir.display().to_string());
    let channels = config.notify.iter().map(|channel| channel.name.clone());
    line(
        "notify",
        list(channels.collect(), "nobody: alerts are only shown"),
    );
    line(
        "devices",
        format!("{} registered", config.policy.registered.len()),
    );
    line(
        "unknown devices",
        thresholds(&config.policy.rules(None, &[])),
    );
    for warning in &config.warnings {
        line("warning", warning.clone());
    }
    line("result", "ok".to_owned());
    text
}

fn thresholds(rules: &Rules) -> String {
    let parts = [
        rules
            .volume()
            .map(|bytes| format!("{} a day", human::bytes(bytes))),
        rules
            .active_time()
            .map(|time| format!("active {} a day", human::duration(time))),
        rules
            .bytes_per_sec()
            .map(|rate| format!("rate {}", human::bits_per_sec(rate))),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() {
        "no thresholds".to_owned()
    } else {
        parts.join(", ")
    }
}
