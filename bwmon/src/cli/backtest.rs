//! `bwmon backtest`: what would have fired in a recording?

mod history;
mod suggest;

use std::{
    fmt::Write as _,
    fs::File,
    io::{self, Read},
    path::Path,
    process::ExitCode,
    time::Duration,
};

use anstyle::{AnsiColor, Style};
use anyhow::Context;
use ipnet::IpNet;
use jiff::tz::TimeZone;

use super::{
    args::{BacktestArgs, Options},
    json::pretty,
    output::{Look, print},
    printable::printable,
    table::{Column, Table},
};
use crate::{
    config::{self, Config, LocalNetworks, Overrides},
    core::{
        event::{Direction, RuleKind, Unit},
        human,
    },
    replay::{
        Setup,
        history::suggest::{LEAST_DAYS, suggest as recommend},
        play_capture, play_series,
        report::{Basis, FoundAlert, Report},
        series::Series,
    },
};

/// Exit status when something would have fired.
const FOUND: u8 = 1;
const STDIN: &str = "-";

/// Local where nobody says otherwise: what homes use (RFC 1918, 3927, 4193, 4291).
const PRIVATE: [&str; 6] = [
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "169.254.0.0/16",
    "fc00::/7",
    "fe80::/10",
];

const ALERTS: [Column; 6] = [
    Column::text("STARTED"),
    Column::number("LASTED"),
    Column::text("RULE"),
    Column::rest("DEVICE"),
    Column::number("OBSERVED"),
    Column::number("THRESHOLD"),
];

const TALLIES: [Column; 4] = [
    Column::text("RULE"),
    Column::rest("DEVICE"),
    Column::number("ALERTS"),
    Column::number("PER WEEK"),
];

/// Plays the recording and prints what would have fired. Status 1 when something would have.
///
/// # Errors
///
/// When there is a mistake in the configuration, or the recording can't be read.
pub fn backtest(options: &Options, args: &BacktestArgs) -> anyhow::Result<ExitCode> {
    let config = config::load(&Overrides {
        config: options.config.clone(),
        devices: args.devices.clone(),
        ..Overrides::default()
    })?;
    if args.suggest {
        return propose(options, args, &config);
    }
    let played = match (&args.series, &args.capture) {
        (Some(path), _) => series(&config, path)?,
        (None, Some(path)) => capture(config, args, path)?,
        (None, None) => history::play(&config, args)?,
    };
    let text = if args.json {
        pretty(&serde_json::to_string(&played.report.alerts)?)
    } else {
        render(&played, Look::of_stdout(options.color))
    };
    print(&text)?;
    Ok(match played.report.alerts.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(FOUND),
    })
}

/// Prints what is proposed. Status 1 when there is too little to go by.
fn propose(options: &Options, args: &BacktestArgs, config: &Config) -> anyhow::Result<ExitCode> {
    let recording = history::open(config, args)?;
    let suggestions = recommend(&recording, &config.policy, args.per_week)?;
    let is_enough = suggestions.days >= LEAST_DAYS;
    let text = if args.json {
        pretty(&serde_json::to_string(&suggestions.proposals)?)
    } else if args.as_config && is_enough {
        suggest::snippet(&suggestions)
    } else {
        suggest::table(&suggestions, args.per_week, Look::of_stdout(options.color))
    };
    if !is_enough && (args.json || args.as_config) {
        anyhow::bail!("{}", suggest::too_short(&suggestions).trim_end());
    }
    print(&text)?;
    Ok(match is_enough {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(FOUND),
    })
}

/// A report, and how it came about.
struct Played {
    report: Report,
    /// What a record of it is.
    records: &'static str,
    zone: TimeZone,
    /// How it was played.
    notes: Vec<String>,
}

fn series(config: &Config, path: &Path) -> anyhow::Result<Played> {
    let shown = printable(&path.to_string_lossy()).into_owned();
    let series = Series::read(open(path)?).with_context(|| shown)?;
    let name = match path.file_stem() {
        Some(stem) if path != Path::new(STDIN) => stem.to_string_lossy().into_owned(),
        _ => "stdin".to_owned(),
    };
    let interval = human::duration(series.interval);
    Ok(Played {
        report: play_series(&config.policy, &name, &series),
        records: "rows",
        zone: TimeZone::UTC,
        notes: vec![format!(
            "a row holds for {interval} from its time on; days are in UTC"
        )],
    })
}

fn capture(config: Config, args: &BacktestArgs, path: &Path) -> anyhow::Result<Played> {
    let shown = printable(&path.to_string_lossy()).into_owned();
    let (networks, whence) = networks(&config.local_networks, &args.local);
    let list: Vec<String> = networks.iter().map(ToString::to_string).collect();
    let interval = args.interval.unwrap_or(config.poll_interval);
    let setup = Setup {
        policy: config.policy,
        zone: config.timezone.clone(),
        networks,
        interval,
    };
    let report = play_capture(setup, open(path)?).with_context(|| shown)?;
    Ok(Played {
        report,
        records: "frames",
        zone: config.timezone,
        notes: vec![format!("local networks: {}, {whence}", list.join(", "))],
    })
}

/// The networks that are local, and who says so.
fn networks(configured: &LocalNetworks, named: &[IpNet]) -> (Vec<IpNet>, &'static str) {
    match configured {
        _ if !named.is_empty() => (IpNet::aggregate(&named.to_vec()), "by --local"),
        LocalNetworks::List(list) => (list.clone(), "by the configuration"),
        LocalNetworks::Auto => {
            let private = PRIVATE.iter().filter_map(|net| net.parse().ok());
            (private.collect(), "as nobody says which; see --local")
        }
    }
}

fn open(path: &Path) -> anyhow::Result<Box<dyn Read>> {
    if path == Path::new(STDIN) {
        return Ok(Box::new(io::stdin().lock()));
    }
    let file = File::open(path)
        .with_context(|| format!("cannot open {}", printable(&path.to_string_lossy())))?;
    Ok(Box::new(file))
}

fn render(played: &Played, look: Look) -> String {
    let Played {
        report,
        records,
        zone,
        notes,
    } = played;
    let mut text = if report.alerts.is_empty() {
        "nothing would have fired\n".to_owned()
    } else {
        let alerts = alerts(&report.alerts).render(look);
        format!("{alerts}\n{}", tallies(report).render(look))
    };
    text.push('\n');
    let read = &report.read;
    let mut line = |name: &str, value: &str| {
        // Writing to a string does not fail.
        writeln!(text, "{name:<10}{value}").ok();
    };
    let devices = match read.devices {
        1 => "1 device".to_owned(),
        count => format!("{count} devices"),
    };
    line(
        "read",
        &format!(
            "{} {records}, {}, {devices}",
            read.records,
            human::bytes(read.bytes)
        ),
    );
    if let Some((from, to)) = read.period {
        let moment = |at: jiff::Timestamp| {
            let at = at.to_zoned(zone.clone());
            at.strftime("%Y-%m-%d %H:%M:%S").to_string()
        };
        let played = human::duration(read.played);
        line(
            "period",
            &format!("{} to {}, {played}", moment(from), moment(to)),
        );
    }
    for note in notes {
        line("note", note);
    }
    for warning in &report.warnings {
        line("warning", warning);
    }
    text
}

fn alerts(alerts: &[FoundAlert]) -> Table {
    let mut table = Table::new(&ALERTS);
    for alert in alerts {
        let duration = human::duration(Duration::from_secs(alert.duration_seconds));
        let (style, lasted) = match alert.ended_at {
            Some(_) => (Style::new(), duration),
            None => (
                AnsiColor::Red.on_default().bold(),
                format!("! > {duration}"),
            ),
        };
        let threshold = amount(alert.threshold, alert.unit);
        let row = [
            moment(&alert.started_at),
            lasted,
            match alert.basis {
                Some(Basis::Peak) => format!("~{}", rule(alert.rule, alert.direction)),
                Some(Basis::Average) | None => rule(alert.rule, alert.direction),
            },
            printable(&alert.name).into_owned(),
            amount(alert.observed, alert.unit),
            threshold,
        ];
        table.row(style, row);
    }
    table
}

fn tallies(report: &Report) -> Table {
    let mut table = Table::new(&TALLIES);
    for tally in report.tallies() {
        let per_week = tally.per_week.map(|count| format!("{count:.1}"));
        let row = [
            rule(tally.rule, tally.direction),
            printable(tally.name).into_owned(),
            tally.alerts.to_string(),
            per_week.unwrap_or_else(|| "-".to_owned()),
        ];
        table.row(Style::new(), row);
    }
    table
}

/// The rule, and whose bytes it looks at if that is not all.
fn rule(kind: RuleKind, direction: Direction) -> String {
    match direction {
        Direction::Total => kind.as_str().to_owned(),
        Direction::Sent | Direction::Received => {
            format!("{} {}", kind.as_str(), direction.as_str())
        }
    }
}

fn amount(value: u64, unit: Unit) -> String {
    match unit {
        Unit::Bytes => human::bytes(value),
        Unit::BytesPerSecond => human::bits_per_sec(value),
        Unit::Seconds => human::duration(Duration::from_secs(value)),
    }
}

/// `2026-03-08T14:03:11+01:00` to the second, without the offset, which is the same for all.
fn moment(rfc3339: &str) -> String {
    let moment = rfc3339.get(.."2026-03-08T14:03:11".len());
    moment.unwrap_or(rfc3339).replace('T', " ")
}

#[cfg(test)]
mod tests;
