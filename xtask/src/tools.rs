//! The programs that the tests and checks call, and how each is had.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::cargo::Tool;
use crate::command::{self, on_path};
use crate::debian;
use crate::outcome::Outcome;
use crate::python;
use crate::workspace::Workspace;

/// A program that the tests call.
struct Program {
    name: &'static str,
    /// The Debian package it is in.
    package: &'static str,
    /// What the tests want it for.
    why: &'static str,
}

const PROGRAMS: [Program; 14] = [
    Program {
        name: "aiosmtpd",
        package: "python3-aiosmtpd",
        why: "is the mail server that events are mailed to",
    },
    Program {
        name: "bpftool",
        package: "bpftool",
        why: "tells what is attached, independently of bwmon",
    },
    Program {
        name: "chromium",
        package: "chromium",
        why: "is the browser that the dashboard is looked at in",
    },
    Program {
        name: "dnsmasq",
        // Not `dnsmasq`, which would start by itself.
        package: "dnsmasq-base",
        why: "is the DHCP server and resolver that knows what devices are called",
    },
    Program {
        name: "ethtool",
        package: "ethtool",
        why: "switches the offloads of test links",
    },
    Program {
        name: "iperf3",
        package: "iperf3",
        why: "makes traffic of many packets a second",
    },
    Program {
        name: "ip",
        package: "iproute2",
        why: "makes namespaces and links, and is the oracle of the counts",
    },
    Program {
        name: "mosquitto_sub",
        package: "mosquitto-clients",
        why: "is told over MQTT",
    },
    Program {
        name: "openssl",
        package: "openssl",
        why: "makes the tests' certificates, and checks signatures independently of bwmon",
    },
    Program {
        name: "setpriv",
        package: "util-linux",
        why: "takes the daemon's rights away, as the unit does",
    },
    Program {
        name: "systemd-analyze",
        package: "systemd",
        why: "checks the unit",
    },
    Program {
        name: "tcpreplay",
        package: "tcpreplay",
        why: "sends captures over a test link",
    },
    Program {
        name: "tmux",
        package: "tmux",
        why: "is the terminal that `bwmon top` is looked at in",
    },
    Program {
        name: "udhcpc",
        package: "udhcpc",
        why: "is the device that gets a lease",
    },
];

/// The servers of Debian that the tests start themselves, each with a configuration of its own. An
/// installed one would also start by itself, now and at each boot; so these are only unpacked.
const SERVERS: [Program; 3] = [
    Program {
        name: "mosquitto",
        package: "mosquitto",
        why: "is the broker that events are published to",
    },
    Program {
        name: "prometheus-alertmanager",
        package: "prometheus-alertmanager",
        why: "is the Alertmanager that alerts are posted to",
    },
    Program {
        name: "promtool",
        package: "prometheus",
        why: "judges metrics and alert rules; the Prometheus beside it scrapes",
    },
];

/// Letters, of which a browser on a server may have none.
const FONTS: [&str; 1] = ["fonts-inter"];

/// Where system programs are that are not on everybody's PATH.
const SYSTEM_DIRECTORIES: [&str; 2] = ["/usr/sbin", "/sbin"];

const CARGO_DENY: &str = "0.20.2";

/// Installs the programs that are not there.
///
/// # Errors
/// [`Outcome::ByHand`] when one is missing and cannot be installed from here.
pub(crate) fn ensure_programs(workspace: &Workspace) -> Result<()> {
    ensure(&PROGRAMS, debian::install)?;
    if debian::is_here() {
        debian::ensure(&FONTS, "the dashboard's pictures")?;
    }
    python::ensure(workspace)?;
    let servers = workspace.servers();
    // All that the machine lacks are unpacked together, the ones that were before as well.
    let is_here = |server: &Program| server.is_here() || server.is_below(&servers);
    if SERVERS.iter().all(is_here) {
        return Ok(());
    }
    ensure(&SERVERS, |packages| debian::unpack(packages, &servers))
}

fn ensure(programs: &[Program], get: impl FnOnce(&[&str]) -> Result<()>) -> Result<()> {
    let missing: Vec<&Program> = programs
        .iter()
        .filter(|program| !program.is_here())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    for Program { name, why, .. } in &missing {
        eprintln!("missing for the tests: {name}, which {why}");
    }
    let packages: Vec<&str> = missing.iter().map(|program| program.package).collect();
    if debian::is_here() {
        return get(&packages);
    }
    let names: Vec<&str> = missing.iter().map(|program| program.name).collect();
    let why = format!("the tests need {}, and there is no apt", names.join(", "));
    let commands = [format!(
        "install {} by your package manager",
        packages.join(" ")
    )];
    Err(Outcome::by_hand(why, commands))
}

/// The cargo-deny to use, installed when there is none.
///
/// # Errors
/// When it cannot be compiled.
pub(crate) fn ensure_cargo_deny(workspace: &Workspace) -> Result<PathBuf> {
    let tool = Tool {
        name: "cargo-deny",
        version: CARGO_DENY,
        arguments: Vec::new(),
        environment: Vec::new(),
    };
    // Another version may read deny.toml another way.
    let wanted = format!("cargo-deny {CARGO_DENY}");
    let fits = |candidate: &PathBuf| {
        command::ask(Command::new(candidate).arg("--version"))
            .is_some_and(|version| version.trim() == wanted)
    };
    if let Some(present) = tool.candidates(workspace).into_iter().find(fits) {
        return Ok(present);
    }
    eprintln!("missing for the licence check: {wanted}");
    tool.install(workspace).context("build cargo-deny")
}

/// Sees to it that `cargo COMPONENT` works, which a minimal rustup leaves out.
///
/// # Errors
/// [`Outcome::ByHand`] when it does not and rustup cannot help.
pub(crate) fn ensure_component(component: &str) -> Result<()> {
    // The subcommand has the component's name, except that cargo says `fmt`.
    let subcommand = component.strip_prefix("rust").unwrap_or(component);
    if command::ask(Command::new("cargo").args([subcommand, "--version"])).is_some() {
        return Ok(());
    }
    let mut add = Command::new("rustup");
    add.args(["component", "add", component]);
    command::run(&mut add).map_err(|error| {
        let why = format!("`cargo {subcommand}` does not work, and {error:#}");
        Outcome::by_hand(why, [command::shown(&add)])
    })
}

impl Program {
    fn is_here(&self) -> bool {
        let is_in = |directory| Path::new(directory).join(self.name).is_file();
        on_path(self.name).is_some() || SYSTEM_DIRECTORIES.into_iter().any(is_in)
    }

    /// Whether it was unpacked there.
    fn is_below(&self, directory: &Path) -> bool {
        let is_in = |bin| directory.join(bin).join(self.name).is_file();
        ["usr/bin", "usr/sbin"].into_iter().any(is_in)
    }
}
