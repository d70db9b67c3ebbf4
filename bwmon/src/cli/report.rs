//! `bwmon report`: who used the line, and how much.

use std::{fmt::Write as _, process::ExitCode};

use anstyle::{AnsiColor, Style};

use super::{
    args::{Options, ReportArgs},
    ask::{Answer, Question},
    output::{Look, print},
    printable::printable,
    table::{Column, Table},
};
use crate::{
    core::{human, policy::Scope},
    past::{By, Report, ReportAsked, Row},
};

const PATH: &str = "/api/v1/report";
/// Exit status when there was more than the limit.
const OVER: u8 = 1;

const WITH_PEAKS: [Column; 7] = [
    Column::rest("NAME"),
    Column::number("SENT"),
    Column::number("RECEIVED"),
    Column::number("TOTAL"),
    Column::number("SHARE"),
    Column::number("PEAK ↑"),
    Column::number("PEAK ↓"),
];
const PLAIN: [Column; 5] = [
    Column::rest("NAME"),
    Column::number("SENT"),
    Column::number("RECEIVED"),
    Column::number("TOTAL"),
    Column::number("SHARE"),
];
const WITH_PERCENTILES: [Column; 7] = [
    Column::rest("NAME"),
    Column::number("SENT"),
    Column::number("RECEIVED"),
    Column::number("TOTAL"),
    Column::number("SHARE"),
    Column::number("95 % ↑"),
    Column::number("95 % ↓"),
];
const CYCLE: [Column; 6] = [
    Column::rest("NAME"),
    Column::number("USED"),
    Column::number("QUOTA"),
    Column::number("OF IT"),
    Column::number("FORECAST"),
    Column::number("IN 4 OF 5 CASES"),
];

/// Asks and prints. Status 1 when all together is over the limit.
///
/// # Errors
///
/// When there is no answer, or stdout takes none.
pub fn report(options: &Options, args: &ReportArgs) -> anyhow::Result<ExitCode> {
    let period = args.period();
    let asked = ReportAsked {
        from: args.from.clone(),
        to: args.to.clone(),
        period: period.map(|(period, _)| period),
        by: args.by.into(),
        scope: args.scope,
        top: args.top.map(usize::from),
        p95: args.p95,
    };
    let mut query = vec![("by", args.by.as_str().to_owned())];
    query.extend(period.map(|(_, name)| ("period", name.to_owned())));
    query.extend(args.from.clone().map(|from| ("from", from)));
    query.extend(args.to.clone().map(|to| ("to", to)));
    query.extend(args.scope.map(|scope| ("scope", scope.as_str().to_owned())));
    query.extend(args.top.map(|top| ("top", top.to_string())));
    if args.p95 {
        query.push(("p95", "true".to_owned()));
    }
    let question = Question {
        path: PATH,
        query,
        to_past: &|past| Ok(past.answer_report(&asked)?),
        rows: |report: Report| {
            report
                .rows
                .into_iter()
                .chain(report.rest)
                .chain([report.sum])
        },
    };
    let answer = question.ask(options, &args.form)?;
    let total = answer.value().sum.total;
    let over = args.limit.filter(|limit| total > *limit);
    let text = match answer {
        Answer::Machines(_, text) => text,
        Answer::People(report) => {
            let mut text = render(&report, Look::of_stdout(options.color));
            if let Some(limit) = args.limit {
                text.push_str(&verdict(total, limit));
            }
            text
        }
    };
    print(&text)?;
    Ok(match over {
        Some(_) => ExitCode::from(OVER),
        None => ExitCode::SUCCESS,
    })
}

/// With digits enough to tell both apart.
fn verdict(total: u64, limit: u64) -> String {
    let digits = (human::DIGITS..=12).find(|digits| {
        let shown = |bytes| human::bytes_with(bytes, *digits);
        shown(total) != shown(limit)
    });
    let shown = |bytes| human::bytes_with(bytes, digits.unwrap_or(human::DIGITS));
    let (total_text, limit_text) = (shown(total), shown(limit));
    match total > limit {
        true => format!("\n! {total_text} is over the limit of {limit_text}\n"),
        false => format!("\n{total_text} is within the limit of {limit_text}\n"),
    }
}

fn render(report: &Report, look: Look) -> String {
    let Report {
        rows, rest, sum, ..
    } = report;
    let mut text = format!(
        "{} to {}, {}\n",
        moment(&report.from),
        moment(&report.to),
        what(report.scope)
    );
    if rows.is_empty() {
        text.push_str("nothing moved\n");
        return text;
    }
    let columns = columns(report);
    let mut table = Table::new(columns);
    for row in rows.iter().chain(rest) {
        table.row(Style::new(), cells(row, report.scope, columns));
    }
    let mut all = cells(sum, report.scope, columns);
    all[0] = "all together".to_owned();
    table.row(Style::new().bold(), all);
    text.push_str(&table.render(look));
    let shown = rows.len() + usize::from(rest.is_some());
    if rest.is_none() && report.count > rows.len() {
        // Writing to a String can't fail.
        writeln!(
            text,
            "{shown} of {} lines; --top N has all others as one",
            report.count
        )
        .ok();
    }
    if let Some(seconds) = report.p95_step_seconds {
        writeln!(
            text,
            "95 % of steps of {} min were at most so fast",
            seconds / 60
        )
        .ok();
    }
    text.push_str(&cycles(report, look));
    text
}

fn columns(report: &Report) -> &'static [Column] {
    if report.p95_step_seconds.is_some() && !matches!(report.by, By::Hour | By::Day) {
        return &WITH_PERCENTILES;
    }
    match report.by {
        By::Device | By::Interface => &WITH_PEAKS,
        By::Group | By::Hour | By::Day => &PLAIN,
    }
}

fn cells(row: &Row, scope: Scope, columns: &[Column]) -> Vec<String> {
    let (sent, received) = row.amounts.each(scope);
    let mut cells = vec![
        printable(&row.name).into_owned(),
        human::bytes(sent),
        human::bytes(received),
        human::bytes(row.total),
        percent(row.share),
    ];
    let rates = match row.p95_sent_rate {
        Some(_) => [row.p95_sent_rate, row.p95_received_rate],
        None => [row.amounts.peak_sent_rate, row.amounts.peak_received_rate],
    };
    let rate = |rate: Option<u64>| rate.map(human::bits_per_sec).unwrap_or_default();
    cells.extend(rates.map(rate));
    cells.truncate(columns.len());
    cells
}

/// Quotas and forecasts, where there are any.
fn cycles(report: &Report, look: Look) -> String {
    let mut table = Table::new(&CYCLE);
    let mut notes = Vec::new();
    let mut is_empty = true;
    for row in report.rows.iter().chain([&report.sum]) {
        let Some(cycle) = &row.cycle else { continue };
        let is_sum = row.id == report.sum.id;
        if cycle.quota.is_none() && !is_sum {
            continue;
        }
        is_empty = false;
        let forecast = cycle.forecast.as_ref();
        let range = forecast.and_then(|forecast| Some((forecast.low?, forecast.high?)));
        let will_be = forecast
            .map_or(0, |forecast| forecast.bytes)
            .max(cycle.used);
        let style = match cycle.quota {
            Some(quota) if cycle.used > quota => AnsiColor::Red.on_default().bold(),
            Some(quota) if will_be > quota => AnsiColor::Yellow.on_default(),
            _ => Style::new(),
        };
        let name = match is_sum {
            true => "all together".to_owned(),
            false => printable(&row.name).into_owned(),
        };
        let of_it = cycle.quota.filter(|quota| *quota > 0);
        table.row(
            style,
            [
                name,
                human::bytes(cycle.used),
                cycle.quota.map_or_else(|| "-".to_owned(), human::bytes),
                of_it.map_or_else(
                    || "-".to_owned(),
                    |quota| percent(cycle.used as f64 / quota as f64),
                ),
                forecast.map_or_else(|| "-".to_owned(), |forecast| human::bytes(forecast.bytes)),
                range.map_or_else(
                    || "-".to_owned(),
                    |(low, high)| format!("{} to {}", human::bytes(low), human::bytes(high)),
                ),
            ],
        );
        let until = printable(&cycle.until).into_owned();
        if !notes.contains(&until) {
            notes.push(until);
        }
    }
    if is_empty {
        return String::new();
    }
    let table = table.render(look);
    format!("\nbilling cycle, until {}\n{table}", notes.join(" and "))
}

/// Which traffic it is about.
pub(super) fn what(scope: Scope) -> &'static str {
    match scope {
        Scope::Internet => "internet traffic",
        Scope::Local => "local traffic",
        Scope::All => "all traffic",
    }
}

/// `2026-03-08T14:03:11+01:00` to the minute, without the offset, which is that of the place.
pub(super) fn moment(rfc3339: &str) -> String {
    let moment = rfc3339.get(.."2026-03-08T14:03".len());
    printable(moment.unwrap_or(rfc3339)).replace('T', " ")
}

fn percent(ratio: f64) -> String {
    format!("{:.1} %", ratio * 100.0)
}

#[cfg(test)]
mod tests {
    use super::{super::output::Paint, *};
    use crate::past::{Amounts, CycleRow, ForecastView, Method};

    const LOOK: Look = Look {
        width: 80,
        paint: Paint::Plain,
    };

    fn row(name: &str, sent: u64, received: u64, share: f64) -> Row {
        Row {
            id: name.to_lowercase(),
            name: name.to_owned(),
            amounts: Amounts {
                sent: sent + 1_000,
                received,
                sent_local: 1_000,
                peak_sent_rate: Some(1_537_500),
                peak_received_rate: Some(117_500_000),
                ..Amounts::default()
            },
            total: sent + received,
            share,
            ..Row::default()
        }
    }

    fn example() -> Report {
        let mut rest = row("3 more", 1_000, 2_000_000, 0.004);
        let mut sum = row("sum", 521_000_000, 4_512_000_000, 1.0);
        for row in [&mut rest, &mut sum] {
            row.amounts.peak_sent_rate = None;
            row.amounts.peak_received_rate = None;
        }
        Report {
            from: "2026-03-08T00:00:00+01:00".to_owned(),
            to: "2026-03-08T14:03:11+01:00".to_owned(),
            by: By::Device,
            scope: Scope::Internet,
            p95_step_seconds: None,
            count: 5,
            rows: vec![
                row("Laptop", 512_000_000, 4_500_000_000, 0.9958),
                row(
                    "Grandmother's living room television\u{1b}[2J",
                    9_000_000,
                    12_000_000,
                    0.0042,
                ),
            ],
            rest: Some(rest),
            sum,
        }
    }

    #[test]
    fn a_report_for_people() {
        insta::assert_snapshot!(render(&example(), LOOK), @r#"
        2026-03-08 00:00 to 2026-03-08 14:03, internet traffic
        NAME                   SENT  RECEIVED    TOTAL    SHARE       PEAK ↑      PEAK ↓
        Laptop               512 MB    4.5 GB  5.01 GB   99.6 %  12.3 Mbit/s  940 Mbit/s
        Grandmother's livi…    9 MB     12 MB    21 MB    0.4 %  12.3 Mbit/s  940 Mbit/s
        3 more                 1 kB      2 MB     2 MB    0.4 %
        all together         521 MB   4.51 GB  5.03 GB  100.0 %
        "#);
    }

    #[test]
    fn with_percentiles_and_quotas() {
        let mut report = example();
        report.p95_step_seconds = Some(900);
        report.rest = None;
        for row in report.rows.iter_mut().chain([&mut report.sum]) {
            row.p95_sent_rate = Some(500);
            row.p95_received_rate = Some(6_250_000);
        }
        let cycle = |quota, used| CycleRow {
            from: "2026-03-01".to_owned(),
            until: "2026-04-01".to_owned(),
            used,
            quota,
            forecast: Some(ForecastView {
                bytes: 2 * used,
                low: Some(2 * used - used / 10),
                high: Some(2 * used + used / 10),
                method: Method::Weekday,
                days: 40,
            }),
        };
        report.rows[0].cycle = Some(cycle(Some(50_000_000_000), 30_000_000_000));
        report.rows[1].cycle = Some(cycle(None, 21_000_000));
        report.sum.cycle = Some(cycle(None, 31_000_000_000));
        insta::assert_snapshot!(render(&report, LOOK), @r#"
        2026-03-08 00:00 to 2026-03-08 14:03, internet traffic
        NAME                       SENT  RECEIVED    TOTAL    SHARE    95 % ↑     95 % ↓
        Laptop                   512 MB    4.5 GB  5.01 GB   99.6 %  4 kbit/s  50 Mbit/s
        Grandmother's living r…    9 MB     12 MB    21 MB    0.4 %  4 kbit/s  50 Mbit/s
        all together             521 MB   4.51 GB  5.03 GB  100.0 %  4 kbit/s  50 Mbit/s
        2 of 5 lines; --top N has all others as one
        95 % of steps of 15 min were at most so fast

        billing cycle, until 2026-04-01
        NAME           USED  QUOTA   OF IT  FORECAST     IN 4 OF 5 CASES
        Laptop        30 GB  50 GB  60.0 %     60 GB      57 GB to 63 GB
        all together  31 GB      -       -     62 GB  58.9 GB to 65.1 GB
        "#);
    }

    #[test]
    fn by_the_hour_there_are_no_peaks_and_of_nothing_there_is_no_table() {
        let mut report = example();
        report.by = By::Hour;
        report.rest = None;
        report.rows = vec![row("2026-03-08 13:00", 1, 2, 1.0)];
        report.count = 1;
        insta::assert_snapshot!(render(&report, LOOK), @r#"
        2026-03-08 00:00 to 2026-03-08 14:03, internet traffic
        NAME                SENT  RECEIVED    TOTAL    SHARE
        2026-03-08 13:00     1 B       2 B      3 B  100.0 %
        all together      521 MB   4.51 GB  5.03 GB  100.0 %
        "#);
        report.rows.clear();
        insta::assert_snapshot!(render(&report, LOOK), @r#"
        2026-03-08 00:00 to 2026-03-08 14:03, internet traffic
        nothing moved
        "#);
    }

    #[test]
    fn a_limit_is_told_apart_from_what_is_close_to_it() {
        assert_eq!(
            verdict(500_000_000_001, 500_000_000_000),
            "\n! 500.000000001 GB is over the limit of 500 GB\n"
        );
        assert_eq!(
            verdict(400_000_000_000, 500_000_000_000),
            "\n400 GB is within the limit of 500 GB\n"
        );
        assert_eq!(verdict(5, 5), "\n5 B is within the limit of 5 B\n");
    }
}
