//! The command line, defined once: what is parsed here is also the help and the completions.

mod device;
mod past;
mod replayed;
mod top;

use std::path::PathBuf;

use clap::{
    ArgAction, ArgGroup, Args, ColorChoice, Parser, Subcommand, ValueEnum,
    builder::{PossibleValuesParser, TypedValueParser},
};
use clap_complete::Shell;
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

use crate::{
    config::{Overrides, XdpMode, units},
    core::event::RuleKind,
};

pub use self::{
    device::{DeviceAction, DeviceArgs, FileArgs, SetArgs, ShowArgs, UnsetArgs},
    past::{BackupArgs, ByWhat, Form, HistoryAction, HistoryArgs, ReportArgs},
    replayed::{BacktestArgs, ImportArgs, Since},
    top::TopArgs,
};

/// Heading of the options that all commands have.
const COMMON: &str = "Common options";

/// Counts each device's traffic in the kernel, compares it with thresholds, and says so
#[derive(Debug, Parser)]
#[command(name = "bwmon", version, arg_required_else_help = true)]
#[command(after_help = "Exit status: 0 done, 1 checked and found something, 2 error.")]
pub struct Cli {
    /// Common to all commands.
    #[command(flatten)]
    pub options: Options,
    /// What is asked for.
    #[command(subcommand)]
    pub command: Command,
}

/// Options common to all commands.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Configuration file
    #[arg(long, global = true, help_heading = COMMON, value_name = "PATH", env = "BWMON_CONFIG")]
    pub config: Option<PathBuf>,
    /// The bwmon to ask: http://ADDR:PORT or unix:PATH [default: the configured listener]
    #[arg(long, global = true, help_heading = COMMON, value_name = "URL", env = "BWMON_API")]
    pub api: Option<String>,
    /// File with the token to show [default: http.token_file of the configuration]
    #[arg(long, global = true, help_heading = COMMON, value_name = "PATH", env = "BWMON_TOKEN_FILE")]
    pub token_file: Option<PathBuf>,
    /// Say more; twice for still more
    #[arg(short, long, global = true, help_heading = COMMON, action = ArgAction::Count)]
    pub verbose: u8,
    /// When to use colours
    #[arg(long, global = true, help_heading = COMMON, value_enum, value_name = "WHEN")]
    #[arg(default_value = "auto")]
    pub color: ColorChoice,
}

/// What is asked for.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Count, compare and alert, until stopped
    Run(RunArgs),
    /// Who uses the line now, live on this terminal; from a running bwmon, or by itself
    Top(TopArgs),
    /// Check the configuration and say what `run` would do with it
    Check(RunArgs),
    /// How a running bwmon does: interfaces, coverage, warnings
    Status(StatusArgs),
    /// Who uses the line: rates now and usage today
    Devices(DevicesArgs),
    /// Name a device, group it, mute it, set its thresholds
    Device(DeviceArgs),
    /// What was unusual, newest first; and who takes care, and what not to hear of
    Alerts(AlertsArgs),
    /// Who used the line, and how much: today, this week, month, billing cycle, or any time
    Report(ReportArgs),
    /// What a device sent and received over time; and copies of all that is kept
    History(HistoryArgs),
    /// What would have fired in a recording, or in the recorded history; and what to set
    Backtest(BacktestArgs),
    /// Take in what other programs counted in the past
    Import(ImportArgs),
    /// Send a test to the channels, and say what the receivers answer
    NotifyTest(NotifyTestArgs),
    /// Print what a shell needs to complete commands and options
    Completions(CompletionsArgs),
    /// Print the man page, or write those of all commands
    Man(ManArgs),
}

/// What overrides the configuration while it runs.
#[derive(Args, Clone, Debug, Default)]
pub struct RunArgs {
    /// Interface that faces the devices; may be repeated [default: found automatically]
    #[arg(long, value_name = "NAME")]
    pub iface: Vec<String>,
    /// Where the HTTP interface listens
    #[arg(long, value_name = "ADDR:PORT|unix:PATH")]
    pub listen: Option<String>,
    /// Where history is kept
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// Registered devices: names and thresholds
    #[arg(long, value_name = "FILE")]
    pub devices: Option<PathBuf>,
    /// How to count what comes in
    #[arg(long, value_enum, value_name = "MODE")]
    pub xdp_mode: Option<XdpMode>,
}

impl RunArgs {
    /// In the words of the configuration, which checks them.
    pub fn overrides(&self, options: &Options) -> Overrides {
        Overrides {
            config: options.config.clone(),
            interfaces: self.iface.clone(),
            listen: self.listen.clone(),
            state_dir: self.state_dir.clone(),
            devices: self.devices.clone(),
            xdp_mode: self.xdp_mode,
        }
    }
}

/// Of `status`.
#[derive(Args, Clone, Debug, Default)]
pub struct StatusArgs {
    /// Print what the API answers
    #[arg(long)]
    pub json: bool,
}

/// Of `devices`.
#[derive(Args, Clone, Debug, Default)]
pub struct DevicesArgs {
    /// Who they are: who gave them their names, MACs, vendors
    #[arg(long, conflicts_with = "json")]
    pub long: bool,
    /// Print what the API answers
    #[arg(long)]
    pub json: bool,
}

/// Of `alerts`.
#[derive(Args, Clone, Debug, Default)]
#[command(args_conflicts_with_subcommands = true)]
pub struct AlertsArgs {
    /// What to do, other than to list them.
    #[command(subcommand)]
    pub action: Option<AlertsAction>,
    /// Only those in this state
    #[arg(long, value_enum)]
    pub state: Option<StateFilter>,
    /// Only those about this device: its id or an address
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<String>,
    /// At most so many
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub limit: Option<u16>,
    /// Print what the API answers
    #[arg(long)]
    pub json: bool,
}

/// What to do about alerts.
#[derive(Clone, Debug, Subcommand)]
pub enum AlertsAction {
    /// Say that somebody takes care of an alert: no more reminders
    Ack(AckArgs),
    /// Not to hear of a device or a rule, for a while
    Mute(MuteArgs),
    /// To hear of it again
    Unmute(UnmuteArgs),
    /// What is muted
    Mutes(MutesArgs),
}

/// Of `alerts ack`.
#[derive(Args, Clone, Debug)]
pub struct AckArgs {
    /// Id of the alert, or the first characters of it
    pub id: String,
    /// Who takes care [default: the user]
    #[arg(long, value_name = "NAME", conflicts_with = "undo")]
    pub by: Option<String>,
    /// Nobody does after all: reminders go on
    #[arg(long)]
    pub undo: bool,
}

/// Of `alerts mute`.
#[derive(Args, Clone, Debug)]
#[command(group = ArgGroup::new("what").required(true).multiple(true).args(["device", "rule", "all"]))]
pub struct MuteArgs {
    /// Only this device: its id or an address; or group:NAME, interface:NAME
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<String>,
    /// Only this rule
    #[arg(long, value_parser = rules())]
    pub rule: Option<RuleKind>,
    /// Everything
    #[arg(long, conflicts_with_all = ["device", "rule"])]
    pub all: bool,
    /// For so long, as 2h or 1d12h [default: until it is unmuted]
    #[arg(long = "for", value_name = "DURATION", value_parser = seconds)]
    pub seconds: Option<u64>,
    /// Until then: 2026-03-08T16:00 by the clock of this machine, or with an offset
    #[arg(long, value_name = "TIME", value_parser = time, conflicts_with = "seconds")]
    pub until: Option<Timestamp>,
    /// Why, for those who see it
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

/// Of `alerts unmute`.
#[derive(Args, Clone, Debug)]
pub struct UnmuteArgs {
    /// Id of the mute, or the first characters of it
    pub id: String,
}

/// Of `alerts mutes`.
#[derive(Args, Clone, Debug, Default)]
pub struct MutesArgs {
    /// Print what the API answers
    #[arg(long)]
    pub json: bool,
}

/// Of `notify-test`.
#[derive(Args, Clone, Debug, Default)]
pub struct NotifyTestArgs {
    /// Only to the channel of this name
    #[arg(long, value_name = "NAME")]
    pub channel: Option<String>,
    /// Print what happened as JSON
    #[arg(long)]
    pub json: bool,
}

/// Of `completions`.
#[derive(Args, Clone, Debug)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Of `man`.
#[derive(Args, Clone, Debug, Default)]
pub struct ManArgs {
    /// Write a page for each command into this directory
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

fn rules() -> impl TypedValueParser<Value = RuleKind> {
    PossibleValuesParser::new(RuleKind::ALL.map(RuleKind::as_str)).try_map(|text| {
        let mut all = RuleKind::ALL.into_iter();
        all.find(|rule| rule.as_str() == text)
            .ok_or("there is no such rule")
    })
}

fn seconds(text: &str) -> Result<u64, String> {
    let duration = units::parse_duration(text).map_err(|error| error.to_string())?;
    match duration.as_secs() {
        0 => Err("at least 1s".to_owned()),
        seconds => Ok(seconds),
    }
}

/// With an offset, or by the clock of this machine.
fn time(text: &str) -> Result<Timestamp, String> {
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    let local: Option<DateTime> = text.parse().ok();
    local
        .and_then(|local| local.to_zoned(TimeZone::system()).ok())
        .map(|zoned| zoned.timestamp())
        .ok_or_else(|| {
            "write a time such as 2026-03-08T16:00 or 2026-03-08T16:00:00+01:00".to_owned()
        })
}

/// The states of an alert, as words of the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StateFilter {
    /// Broken, but not yet for long enough
    Pending,
    /// Somebody was told
    Firing,
    /// Over
    Resolved,
}

impl StateFilter {
    /// As the API calls it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Firing => "firing",
            Self::Resolved => "resolved",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split(' '))
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn common_options_go_before_and_after_the_command() {
        for line in [
            "bwmon --api unix:/a -vv status",
            "bwmon status --api unix:/a -v -v",
        ] {
            let options = parse(line).unwrap().options;
            assert_eq!(options.api.as_deref(), Some("unix:/a"), "{line}");
            assert_eq!(options.verbose, 2, "{line}");
        }
    }

    #[test]
    fn run_and_check_take_what_overrides_the_file() {
        for command in ["run", "check"] {
            let line = format!(
                "bwmon {command} --iface br-lan --iface eth1 --listen 127.0.0.1:4001 \
                 --state-dir /s --devices d.json --xdp-mode tc --config b.toml"
            );
            let cli = parse(&line).unwrap();
            let (Command::Run(args) | Command::Check(args)) = cli.command else {
                panic!("{line}")
            };
            assert_eq!(
                args.overrides(&cli.options),
                Overrides {
                    config: Some("b.toml".into()),
                    interfaces: vec!["br-lan".to_owned(), "eth1".to_owned()],
                    listen: Some("127.0.0.1:4001".to_owned()),
                    state_dir: Some("/s".into()),
                    devices: Some("d.json".into()),
                    xdp_mode: Some(XdpMode::Tc),
                }
            );
        }
    }

    fn mute(line: &str) -> MuteArgs {
        match parse(line).unwrap().command {
            Command::Alerts(AlertsArgs {
                action: Some(AlertsAction::Mute(args)),
                ..
            }) => args,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_mute_has_a_subject_an_end_and_a_reason() {
        let args = mute("bwmon alerts mute --device tv --rule surge --for 1h30m --reason film");
        assert_eq!(args.device.as_deref(), Some("tv"));
        assert_eq!(args.rule, Some(RuleKind::Surge));
        assert_eq!(args.seconds, Some(5_400));
        assert_eq!(args.reason.as_deref(), Some("film"));

        for rule in RuleKind::ALL {
            let args = mute(&format!("bwmon alerts mute --rule {}", rule.as_str()));
            assert_eq!(args.rule, Some(rule));
        }

        let args = mute("bwmon alerts mute --all --until 2026-03-08T16:00:00+01:00");
        assert_eq!(args.until, "2026-03-08T15:00:00Z".parse().ok());
        let here = DateTime::constant(2026, 3, 8, 16, 0, 0, 0).to_zoned(TimeZone::system());
        let args = mute("bwmon alerts mute --all --until 2026-03-08T16:00");
        assert_eq!(args.until, here.ok().map(|here| here.timestamp()));
    }

    #[test]
    fn common_options_go_with_the_actions_of_alerts() {
        for line in [
            "bwmon --api unix:/a alerts ack 1234 --undo",
            "bwmon alerts ack 1234 --undo --api unix:/a",
        ] {
            let cli = parse(line).unwrap();
            assert_eq!(cli.options.api.as_deref(), Some("unix:/a"), "{line}");
        }
    }

    #[test]
    fn backtest_takes_a_capture_or_a_series() {
        let cli = parse("bwmon backtest a.pcap --local 10.0.0.0/8 --local fd00::/8 --interval 2s");
        let Command::Backtest(args) = cli.unwrap().command else {
            panic!("another command")
        };
        assert_eq!(args.capture, Some("a.pcap".into()));
        assert_eq!(args.local.len(), 2);
        assert_eq!(args.interval, Some(Duration::from_secs(2)));
        let cli = parse("bwmon backtest --since 30d --database a.db").unwrap();
        let Command::Backtest(args) = cli.command else {
            panic!("another command")
        };
        assert_eq!(
            args.since,
            Some(Since::Ago(Duration::from_secs(30 * 86_400)))
        );
        let cli = parse("bwmon backtest --suggest --since 2026-03-01 --per-week 1").unwrap();
        let Command::Backtest(args) = cli.command else {
            panic!("another command")
        };
        assert!(args.suggest && matches!(args.since, Some(Since::At(_))));
        let cli = parse("bwmon backtest --series a.csv --json").unwrap();
        let Command::Backtest(args) = cli.command else {
            panic!("another command")
        };
        assert_eq!(args.series, Some("a.csv".into()));
    }

    #[test]
    fn mistakes_are_errors_with_exit_status_2() {
        for line in [
            "bwmon",
            "bwmon walk",
            "bwmon status --jsn",
            "bwmon run --xdp-mode fast",
            "bwmon alerts --state open",
            "bwmon alerts --limit 0",
            "bwmon backtest",
            "bwmon backtest a.pcap --series a.csv",
            "bwmon backtest --series a.csv --local 10.0.0.0/8",
            "bwmon backtest a.pcap --local lan",
            "bwmon backtest a.pcap --interval 1ms",
            "bwmon backtest a.pcap --since 30d",
            "bwmon import",
            "bwmon import a.txt --device laptop",
            "bwmon import a.txt --to 2026-03-31",
            "bwmon import a.txt --faces up",
            "bwmon backtest --since yesterday",
            "bwmon backtest --since 30d --as-config",
            "bwmon backtest --suggest --per-week -1",
            "bwmon alerts --limit 1 mutes",
            "bwmon alerts ack",
            "bwmon alerts ack 1234 --by Ann --undo",
            "bwmon alerts mute",
            "bwmon alerts mute --for 2h",
            "bwmon alerts mute --all --device tv",
            "bwmon alerts mute --rule speed",
            "bwmon alerts mute --all --for soon",
            "bwmon alerts mute --all --for 0s",
            "bwmon alerts mute --all --until tomorrow",
            "bwmon alerts mute --all --for 2h --until 2026-03-08T16:00Z",
            "bwmon alerts unmute",
            "bwmon --color sometimes status",
        ] {
            assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line}");
        }
    }
}
