//! What an owner says of a device, by the command line or the API, is in the file and in force at
//! once, with all else in the file as it was, or it is said why not.

use std::{
    fs,
    net::SocketAddr,
    os::unix::fs::{MetadataExt, symlink},
    process::Output,
    thread,
    time::{Duration, Instant},
};

use bwmon_tests::{Api, Daemon, LOCAL_NETWORK, Lan, PEER, SOON, Setup, ip, wait_until};
use serde_json::{Value, json};

const LAPTOP: &str = "192.0.2.7";
/// Of the laptop, where the router knows its neighbours.
const LAPTOP_MAC: &str = "02:00:00:00:00:02";
const NOBODY: u32 = 65534;

/// With every kind of comment.
const FILE: &str = r#"# Devices of the house
{
  "unknown": { "bandwidth_threshold": 100000000 },  // everybody else
  /* upstairs */
  "192.0.2.9": {
    "name": "Printer",
    "bandwidth_threshold": 500000000,  # 500MB
  },
}
"#;
/// The same with an entry of the laptop.
const WITH_LAPTOP: &str = r#"# Devices of the house
{
  "unknown": { "bandwidth_threshold": 100000000 },  // everybody else
  /* upstairs */
  "192.0.2.9": {
    "name": "Printer",
    "bandwidth_threshold": 500000000,  # 500MB
  },
  "02:00:00:00:00:02": {
    "name": "Laptop",
    "group": "kids",
    "bandwidth_threshold": "5 GB",
  },
}
"#;

#[test]
fn over_the_socket_it_is_in_force_when_it_is_answered_and_outlives_a_restart() {
    let lan = Lan::new();
    lan.give_addresses();
    let setup = Setup::new(&lan.router, &["lan0"])
        .config(LOCAL_NETWORK)
        .devices(FILE);
    let daemon = setup.start();
    lan.upload([Lan::packet(LAPTOP, PEER).build()]);
    wait_for_device(&daemon, LAPTOP);

    let said = does(
        &setup,
        &[
            "device", "set", LAPTOP, "--name", "Laptop", "--group", "kids",
        ],
    );
    assert!(said.contains("name = \"Laptop\""), "{said}");
    let device = show(&daemon, LAPTOP);
    assert_eq!(
        (&device["name"], &device["group"]),
        (&json!("Laptop"), &json!("kids"))
    );

    // By its new name.
    does(
        &setup,
        &["device", "set", "laptop", "--bandwidth-threshold", "5 GB"],
    );
    assert_eq!(text(&setup), WITH_LAPTOP);
    let device = show(&daemon, LAPTOP);
    assert_eq!(
        device["thresholds"]["bandwidth_threshold"],
        5_000_000_000_u64
    );

    let answer = patch(&daemon.api, LAPTOP, &json!({ "mute": true, "group": null }));
    assert_eq!(answer.0, 200, "{}", answer.1);
    assert_eq!(answer.1["id"], LAPTOP_MAC);
    assert_eq!(
        (&answer.1["muted"], &answer.1["group"]),
        (&json!(true), &json!(null))
    );
    assert_eq!(show(&daemon, LAPTOP), without_rates(&answer.1));
    let expected = WITH_LAPTOP
        .replace("    \"group\": \"kids\",\n", "")
        .replace("\"5 GB\",\n", "\"5 GB\",\n    \"mute\": true,\n");
    assert_eq!(text(&setup), expected);

    daemon.terminate();
    let daemon = setup.start();
    let device = wait_for_device(&daemon, LAPTOP);
    assert_eq!(
        (&device["name"], &device["muted"]),
        (&json!("Laptop"), &json!(true))
    );

    does(&setup, &["device", "unset", "Laptop"]);
    assert_eq!(text(&setup), FILE);
    assert_eq!(show(&daemon, LAPTOP)["name"], LAPTOP);
    assert_eq!(show(&daemon, LAPTOP)["registered"], false);
    let said = fails(&setup, &["device", "unset", LAPTOP]);
    assert!(said.contains("404") && said.contains("no entry"), "{said}");
}

#[test]
fn over_tcp_without_a_token_the_file_is_changed_and_the_daemon_told() {
    let lan = Lan::new();
    let setup = listening(&lan, "");
    let daemon = setup.start();
    let answer = patch(&daemon.api, LAPTOP, &json!({ "name": "Laptop" }));
    assert_eq!(answer.0, 403, "{}", answer.1);
    assert_eq!(text(&setup), FILE);

    let started = Instant::now();
    let said = does(&setup, &["device", "set", LAPTOP, "--name", "Laptop"]);
    let pid = format!("(process {}) has read it", daemon.pid());
    assert!(said.contains(&pid), "{said}");
    assert_eq!(show(&daemon, LAPTOP)["name"], "Laptop");
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "{:?}",
        started.elapsed()
    );

    does(&setup, &["device", "set", "unknown", "--quota", "7 GB"]);
    does(
        &setup,
        &["device", "set", "192.0.2.0/28", "--max-active-time", "2h"],
    );
    let thresholds = &show(&daemon, LAPTOP)["thresholds"];
    assert_eq!(thresholds["quota"], 7_000_000_000_u64);
    assert_eq!(thresholds["max_active_time"], 7_200);
    let said = does(&setup, &["device", "show", "laptop"]);
    assert!(
        said.contains("7 GB a cycle") && said.contains("name = \"Laptop\""),
        "{said}"
    );
    assert!(text(&setup).contains("\"quota\": \"7 GB\" },  // everybody else\n"));

    let said = fails(&setup, &["device", "set", LAPTOP, "--quota", "many"]);
    assert!(
        said.contains("quota") && said.contains("\"many\""),
        "{said}"
    );
    let said = fails(&setup, &["device", "set", "nobody", "--mute"]);
    assert!(said.contains("there is no device \"nobody\""), "{said}");
    daemon.terminate();
}

#[test]
fn with_a_token_the_daemon_does_it() {
    let lan = Lan::new();
    let setup = listening(&lan, "token_file = \"token\"\n");
    let daemon = setup.start();
    let said = does(&setup, &["device", "set", LAPTOP, "--name", "Laptop"]);
    assert!(!said.contains("process"), "{said}");
    assert_eq!(show(&daemon, LAPTOP)["name"], "Laptop");
}

#[test]
fn without_a_daemon_the_file_is_changed_or_made() {
    let lan = Lan::new();
    let setup = listening(&lan, "");
    fs::remove_file(setup.devices_path()).expect("remove the file");
    let said = does(&setup, &["device", "set", LAPTOP, "--name", "Laptop"]);
    assert!(said.contains("no bwmon is running"), "{said}");
    let expected = format!("{{\n  \"{LAPTOP}\": {{ \"name\": \"Laptop\" }}\n}}\n");
    assert_eq!(text(&setup), expected);
    does(&setup, &["device", "set", "LAPTOP", "--mute"]);
    let said = does(&setup, &["device", "show", "Laptop"]);
    assert!(said.contains("mute = true"), "{said}");
    let daemon = setup.start();
    assert_eq!(wait_for_device(&daemon, LAPTOP)["muted"], true);
}

#[test]
fn a_daemon_that_may_not_write_says_so_and_root_does_it() {
    const CAPABILITIES: &str = "-all,+bpf,+net_admin,+perfmon";
    let lan = Lan::new();
    let setup = Setup::new(&lan.router, &["lan0"]);
    let state = format!("state_dir = \"{}\"\n", setup.state_path().display());
    let setup = setup
        .config(&format!("{state}{LOCAL_NETWORK}"))
        .owned_by(NOBODY)
        .wrapped([
            "setpriv".to_owned(),
            format!("--reuid={NOBODY}"),
            format!("--regid={NOBODY}"),
            "--clear-groups".to_owned(),
            format!("--inh-caps={CAPABILITIES}"),
            format!("--ambient-caps={CAPABILITIES}"),
            format!("--bounding-set={CAPABILITIES}"),
        ]);
    // In a directory of root's, as /etc/bwmon is.
    let locked = setup.directory().join("etc");
    fs::create_dir(&locked).expect("make a directory");
    let file = locked.join("devices.json");
    fs::write(&file, FILE).expect("write the file");
    fs::remove_file(setup.devices_path()).expect("remove the file");
    symlink("etc/devices.json", setup.devices_path()).expect("make a link");
    let daemon = setup.start();

    let (status, said) = patch(&daemon.api, LAPTOP, &json!({ "name": "Laptop" }));
    assert_eq!(status, 409, "{said}");
    let detail = said["detail"].as_str().unwrap_or_default();
    assert!(
        detail.contains("cannot be written") && detail.contains("sudo bwmon device"),
        "{detail}"
    );
    assert_eq!(text(&setup), FILE);
    assert_eq!(fs::read_dir(&locked).expect("list it").count(), 1);

    let said = does(&setup, &["device", "set", LAPTOP, "--name", "Laptop"]);
    assert!(said.contains("has read it"), "{said}");
    assert_eq!(show(&daemon, LAPTOP)["name"], "Laptop");
    assert!(setup.devices_path().is_symlink());
    assert_eq!(fs::metadata(&file).expect("look at it").uid(), 0);
    daemon.terminate();
}

#[test]
fn a_broken_file_is_left_alone_and_its_mistake_has_a_place() {
    let lan = Lan::new();
    let setup = Setup::new(&lan.router, &["lan0"])
        .config(LOCAL_NETWORK)
        .devices(FILE);
    let daemon = setup.start();
    let broken = FILE.replace("\"name\"", "\"nme\"");
    setup.write_devices(&broken);
    let (status, said) = patch(&daemon.api, LAPTOP, &json!({ "name": "Laptop" }));
    assert_eq!(status, 409, "{said}");
    let detail = said["detail"].as_str().unwrap_or_default();
    assert!(
        detail.contains("registered_devices.json:6:5: ")
            && detail.contains("did you mean \"name\"?"),
        "{detail}"
    );
    let said = fails(&setup, &["device", "set", LAPTOP, "--mute"]);
    assert!(said.contains("registered_devices.json:6:5: "), "{said}");
    assert_eq!(text(&setup), broken);
    assert_eq!(show(&daemon, "192.0.2.9")["name"], "Printer");
}

#[test]
fn of_many_at_once_all_are_in_the_file_and_in_force() {
    let lan = Lan::new();
    let setup = Setup::new(&lan.router, &["lan0"])
        .config(LOCAL_NETWORK)
        .devices(FILE);
    let daemon = setup.start();
    let address = |number: u32| format!("192.0.2.{}", 20 + number);
    thread::scope(|scope| {
        for number in 0..6 {
            let (api, setup) = (&daemon.api, &setup);
            scope.spawn(move || {
                let name = format!("Device {number}");
                if number % 2 == 0 {
                    let (status, said) = patch(api, &address(number), &json!({ "name": name }));
                    assert_eq!(status, 200, "{said}");
                } else {
                    does(setup, &["device", "set", &address(number), "--name", &name]);
                }
            });
        }
    });
    for number in 0..6 {
        let device = show(&daemon, &address(number));
        assert_eq!(device["name"], format!("Device {number}"));
        let entry = format!(
            "\"{}\": {{\n    \"name\": \"Device {number}\",\n  }},\n",
            address(number)
        );
        assert!(text(&setup).contains(&entry), "{}", text(&setup));
    }
    let text = text(&setup);
    let rest = FILE.trim_end_matches("}\n");
    assert!(text.starts_with(rest), "{text}");
}

/// A daemon on loopback, with these further lines in its `[http]`.
fn listening(lan: &Lan, lines: &str) -> Setup {
    let address = SocketAddr::from(([127, 0, 0, 1], 4000));
    let setup = Setup::new(&lan.router, &["lan0"]);
    done(fs::write(setup.directory().join("token"), "open-sesame\n"));
    let state = format!("state_dir = \"{}\"\n", setup.state_path().display());
    let mut api = Api::tcp(&lan.router, address);
    if !lines.is_empty() {
        api = api.with_token("open-sesame");
    }
    setup
        .config(&format!(
            "{state}{LOCAL_NETWORK}[http]\nlisten = \"{address}\"\n{lines}"
        ))
        .reached_at(api)
        .devices(FILE)
}

fn text(setup: &Setup) -> String {
    done(fs::read_to_string(setup.devices_path()))
}

#[track_caller]
fn patch(api: &Api, device: &str, fields: &Value) -> (u16, Value) {
    let path = format!("/api/v1/devices/{device}");
    let answer = api.ask("PATCH", &path, &fields.to_string());
    let answer = done(answer);
    let body = done(serde_json::from_str(&answer.body));
    (answer.status, body)
}

/// A device as it is now: not waited for.
#[track_caller]
fn show(daemon: &Daemon, device: &str) -> Value {
    let device = daemon.api.device(ip(device));
    without_rates(&done(device))
}

fn without_rates(device: &Value) -> Value {
    let mut device = device.clone();
    for field in ["sent_rate", "received_rate", "today", "last_seen"] {
        device[field] = Value::Null;
    }
    device
}

#[track_caller]
fn wait_for_device(daemon: &Daemon, device: &str) -> Value {
    wait_until("the device", SOON, || daemon.api.device(ip(device)))
}

/// What a command prints that can be done.
#[track_caller]
fn does(setup: &Setup, args: &[&str]) -> String {
    let output = setup.command(args);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{args:?}: {}",
        errors(&output)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What a command says that can't.
#[track_caller]
fn fails(setup: &Setup, args: &[&str]) -> String {
    let output = setup.command(args);
    assert_eq!(output.status.code(), Some(2), "{args:?}: {output:?}");
    errors(&output)
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[track_caller]
fn done<T, E: std::fmt::Display>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| panic!("{error}"))
}
