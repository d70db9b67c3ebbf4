//! What is said about a device.

use std::time::Duration;

use super::{super::printable::printable, find::Target};
use crate::{
    config::Change,
    core::{
        human,
        view::{DeviceView, ThresholdsView},
    },
    http::Registration,
};

/// What was done.
pub(super) fn changed(target: &Target, change: &Change) -> String {
    let fields = match change {
        Change::Remove => return format!("{}: its entry is removed\n", named(target)),
        Change::Merge(fields) => fields,
    };
    let field = |(name, value): (&String, &serde_json::Value)| match value.is_null() {
        true => format!("{name} removed"),
        false => format!("{name} = {value}"),
    };
    let fields: Vec<String> = fields.iter().map(field).collect();
    format!("{}: {}\n", named(target), printable(&fields.join(", ")))
}

/// Its name before, and its id.
fn named(target: &Target) -> String {
    let id = printable(&target.id);
    match target.device.as_ref().map(|device| printable(&device.name)) {
        Some(name) if name != id => format!("{name} ({id})"),
        _ => id.into_owned(),
    }
}

/// All that is known, a fact a line.
pub(super) fn shown(target: &Target, entry: Option<&Registration>) -> String {
    let mut lines = vec![("id", printable(&target.id).into_owned())];
    if let Some(device) = &target.device {
        lines.extend(facts(device));
    }
    match entry {
        Some(Registration { key, file, entry }) => {
            let file = file.display().to_string();
            lines.push(("entry", format!("{:?} in {}", key, printable(&file))));
            for (name, value) in entry {
                lines.push(("", printable(&format!("{name} = {value}")).into_owned()));
            }
        }
        None => lines.push(("entry", "none of its own".to_owned())),
    }
    let lines = lines
        .into_iter()
        .map(|(name, value)| format!("{name:<10} {value}\n"));
    lines.collect()
}

fn facts(device: &DeviceView) -> impl Iterator<Item = (&'static str, String)> {
    let addresses: Vec<String> = device.addresses.iter().map(ToString::to_string).collect();
    let text = |text: &Option<String>| {
        let text = text.as_deref()?;
        Some(printable(text).into_owned())
    };
    let mac = device.mac.map(|mac| mac.to_string());
    let facts = [
        ("name", text(&Some(device.name.clone()))),
        ("mac", mac.filter(|mac| *mac != device.id)),
        ("vendor", text(&device.vendor)),
        (
            "addresses",
            (!addresses.is_empty()).then(|| addresses.join(", ")),
        ),
        ("group", text(&device.group)),
        ("muted", device.muted.then(|| "yes".to_owned())),
        ("rules", Some(rules(&device.thresholds))),
        (
            "last seen",
            Some(text(&device.last_seen).unwrap_or_else(|| "never".to_owned())),
        ),
    ];
    facts
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
}

/// Those in force, in few words.
fn rules(thresholds: &ThresholdsView) -> String {
    let ThresholdsView {
        bandwidth_threshold,
        max_active_time,
        rate_threshold,
        quota,
        silent_after,
        surge,
    } = *thresholds;
    let time = |seconds: u64| human::duration(Duration::from_secs(seconds));
    let rules: Vec<String> = [
        bandwidth_threshold.map(|bytes| format!("{} a day", human::bytes(bytes))),
        max_active_time.map(|seconds| format!("active {} a day", time(seconds))),
        rate_threshold.map(human::bits_per_sec),
        quota.map(|bytes| format!("{} a cycle", human::bytes(bytes))),
        silent_after.map(|seconds| format!("silent for {}", time(seconds))),
        surge.then(|| "surges".to_owned()),
    ]
    .into_iter()
    .flatten()
    .collect();
    match rules.is_empty() {
        true => "none".to_owned(),
        false => rules.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::find, *};
    use crate::http::fixture;

    fn target(id: &str) -> Target {
        let devices = fixture::household().devices;
        let devices: Vec<_> = devices
            .iter()
            .map(|device| DeviceView {
                muted: true,
                thresholds: ThresholdsView {
                    bandwidth_threshold: Some(5_000_000_000),
                    max_active_time: Some(18_000),
                    surge: true,
                    ..ThresholdsView::default()
                },
                ..(**device).clone()
            })
            .collect();
        find::among(&devices, id).unwrap()
    }

    #[test]
    fn what_is_known_is_a_fact_a_line() {
        let entry = json!({ "name": "Laptop\u{202e}", "quota": { "limit": 5 } });
        let entry = Registration {
            key: "192.168.1.5".to_owned(),
            file: "/etc/bwmon/registered_devices.json".into(),
            entry: entry.as_object().unwrap().clone(),
        };
        let said = shown(&target("laptop"), Some(&entry)) + &shown(&target("10.0.0.0/8"), None);
        insta::assert_snapshot!(said, @r#"
        id         02:00:00:00:00:05
        name       Laptop
        addresses  192.168.1.5, fd00::5
        muted      yes
        rules      5 GB a day, active 5 h a day, surges
        last seen  2026-03-08T14:03:11+01:00
        entry      "192.168.1.5" in /etc/bwmon/registered_devices.json
                   name = "Laptop�"
                   quota = {"limit":5}
        id         10.0.0.0/8
        entry      none of its own
        "#);
    }

    #[test]
    fn what_was_done_is_said_with_the_name_before() {
        let fields = [
            ("name".to_owned(), json!("TV\u{202e}")),
            ("quota".to_owned(), json!(null)),
        ];
        let change = Change::Merge(fields.into_iter().collect());
        assert_eq!(
            changed(&target("192.168.1.5"), &change),
            "Laptop (02:00:00:00:00:05): name = \"TV�\", quota removed\n"
        );
        assert_eq!(
            changed(&target("unknown"), &Change::Remove),
            "unknown: its entry is removed\n"
        );
    }
}
