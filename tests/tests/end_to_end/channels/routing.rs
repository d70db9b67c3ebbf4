//! Which channel is told what, and when.

use std::{sync::Arc, time::Duration};

use bwmon_tests::{Receiver, zone_in_which_passed};
use serde_json::json;

use super::{LAPTOP, STRANGER, Stage, TOLD};

/// Breaks its limit with a severity, as a member of a group.
fn devices(limit: u64) -> String {
    let device = |name: &str, group: &str, severity: &str| {
        json!({
            "name": name,
            "group": group,
            "bandwidth_threshold": { "total": limit, "severity": severity },
            "max_active_time": { "limit": "1s", "severity": "info" },
        })
    };
    json!({
        LAPTOP: device("Laptop", "adults", "critical"),
        STRANGER: device("Tablet", "children", "warning"),
    })
    .to_string()
}

#[test]
fn a_channel_gets_what_is_bad_enough_of_its_rules_and_groups() {
    // Severity of each event: volume of the laptop critical, of the tablet a warning, activity info.
    let rows: [(&str, &str, &[&str]); 6] = [
        (
            "all",
            "",
            &[
                "Laptop active_time firing",
                "Laptop volume firing",
                "Laptop volume resolved",
                "Tablet active_time firing",
                "Tablet volume firing",
                "Tablet volume resolved",
            ],
        ),
        (
            "bad",
            "min_severity = \"warning\"",
            &[
                "Laptop volume firing",
                "Laptop volume resolved",
                "Tablet volume firing",
                "Tablet volume resolved",
            ],
        ),
        (
            "worst",
            "min_severity = \"critical\"",
            &["Laptop volume firing", "Laptop volume resolved"],
        ),
        (
            "rule",
            "rules = [\"active_time\", \"rate\"]",
            &["Laptop active_time firing", "Tablet active_time firing"],
        ),
        (
            "group",
            "groups = [\"children\"]",
            &[
                "Tablet active_time firing",
                "Tablet volume firing",
                "Tablet volume resolved",
            ],
        ),
        (
            "begins",
            "resolved = false\nrules = [\"volume\"]",
            &["Laptop volume firing", "Tablet volume firing"],
        ),
    ];
    let mut receivers = Vec::new();
    let stage = Stage::new(|lan| {
        let channel = |(name, keys, _): &(&str, &str, _)| {
            let receiver = Receiver::start(&Arc::clone(&lan.router));
            let channel = format!("{}name = \"{name}\"\n{keys}\n", receiver.channel());
            receivers.push(receiver);
            channel
        };
        rows.iter().map(channel).collect()
    });
    stage.setup.write_devices(&devices(50_000));
    let daemon = stage.setup.start();
    for device in [LAPTOP, STRANGER] {
        stage.fire(device);
        stage.control.wait_for("activity", TOLD, |each| {
            each.is("active_time", "firing") && each.event["device"]["addresses"][0] == device
        });
    }
    stage.setup.write_devices(&devices(5_000_000));
    daemon.signal(nix::sys::signal::Signal::SIGHUP);
    for ((name, _, expected), receiver) in rows.iter().zip(&receivers) {
        bwmon_tests::wait_until(&format!("what channel {name} is to get"), TOLD, || {
            let mut got: Vec<_> = receiver
                .deliveries()
                .iter()
                .map(|each| {
                    let name = each.event["device"]["name"].as_str().unwrap_or_default();
                    format!("{name} {} {}", each.text("rule"), each.text("state"))
                })
                .collect();
            got.sort_unstable();
            if got == *expected {
                Ok(())
            } else {
                Err(format!("{got:?}"))
            }
        });
    }
    // Each channel has a queue of its own, so there is nothing more to come once each has the last.
    daemon.wait_for_samples(3);
    let counts: Vec<_> = receivers.iter().map(Receiver::attempts).collect();
    let expected: Vec<_> = rows.iter().map(|(_, _, expected)| expected.len()).collect();
    assert_eq!(counts, expected);
}

#[test]
fn quiet_hours_hold_all_but_what_is_critical_and_end_with_a_digest() {
    let mut phone = None;
    let stage = Stage::new(|lan| {
        phone = Some(Receiver::start(&lan.router));
        String::new()
    });
    let phone = phone.expect("it was started");
    // In twenty seconds it is six.
    let zone = zone_in_which_passed(6 * 3600 - 20);
    stage.configure(
        &format!("timezone = \"{zone}\""),
        &format!(
            "[[notify]]\ntype = \"ntfy\"\nname = \"phone\"\nurl = \"{}/home\"\nquiet_hours = \"22:00-06:00\"\n",
            phone.base()
        ),
    );
    stage.setup.write_devices(&devices(50_000));
    let daemon = stage.setup.start();
    let held = stage.fire(STRANGER);
    let critical = stage.fire(LAPTOP);
    phone.wait_for("what is critical", TOLD, |each| {
        each.body.contains(critical.text("eventDescription"))
    });
    assert_eq!(phone.attempts(), 1, "{:#?}", phone.requests());
    // It is looked every quarter of a minute whether the hours are over.
    let digest = phone.wait_for("the digest", Duration::from_secs(45), |each| {
        each.body.contains(held.text("eventDescription"))
    });
    let activity = digest
        .body
        .lines()
        .filter(|line| line.contains("active"))
        .count();
    assert_eq!(activity, 2, "{}", digest.body);
    daemon.wait_for_samples(3);
    assert_eq!(phone.attempts(), 2, "{:#?}", phone.requests());
}
