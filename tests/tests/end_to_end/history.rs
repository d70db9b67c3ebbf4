//! What is told of the past is what was sent, whoever asks and in whatever form, over restarts.
#![expect(
    clippy::expect_used,
    reason = "what a test stands on fails by panicking, with the reason"
)]

use std::{fs, os::unix::fs::PermissionsExt, process::Output};

use bwmon_tests::{Daemon, SOON, Sent, Stage, wait_until};
use serde_json::Value;

const LAPTOP: &str = "192.0.2.7";
const TABLET: &str = "192.0.2.8";
const DEVICES: &str = r#"{
    "192.0.2.7": { "name": "Laptop", "group": "Kids", "quota": "1 GB" },
    "192.0.2.8": { "name": "Tablet", "group": "Kids" }
}"#;
/// Not since midnight, which may be near.
const LATELY: &str = "-2h";

#[test]
fn history_and_report_tell_what_was_sent_over_a_restart() {
    let stage = Stage::new("", DEVICES);
    let daemon = stage.setup.start();
    let mut laptop = Both {
        sent: stage.upload(LAPTOP, 40),
        received: stage.download(LAPTOP, 90),
    };
    let tablet = Both {
        sent: stage.upload(TABLET, 10),
        received: Sent::default(),
    };
    wait_for_rows(&daemon, &[("Laptop", laptop), ("Tablet", tablet)]);
    daemon.terminate();

    let daemon = stage.setup.start();
    laptop.sent += stage.upload(LAPTOP, 25);
    wait_for_rows(&daemon, &[("Laptop", laptop), ("Tablet", tablet)]);
    let total = laptop + tablet;

    // All that is asked of one device, of a group, of an interface, and of everybody.
    for (device, expected) in [
        ("Laptop", laptop),
        (LAPTOP, laptop),
        ("group:Kids", total),
        ("interface:lan0", total),
        ("", total),
    ] {
        let device = match device {
            "" => String::new(),
            device => format!("device={device}&"),
        };
        for step in ["1m", "15m", "1h", "1d"] {
            let path = format!("/api/v1/history?{device}from={LATELY}&step={step}");
            let answer = daemon.api.json(&path).expect("history");
            assert_eq!(Both::of_points(&answer), expected, "{path}: {answer}");
        }
    }
    // By the second as far as a whole minute of them is in memory, before that by the minute.
    let path = format!("/api/v1/history?device={LAPTOP}&from={LATELY}&step=1s");
    let answer = daemon.api.json(&path).expect("history");
    assert_eq!(Both::of_points(&answer), laptop, "{answer}");
    // By group, interface, hour and day it is the same.
    for by in ["group", "interface", "hour", "day"] {
        let path = format!("/api/v1/report?from={LATELY}&by={by}");
        let report = daemon.api.json(&path).expect("a report");
        assert_eq!(Both::of(&report["sum"]), total, "{path}: {report}");
    }
}

#[test]
fn the_commands_tell_the_same_in_every_form() {
    let stage = Stage::new("", DEVICES);
    let daemon = stage.setup.start();
    let laptop = Both {
        sent: stage.upload(LAPTOP, 40),
        received: stage.download(LAPTOP, 90),
    };
    wait_for_rows(&daemon, &[("Laptop", laptop)]);

    let report = ["report", "--from", LATELY];
    let json: Value =
        serde_json::from_str(&does(&stage, &[&report[..], &["--json"]].concat())).expect("JSON");
    assert_eq!(Both::of(&json["rows"][0]), laptop);
    let csv = does(&stage, &[&report[..], &["--csv"]].concat());
    let row = csv.lines().nth(1).expect("a row");
    let Both { sent, received } = laptop;
    let expected = format!(
        "192.0.2.7,Laptop,Kids,{},{},0,0,",
        sent.bytes, received.bytes
    );
    assert!(row.starts_with(&expected), "{row}");
    let text = does(&stage, &report);
    assert!(text.contains("internet traffic\n"), "{text}");
    let line = text.lines().find(|line| line.starts_with("Laptop"));
    let line = line.expect("a line of the laptop");
    assert!(line.contains("40 kB") && line.contains("90 kB"), "{text}");
    assert!(
        !text.contains('\x1b'),
        "no colours without a terminal: {text}"
    );
    let today = does(&stage, &["report", "--cycle", "--top", "1", "--p95"]);
    assert!(today.contains("QUOTA") && today.contains("1 GB"), "{today}");

    let chart = does(&stage, &["history", "laptop", "--from", LATELY]);
    assert!(chart.starts_with("Laptop (192.0.2.7), "), "{chart}");
    assert!(chart.contains("received: 90 kB"), "{chart}");
    let csv = does(&stage, &["history", LAPTOP, "--from", LATELY, "--csv"]);
    assert!(csv.starts_with("at,seconds,sent,received,"), "{csv}");
    let json = does(&stage, &["history", LAPTOP, "--from", LATELY, "--json"]);
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(Both::of_points(&json), laptop);

    for (limit, status) in [("1 GB", 0), ("100 kB", 1)] {
        let output = stage
            .setup
            .command(["report", "--from", LATELY, "--limit", limit]);
        assert_eq!(output.status.code(), Some(status), "{limit}: {output:?}");
    }
    for wrong in [
        &["history", "nobody"][..],
        &["report", "--from", "soon"],
        &["report", "--limit", "much"],
        &["history", "--database", "/nonexistent.db"],
    ] {
        let output = stage.setup.command(wrong);
        assert_eq!(output.status.code(), Some(2), "{wrong:?}: {output:?}");
    }
}

#[test]
fn a_backup_is_made_while_bwmon_runs_and_is_read_without_it() {
    let stage = Stage::new("", DEVICES);
    let daemon = stage.setup.start();
    let laptop = Both {
        sent: stage.upload(LAPTOP, 40),
        received: stage.download(LAPTOP, 90),
    };
    wait_for_rows(&daemon, &[("Laptop", laptop)]);
    // A stop writes down what came since the last checkpoint.
    daemon.terminate();
    let daemon = stage.setup.start();
    stage.upload(LAPTOP, 5);

    let copy = stage.setup.directory().join("copy.db");
    let file = copy.to_str().expect("a path in UTF-8");
    let state = stage.setup.state_path();
    let state = state.to_str().expect("a path in UTF-8");
    let backup = ["history", "backup", file, "--state-dir", state];
    does(&stage, &backup);
    let mode = fs::metadata(&copy)
        .expect("the copy is there")
        .permissions();
    assert_eq!(mode.mode() & 0o777, 0o640);
    let again = stage.setup.command(backup);
    assert_eq!(again.status.code(), Some(2), "{again:?}");
    does(&stage, &[&backup[..], &["--force"]].concat());
    daemon.wait_for_samples(3);
    daemon.terminate();

    let rows = |database: &str| {
        let report = ["report", "--from", LATELY, "--json", "--database", database];
        let report: Value = serde_json::from_str(&does(&stage, &report)).expect("JSON");
        Both::of(&report["rows"][0])
    };
    assert_eq!(rows(file), laptop);
    let own = format!("{state}/bwmon.db");
    assert_eq!(rows(&own).sent.packets, laptop.sent.packets + 5);
    let chart = does(&stage, &["history", "Laptop", "--database", file]);
    assert!(chart.contains("received: 90 kB"), "{chart}");
}

#[test]
fn a_device_that_is_called_otherwise_now_is_told_by_its_new_name() {
    let stage = Stage::new("", DEVICES);
    let daemon = stage.setup.start();
    let laptop = Both {
        sent: stage.upload(LAPTOP, 40),
        received: Sent::default(),
    };
    wait_for_rows(&daemon, &[("Laptop", laptop)]);
    daemon.terminate();
    stage
        .setup
        .write_devices(r#"{ "192.0.2.7": { "name": "Old laptop", "group": "Attic" } }"#);
    let daemon = stage.setup.start();
    wait_for_rows(&daemon, &[("Old laptop", laptop)]);
    let group = daemon
        .api
        .json(&format!("/api/v1/history?device=group:Attic&from={LATELY}"))
        .expect("history of the group");
    assert_eq!(Both::of_points(&group), laptop);
    let before = daemon.api.get("/api/v1/history?device=group:Kids");
    assert_eq!(before.expect("an answer").status, 404);
}

/// What went each way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Both {
    sent: Sent,
    received: Sent,
}

impl std::ops::Add for Both {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            sent: self.sent + other.sent,
            received: self.received + other.received,
        }
    }
}

impl Both {
    /// Of a row or a point. None of it is local.
    fn of(row: &Value) -> Self {
        let number = |name: &str| row[name].as_u64().unwrap_or(u64::MAX);
        assert_eq!(
            (number("sent_local"), number("received_local")),
            (0, 0),
            "{row}"
        );
        Self {
            sent: Sent {
                bytes: number("sent"),
                packets: number("sent_packets"),
            },
            received: Sent {
                bytes: number("received"),
                packets: number("received_packets"),
            },
        }
    }

    fn of_points(answer: &Value) -> Self {
        let points = answer["points"].as_array().expect("points");
        points
            .iter()
            .map(Self::of)
            .fold(Self::default(), |sum, point| sum + point)
    }
}

/// Waits until the report has exactly these rows, and their sum.
#[track_caller]
fn wait_for_rows(daemon: &Daemon, expected: &[(&str, Both)]) {
    wait_until("the report", SOON, || {
        let report = daemon.api.json(&format!("/api/v1/report?from={LATELY}"))?;
        let rows = report["rows"].as_array().ok_or("no rows")?;
        let found: Vec<_> = rows
            .iter()
            .map(|row| (row["name"].as_str().unwrap_or_default(), Both::of(row)))
            .collect();
        let sum = expected
            .iter()
            .fold(Both::default(), |sum, (_, both)| sum + *both);
        if found == expected && Both::of(&report["sum"]) == sum {
            Ok(())
        } else {
            Err(report.to_string())
        }
    });
}

/// What a command prints that succeeds.
#[track_caller]
fn does(stage: &Stage, words: &[&str]) -> String {
    let Output {
        status,
        stdout,
        stderr,
    } = stage.setup.command(words);
    let errors = String::from_utf8_lossy(&stderr);
    assert!(status.success(), "{words:?}: {status}: {errors}");
    String::from_utf8(stdout).expect("it prints UTF-8")
}
