//! Rules that look at more than one device or one day: groups, an interface, a billing cycle, one
//! direction. From packets on a wire to what a receiver is told.

use std::time::Duration;

use bwmon_tests::{SOON, Stage, ip, wait_until};
use serde_json::{Value, json};

const LAPTOP: &str = "192.0.2.7";
const TABLET: &str = "192.0.2.8";

/// An interval is promised, and machines that run tests are slow.
const TOLD: Duration = Duration::from_secs(5);

#[test]
fn a_group_is_told_of_what_its_members_do_together() {
    let stage = Stage::new(
        "[groups.kids.total]\nbandwidth_threshold = 150000\n",
        r#"{
            "192.0.2.7": { "name": "Laptop", "group": "kids" },
            "192.0.2.8": { "name": "Tablet", "group": "kids" }
        }"#,
    );
    let daemon = stage.setup.start();
    // Not of the group, so its bytes don't count.
    stage.upload("192.0.2.9", 200);
    stage.upload(LAPTOP, 100);
    daemon.wait_for_samples(3);
    assert_eq!(stage.receiver.attempts(), 0);
    // A restart forgets nothing of what the group used.
    daemon.terminate();
    let _daemon = stage.setup.start();
    stage.download(TABLET, 60);
    let fired = stage
        .receiver
        .wait_for("the alert", TOLD, |each| each.is("volume", "firing"));
    let device = &fired.event["device"];
    assert_eq!(
        (&device["id"], &device["kind"], &device["name"]),
        (&json!("group:kids"), &json!("group"), &json!("kids"))
    );
    let observed = fired.event["observed"].as_u64().unwrap_or_default();
    assert!((150_001..=170_000).contains(&observed), "{observed}");
    let sentence = fired.text("eventDescription");
    assert!(sentence.starts_with("Group kids has used "), "{sentence}");
    assert_eq!(stage.receiver.deliveries().len(), 1);
}

#[test]
fn an_interface_is_told_of_all_that_it_carries() {
    let stage = Stage::new(
        "[interface_limits.lan0]\nbandwidth_threshold = { sent = 150000 }\n",
        "{}",
    );
    let daemon = stage.setup.start();
    stage.upload(LAPTOP, 100);
    // The other way is another rule's.
    stage.download(LAPTOP, 200);
    daemon.wait_for_samples(3);
    assert_eq!(stage.receiver.attempts(), 0);
    // Also what is nobody's: this one is in no local network.
    stage.upload("203.0.113.9", 60);
    let fired = stage
        .receiver
        .wait_for("the alert", TOLD, |each| each.is("volume", "firing"));
    assert_eq!(fired.event["device"]["id"], "interface:lan0");
    assert_eq!(fired.text("direction"), "sent");
    let sentence = fired.text("eventDescription");
    assert!(
        sentence.starts_with("Interface lan0 has sent "),
        "{sentence}"
    );
}

#[test]
fn a_quota_is_told_step_by_step_and_counted_over_restarts() {
    let stage = Stage::new(
        "",
        r#"{ "192.0.2.7": { "name": "Laptop", "quota": { "limit": 200000, "cycle": -1 } } }"#,
    );
    let daemon = stage.setup.start();
    stage.upload(LAPTOP, 110);
    let half = told(&stage, 50);
    assert_eq!(half["severity"], "info");
    assert_eq!(half["threshold"], 100_000);
    // As after a power cut, but that the disk is well.
    daemon.kill();
    let daemon = stage.setup.start();
    stage.download(LAPTOP, 60);
    assert_eq!(told(&stage, 80)["severity"], "warning");
    daemon.terminate();
    let daemon = stage.setup.start();
    stage.upload(LAPTOP, 40);
    let all = told(&stage, 100);
    assert_eq!(all["severity"], "critical");
    assert_eq!(all["detail"]["limit"], 200_000);
    assert_eq!(stage.receiver.deliveries().len(), 3);
    let cycle = wait_until("the cycle", SOON, || {
        let cycle = daemon.api.device(ip(LAPTOP))?["cycle"].clone();
        if cycle.is_object() {
            Ok(cycle)
        } else {
            Err(cycle.to_string())
        }
    });
    assert_eq!(cycle["quota"], 200_000);
    let used = |direction: &str| cycle[direction].as_u64().unwrap_or_default();
    assert!(used("sent") + used("received") >= 200_000, "{cycle}");
}

#[test]
fn a_device_that_should_talk_is_told_of_when_it_falls_silent_and_when_it_is_back() {
    let stage = Stage::new(
        "",
        r#"{ "192.0.2.7": { "name": "Camera", "silent": "1min" } }"#,
    );
    let _daemon = stage.setup.start();
    stage.upload(LAPTOP, 1);
    let long = Duration::from_secs(75);
    let fired = stage
        .receiver
        .wait_for("its silence", long, |each| each.is("silent", "firing"));
    assert_eq!(fired.event["threshold"], 60);
    assert_eq!(fired.text("unit"), "seconds");
    stage.upload(LAPTOP, 1);
    let back = stage
        .receiver
        .wait_for("its return", TOLD, |each| each.is("silent", "resolved"));
    assert_eq!(back.text("alert"), fired.text("alert"));
}

/// The event that tells that so many percent of a quota are used.
#[track_caller]
fn told(stage: &Stage, percent: u64) -> Value {
    let what = format!("{percent} percent");
    let told = stage.receiver.wait_for(&what, TOLD, |each| {
        each.is("quota", "firing") && each.event["detail"]["percent"] == percent
    });
    told.event
}
