//! How it is run and asked: as an unprivileged service, over its listener, by its commands.

use std::{
    fs,
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Command, Output},
    sync::Arc,
};

use bwmon_tests::{
    Api, Lan, Mac, Namespace, Programs, SOON, Setup, Traffic, binary, ip, missing, project, veth,
    wait_for_balance, wait_until,
};
use serde_json::Value;

const CONFIG: &str = "local_networks = [\"192.0.2.0/24\"]\n";
const DEVICE: &str = "192.0.2.7";
const PEER: &str = "198.51.100.1";
const NOBODY: u32 = 65534;

/// What owners have today: comments that JSON does not know, and no field that is new.
const OWNERS_FILE: &str = r#"{
  "unknown": {
    "bandwidth_threshold": 100000000,  # 100MB
    "max_active_time": 10800  # 3 hours
  },
  "192.123.4.5": {
    "name": "Laptop",
    "bandwidth_threshold": 500000000,  # 500MB
    "max_active_time": 18000  # 5 hours
  },
  "192.123.4.6": {
    "name": "Cellphone",
    "bandwidth_threshold": 100000000,  # 100MB
    "max_active_time": 10800  # 3 hours
  },
  "192.123.4.7": {
    "name": "Smart TV",
    "bandwidth_threshold": 2000000000,  # 2GB
    "max_active_time": 14400  # 4 hours
  }
}
"#;

#[test]
fn it_counts_as_a_nobody_with_three_capabilities() {
    const CAPABILITIES: &str = "-all,+bpf,+net_admin,+perfmon";
    // Bits 12, 38 and 39.
    const MASK: &str = "000000c000001000";
    let lan = Lan::new();
    let daemon = Setup::new(&lan.router, &["lan0"])
        .config(CONFIG)
        .owned_by(NOBODY)
        .wrapped([
            "setpriv".to_owned(),
            format!("--reuid={NOBODY}"),
            format!("--regid={NOBODY}"),
            "--clear-groups".to_owned(),
            "--no-new-privs".to_owned(),
            format!("--inh-caps={CAPABILITIES}"),
            format!("--ambient-caps={CAPABILITIES}"),
            format!("--bounding-set={CAPABILITIES}"),
        ])
        .start();
    let status = fs::read_to_string(format!("/proc/{}/status", daemon.pid())).unwrap_or_default();
    let field = |name| {
        status
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .map(str::trim)
    };
    let user = NOBODY.to_string();
    assert_eq!(
        field("Uid:").map(|ids| ids.split_whitespace().all(|id| id == user)),
        Some(true)
    );
    assert_eq!(
        (field("CapPrm:"), field("CapBnd:")),
        (Some(MASK), Some(MASK))
    );
    // Programs that it starts for a channel get none of them.
    assert_eq!(field("CapAmb:"), Some("0000000000000000"));
    let sent = lan.upload((0..50).map(|n| Lan::packet(DEVICE, PEER).length(100 + n).build()));
    let received = lan.download((0..50).map(|n| Lan::packet(PEER, DEVICE).length(90 + n).build()));
    wait_for_balance(&daemon, "lan0", Traffic { sent, received });
    daemon.terminate();
}

#[test]
fn with_no_interface_named_it_finds_the_one_that_faces_the_devices() {
    let lan = Lan::new();
    let far = Arc::new(Namespace::new("far"));
    let (wan, _) = veth(
        (&lan.router, "wan0", Mac([0x02, 0, 0, 0, 0, 0x11])),
        (&far, "far0", Mac([0x02, 0, 0, 0, 0, 0x12])),
    );
    lan.router.sysctl("net/ipv4/ip_forward", "1");
    lan.lan.add_address("192.168.7.1/24");
    wan.add_address("198.51.100.2/30");
    lan.router
        .ip("route add default via 198.51.100.1 dev wan0 onlink");
    let daemon = Setup::new(&lan.router, &[]).start();
    let interfaces = wait_until("the interfaces", SOON, || daemon.api.interfaces());
    let names: Vec<_> = interfaces
        .iter()
        .map(|interface| interface.name.as_str())
        .collect();
    assert_eq!(names, ["lan0"]);
    let sent = lan.upload([Lan::packet("192.168.7.9", PEER).length(100).build()]);
    wait_for_balance(
        &daemon,
        "lan0",
        Traffic {
            sent,
            ..Traffic::default()
        },
    );
    daemon.wait_for_log(&["lan0"]);
}

#[test]
fn it_listens_on_loopback_unless_told_otherwise() {
    let lan = Lan::new();
    lan.lan.add_address("192.0.2.1/24");
    let loopback = Api::tcp(&lan.router, SocketAddr::from(([127, 0, 0, 1], 4000)));
    let setup = Setup::new(&lan.router, &["lan0"])
        .config("[http]\n")
        .reached_at(loopback);
    let daemon = setup.start();
    let refused = lan
        .router
        .enter(|| TcpStream::connect("192.0.2.1:4000").is_err());
    assert!(refused, "it listens on the LAN, too");
    daemon.terminate();
}

#[test]
fn beyond_loopback_it_refuses_to_start_without_a_token() {
    let lan = Lan::new();
    for address in ["0.0.0.0:4000", "[::]:4000", "192.0.2.1:4000"] {
        let setup =
            Setup::new(&lan.router, &["lan0"]).config(&format!("[http]\nlisten = \"{address}\"\n"));
        let mut daemon = setup.spawn();
        assert_eq!(daemon.wait().code(), Some(2), "{address}");
        daemon.wait_for_log(&[address, "token"]);
    }
}

#[test]
fn beyond_loopback_the_token_opens_and_nothing_else() {
    let lan = Lan::new();
    lan.give_addresses();
    let address = SocketAddr::new(lan.router_address(false), 4000);
    let setup = Setup::new(&lan.router, &["lan0"]);
    let token_file = setup.directory().join("token");
    fs::write(&token_file, "open-sesame\n").expect("write the token");
    let from_device = Api::tcp(&lan.devices, address);
    let with_token = from_device.clone().with_token("open-sesame");
    let setup = setup
        .config(&format!(
            "[http]\nlisten = \"{address}\"\ntoken_file = \"{}\"\n",
            token_file.display()
        ))
        .reached_at(with_token.clone());
    let _daemon = setup.start();
    for path in ["status", "interfaces", "addresses", "devices", "alerts"] {
        let path = format!("/api/v1/{path}");
        assert!(with_token.json(&path).is_ok(), "{path}");
        for stranger in [
            from_device.clone(),
            from_device.clone().with_token("open-sesame2"),
        ] {
            let answer = wait_until("an answer", SOON, || stranger.get(&path));
            assert_eq!(answer.status, 401, "{path}: {}", answer.body);
            assert_eq!(
                answer.header("content-type"),
                Some("application/problem+json")
            );
        }
    }
    let report = wait_until("an answer", SOON, || from_device.get("/usage_report"));
    assert_eq!(report.status, 401);
    let token_shown = fs::read_to_string(setup.directory().join("log"));
    assert!(
        !token_shown.unwrap_or_default().contains("sesame"),
        "the token is in the log"
    );
}

#[test]
fn the_commands_that_show_say_what_the_api_says() {
    let lan = Lan::new();
    let setup = Setup::new(&lan.router, &["lan0"])
        .config(CONFIG)
        .devices(r#"{ "192.0.2.7": { "name": "Laptop" } }"#);
    let daemon = setup.start();
    let sent = lan.upload((0..1500).map(|_| Lan::packet(DEVICE, PEER).length(1000).build()));
    wait_until("the count", SOON, || {
        let today = daemon.api.device(ip(DEVICE))?["today"]["sent"].clone();
        if today == sent.bytes {
            Ok(())
        } else {
            Err(today.to_string())
        }
    });

    let devices: Value = json(&setup.command(["devices", "--json"]));
    let device = &devices[0];
    assert_eq!(
        (&device["name"], &device["today"]["sent"]),
        (&"Laptop".into(), &1_500_000.into())
    );
    let text = stdout(&setup.command(["devices"]));
    assert!(text.contains("Laptop") && text.contains("1.5 MB"), "{text}");

    let status: Value = json(&setup.command(["status", "--json"]));
    assert!(
        status["version"].is_string() && status["uptime_seconds"].is_number(),
        "{status}"
    );
    let text = stdout(&setup.command(["status"]));
    for word in ["lan0", "native", "tcx"] {
        assert!(text.contains(word), "{word} is not in {text}");
    }

    daemon.terminate();
    for command in ["devices", "status"] {
        let output = setup.command([command]);
        assert_eq!(output.status.code(), Some(2), "nobody is there to ask");
        assert!(
            !output.stderr.is_empty() && output.stdout.is_empty(),
            "{output:?}"
        );
    }
}

#[test]
fn check_accepts_what_run_accepts_and_names_the_place_of_a_mistake() {
    let lan = Lan::new();
    let setup = Setup::new(&lan.router, &["lan0"])
        .config(CONFIG)
        .devices(OWNERS_FILE);
    let devices = format!("devices_file = \"{}\"\n", setup.devices_path().display());
    setup.write_config(&format!("{CONFIG}{devices}"));
    let output = setup.command(["check"]);
    assert!(output.status.success(), "{output:?}");

    // The poll interval is on the first line.
    let rows: [(String, &str, &[&str]); 4] = [
        (
            "bandwith = 1\n".to_owned(),
            OWNERS_FILE,
            &["bwmon.toml:2:1", "bandwith"],
        ),
        (
            "max_addresses = \"many\"\n".to_owned(),
            OWNERS_FILE,
            &["bwmon.toml:2:17", "max_addresses"],
        ),
        (
            devices.clone(),
            "{\n  \"192.0.2.300\": {}\n}",
            &["registered_devices.json:2:3", "192.0.2.300"],
        ),
        (
            devices.clone(),
            "{\n  \"unknown\": { \"bandwith\": 1 }\n}",
            &[
                "registered_devices.json:2:16",
                "bandwith",
                "bandwidth_threshold",
            ],
        ),
    ];
    for (config, devices, words) in rows {
        setup.write_config(&config);
        setup.write_devices(devices);
        let output = setup.command(["check"]);
        let said =
            String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
        assert!(!output.status.success(), "{config}{devices}: {said}");
        for word in words {
            assert!(said.contains(word), "{word} is not in {said}");
        }
    }
}

#[test]
fn run_refuses_to_start_with_a_bad_file_and_leaves_the_interface_alone() {
    let lan = Lan::new();
    let setup = Setup::new(&lan.router, &["lan0"])
        .config(CONFIG)
        .devices("{\n  \"192.0.2.7\": { \"bandwidth_threshold\": -1 }\n}");
    let mut daemon = setup.spawn();
    assert_eq!(daemon.wait().code(), Some(2));
    daemon.wait_for_log(&["registered_devices.json:2:", "-1"]);
    assert_eq!(lan.lan.programs(), Programs::default());
}

#[test]
fn the_file_that_owners_have_loads_as_it_is() {
    let lan = Lan::new();
    let setup = Setup::new(&lan.router, &["lan0"])
        .config("local_networks = [\"192.123.4.0/24\"]\n")
        .devices(OWNERS_FILE);
    let daemon = setup.start();
    lan.upload([Lan::packet("192.123.4.9", PEER).length(100).build()]);
    let rows = [
        ("192.123.4.5", "Laptop", 500_000_000, 18_000),
        ("192.123.4.6", "Cellphone", 100_000_000, 10_800),
        ("192.123.4.7", "Smart TV", 2_000_000_000_u64, 14_400),
        ("192.123.4.9", "192.123.4.9", 100_000_000, 10_800),
    ];
    for (address, name, bandwidth, active_time) in rows {
        wait_until(address, SOON, || {
            let device = daemon.api.device(ip(address))?;
            let thresholds = &device["thresholds"];
            let is_right = device["name"] == name
                && thresholds["bandwidth_threshold"] == bandwidth
                && thresholds["max_active_time"] == active_time;
            if is_right {
                Ok(())
            } else {
                Err(device.to_string())
            }
        });
    }
}

#[test]
fn the_unit_is_valid_and_hardened() {
    // Of 10, as `systemd-analyze security` counts exposure; times ten, as it takes thresholds.
    const MOST_EXPOSED: &str = "25";
    let unit = project().join("config/bwmon.service");
    let Ok(text) = fs::read_to_string(&unit) else {
        return missing(&format!("{}", unit.display()));
    };
    let directory = tempfile::tempdir().expect("make a directory");
    let copy = directory.path().join("bwmon.service");
    // Verified where the binary is, rather than where it will be installed.
    let text: String = text
        .lines()
        .map(|line| match line.strip_prefix("ExecStart=") {
            Some(command) => {
                let arguments = command
                    .split_once(' ')
                    .map_or("", |(_, arguments)| arguments);
                format!("ExecStart={} {arguments}\n", absolute(&binary()))
            }
            None => format!("{line}\n"),
        })
        .collect();
    fs::write(&copy, text).expect("write the copy");
    let copy = copy.to_string_lossy().into_owned();
    for args in [
        &["verify", "--man=no", &copy][..],
        &[
            "security",
            "--offline=true",
            "--no-pager",
            "--threshold",
            MOST_EXPOSED,
            &copy,
        ],
    ] {
        let output = Command::new("systemd-analyze").args(args).output();
        let output = output.unwrap_or_else(|error| panic!("run systemd-analyze: {error}"));
        assert!(
            output.status.success() && (args[0] != "verify" || output.stderr.is_empty()),
            "systemd-analyze {args:?}: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
    }
}

fn absolute(path: &Path) -> String {
    let path = fs::canonicalize(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    path.to_string_lossy().into_owned()
}

#[track_caller]
fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[track_caller]
fn json(output: &Output) -> Value {
    let text = stdout(output);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in {text}"))
}
