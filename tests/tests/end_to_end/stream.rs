//! The live stream of a daemon that counts real traffic.

use std::time::Instant;

use bwmon_tests::{SOON, Stage, wait_until};
use serde_json::Value;

const DEVICES: &str = r##"{
    "192.0.2.7": { "name": "Laptop", "bandwidth_threshold": 100000 },
    "192.0.2.8": { "name": "Printer" }
}"##;

/// What a device is, by the events so far.
fn laptop(snapshot: &Value) -> Option<&Value> {
    let devices = snapshot["devices"].as_array()?;
    devices.iter().find(|device| device["name"] == "Laptop")
}

#[test]
fn traffic_and_the_alert_it_raises_are_told_as_they_happen() {
    let stage = Stage::new("", DEVICES);
    let daemon = stage.setup.start();
    let mut events = daemon.api.events().expect("open the stream");
    let (name, first) = events.next().expect("the first event");
    assert_eq!(name, "snapshot");
    assert_eq!(first["full"], true);
    assert_eq!(first["interfaces"][0]["name"], "lan0");
    assert_eq!(first["devices"].as_array().map(Vec::len), Some(2));
    assert_eq!(first["alerts"], Value::Array(Vec::new()));

    let sent = stage.upload("192.0.2.7", 120);
    let alert = events.find("alert", |_| true);
    assert_eq!(
        (&alert["state"], &alert["rule"]),
        (&"firing".into(), &"volume".into())
    );
    let snapshot = events.find("snapshot", |snapshot| laptop(snapshot).is_some());
    assert_eq!(snapshot["full"], false);
    let device = laptop(&snapshot).expect("the laptop");
    assert_eq!(device["today"]["sent"], sent.bytes);
    assert_eq!(device["alerts"][0], alert["id"]);
    assert_eq!(snapshot["alerts"][0]["id"], alert["id"]);
    // The printer does nothing, and is not told of again.
    assert_eq!(snapshot["devices"].as_array().map(Vec::len), Some(1));
    let later = events.find("snapshot", |_| true);
    assert_eq!(later["alerts"], Value::Null);

    let id = alert["id"].as_str().expect("an id");
    let path = format!("/api/v1/alerts/{id}/ack");
    let answer = daemon.api.ask("POST", &path, r#"{"by": "Ann"}"#);
    assert_eq!(answer.expect("an answer").status, 200);
    let acknowledged = events.find("alert", |_| true);
    assert_eq!(acknowledged["acknowledged_by"], "Ann");
}

#[test]
fn streams_are_few_and_end_with_the_daemon_at_once() {
    let stage = Stage::new("poll_interval = \"60s\"\n", DEVICES);
    let daemon = stage.setup.start();
    let mut streams: Vec<_> = (0..16)
        .map(|_| daemon.api.events().expect("open a stream"))
        .collect();
    for stream in &mut streams {
        assert_eq!(stream.next().expect("the first event").0, "snapshot");
    }
    let refused = daemon.api.get("/api/v1/stream").expect("an answer");
    assert_eq!(refused.status, 503, "{}", refused.body);
    // Others are still served, and who leaves makes room.
    assert!(daemon.api.interfaces().is_ok());
    drop(streams.pop());
    let mut next = wait_until("room for one more", SOON, || {
        daemon.api.events().map_err(|error| error.to_string())
    });
    assert!(next.next().is_some());

    let asked = Instant::now();
    daemon.terminate();
    assert!(next.next().is_none());
    println!("it ended within {:?}", asked.elapsed());
}
