//! The arguments of commands about the past: `backtest` and `import`.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use ipnet::IpNet;
use jiff::{Timestamp, civil::Date};

use super::time;
use crate::{
    config::units,
    import::{Format, subjects::Faces},
};

/// Of `backtest`.
#[derive(Args, Clone, Debug, Default)]
pub struct BacktestArgs {
    /// A capture, pcap or pcapng; - is stdin
    #[arg(value_name = "FILE", required_unless_present_any = ["series", "since", "suggest"])]
    pub capture: Option<PathBuf>,
    /// A table with the columns timestamp and value, bytes from then on, instead; - is stdin
    #[arg(long, value_name = "FILE.csv", conflicts_with_all = ["capture", "local", "interval"])]
    pub series: Option<PathBuf>,
    /// The recorded history since then instead: 30d, or a day such as 2026-03-01
    #[arg(long, value_name = "TIME", value_parser = since)]
    #[arg(conflicts_with_all = ["capture", "series", "local", "interval"])]
    pub since: Option<Since>,
    /// The database with that history [default: the one in the configured state directory]
    #[arg(long, value_name = "FILE", conflicts_with_all = ["capture", "series"])]
    pub database: Option<PathBuf>,
    /// Propose thresholds from the history since 30 days, or --since
    #[arg(long, conflicts_with_all = ["capture", "series", "local", "interval"])]
    pub suggest: bool,
    /// With --suggest: alerts a week that each device and rule may have
    #[arg(long, value_name = "COUNT", value_parser = per_week, default_value = "0.25")]
    #[arg(requires = "suggest")]
    pub per_week: f64,
    /// With --suggest: print entries for registered_devices.json
    #[arg(long, requires = "suggest", conflicts_with = "json")]
    pub as_config: bool,
    /// Network that is local; may be repeated [default: the configured ones, else private ones]
    #[arg(long, value_name = "PREFIX")]
    pub local: Vec<IpNet>,
    /// Time between two samples [default: the configured one]
    #[arg(long, value_name = "TIME", value_parser = interval)]
    pub interval: Option<Duration>,
    /// Registered devices: names and thresholds
    #[arg(long, value_name = "FILE")]
    pub devices: Option<PathBuf>,
    /// Print the alerts as JSON
    #[arg(long)]
    pub json: bool,
}

/// Of `import`.
#[derive(Args, Clone, Debug, Default)]
pub struct ImportArgs {
    /// usage_log.txt of the Python script, or an export of vnStat or nlbwmon
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Who wrote them [default: found by what is in them]
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub format: Option<Format>,
    /// Whose it is: what a file calls somebody, and a device; may be repeated
    #[arg(long, value_name = "NAME=DEVICE", value_parser = pair)]
    pub device: Vec<(String, String)>,
    /// Of vnStat's interfaces only this one, perhaps under another name; may be repeated
    #[arg(long, value_name = "NAME[=NAME]", value_parser = pair_or_one)]
    pub interface: Vec<(String, String)>,
    /// What vnStat's interfaces face: your devices, or the internet
    #[arg(long, value_enum, value_name = "SIDE")]
    pub faces: Option<Faces>,
    /// First day that nlbwmon's export is about [default: the one in the file's name]
    #[arg(long, value_name = "DAY")]
    pub from: Option<Date>,
    /// Last day of that [default: a month from the first]
    #[arg(long, value_name = "DAY", requires = "from")]
    pub to: Option<Date>,
    /// Only say what would be taken in
    #[arg(long)]
    pub dry_run: bool,
    /// Where history is kept [default: the configured directory]
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// Registered devices: to find devices by name
    #[arg(long, value_name = "FILE")]
    pub devices: Option<PathBuf>,
    /// Print what was taken in as JSON
    #[arg(long)]
    pub json: bool,
}

/// From when on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// So long ago.
    Ago(Duration),
    /// Then.
    At(Timestamp),
}

/// So long ago, or a day or time by the clock of this machine.
fn since(text: &str) -> Result<Since, String> {
    if let Ok(duration) = units::parse_duration(text) {
        return Ok(Since::Ago(duration));
    }
    time(text)
        .map(Since::At)
        .map_err(|_| "write a duration such as 30d, or a day such as 2026-03-01".to_owned())
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.rsplit_once('=') {
        Some((from, to)) if !from.is_empty() && !to.is_empty() => {
            Ok((from.to_owned(), to.to_owned()))
        }
        _ => Err("write what the file says, =, and what it is here".to_owned()),
    }
}

fn pair_or_one(text: &str) -> Result<(String, String), String> {
    match text.contains('=') {
        true => pair(text),
        false => Ok((text.to_owned(), text.to_owned())),
    }
}

fn per_week(text: &str) -> Result<f64, String> {
    let count = text.parse().ok();
    count
        .filter(|count| (0.0..=1000.0).contains(count))
        .ok_or_else(|| "write a number from 0 to 1000".to_owned())
}

pub(super) fn interval(text: &str) -> Result<Duration, String> {
    let limits = Duration::from_millis(100)..=Duration::from_secs(60);
    let interval = units::parse_duration(text).map_err(|error| error.to_string())?;
    if limits.contains(&interval) {
        Ok(interval)
    } else {
        Err("write a duration from 100ms to 60s".to_owned())
    }
}
