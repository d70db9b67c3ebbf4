//! Metrics as Prometheus reads them: judged by its own tool, and held against what was sent.
#![expect(
    clippy::expect_used,
    reason = "what a test stands on fails by panicking, with the reason"
)]

use std::{io::Write, process::Stdio};

use bwmon_tests::{PEER, SOON, Stage, ip, server, wait_until};

const OPEN_METRICS: &str = "application/openmetrics-text;version=1.0.0,text/plain;q=0.5";
const DEVICES: &str = r##"{
    "192.0.2.7": { "name": "The \"TV\" \\", "bandwidth_threshold": 5000 }
}"##;

#[test]
fn promtool_finds_nothing_and_the_counters_are_what_was_sent() {
    let stage = Stage::new("[metrics]\nmax_devices = 2\n", DEVICES);
    let daemon = stage.setup.start();
    let up = stage.upload("192.0.2.7", 20);
    let down = stage.download("192.0.2.7", 30);
    for other in ["192.0.2.8", "192.0.2.9", "192.0.2.10"] {
        stage.upload(other, 1);
    }
    let text = wait_until("what was sent, an alert, and all the devices", SOON, || {
        let response = daemon
            .api
            .get("/metrics")
            .map_err(|error| error.to_string())?;
        assert_eq!(response.status, 200, "{}", response.body);
        let text = response.body;
        let has = |start: &str, value: u64| {
            text.lines().any(|line| {
                let ended = line.rsplit_once(' ');
                line.starts_with(start) && ended.is_some_and(|(_, end)| end == value.to_string())
            })
        };
        let tv = r#"{device="02:00:00:00:00:02",name="The \"TV\" \\",scope="internet"}"#;
        let alone = r#"{device="192.0.2.7",name="The \"TV\" \\",scope="internet"}"#;
        let is_there = |metric: &str, bytes| {
            [tv, alone]
                .iter()
                .any(|labels| has(&format!("{metric}{labels}"), bytes))
        };
        let is_complete = is_there("bwmon_device_sent_bytes_total", up.bytes)
            && is_there("bwmon_device_received_bytes_total", down.bytes)
            && has(r#"bwmon_alerts_firing{rule="volume"}"#, 1)
            && has(
                r#"bwmon_device_sent_bytes_total{device="other",name="other",scope="internet"}"#,
                2_000,
            )
            && has("bwmon_store_up", 1);
        is_complete.then(|| text.clone()).ok_or(text)
    });
    assert!(!text.contains("# EOF"), "{text}");
    check(&text);

    let open = daemon.api.get_with("/metrics", &[("accept", OPEN_METRICS)]);
    let open = open.expect("ask for OpenMetrics").body;
    assert!(open.ends_with("# EOF\n"), "{open}");
    assert!(
        open.contains("# TYPE bwmon_device_sent_bytes counter\n"),
        "{open}"
    );
    // The peer is nobody's device.
    assert!(daemon.api.device(ip(PEER)).is_err());
}

/// `promtool check metrics` on what Prometheus' own format says.
#[track_caller]
fn check(text: &str) {
    let mut promtool = server("promtool");
    promtool
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = promtool.spawn().expect("start promtool");
    let mut input = child.stdin.take().expect("speak to promtool");
    input.write_all(text.as_bytes()).expect("speak to promtool");
    drop(input);
    let output = child.wait_with_output().expect("wait for promtool");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.is_empty(), "{said}\n{text}");
}
