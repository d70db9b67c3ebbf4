//! The daemon is killed over and over, at any moment, while there is traffic. With pinned tables, not
//! a byte is lost or counted twice: day and history say at the end what the interface's own counters
//! say. Without, it costs what the documentation says, and no more.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use bwmon_tests::{
    Bpffs, Capture, Counted, Daemon, Flow, Kept, Lan, LinkCounters, Random, SOON, Setup, Traffic,
    ip, keep_now, replay_at, wait_until,
};

const KILLS: usize = 100;
/// The daemon lives for less than this until it is killed: from before it takes up the tables to
/// after several samples.
const LIFE: Duration = Duration::from_millis(900);
const DEVICE: &str = "192.0.2.7";
const OTHER: &str = "192.0.2.8";
const PEER: &str = "198.51.100.1";
/// The link's own counter of bytes leaves these out where native XDP reads its packets.
const ETHERNET: u64 = 14;

#[test]
fn a_hundred_kills_at_any_moment_cost_not_a_byte_with_pinned_tables() {
    let mut random = Random::from_environment();
    let lan = Lan::new();
    let bpffs = Bpffs::mount();
    // Every address of the captures is a device's.
    let setup = Setup::new(&lan.router, &["lan0"]).config(&format!(
        "pin = \"{}\"\nlocal_networks = [\"0.0.0.0/0\", \"::/0\"]\nmax_addresses = 4096\n",
        bpffs.path().display()
    ));
    // The very first start is cut short, too: what is counted from when the programs are there on
    // has to be known by the next one.
    let daemon = setup.spawn();
    wait_until("the programs", SOON, || {
        let programs = lan.lan.programs();
        match (programs.xdp.len(), programs.tcx_egress.len()) {
            (1, 1) => Ok(()),
            _ => Err(format!("{programs:?}")),
        }
    });
    let (start, injected) = (lan.lan.counters(), lan.device.counters());
    let packet = |from: &str, to: &str, length| Lan::packet(from, to).length(length).build();
    let up = Flow::start(&lan.device, packet(DEVICE, PEER, 400), 300);
    let other = Flow::start(&lan.device, packet(OTHER, PEER, 1200), 200);
    let down = Flow::start(&lan.lan, packet(PEER, DEVICE, 900), 300);
    daemon.kill();

    let began = Instant::now();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| replay_all(&lan, &stop));
        // Also when a kill fails, so that the scope ends.
        let _stop = Stop(&stop);
        for _ in 0..KILLS {
            let daemon = setup.spawn();
            thread::sleep(LIFE.mul_f64(random.fraction()));
            daemon.kill();
            thread::sleep(Duration::from_millis(random.below(50)));
        }
    });
    println!("{KILLS} kills in {:?}", began.elapsed());
    let (up, other, down) = (up.stop(), other.stop(), down.stop());
    let daemon = setup.start();
    let moved = wait_until("all to be counted", SOON, || {
        let moved = lan.lan.counters() - start;
        let counts = daemon.api.address(ip(DEVICE))?;
        match (counts.sent, counts.received) == (up, down) {
            true => Ok(moved),
            false => Err(format!("{counts:?} instead of {up:?} and {down:?}")),
        }
    });
    daemon.terminate();

    let kept = Kept::open(&setup.state_path());
    let history = kept.history();
    assert_eq!(moved, lan.lan.counters() - start, "something else was sent");
    let injected = lan.device.counters() - injected;
    assert_eq!(moved.rx.packets, injected.tx.packets, "none was lost");
    assert!(
        moved.rx.packets > 1000 && moved.tx.packets > 1000,
        "{moved:?}"
    );
    let carried = carried(moved);
    assert_eq!(history["interface:lan0"], carried, "the interface");
    let of_device = Traffic {
        sent: up,
        received: down,
    };
    assert_eq!(history[DEVICE], of_device, "a device");
    assert_eq!(history[OTHER].sent, other, "another device");

    let usage = kept.usage();
    assert_eq!(usage[DEVICE], (up.bytes, down.bytes));
    let used = usage
        .values()
        .fold((0, 0), |sum, used| (sum.0 + used.0, sum.1 + used.1));
    let all = history
        .iter()
        .filter(|(subject, _)| !subject.starts_with("interface:"))
        .fold((0, 0), |sum, (_, moved)| {
            (sum.0 + moved.sent.bytes, sum.1 + moved.received.bytes)
        });
    assert_eq!(used, all, "days and history of all devices");
}

#[test]
fn without_pins_a_kill_costs_what_came_since_the_last_checkpoint_and_while_nobody_ran() {
    let lan = Lan::new();
    let config = "local_networks = [\"192.0.2.0/24\"]\n";
    let setup = Setup::new(&lan.router, &["lan0"]).config(config);
    let upload = |frames: usize| {
        let frames = (0..frames).map(|n| Lan::packet(DEVICE, PEER).length(100 + n).build());
        lan.upload(frames).bytes
    };
    let (mut least, mut most) = (0, 0);
    for round in 0..4 {
        let daemon = setup.start();
        let so_far = wait_until("what was stored", SOON, || {
            let today = today(&daemon)?;
            match (least..=most).contains(&today) {
                true => Ok(today),
                false => Err(format!("round {round}: {today} is not {least} to {most}")),
            }
        });
        let written = upload(50);
        wait_until("it to be counted", SOON, || match today(&daemon)? {
            today if today == so_far + written => Ok(()),
            today => Err(today.to_string()),
        });
        assert!(keep_now(&setup));
        least = so_far + written;
        // Counted, but not written down.
        most = least + upload(30);
        wait_until("it to be counted", SOON, || match today(&daemon)? {
            today if today == most => Ok(()),
            today => Err(today.to_string()),
        });
        daemon.kill();
        upload(20);
    }
    setup.start().terminate();
    let history = Kept::open(&setup.state_path()).history();
    let sent = history[DEVICE].sent.bytes;
    assert!((least..=most).contains(&sent), "{sent}");
}

struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Captures of real traffic, in both directions, as long as it is to go on; nothing where there are
/// none.
fn replay_all(lan: &Lan, stop: &AtomicBool) {
    let captures = Capture::all().unwrap_or_default();
    for capture in captures.iter().cycle() {
        // The same traffic from either side.
        for link in [&lan.device, &lan.lan] {
            if stop.load(Ordering::Acquire) {
                return;
            }
            replay_at(link, &capture.path, 1000);
        }
    }
}

/// What an interface carried, by its own counters: what came in was read by native XDP.
fn carried(moved: LinkCounters) -> Traffic {
    Traffic {
        sent: Counted {
            bytes: moved.rx.bytes + ETHERNET * moved.rx.packets,
            packets: moved.rx.packets,
        },
        received: moved.tx,
    }
}

fn today(daemon: &Daemon) -> Result<u64, String> {
    let devices = daemon.api.json("/api/v1/devices")?;
    if devices == serde_json::json!([]) {
        return Ok(0);
    }
    let device = daemon.api.device(ip(DEVICE))?;
    device["today"]["sent"]
        .as_u64()
        .ok_or_else(|| device.to_string())
}
