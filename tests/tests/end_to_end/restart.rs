//! Restarts and reloads: not a byte is lost or counted twice that could be kept.

use bwmon_tests::{Bpffs, Daemon, Flow, Lan, SOON, Sent, Setup, ip, wait_until};
use nix::sys::signal::Signal;
use serde_json::Value;

const CONFIG: &str = "local_networks = [\"192.0.2.0/24\"]\n";
const DEVICE: &str = "192.0.2.7";
const PEER: &str = "198.51.100.1";

#[test]
fn todays_figures_go_on_after_a_restart() {
    let lan = Lan::new();
    let setup = Setup::new(&lan.router, &["lan0"]).config(CONFIG);
    let mut total = Traffic::default();
    for _ in 0..3 {
        let daemon = setup.start();
        wait_for_today(&daemon, total);
        total.sent += upload(&lan, 50);
        total.received += download(&lan, 30);
        wait_for_today(&daemon, total);
        daemon.terminate();
    }
}

#[test]
fn what_came_since_the_last_sample_is_not_lost_by_a_clean_stop() {
    let lan = Lan::new();
    let setup = Setup::new(&lan.router, &["lan0"]);
    let setup = setup.config(&format!("poll_interval = \"5s\"\n{CONFIG}"));
    let daemon = setup.start();
    let sent = upload(&lan, 50);
    daemon.terminate();
    let daemon = setup.start();
    wait_for_today(
        &daemon,
        Traffic {
            sent,
            ..Traffic::default()
        },
    );
}

#[test]
fn a_daemon_that_was_killed_starts_again_and_keeps_what_it_had_stored() {
    let lan = Lan::new();
    let setup = Setup::new(&lan.router, &["lan0"]).config(CONFIG);
    let daemon = setup.start();
    let sent = upload(&lan, 50);
    wait_for_today(
        &daemon,
        Traffic {
            sent,
            ..Traffic::default()
        },
    );
    daemon.terminate();
    let daemon = setup.start();
    let more = upload(&lan, 50);
    wait_for_today(
        &daemon,
        Traffic {
            sent: sent + more,
            ..Traffic::default()
        },
    );
    daemon.kill();
    let daemon = setup.start();
    wait_until("what was stored", SOON, || {
        let today = today(&daemon)?;
        let is_right = today.0 >= sent.bytes && today.0 <= (sent + more).bytes;
        if is_right {
            Ok(())
        } else {
            Err(format!("{today:?}"))
        }
    });
}

#[test]
fn pinned_tables_count_through_a_crash_to_the_byte() {
    let lan = Lan::new();
    let setup = Setup::new(&lan.router, &["lan0"]);
    let bpffs = Bpffs::mount();
    let setup = setup.config(&format!("pin = \"{}\"\n{CONFIG}", bpffs.path().display()));
    let mut daemon = setup.start();
    let up = Flow::start(
        &lan.device,
        Lan::packet(DEVICE, PEER).length(400).build(),
        2000,
    );
    let down = Flow::start(
        &lan.lan,
        Lan::packet(PEER, DEVICE).length(900).build(),
        1000,
    );
    for _ in 0..2 {
        let so_far = wait_until("counts", SOON, || daemon.api.address(ip(DEVICE)));
        wait_until("traffic", SOON, || {
            let now = daemon.api.address(ip(DEVICE))?.sent - so_far.sent;
            if now.packets > 1000 {
                Ok(())
            } else {
                Err(format!("{now:?}"))
            }
        });
        daemon.kill();
        // It goes on while no daemon runs.
        let so_far = up.sent();
        wait_until("traffic", SOON, || {
            let more = up.sent() - so_far;
            if more.packets > 1000 {
                Ok(())
            } else {
                Err(format!("{more:?}"))
            }
        });
        daemon = setup.start();
    }
    let expected = Traffic {
        sent: up.stop(),
        received: down.stop(),
    };
    wait_for_today(&daemon, expected);
    wait_until("the counters", SOON, || {
        let counts = daemon.api.address(ip(DEVICE))?;
        if (counts.sent, counts.received) == (expected.sent, expected.received) {
            Ok(())
        } else {
            Err(format!("{counts:?} instead of {expected:?}"))
        }
    });
}

#[test]
fn pinned_tables_count_from_one_clean_stop_to_the_next_start() {
    let lan = Lan::new();
    let setup = Setup::new(&lan.router, &["lan0"]);
    let bpffs = Bpffs::mount();
    let setup = setup.config(&format!("pin = \"{}\"\n{CONFIG}", bpffs.path().display()));
    let daemon = setup.start();
    let mut sent = upload(&lan, 50);
    wait_for_today(
        &daemon,
        Traffic {
            sent,
            ..Traffic::default()
        },
    );
    daemon.terminate();
    sent += upload(&lan, 50);
    let daemon = setup.start();
    sent += upload(&lan, 50);
    wait_for_today(
        &daemon,
        Traffic {
            sent,
            ..Traffic::default()
        },
    );
}

#[test]
fn pinned_tables_of_another_size_give_way_and_todays_figures_stay() {
    let lan = Lan::new();
    let setup = Setup::new(&lan.router, &["lan0"]);
    let bpffs = Bpffs::mount();
    let pinned = format!("pin = \"{}\"\n{CONFIG}", bpffs.path().display());
    let setup = setup.config(&format!("max_addresses = 256\n{pinned}"));
    let mut sent = Sent::default();
    for max_addresses in [256, 1024, 512] {
        setup.write_config(&format!("max_addresses = {max_addresses}\n{pinned}"));
        let daemon = setup.start();
        sent += upload(&lan, 50);
        wait_for_today(
            &daemon,
            Traffic {
                sent,
                ..Traffic::default()
            },
        );
        daemon.kill();
        sent += upload(&lan, 50);
    }
    let daemon = setup.start();
    wait_for_today(
        &daemon,
        Traffic {
            sent,
            ..Traffic::default()
        },
    );
}

#[test]
fn pinned_programs_of_an_interface_that_is_gone_are_replaced() {
    let lan = Lan::new();
    let setup = Setup::new(&lan.router, &["lan0"]);
    let bpffs = Bpffs::mount();
    let setup = setup.config(&format!("pin = \"{}\"\n{CONFIG}", bpffs.path().display()));
    let daemon = setup.start();
    let mut sent = upload(&lan, 50);
    wait_for_today(
        &daemon,
        Traffic {
            sent,
            ..Traffic::default()
        },
    );
    daemon.kill();
    lan.lan.delete();
    lan.rejoin();
    let daemon = setup.start();
    sent += upload(&lan, 50);
    wait_for_today(
        &daemon,
        Traffic {
            sent,
            ..Traffic::default()
        },
    );
    let programs = lan.lan.programs();
    assert_eq!(
        (programs.xdp.len(), programs.tcx_egress.len()),
        (1, 1),
        "{programs:?}"
    );
}

#[test]
fn sighup_with_good_files_puts_them_in_force() {
    let lan = Lan::new();
    let setup = Setup::new(&lan.router, &["lan0"])
        .config(CONFIG)
        .devices(r#"{ "192.0.2.7": { "name": "Laptop", "bandwidth_threshold": 1000 } }"#);
    let daemon = setup.start();
    wait_for_device(&daemon, "Laptop", 1000);
    setup.write_devices(r#"{ "192.0.2.7": { "name": "Tablet", "bandwidth_threshold": 2000 } }"#);
    daemon.signal(Signal::SIGHUP);
    wait_for_device(&daemon, "Tablet", 2000);
    setup.write_devices(r#"{ "192.0.2.7": { "name": "Tablet" } }"#);
    setup.write_config(&format!(
        "{CONFIG}[defaults]\nbandwidth_threshold = \"3 kB\"\n"
    ));
    daemon.signal(Signal::SIGHUP);
    wait_for_device(&daemon, "Tablet", 3000);
}

#[test]
fn sighup_with_a_bad_file_keeps_the_old_ones_and_names_the_place() {
    let lan = Lan::new();
    let good = r#"{ "192.0.2.7": { "name": "Laptop", "bandwidth_threshold": 1000 } }"#;
    let setup = Setup::new(&lan.router, &["lan0"])
        .config(CONFIG)
        .devices(good);
    let daemon = setup.start();
    wait_for_device(&daemon, "Laptop", 1000);
    let rows: [(&str, &str, &[&str]); 3] = [
        (
            "{\n  \"192.0.2.7\": { \"name\": \"Tablet\", \"bandwidth_threshold\": \"lots\" }\n}",
            CONFIG,
            &["registered_devices.json:2:", "bandwidth_threshold"],
        ),
        (
            "{\n  # Not closed.\n  \"192.0.2.7\": { \"name\": \"Tablet\"\n",
            CONFIG,
            &["registered_devices.json:"],
        ),
        // The poll interval is on the first line.
        (
            r#"{ "192.0.2.7": { "name": "Tablet", "bandwidth_threshold": 2000 } }"#,
            "no_such_key = 1\n",
            &["bwmon.toml:2:1", "no_such_key"],
        ),
    ];
    for (devices, config, words) in rows {
        setup.write_devices(devices);
        setup.write_config(config);
        daemon.signal(Signal::SIGHUP);
        daemon.wait_for_log(words);
        daemon.wait_for_samples(2);
        wait_for_device(&daemon, "Laptop", 1000);
    }
}

/// What the device did today.
#[derive(Clone, Copy, Debug, Default)]
struct Traffic {
    sent: Sent,
    received: Sent,
}

fn upload(lan: &Lan, frames: usize) -> Sent {
    lan.upload((0..frames).map(|n| Lan::packet(DEVICE, PEER).length(100 + n).build()))
}

fn download(lan: &Lan, frames: usize) -> Sent {
    lan.download((0..frames).map(|n| Lan::packet(PEER, DEVICE).length(700 + n).build()))
}

#[track_caller]
fn wait_for_today(daemon: &Daemon, traffic: Traffic) {
    wait_until("today's figures", SOON, || {
        let today = today(daemon)?;
        let expected = (traffic.sent.bytes, traffic.received.bytes);
        if today == expected {
            Ok(())
        } else {
            Err(format!("{today:?} instead of {expected:?}"))
        }
    });
}

/// Bytes sent and received.
fn today(daemon: &Daemon) -> Result<(u64, u64), String> {
    let devices = daemon.api.json("/api/v1/devices")?;
    if devices == Value::Array(Vec::new()) {
        return Ok((0, 0));
    }
    let device = daemon.api.device(ip(DEVICE))?;
    let number = |field| {
        device["today"][field]
            .as_u64()
            .ok_or_else(|| device.to_string())
    };
    Ok((number("sent")?, number("received")?))
}

#[track_caller]
fn wait_for_device(daemon: &Daemon, name: &str, threshold: u64) {
    wait_until("the registered device", SOON, || {
        let device = daemon.api.device(ip(DEVICE))?;
        let is_right = device["name"] == name
            && device["registered"] == true
            && device["thresholds"]["bandwidth_threshold"] == threshold;
        if is_right {
            Ok(())
        } else {
            Err(device.to_string())
        }
    });
}
