//! `bwmon status`: how a running bwmon does.

use std::{fmt::Write, process::ExitCode, time::Duration};

use anstyle::{AnsiColor, Style};

use super::{
    args::{Options, StatusArgs},
    client::Client,
    json::pretty,
    output::{Look, print},
    printable::printable,
    table::{Column, Table},
    wait,
};
use crate::{
    core::{
        human,
        view::{InterfaceView, Status},
    },
    http::StatusReport,
};

const STATUS: &str = "/api/v1/status";
const INTERFACES: &str = "/api/v1/interfaces";

const COLUMNS: [Column; 7] = [
    Column::rest("NAME"),
    Column::text("STATE"),
    Column::text("INGRESS"),
    Column::text("EGRESS"),
    Column::number("SENT"),
    Column::number("RECEIVED"),
    Column::number("COVERAGE"),
];

/// Asks and prints.
///
/// # Errors
///
/// When there is no answer, or stdout takes none.
pub fn status(options: &Options, args: &StatusArgs) -> anyhow::Result<ExitCode> {
    let client = Client::of(options)?;
    let text = if args.json {
        pretty(&wait(client.json(STATUS, &[]))?)
    } else {
        let (report, interfaces): (_, Vec<_>) = wait(async {
            Ok((
                client.get(STATUS, &[]).await?,
                client.get(INTERFACES, &[]).await?,
            ))
        })?;
        render(&report, &interfaces, Look::of_stdout(options.color))
    };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn render(report: &StatusReport, interfaces: &[InterfaceView], look: Look) -> String {
    let table = match interfaces {
        [] => "no interface is watched\n".to_owned(),
        _ => table(interfaces).render(look),
    };
    let mut text = format!("{}{}\n{table}", process(report), progress(&report.status));
    let notes = interfaces.iter().flat_map(|interface| {
        let name = printable(&interface.name);
        let remarks = [&interface.note, &interface.hint].into_iter().flatten();
        remarks.map(move |remark| format!("{name}: {}", printable(remark)))
    });
    let warnings = report
        .status
        .warnings
        .iter()
        .map(|text| printable(text).into_owned());
    for (index, remark) in notes.chain(warnings).enumerate() {
        let gap = if index == 0 { "\n" } else { "" };
        let mark = look.paint.apply(AnsiColor::Yellow.on_default().bold(), "!");
        // Writing to a String can't fail.
        writeln!(text, "{gap}{mark} {remark}").ok();
    }
    text
}

fn process(report: &StatusReport) -> String {
    format!(
        "bwmon {} on {}, up {} since {}\n",
        printable(&report.version),
        printable(&report.host),
        human::duration(Duration::from_secs(report.uptime_seconds)),
        printable(&report.started_at),
    )
}

fn progress(status: &Status) -> String {
    let last = match &status.sampled_at {
        Some(at) => format!("last sample {}", printable(at)),
        None => "no sample yet".to_owned(),
    };
    let networks = if status.counts_every_address {
        "this machine does not route: every remote address is counted".to_owned()
    } else {
        format!(
            "local networks: {}",
            printable(&status.local_networks.join(", "))
        )
    };
    let muted = match status.mutes {
        0 => String::new(),
        1 => "1 mute is in force (bwmon alerts mutes)\n".to_owned(),
        mutes => format!("{mutes} mutes are in force (bwmon alerts mutes)\n"),
    };
    let poll = &status.poll;
    format!(
        "{last}; {} samples, one each {} s, {} missed\na sample took {:.1} ms, at most {:.1} \
         ms\n{networks}\n{muted}",
        poll.samples,
        poll.interval_seconds,
        poll.missed,
        poll.last_seconds * 1e3,
        poll.max_seconds * 1e3,
    )
}

fn table(interfaces: &[InterfaceView]) -> Table {
    let mut table = Table::new(&COLUMNS);
    for interface in interfaces {
        let (state, style) = if interface.attached {
            ("counting", Style::new())
        } else {
            ("not attached", AnsiColor::Yellow.on_default())
        };
        let mode = |mode: &Option<String>| printable(mode.as_deref().unwrap_or("-")).into_owned();
        let cells = [
            printable(&interface.name).into_owned(),
            state.to_owned(),
            mode(&interface.ingress_mode),
            mode(&interface.egress_mode),
            human::bytes(interface.counted_bytes.sent),
            human::bytes(interface.counted_bytes.received),
            percent(interface.coverage),
        ];
        table.row(style, cells);
    }
    table
}

/// Cut off, not rounded: 100 % is said only when nothing is missing.
fn percent(ratio: f64) -> String {
    format!("{} %", (ratio * 1000.0).floor() / 10.0)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{super::output::Paint, *};
    use crate::{core::view::Snapshot, http::fixture};

    const LOOK: Look = Look {
        width: 80,
        paint: Paint::Plain,
    };

    fn report(snapshot: &Snapshot) -> StatusReport {
        StatusReport {
            can_change: false,
            version: "0.1.0".to_owned(),
            host: "router".to_owned(),
            uptime_seconds: 18_060,
            started_at: "2026-03-08T09:02:11+01:00".to_owned(),
            status: snapshot.status.clone(),
            configuration: Arc::default(),
        }
    }

    #[test]
    fn a_healthy_daemon() {
        let snapshot = fixture::household();
        insta::assert_snapshot!(render(&report(&snapshot), &snapshot.interfaces, LOOK), @r#"
        bwmon 0.1.0 on router, up 5 h 1 min since 2026-03-08T09:02:11+01:00
        last sample 2026-03-08T14:03:11+01:00; 18060 samples, one each 1 s, 2 missed
        a sample took 0.8 ms, at most 3.1 ms
        local networks: 192.168.1.0/24, fd00::/64
        1 mute is in force (bwmon alerts mutes)

        NAME    STATE     INGRESS  EGRESS    SENT  RECEIVED  COVERAGE
        br-lan  counting  tc       tcx     512 MB    4.5 GB    99.9 %

        ! br-lan: no native XDP here, counting by TC
        "#);
    }

    #[test]
    fn an_interface_that_has_gone_and_names_that_steer_the_terminal() {
        let mut snapshot = fixture::household();
        snapshot.status.counts_every_address = true;
        snapshot.status.sampled_at = None;
        snapshot.status.mutes = 2;
        snapshot.status.warnings = vec!["\x1b[2Jcleared".to_owned()];
        let mut gone = fixture::interface("wlan0\x07");
        gone.attached = false;
        gone.ingress_mode = None;
        gone.egress_mode = None;
        gone.note = Some("there is no such interface; waiting for it".to_owned());
        gone.coverage = 0.0;
        snapshot.interfaces.push(gone);
        insta::assert_snapshot!(render(&report(&snapshot), &snapshot.interfaces, LOOK), @r#"
        bwmon 0.1.0 on router, up 5 h 1 min since 2026-03-08T09:02:11+01:00
        no sample yet; 18060 samples, one each 1 s, 2 missed
        a sample took 0.8 ms, at most 3.1 ms
        this machine does not route: every remote address is counted
        2 mutes are in force (bwmon alerts mutes)

        NAME    STATE         INGRESS  EGRESS    SENT  RECEIVED  COVERAGE
        br-lan  counting      tc       tcx     512 MB    4.5 GB    99.9 %
        wlan0�  not attached  -        -       512 MB    4.5 GB       0 %

        ! wlan0�: there is no such interface; waiting for it
        ! �[2Jcleared
        "#);
    }

    #[test]
    fn coverage_is_whole_only_when_nothing_is_missing() {
        for (ratio, expected) in [
            (1.0, "100 %"),
            (0.9999, "99.9 %"),
            (0.5, "50 %"),
            (0.0, "0 %"),
        ] {
            assert_eq!(percent(ratio), expected, "{ratio}");
        }
    }
}
