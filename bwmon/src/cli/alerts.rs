//! `bwmon alerts`: what was unusual, newest first.

use std::{process::ExitCode, time::Duration};

use anstyle::{AnsiColor, Style};

use super::{
    act,
    args::{AlertsAction, AlertsArgs, Options},
    client::Client,
    json::pretty,
    output::{Look, print},
    prefix,
    printable::printable,
    table::{Column, Table},
    wait,
};
use crate::core::{
    event::Unit,
    human,
    view::{AlertState, AlertView},
};

pub(super) const ALERTS: &str = "/api/v1/alerts";

const COLUMNS: [Column; 7] = [
    Column::text("ID"),
    Column::text("STARTED"),
    Column::text("STATE"),
    Column::text("RULE"),
    Column::rest("DEVICE"),
    Column::number("OBSERVED"),
    Column::number("THRESHOLD"),
];

/// Lists them, or does something about them.
///
/// # Errors
///
/// When there is no answer, or stdout takes none.
pub fn alerts(options: &Options, args: &AlertsArgs) -> anyhow::Result<ExitCode> {
    match &args.action {
        None => list(options, args),
        Some(AlertsAction::Ack(args)) => act::ack(options, args),
        Some(AlertsAction::Mute(args)) => act::mute(options, args),
        Some(AlertsAction::Unmute(args)) => act::unmute(options, args),
        Some(AlertsAction::Mutes(args)) => act::mutes(options, args),
    }
}

fn list(options: &Options, args: &AlertsArgs) -> anyhow::Result<ExitCode> {
    let client = Client::of(options)?;
    let limit = args.limit.map(|limit| limit.to_string());
    let query: Vec<_> = [
        ("state", args.state.map(|state| state.as_str())),
        ("device", args.device.as_deref()),
        ("limit", limit.as_deref()),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect();
    let text = if args.json {
        pretty(&wait(client.json(ALERTS, &query))?)
    } else {
        let alerts: Vec<_> = wait(client.get(ALERTS, &query))?;
        render(&alerts, Look::of_stdout(options.color))
    };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn render(alerts: &[AlertView], look: Look) -> String {
    if alerts.is_empty() {
        return "no alerts\n".to_owned();
    }
    let ids = prefix::Shown::of(alerts.iter().map(|alert| alert.id.as_str()));
    let mut table = Table::new(&COLUMNS);
    for alert in alerts {
        let style = match alert.state {
            AlertState::Firing if alert.acknowledged_at.is_some() => AnsiColor::Red.on_default(),
            AlertState::Firing => AnsiColor::Red.on_default().bold(),
            AlertState::Pending => AnsiColor::Yellow.on_default(),
            AlertState::Resolved => Style::new(),
        };
        table.row(style, row(alert, &ids));
    }
    table.render(look)
}

fn row(alert: &AlertView, ids: &prefix::Shown) -> [String; 7] {
    let state = match alert.state {
        // Somebody takes care.
        AlertState::Firing if alert.acknowledged_at.is_some() => "✓ firing",
        AlertState::Firing => "! firing",
        AlertState::Pending => "pending",
        AlertState::Resolved => "resolved",
    };
    [
        ids.cut(&alert.id),
        moment(&alert.started_at),
        state.to_owned(),
        alert.rule.as_str().to_owned(),
        printable(&alert.device.name).into_owned(),
        amount(alert.observed, alert.unit),
        amount(alert.threshold, alert.unit),
    ]
}

fn amount(value: u64, unit: Unit) -> String {
    match unit {
        Unit::Bytes => human::bytes(value),
        Unit::BytesPerSecond => human::bits_per_sec(value),
        Unit::Seconds => human::duration(Duration::from_secs(value)),
    }
}

/// `2026-03-08T14:03:11+01:00`, in the time zone of the daemon, to the minute.
pub(super) fn moment(rfc3339: &str) -> String {
    let moment = rfc3339
        .split_at_checked("2026-03-08T14:03".len())
        .map_or(rfc3339, |(to, _)| to);
    printable(&moment.replace('T', " ")).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{super::output::Paint, *};
    use crate::{core::event::RuleKind, http::fixture};

    const LOOK: Look = Look {
        width: 80,
        paint: Paint::Plain,
    };

    fn household() -> Vec<AlertView> {
        fixture::household()
            .alerts
            .iter()
            .map(|alert| (**alert).clone())
            .collect()
    }

    #[test]
    fn each_alert_is_a_line_in_the_order_given() {
        insta::assert_snapshot!(render(&household(), LOOK), @r#"
        ID  STARTED           STATE     RULE         DEVICE    OBSERVED  THRESHOLD
        a3  2026-03-08 14:02  resolved  rate         Laptop  952 Mbit/s  50 Mbit/s
        a2  2026-03-08 14:02  pending   active_time  Laptop   5 h 1 min        5 h
        a1  2026-03-08 14:02  ! firing  volume       Laptop     5.01 GB       5 GB
        "#);
    }

    #[test]
    fn who_is_taken_care_of_is_marked() {
        let mut alert = fixture::alert("a1", AlertState::Firing, RuleKind::Volume);
        alert.acknowledged_at = Some("2026-03-08T14:03:11+01:00".to_owned());
        let text = render(&[alert], LOOK);
        assert!(text.contains("✓ firing"), "{text}");
    }

    #[test]
    fn a_long_name_gives_way() {
        let mut alert = fixture::alert("a1", AlertState::Firing, RuleKind::ActiveTime);
        alert.device.name = "Grandmother's living room television\n".to_owned();
        alert.observed = 86_340;
        alert.threshold = 86_340;
        insta::assert_snapshot!(render(&[alert], LOOK), @r#"
        ID  STARTED           STATE     RULE         DEVICE        OBSERVED    THRESHOLD
        a1  2026-03-08 14:02  ! firing  active_time  Grandmot…  23 h 59 min  23 h 59 min
        "#);
    }

    #[test]
    fn firing_and_pending_stand_out() {
        let text = render(
            &household(),
            Look {
                paint: Paint::Colours,
                ..LOOK
            },
        );
        let lines: Vec<_> = text.lines().skip(1).collect();
        assert!(!lines[0].contains('\x1b'), "resolved: {}", lines[0]);
        assert!(
            lines[1].starts_with(&AnsiColor::Yellow.on_default().to_string()),
            "{}",
            lines[1]
        );
        let red = AnsiColor::Red.on_default().bold().to_string();
        assert!(lines[2].starts_with(&red), "{}", lines[2]);
    }

    #[test]
    fn no_alerts_are_said_so() {
        assert_eq!(render(&[], LOOK), "no alerts\n");
    }

    #[test]
    fn a_moment_is_shown_to_the_minute_and_whatever_comes_is_printable() {
        assert_eq!(moment("2026-03-08T14:03:11+01:00"), "2026-03-08 14:03");
        assert_eq!(moment("soon\x1b"), "soon�");
    }
}
