//! The configuration: `bwmon.toml`, the registered devices, and what the command line overrides.
//!
//! [`load`] reads the files, checks them and returns a [`Config`], or every file's first mistake
//! with its line and column. Nothing here keeps state or follows a file as it changes: whoever wants
//! a new configuration calls [`load`] again, and keeps the old one if that fails. Which changes only
//! a restart brings into force, [`restart_needed`] says.
//!
//! Text from a file is printed with escapes, and the content of a secret never.

mod channel;
mod choice;
mod devices;
mod error;
mod file;
mod history;
pub mod interface;
mod listen;
mod load;
#[cfg(test)]
mod messages;
mod metrics;
mod names;
mod network;
mod reader;
mod restart;
mod rules;
mod schedule;
mod secret;
mod source;
pub mod units;
mod value;
mod visitor;
mod zone;

use std::{path::PathBuf, time::Duration};

use ipnet::IpNet;
use jiff::tz::TimeZone;

use crate::core::policy::Policy;

pub use self::{
    channel::{
        Alertmanager, Authorities, BodyTemplate, Channel, ChannelError, Email, Exec, HttpReceiver,
        Login, Method, Mqtt, Routing, Security, Shape, SigningKey, Target, TemplateError, Webhook,
    },
    choice::ChoiceError,
    devices::{
        Change, Changed, ENTRY_FIELDS, EditError, Entry, Whom, WriteError, change_file, read_entry,
    },
    error::{ConfigError, ConfigErrors, Mistake, Place},
    history::History,
    listen::ListenError,
    load::{Overrides, load},
    metrics::Metrics,
    names::{Names, Resolver},
    network::{NetworkError, SelectorError},
    restart::restart_needed,
    schedule::ScheduleError,
    secret::{Secret, SecretError, SecretOrigin},
    value::ValueError,
    zone::ZoneError,
};

/// Everything the daemon needs to know, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// Names or globs; empty: found automatically.
    pub interfaces: Vec<String>,
    /// How to attach on ingress.
    pub xdp_mode: XdpMode,
    /// How to attach TC programs.
    pub tc_mode: TcMode,
    /// Which networks are local.
    pub local_networks: LocalNetworks,
    /// Slots for addresses not found by arithmetic.
    pub max_addresses: u32,
    /// Time between two samples.
    pub poll_interval: Duration,
    /// Where history is kept.
    pub state_dir: PathBuf,
    /// The bpffs directory that tables are pinned in; `None`: not pinned.
    pub pin: Option<PathBuf>,
    /// For days and for what people read.
    pub timezone: TimeZone,
    /// The HTTP listener.
    pub http: Http,
    /// How history is kept.
    pub history: History,
    /// Who is asked what a device is called.
    pub names: Names,
    /// What is shown to Prometheus.
    pub metrics: Metrics,
    /// Where events go.
    pub notify: Vec<Channel>,
    /// Names and thresholds.
    pub policy: Policy,
    /// Where those of single devices are, or would be.
    pub devices_file: PathBuf,
    /// The files it was read from, for messages and `status`.
    pub sources: Vec<PathBuf>,
    /// What is accepted but worth knowing, for the log, `status` and `bwmon check`.
    pub warnings: Vec<String>,
}

/// How to attach on ingress.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum XdpMode {
    /// Native XDP, else TC.
    #[default]
    Auto,
    /// Native XDP or nothing.
    Native,
    /// Generic XDP or nothing.
    Generic,
    /// TC.
    Tc,
}

/// How to attach TC programs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum TcMode {
    /// TCX, else clsact.
    #[default]
    Auto,
    /// TCX or nothing.
    Tcx,
    /// clsact.
    Clsact,
}

/// Which networks are local.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LocalNetworks {
    /// The prefixes of the watched interfaces, followed as they change; on a machine that does not
    /// route, every remote address is counted.
    #[default]
    Auto,
    /// These.
    List(Vec<IpNet>),
}

/// Where the HTTP interface listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// A TCP socket.
    Tcp(std::net::SocketAddr),
    /// A Unix socket.
    Unix(PathBuf),
}

/// The HTTP interface.
#[derive(Clone, Debug)]
pub struct Http {
    /// Where it listens.
    pub listen: Listen,
    /// What readers must show.
    pub token: Option<Secret>,
}
