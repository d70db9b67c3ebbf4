//! `bwmon backtest`: counts what is in a capture as tshark does, and says what would have fired.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Write,
    net::IpAddr,
    path::Path,
    process::{Command, Output, Stdio},
};

use bwmon::replay::{
    capture::{Capture as Reader, LinkType},
    counting::Traffic,
};
use bwmon_tests::{Capture, Counted, Lan, Setup, Truth, binary};
use jiff::Timestamp;
use rusqlite::Connection;
use serde_json::{Value, json as value};

/// Every capture of the shared set: each address has the packets and bytes that tshark finds.
#[test]
fn counts_every_address_of_every_capture() {
    let Some(captures) = Capture::all() else {
        return;
    };
    for capture in captures {
        let file = File::open(&capture.path).unwrap();
        let mut reader = Reader::open(file).unwrap();
        let all = ["0.0.0.0/0", "::/0"].map(|net| net.parse().unwrap());
        let mut traffic = Traffic::new(all.to_vec());
        while let Some(frame) = reader.next_frame().unwrap() {
            assert_eq!(frame.link, LinkType::Ethernet);
            traffic.add(&frame);
        }
        assert!(!reader.is_cut_off(), "{}", capture.name());
        let total = counted(traffic.total);
        assert_eq!(total, capture.total, "{}", capture.name());
        let non_ip = counted(traffic.non_ip);
        let rows: Vec<_> = traffic.take().collect();
        let sources = rows.iter().map(|(address, row)| (*address, row.sent));
        check(&capture, &capture.sources, non_ip, sources);
        let destinations = rows.iter().map(|(address, row)| (*address, row.received));
        check(&capture, &capture.destinations, non_ip, destinations);
    }
}

fn check(
    capture: &Capture,
    truth: &Truth,
    non_ip: Counted,
    found: impl Iterator<Item = (IpAddr, bwmon_common::layout::Counter)>,
) {
    let found: BTreeMap<IpAddr, Counted> = found
        .map(|(address, counter)| (address, counted(counter)))
        .filter(|(_, counted)| *counted != Counted::default())
        .collect();
    assert_eq!(found, truth.addresses, "{}", capture.name());
    assert_eq!(non_ip, truth.non_ip, "{}", capture.name());
}

fn counted(counter: bwmon_common::layout::Counter) -> Counted {
    Counted {
        bytes: counter.bytes,
        packets: counter.packets,
    }
}

#[test]
fn a_capture_is_played_from_a_file_and_from_stdin() {
    let Some(captures) = Capture::all() else {
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("bwmon.toml");
    fs::write(&config, "[defaults]\nbandwidth_threshold = 100000\n").unwrap();
    let phone = captures
        .iter()
        .find(|capture| capture.name() == "iphone.pcap")
        .unwrap();
    let path = phone.path.to_str().unwrap();
    let output = backtest(&config, &[path, "--json"], Stdio::null());
    let alerts = json(&output);
    let devices: Vec<_> = alerts.iter().map(|alert| &alert["device"]).collect();
    assert_eq!(devices.len(), 1, "{alerts:?}");
    assert_eq!(output.status.code(), Some(1));
    let alert = &alerts[0];
    assert_eq!(alert["rule"], "volume");
    assert_eq!(alert["threshold"], 100_000);
    assert!(alert["observed"].as_u64() > Some(100_000), "{alert}");
    assert!(alert["ended_at"].is_null() && alert["expected"].is_null());
    assert!(alert["started_at"].as_str().unwrap().contains('T'));

    let file = File::open(&phone.path).unwrap();
    let piped = backtest(&config, &["-", "--json"], file.into());
    assert_eq!(json(&piped), alerts);
    // Seen from elsewhere, nobody in it is a device.
    let elsewhere = [path, "--local", "198.51.100.0/24"];
    let output = backtest(&config, &elsewhere, Stdio::null());
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("nothing would have fired\n"), "{text}");
}

#[test]
fn a_series_is_played_as_the_device_of_its_name() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("bwmon.toml");
    fs::write(&config, "[defaults]\nrate_threshold = \"1 MB/s\"\n").unwrap();
    let path = directory.path().join("office.csv");
    let mut file = File::create(&path).unwrap();
    writeln!(file, "value,timestamp").unwrap();
    for minute in 0..60 {
        let bytes = if (20..30).contains(&minute) {
            120_000_000
        } else {
            1_000
        };
        writeln!(file, "{bytes},2026-03-08 14:{minute:02}").unwrap();
    }
    drop(file);
    let path = path.to_str().unwrap();
    let output = backtest(&config, &["--series", path, "--json"], Stdio::null());
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let alerts = json(&output);
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    let alert = &alerts[0];
    assert_eq!(
        (&alert["rule"], &alert["device"]),
        (&"rate".into(), &"office".into())
    );
    assert_eq!(alert["started_at"], "2026-03-08T14:20:10+00:00");
    assert_eq!(alert["ended_at"], "2026-03-08T14:30:40+00:00");
    assert_eq!(alert["observed"], 2_000_000);
    let output = backtest(&config, &["--series", path], Stdio::null());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("PER WEEK"), "{text}");
}

/// Of a device that bwmon itself knew, on each of 20 days: 1 GB from ten to eleven o'clock.
fn record(database: &Path) -> rusqlite::Result<()> {
    let connection = Connection::open(database)?;
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    let series = "INSERT INTO series (subject) VALUES ('02:1b:c3:00:4f:9e')";
    connection.execute(series, [])?;
    let key = connection.last_insert_rowid();
    let midnight = Timestamp::now().as_second() / 86_400 * 1440;
    let put = |tier: &str, at: i64, bytes: i64| -> rusqlite::Result<usize> {
        let insert = format!(
            "INSERT INTO history_{tier} VALUES (?1, ?2, ?3, 0, 0, 0, ?3 / 1000, 0, 0, 0, ?3 / 900, 0)"
        );
        connection.execute(&insert, [at, key, bytes])
    };
    for day in 1..=20 {
        let start = midnight - day * 1440;
        put("day", start, 1_000_000_000)?;
        put("hour", start + 600, 1_000_000_000)?;
        for quarter in 0..4 {
            put("quarter", start + 600 + 15 * quarter, 250_000_000)?;
        }
    }
    Ok(())
}

#[test]
fn recorded_history_is_played_beside_the_daemon_and_suggests_thresholds() {
    let lan = Lan::new();
    let setup = Setup::new(&lan.router, &["lan0"]).config("timezone = \"UTC\"\n");
    let daemon = setup.start();
    let database = setup.state_path().join("bwmon.db");
    record(&database).unwrap();
    let database = database.to_str().unwrap();
    let history = ["--since", "30d", "--database", database];
    let play = |threshold: &str, more: &[&str]| {
        let config = setup.directory().join("new.toml");
        let text =
            format!("timezone = \"UTC\"\n[defaults]\nbandwidth_threshold = \"{threshold}\"\n");
        fs::write(&config, text).unwrap();
        backtest(&config, &[&history[..], more].concat(), Stdio::null())
    };
    let output = play("700 MB", &["--json"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let alerts = json(&output);
    assert_eq!(alerts.len(), 20, "{alerts:?}");
    for alert in &alerts {
        assert_eq!(
            (&alert["rule"], &alert["device"]),
            (&value!("volume"), &value!("02:1b:c3:00:4f:9e"))
        );
        let started = alert["started_at"].as_str().unwrap();
        // 250 MB a quarter of an hour from ten o'clock on are more than 700 MB in 43 minutes.
        assert_eq!(started.get(10..16), Some("T10:43"), "{started}");
    }
    let text = String::from_utf8(play("700 MB", &[]).stdout).unwrap();
    assert!(text.contains("by quarters of an hour"), "{text}");
    assert!(text.contains("volume  02:1b:c3:00:4f:9e      20"), "{text}");
    let output = play("2 GB", &[]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");

    let proposals = json(&play("700 MB", &["--suggest", "--json"]));
    let volume = proposals
        .iter()
        .find(|proposal| proposal["rule"] == "volume")
        .unwrap();
    assert_eq!(volume["present_alerts"], 20, "{volume}");
    assert_eq!(
        (&volume["written"], &volume["alerts"]),
        (&value!("1.2 GB"), &value!(0))
    );
    let snippet = play("700 MB", &["--suggest", "--as-config"]);
    assert_eq!(snippet.status.code(), Some(0), "{snippet:?}");
    let devices = setup.directory().join("suggested.json");
    fs::write(&devices, &snippet.stdout).unwrap();
    let checked = setup.command(["check".as_ref(), "--devices".as_ref(), devices.as_os_str()]);
    assert_eq!(checked.status.code(), Some(0), "{checked:?}\n{snippet:?}");
    // With them it would have been quiet.
    let devices = ["--devices", devices.to_str().unwrap(), "--json"];
    assert_eq!(json(&play("700 MB", &devices)), [Value::Null; 0]);
    daemon.terminate();
}

#[test]
fn what_is_no_recording_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("bwmon.toml");
    fs::write(&config, "").unwrap();
    let (config, missing) = (config.as_path(), directory.path().join("missing"));
    let text = config.to_str().unwrap();
    for args in [
        &[text][..],
        &["--series", text],
        &[missing.to_str().unwrap()],
        &["--since", "30d", "--database", text],
        &["--since", "30d", "--database", missing.to_str().unwrap()],
    ] {
        let output = backtest(config, args, Stdio::null());
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.starts_with("bwmon: "), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}

fn backtest(config: &Path, args: &[&str], stdin: Stdio) -> Output {
    Command::new(binary())
        .arg("backtest")
        .arg("--config")
        .arg(config)
        .args(args)
        .stdin(stdin)
        .output()
        .unwrap_or_else(|error| panic!("bwmon does not start: {error}"))
}

fn json(output: &Output) -> Vec<Value> {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}
