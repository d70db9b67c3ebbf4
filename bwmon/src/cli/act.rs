//! `bwmon alerts ack`, `mute`, `unmute`, `mutes`: who takes care, and what not to hear of.

use std::{collections::HashMap, env, process::ExitCode};

use anstyle::Style;
use reqwest::Method;
use serde_json::json;

use super::{
    alerts::{ALERTS, moment},
    args::{AckArgs, MuteArgs, MutesArgs, Options, UnmuteArgs},
    client::Client,
    devices::DEVICES,
    json::pretty,
    output::{Look, print},
    prefix,
    printable::printable,
    table::{Column, Table},
    wait,
};
use crate::core::view::{AlertState, AlertView, DeviceView, MuteView};

const MUTES: &str = "/api/v1/mutes";

const COLUMNS: [Column; 5] = [
    Column::text("ID"),
    Column::text("DEVICE"),
    Column::text("RULE"),
    Column::text("UNTIL"),
    Column::rest("REASON"),
];

/// Says that somebody takes care of an alert, or that nobody does.
///
/// # Errors
///
/// When there is no such alert, when it is refused, or when stdout takes nothing.
pub(super) fn ack(options: &Options, args: &AckArgs) -> anyhow::Result<ExitCode> {
    let client = Client::of(options)?;
    let alerts: Vec<AlertView> = wait(client.get(ALERTS, &[("limit", "1000")]))?;
    let id = find_alert(&alerts, &args.id)?;
    let by = args.by.clone().or_else(|| user(|name| env::var(name).ok()));
    let body = json!({ "by": by });
    let path = format!("{ALERTS}/{id}/ack");
    let (method, body) = match args.undo {
        true => (Method::DELETE, None),
        false => (Method::POST, Some(&body)),
    };
    let answer = wait(client.change(method, &path, body))?;
    print(&acknowledged(&client.read(&answer)?))?;
    Ok(ExitCode::SUCCESS)
}

/// Mutes a device, a rule, or everything.
///
/// # Errors
///
/// When it is refused, or stdout takes nothing.
pub(super) fn mute(options: &Options, args: &MuteArgs) -> anyhow::Result<ExitCode> {
    let client = Client::of(options)?;
    let body = json!({
        "device": args.device,
        "rule": args.rule,
        "seconds": args.seconds,
        "until": args.until,
        "reason": args.reason,
    });
    let answer = wait(client.change(Method::POST, MUTES, Some(&body)))?;
    print(&muted(&client.read(&answer)?))?;
    Ok(ExitCode::SUCCESS)
}

/// Ends a mute.
///
/// # Errors
///
/// When there is no such mute, when it is refused, or when stdout takes nothing.
pub(super) fn unmute(options: &Options, args: &UnmuteArgs) -> anyhow::Result<ExitCode> {
    let client = Client::of(options)?;
    let mutes: Vec<MuteView> = wait(client.get(MUTES, &[]))?;
    let id = prefix::find("mute", mutes.iter().map(|mute| mute.id.as_str()), &args.id)?;
    wait(client.change(Method::DELETE, &format!("{MUTES}/{id}"), None))?;
    print(&format!("{} is not muted any more\n", printable(id)))?;
    Ok(ExitCode::SUCCESS)
}

/// Lists what is muted.
///
/// # Errors
///
/// When there is no answer, or stdout takes none.
pub(super) fn mutes(options: &Options, args: &MutesArgs) -> anyhow::Result<ExitCode> {
    let client = Client::of(options)?;
    let text = if args.json {
        pretty(&wait(client.json(MUTES, &[]))?)
    } else {
        let (mutes, devices): (Vec<_>, Vec<_>) = wait(async {
            Ok((
                client.get(MUTES, &[]).await?,
                client.get(DEVICES, &[]).await?,
            ))
        })?;
        render(&mutes, &devices, Look::of_stdout(options.color))
    };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// The one that begins so: among those that fire, else among all, so that the daemon can say why one
/// that does not fire can't be acknowledged.
fn find_alert<'a>(alerts: &'a [AlertView], text: &str) -> Result<&'a str, prefix::PrefixError> {
    let ids = |firing: bool| {
        alerts
            .iter()
            .filter(move |alert| !firing || alert.state == AlertState::Firing)
            .map(|alert| alert.id.as_str())
    };
    match prefix::find("alert", ids(true), text) {
        Err(prefix::PrefixError::None { .. }) => prefix::find("alert", ids(false), text),
        found => found,
    }
}

/// Who asks; under sudo, who asked for that.
fn user(variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    ["SUDO_USER", "USER", "LOGNAME"]
        .into_iter()
        .filter_map(variable)
        .find(|name| !name.is_empty())
}

fn acknowledged(alert: &AlertView) -> String {
    let what = printable(&alert.description);
    match (&alert.acknowledged_at, &alert.acknowledged_by) {
        (None, _) => format!("nobody takes care any more: {what}\n"),
        (Some(_), None) => format!("somebody takes care: {what}\n"),
        (Some(_), Some(by)) => format!("{} takes care: {what}\n", printable(by)),
    }
}

fn muted(mute: &MuteView) -> String {
    let id = printable(&mute.id);
    let device = mute.device.as_deref().unwrap_or("every device");
    let rule = mute.rule.map_or("every rule", |rule| rule.as_str());
    format!(
        "{}, {rule}: muted {}\nto end it: bwmon alerts unmute {id}\n",
        printable(device),
        end(mute)
    )
}

fn end(mute: &MuteView) -> String {
    match &mute.until {
        Some(until) => format!("until {}", moment(until)),
        None => "until it is unmuted".to_owned(),
    }
}

fn render(mutes: &[MuteView], devices: &[DeviceView], look: Look) -> String {
    if mutes.is_empty() {
        return "nothing is muted\n".to_owned();
    }
    let names: HashMap<&str, &str> = devices
        .iter()
        .map(|device| (device.id.as_str(), device.name.as_str()))
        .collect();
    let shown = prefix::Shown::of(mutes.iter().map(|mute| mute.id.as_str()));
    let mut table = Table::new(&COLUMNS);
    for mute in mutes {
        let device = mute.device.as_deref().map_or("all", |id| {
            let name = names.get(id).copied();
            name.unwrap_or(id)
        });
        let until = mute.until.as_deref().map(moment);
        table.row(
            Style::new(),
            [
                shown.cut(&mute.id),
                printable(device).into_owned(),
                mute.rule.map_or("all", |rule| rule.as_str()).to_owned(),
                until.unwrap_or_else(|| "unmuted".to_owned()),
                printable(mute.reason.as_deref().unwrap_or_default()).into_owned(),
            ],
        );
    }
    table.render(look)
}

#[cfg(test)]
mod tests {
    use super::{super::output::Paint, *};
    use crate::{core::event::RuleKind, http::fixture};

    #[test]
    fn mutes_are_lines_with_the_names_of_devices() {
        let devices: Vec<_> = fixture::household()
            .devices
            .iter()
            .map(|device| (**device).clone())
            .collect();
        let mutes = [
            MuteView {
                device: Some("02:00:00:00:00:05".to_owned()),
                until: Some("2026-03-08T16:00:00+01:00".to_owned()),
                ..fixture::mute("12345678-9")
            },
            MuteView {
                device: None,
                rule: None,
                reason: None,
                ..fixture::mute("1234abcd-e")
            },
            MuteView {
                device: Some("group:kids\x1b".to_owned()),
                ..fixture::mute("5678abcd-e")
            },
        ];
        let look = Look {
            width: 80,
            paint: Paint::Plain,
        };
        insta::assert_snapshot!(render(&mutes, &devices, look), @r#"
        ID     DEVICE       RULE   UNTIL             REASON
        12345  Laptop       surge  2026-03-08 16:00  updates itself
        1234a  all          all    unmuted
        5678a  group:kids�  surge  unmuted           updates itself
        "#);
        assert_eq!(render(&[], &devices, look), "nothing is muted\n");
    }

    #[test]
    fn what_was_done_is_said() {
        let mut alert = fixture::alert("a1", AlertState::Firing, RuleKind::Volume);
        let mut said = acknowledged(&alert);
        alert.acknowledged_at = Some("2026-03-08T14:03:11+01:00".to_owned());
        said += &acknowledged(&alert);
        alert.acknowledged_by = Some("Ann\x1b".to_owned());
        said += &acknowledged(&alert);
        said += &muted(&fixture::mute("m1"));
        said += &muted(&MuteView {
            device: None,
            rule: None,
            until: Some("2026-03-08T16:00:00+01:00".to_owned()),
            ..fixture::mute("m2")
        });
        insta::assert_snapshot!(said, @r#"
        nobody takes care any more: Laptop (192.168.1.5) has used 5.0 GB today.
        somebody takes care: Laptop (192.168.1.5) has used 5.0 GB today.
        Ann� takes care: Laptop (192.168.1.5) has used 5.0 GB today.
        fd00::7, surge: muted until it is unmuted
        to end it: bwmon alerts unmute m1
        every device, every rule: muted until 2026-03-08 16:00
        to end it: bwmon alerts unmute m2
        "#);
    }

    #[test]
    fn who_takes_care_is_who_asks() {
        let user = |set: &[(&str, &str)]| {
            user(|name| {
                let found = set.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| (*value).to_owned())
            })
        };
        assert_eq!(user(&[]), None);
        assert_eq!(user(&[("USER", "")]), None);
        assert_eq!(user(&[("USER", "ann")]).as_deref(), Some("ann"));
        let sudo = [("USER", "root"), ("SUDO_USER", "ann")];
        assert_eq!(user(&sudo).as_deref(), Some("ann"));
    }

    #[test]
    fn an_alert_that_fires_goes_before_those_that_are_over() {
        let alert = |id, state| fixture::alert(id, state, RuleKind::Volume);
        let alerts = [
            alert("abcd1", AlertState::Firing),
            alert("abcd2", AlertState::Resolved),
            alert("efgh1", AlertState::Resolved),
        ];
        for (text, expected) in [
            ("abcd", Some("abcd1")),
            ("abcd2", Some("abcd2")),
            ("efgh", Some("efgh1")),
            ("ijkl", None),
        ] {
            assert_eq!(find_alert(&alerts, text).ok(), expected, "{text}");
        }
    }
}
