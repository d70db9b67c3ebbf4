//! Of the commands that ask for the past.

use std::path::PathBuf;

use clap::{
    ArgGroup, Args, Subcommand, ValueEnum,
    builder::{PossibleValuesParser, TypedValueParser},
};

use crate::{
    config::units,
    core::policy::Scope,
    past::{By, Period},
};

/// Of `report`.
#[derive(Args, Clone, Debug, Default)]
#[command(group = ArgGroup::new("period").args(["day", "week", "month", "cycle"]))]
pub struct ReportArgs {
    /// Today, or the day with --from in it
    #[arg(long)]
    pub day: bool,
    /// This week, from Monday on
    #[arg(long)]
    pub week: bool,
    /// This month
    #[arg(long)]
    pub month: bool,
    /// This billing cycle, with quotas and what it will end with
    #[arg(long)]
    pub cycle: bool,
    /// From then on: a day, a local time, -24h; or a time in the period [default: midnight]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub from: Option<String>,
    /// Until then; of a day, its end [default: now]
    #[arg(
        long,
        value_name = "TIME",
        allow_hyphen_values = true,
        conflicts_with = "period"
    )]
    pub to: Option<String>,
    /// What a line is about
    #[arg(long, value_enum, value_name = "WHAT", default_value = "device")]
    pub by: ByWhat,
    /// Only so many lines, and all others as one
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub top: Option<u16>,
    /// Which traffic [default: internet; all on a machine that does not route]
    #[arg(long, value_parser = scope())]
    pub scope: Option<Scope>,
    /// With the 95th percentile of rates
    #[arg(long)]
    pub p95: bool,
    /// Exit with status 1 if all together is more, as "500 GB"
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub limit: Option<u64>,
    /// Where it is asked, and how it is printed.
    #[command(flatten)]
    pub form: Form,
}

/// Of `history`.
#[derive(Args, Clone, Debug, Default)]
#[command(args_conflicts_with_subcommands = true)]
pub struct HistoryArgs {
    /// What to do, other than to show it.
    #[command(subcommand)]
    pub action: Option<HistoryAction>,
    /// Its id, address or name; group:NAME or interface:NAME [default: all devices together]
    #[arg(value_name = "DEVICE")]
    pub device: Option<String>,
    /// From then on: a day, a local time, -24h [default: a day before the end]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub from: Option<String>,
    /// Until then; of a day, its end [default: now]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub to: Option<String>,
    /// How long a step is, as 5m or 1d [default: such that there are some hundred]
    #[arg(long, value_name = "DURATION")]
    pub step: Option<String>,
    /// Which traffic the chart is about [default: internet; all on a machine that does not route]
    #[arg(long, value_parser = scope())]
    pub scope: Option<Scope>,
    /// Where it is asked, and how it is printed.
    #[command(flatten)]
    pub form: Form,
}

/// What to do with history.
#[derive(Clone, Debug, Subcommand)]
pub enum HistoryAction {
    /// Copy all of it to a file, also while bwmon runs
    Backup(BackupArgs),
}

/// Of `history backup`.
#[derive(Args, Clone, Debug)]
pub struct BackupArgs {
    /// Where to
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Replace the file if it is there
    #[arg(long)]
    pub force: bool,
    /// Where history is kept [default: the configured directory]
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
}

/// Where something is asked, and how it is printed.
#[derive(Args, Clone, Debug, Default)]
pub struct Form {
    /// Print what the API answers
    #[arg(long)]
    pub json: bool,
    /// Print it as comma-separated values
    #[arg(long, conflicts_with = "json")]
    pub csv: bool,
    /// Read this database, as a backup, and ask no bwmon
    #[arg(long, value_name = "FILE", conflicts_with = "api")]
    pub database: Option<PathBuf>,
}

/// What a line is about, as words of the command line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ByWhat {
    /// A device
    #[default]
    Device,
    /// All devices of a group
    Group,
    /// What an interface carried
    Interface,
    /// An hour
    Hour,
    /// A day
    Day,
}

impl ByWhat {
    /// As the API calls it.
    pub(in crate::cli) fn as_str(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Group => "group",
            Self::Interface => "interface",
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }
}

impl From<ByWhat> for By {
    fn from(what: ByWhat) -> Self {
        match what {
            ByWhat::Device => Self::Device,
            ByWhat::Group => Self::Group,
            ByWhat::Interface => Self::Interface,
            ByWhat::Hour => Self::Hour,
            ByWhat::Day => Self::Day,
        }
    }
}

impl ReportArgs {
    /// The period that is asked for, and what the API calls it. Without anything, today.
    pub(in crate::cli) fn period(&self) -> Option<(Period, &'static str)> {
        match self {
            Self { week: true, .. } => Some((Period::Week, "week")),
            Self { month: true, .. } => Some((Period::Month, "month")),
            Self { cycle: true, .. } => Some((Period::Cycle, "cycle")),
            Self { day: true, .. } => Some((Period::Day, "day")),
            Self {
                from: None,
                to: None,
                ..
            } => Some((Period::Day, "day")),
            _ => None,
        }
    }
}

fn scope() -> impl TypedValueParser<Value = Scope> {
    PossibleValuesParser::new(Scope::ALL.map(Scope::as_str)).try_map(|text| {
        let mut all = Scope::ALL.into_iter();
        all.find(|scope| scope.as_str() == text)
            .ok_or("there is no such scope")
    })
}

fn size(text: &str) -> Result<u64, String> {
    units::parse_size(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::{Cli, Command};
    use super::*;

    fn report(line: &str) -> Result<ReportArgs, clap::Error> {
        let words = line.split(' ').map(|word| word.replace('_', " "));
        match Cli::try_parse_from(
            ["bwmon".to_owned(), "report".to_owned()]
                .into_iter()
                .chain(words),
        )?
        .command
        {
            Command::Report(args) => Ok(args),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_report_is_about_today_unless_somebody_says_otherwise() {
        for (line, expected) in [
            ("--json", Some("day")),
            ("--day --from 2026-03-08", Some("day")),
            ("--week", Some("week")),
            ("--month --from -40d", Some("month")),
            ("--cycle --limit 500_GB", Some("cycle")),
            ("--from -2h", None),
            ("--from 2026-03-01 --to 2026-03-07", None),
        ] {
            let period = report(line).unwrap().period().map(|(_, name)| name);
            assert_eq!(period, expected, "{line}");
        }
        let args = report("--limit 500GB --scope all --by hour --top 5").unwrap();
        assert_eq!(args.limit, Some(500_000_000_000));
        assert_eq!((args.scope, args.by), (Some(Scope::All), ByWhat::Hour));
        assert_eq!(args.top, Some(5));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for line in [
            "--day --week",
            "--month --to now",
            "--limit much",
            "--top 0",
            "--scope lan",
            "--by name",
            "--json --csv",
            "--database a.db --api unix:/a",
        ] {
            assert_eq!(report(line).unwrap_err().exit_code(), 2, "{line}");
        }
    }

    #[test]
    fn history_is_of_a_device_or_backed_up() {
        let parse = |line: &str| match Cli::try_parse_from(line.split(' ')).map(|cli| cli.command) {
            Ok(Command::History(args)) => args,
            other => panic!("{other:?}"),
        };
        let args = parse("bwmon history laptop --from -7d --step 1h --csv");
        assert_eq!(args.device.as_deref(), Some("laptop"));
        assert_eq!(args.from.as_deref(), Some("-7d"));
        assert!(parse("bwmon history").device.is_none());
        let args = parse("bwmon history backup /b.db --force --config c");
        let Some(HistoryAction::Backup(backup)) = args.action else {
            panic!("no backup")
        };
        assert!(backup.force && backup.file == std::path::Path::new("/b.db"));
    }
}
