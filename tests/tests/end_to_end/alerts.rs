//! A rule that a device breaks is told to a real receiver: once, in time, with all that it needs to
//! know; and it is told when it is over. A receiver that misbehaves harms nobody but itself.

use std::time::{Duration, Instant};

use bwmon_tests::{
    Answer, Daemon, Flow, Lan, PEER, Receiver, SOON, Stage, ip, wait_until, zone_with_midnight_in,
};
use nix::sys::signal::Signal;
use serde_json::Value;

const DEVICE: &str = "192.0.2.7";

/// An interval and 200 ms are promised; machines that run tests are slow.
const TOLD: Duration = Duration::from_secs(5);
/// Back-off included, after the receiver is well again.
const RETRIED: Duration = Duration::from_secs(60);

#[test]
fn a_volume_alert_is_told_once_with_every_field_and_resolved_by_a_higher_threshold() {
    let stage = Stage::new(
        "",
        r#"{
            "unknown": { "bandwidth_threshold": 1000000 },
            "192.0.2.7": { "name": "Laptop", "bandwidth_threshold": 100000 },
            "192.0.2.8": { "name": "Tablet", "bandwidth_threshold": 100000 }
        }"#,
    );
    let daemon = stage.setup.start();
    stage.upload(DEVICE, 60);
    stage.download(DEVICE, 60);
    let fired = stage
        .receiver
        .wait_for("the alert", TOLD, |each| each.is("volume", "firing"));
    assert_eq!(fired.text("source"), "Bandwidth");
    assert_eq!(fired.header(":method"), Some("POST"));
    assert!(
        fired
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("application/json"))
    );
    let description = fired.text("eventDescription");
    assert!(
        description.contains("Laptop") && description.contains(DEVICE),
        "{description}"
    );
    for field in ["timestamp", "started_at"] {
        assert!(
            is_rfc3339(fired.text(field)),
            "{field}: {}",
            fired.text(field)
        );
    }
    for field in ["id", "alert", "host"] {
        assert!(!fired.text(field).is_empty(), "{field}");
    }
    assert_eq!(fired.event["device"]["name"], "Laptop");
    assert_eq!(
        fired.event["device"]["addresses"],
        serde_json::json!([DEVICE])
    );
    assert!(!fired.event["device"]["id"].is_null());
    assert_eq!(fired.text("direction"), "total");
    assert_eq!(fired.text("unit"), "bytes");
    assert_eq!(fired.event["threshold"], 100_000);
    assert_eq!(fired.event["expected"], Value::Null);
    assert_eq!(fired.event["ended_at"], Value::Null);
    let number = |field: &str| fired.event[field].as_u64().unwrap_or_default();
    assert!(
        (100_001..=120_000).contains(&number("observed")),
        "{}",
        fired.event
    );
    assert_eq!(
        number("sent") + number("received"),
        number("observed"),
        "{}",
        fired.event
    );
    assert!(fired.event["peak_rate"].is_u64(), "{}", fired.event);

    // More of the same is nothing new; events come in order, so when the tablet's is here, there is
    // none of the laptop's on the way.
    stage.upload(DEVICE, 60);
    daemon.wait_for_samples(3);
    stage.upload("192.0.2.8", 120);
    stage.receiver.wait_for("the tablet's alert", TOLD, |each| {
        each.event["device"]["name"] == "Tablet" && each.is("volume", "firing")
    });
    assert_eq!(
        stage.receiver.deliveries().len(),
        2,
        "{:#?}",
        stage.receiver.deliveries()
    );
    let alert = alert(&daemon, fired.text("alert"));
    assert_eq!(
        (&alert["state"], &alert["rule"]),
        (&"firing".into(), &"volume".into())
    );

    stage.setup.write_devices(
        r#"{
            "192.0.2.7": { "name": "Laptop", "bandwidth_threshold": 5000000 },
            "192.0.2.8": { "name": "Tablet", "bandwidth_threshold": 100000 }
        }"#,
    );
    daemon.signal(Signal::SIGHUP);
    let resolved = stage
        .receiver
        .wait_for("the end", TOLD, |each| each.is("volume", "resolved"));
    assert_eq!(resolved.text("alert"), fired.text("alert"));
    assert_ne!(resolved.text("id"), fired.text("id"));
    assert!(is_rfc3339(resolved.text("ended_at")));
    assert_eq!(stage.receiver.deliveries().len(), 3);
}

#[test]
fn a_device_under_its_thresholds_gets_no_event() {
    let stage = Stage::new(
        "",
        r#"{
            "unknown": { "bandwidth_threshold": 1000000, "max_active_time": 3600 },
            "192.0.2.8": { "bandwidth_threshold": 50000 }
        }"#,
    );
    let daemon = stage.setup.start();
    stage.upload(DEVICE, 900);
    // Local traffic is no internet traffic.
    stage
        .lan
        .upload((0..900).map(|_| Lan::packet(DEVICE, "192.0.2.9").length(1000).build()));
    wait_until("the device to be counted", SOON, || {
        let sent = daemon.api.device(ip(DEVICE))?["today"]["sent"].as_u64();
        if sent == Some(1_800_000) {
            Ok(())
        } else {
            Err(format!("{sent:?}"))
        }
    });
    daemon.wait_for_samples(3);
    stage.upload("192.0.2.8", 60);
    stage
        .receiver
        .wait_for("the other one's alert", TOLD, |each| {
            each.is("volume", "firing")
        });
    assert_eq!(
        stage.receiver.deliveries().len(),
        1,
        "{:#?}",
        stage.receiver.deliveries()
    );
}

#[test]
fn a_new_day_resolves_volume_and_active_time() {
    let zone = zone_with_midnight_in(20);
    let stage = Stage::new(
        &format!("timezone = \"{zone}\"\n"),
        r#"{ "192.0.2.7": { "bandwidth_threshold": 100000, "max_active_time": 1 } }"#,
    );
    let daemon = stage.setup.start();
    let day = wait_until("the day", SOON, || daemon.api.json("/api/v1/status"))["day"].clone();
    stage.upload(DEVICE, 120);
    for rule in ["volume", "active_time"] {
        stage
            .receiver
            .wait_for(rule, TOLD, |each| each.is(rule, "firing"));
    }
    let midnight = Duration::from_secs(25);
    for rule in ["volume", "active_time"] {
        let fired = stage
            .receiver
            .wait_for(rule, TOLD, |each| each.is(rule, "firing"));
        let resolved = stage
            .receiver
            .wait_for(rule, midnight, |each| each.is(rule, "resolved"));
        assert_eq!(resolved.text("alert"), fired.text("alert"));
    }
    let active = stage
        .receiver
        .wait_for("it", TOLD, |each| each.is("active_time", "firing"));
    assert_eq!(active.text("unit"), "seconds");
    assert_eq!(active.event["threshold"], 1);
    let status = wait_until("the status", SOON, || daemon.api.json("/api/v1/status"));
    assert_ne!(status["day"], day);
    wait_until("the new day's figures", SOON, || {
        let devices = daemon.api.json("/api/v1/devices")?;
        let used = |device: &Value| device["today"]["sent"] != 0;
        let is_new = !devices.as_array().is_some_and(|all| all.iter().any(used));
        if is_new {
            Ok(())
        } else {
            Err(devices.to_string())
        }
    });
    assert_eq!(
        stage.receiver.deliveries().len(),
        4,
        "{:#?}",
        stage.receiver.deliveries()
    );
    // The new day has alerts of its own.
    stage.upload(DEVICE, 120);
    wait_until("the new day's alerts", TOLD, || {
        let fired = stage
            .receiver
            .deliveries()
            .iter()
            .filter(|each| each.is("volume", "firing"))
            .count();
        if fired == 2 { Ok(()) } else { Err(fired) }
    });
}

#[test]
fn a_rate_alert_comes_after_ten_seconds_of_it_and_goes_after_thirty_without() {
    let stage = Stage::new(
        "",
        r#"{
            "192.0.2.7": { "name": "Laptop", "rate_threshold": 50000 },
            "192.0.2.8": { "name": "Tablet", "rate_threshold": 500000 }
        }"#,
    );
    let daemon = stage.setup.start();
    let start = Instant::now();
    let flow = |source| {
        Flow::start(
            &stage.lan.device,
            Lan::packet(source, PEER).length(1000).build(),
            200,
        )
    };
    let (above, below) = (flow(DEVICE), flow("192.0.2.8"));
    let fired = stage
        .receiver
        .wait_for("the alert", Duration::from_secs(25), |each| {
            each.is("rate", "firing")
        });
    let after = fired.at - start;
    assert!(
        after >= Duration::from_secs(10),
        "after {after:?}, too early"
    );
    assert_eq!(fired.event["device"]["name"], "Laptop");
    assert_eq!(fired.text("unit"), "bytes_per_second");
    assert_eq!(fired.event["threshold"], 50_000);
    let observed = fired.event["observed"].as_u64().unwrap_or_default();
    assert!(
        (50_001..220_000).contains(&observed),
        "{observed} of 200,000 bytes per second"
    );
    assert_eq!(alert(&daemon, fired.text("alert"))["state"], "firing");
    above.stop();
    let stopped = Instant::now();
    let resolved = stage
        .receiver
        .wait_for("the end", Duration::from_secs(50), |each| {
            each.is("rate", "resolved")
        });
    let after = resolved.at - stopped;
    assert!(
        after >= Duration::from_secs(30),
        "after {after:?}, too early"
    );
    assert_eq!(resolved.text("alert"), fired.text("alert"));
    let peak = resolved.event["peak_rate"].as_u64().unwrap_or_default();
    assert!(
        (observed..220_000).contains(&peak),
        "a peak of {peak} bytes per second"
    );
    below.stop();
    assert_eq!(
        stage.receiver.deliveries().len(),
        2,
        "{:#?}",
        stage.receiver.deliveries()
    );
}

#[test]
fn a_restart_neither_repeats_an_alert_nor_forgets_it() {
    assert_eq!(keeps_its_alert(Daemon::terminate), 2);
}

#[test]
fn a_crash_neither_repeats_an_alert_nor_forgets_it() {
    // What was taken as it was killed comes again, with the same id.
    let deliveries = keeps_its_alert(Daemon::kill);
    assert!((2..=3).contains(&deliveries), "{deliveries}");
}

/// One alert with one event of its beginning and one of its end, whatever happens in between.
/// Returns how often they were delivered.
fn keeps_its_alert(stop: fn(Daemon)) -> usize {
    let stage = Stage::new("", r#"{ "192.0.2.7": { "bandwidth_threshold": 50000 } }"#);
    let daemon = stage.setup.start();
    stage.upload(DEVICE, 60);
    let fired = stage
        .receiver
        .wait_for("the alert", TOLD, |each| each.is("volume", "firing"));
    // It was written down before it was told.
    stop(daemon);

    let daemon = stage.setup.start();
    stage.upload(DEVICE, 60);
    daemon.wait_for_samples(5);
    assert_eq!(alert(&daemon, fired.text("alert"))["state"], "firing");
    stage
        .setup
        .write_devices(r#"{ "192.0.2.7": { "bandwidth_threshold": 5000000 } }"#);
    daemon.signal(Signal::SIGHUP);
    let resolved = stage
        .receiver
        .wait_for("the end", TOLD, |each| each.is("volume", "resolved"));
    assert_eq!(resolved.text("alert"), fired.text("alert"));
    let deliveries = stage.receiver.deliveries();
    let mut ids: Vec<&str> = deliveries.iter().map(|each| each.text("id")).collect();
    ids.dedup();
    assert_eq!(
        ids,
        [fired.text("id"), resolved.text("id")],
        "{deliveries:#?}"
    );
    deliveries.len()
}

/// Killed while nobody takes its events, it tells them after the next start.
#[test]
fn a_crash_loses_no_event_that_waits() {
    let stage = Stage::new("", r#"{ "192.0.2.7": { "bandwidth_threshold": 50000 } }"#);
    let daemon = stage.setup.start();
    stage.receiver.set(Answer::Fail);
    stage.upload(DEVICE, 60);
    wait_until("a try", SOON, || match stage.receiver.attempts() {
        0 => Err("none"),
        _ => Ok(()),
    });
    daemon.kill();

    stage.receiver.set(Answer::Accept);
    let daemon = stage.setup.start();
    let fired = stage
        .receiver
        .wait_for("the alert", TOLD, |each| each.is("volume", "firing"));
    assert_eq!(alert(&daemon, fired.text("alert"))["state"], "firing");
    daemon.wait_for_samples(5);
    assert_eq!(stage.receiver.deliveries().len(), 1);
}

#[test]
fn an_event_survives_a_receiver_that_says_500() {
    survives("500", |receiver| receiver.set(Answer::Fail));
}

#[test]
fn an_event_survives_a_receiver_that_closes_the_connection() {
    survives("a close", |receiver| receiver.set(Answer::Close));
}

#[test]
fn an_event_survives_a_receiver_that_hangs() {
    survives("a hang", |receiver| receiver.set(Answer::Hang));
}

#[test]
fn an_event_survives_a_receiver_that_is_not_there() {
    survives("a refusal", Receiver::close);
}

/// While the receiver misbehaves the loop goes on; once it is well, the event arrives, once.
fn survives(what: &str, misbehave: impl FnOnce(&mut Receiver)) {
    let mut stage = Stage::new("", r#"{ "192.0.2.7": { "bandwidth_threshold": 50000 } }"#);
    let daemon = stage.setup.start();
    misbehave(&mut stage.receiver);
    stage.upload(DEVICE, 60);
    wait_until("the alert in the API", SOON, || {
        let alerts = daemon.api.json("/api/v1/alerts")?;
        if alerts[0]["state"] == "firing" {
            Ok(())
        } else {
            Err(alerts.to_string())
        }
    });
    if what != "a refusal" {
        wait_until("a try", SOON, || match stage.receiver.attempts() {
            0 => Err("none"),
            _ => Ok(()),
        });
    }
    // Ten intervals of 200 ms, at a time when a loop that waited would stand still.
    let before = wait_until("status", SOON, || daemon.api.json("/api/v1/status"));
    daemon.wait_for_samples(10);
    let status = wait_until("status", SOON, || daemon.api.json("/api/v1/status"));
    assert_eq!(
        before["poll"]["missed"], status["poll"]["missed"],
        "the loop missed ticks"
    );
    let health = daemon.api.get("/healthz").map(|response| response.status);
    assert_eq!(health.ok(), Some(200));
    let more = stage.upload(DEVICE, 10);
    wait_until("counting to go on", SOON, || {
        let sent = daemon.api.address(ip(DEVICE))?.sent;
        if sent.packets == 60 + more.packets {
            Ok(())
        } else {
            Err(format!("{sent:?}"))
        }
    });
    assert_eq!(stage.receiver.deliveries().len(), 0);

    if what == "a refusal" {
        stage.receiver.open();
    }
    stage.receiver.set(Answer::Accept);
    stage
        .receiver
        .wait_for(&format!("the event after {what}"), RETRIED, |each| {
            each.is("volume", "firing")
        });
    daemon.wait_for_samples(5);
    assert_eq!(
        stage.receiver.deliveries().len(),
        1,
        "{:#?}",
        stage.receiver.deliveries()
    );
}

fn alert(daemon: &Daemon, id: &str) -> Value {
    wait_until("the alert in the API", SOON, || {
        let alerts = daemon.api.json("/api/v1/alerts")?;
        let found = alerts
            .as_array()
            .and_then(|all| all.iter().find(|alert| alert["id"] == id));
        found.cloned().ok_or_else(|| alerts.to_string())
    })
}

/// As `2026-03-08T14:03:11+01:00`.
fn is_rfc3339(text: &str) -> bool {
    let shape: String = text
        .chars()
        .map(|letter| if letter.is_ascii_digit() { '0' } else { letter })
        .collect();
    [
        "0000-00-00T00:00:00+00:00",
        "0000-00-00T00:00:00-00:00",
        "0000-00-00T00:00:00Z",
    ]
    .contains(&shape.as_str())
}
