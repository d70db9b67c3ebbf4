//! From packet to pixel: how long after a packet is sent it is seen, by a reader of the stream and
//! in the dashboard.
//!
//! `bwmon-pixel [ROUNDS]` sends real packets through a real daemon, and looks at the dashboard in a
//! real browser: Debian's Chromium, by `bwmon/web/tests/pixel.mjs`. Prints the table of
//! `docs/dashboard.md`.
#![expect(
    clippy::expect_used,
    reason = "a measurement fails by panicking, with the reason"
)]

use std::{
    io::{BufRead, BufReader},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    process::{Child, ChildStdout, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bwmon_tests::{Api, LOCAL_NETWORK, Lan, PEER, Random, Setup, project};
use serde_json::Value;

const ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 4000);
const DEVICE: &str = "192.0.2.7";
const DEVICES: &str = r#"{ "192.0.2.7": { "name": "Laptop" } }"#;
const INTERVALS: [u64; 3] = [1000, 500, 200];
/// Nothing that works takes longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// When something was seen: milliseconds since 1970.
type Seen = f64;

fn main() {
    let rounds = std::env::args().nth(1);
    let rounds = rounds.map_or(30, |rounds| rounds.parse().expect("ROUNDS is a number"));
    let mut random = Random::from_environment();
    println!("milliseconds from the packet, {rounds} packets each: median (95 %, most)\n");
    println!("| poll_interval | event of the stream | row changed | row painted |");
    println!("|---:|---:|---:|---:|");
    for interval in INTERVALS {
        let delays = measure(interval, rounds, &mut random);
        let [event, changed, painted] = delays.map(|delays| summary(&delays));
        println!("| {interval} ms | {event} | {changed} | {painted} |");
    }
}

/// The delays of the event, of the change of the row, and of its being painted.
fn measure(interval: u64, rounds: usize, random: &mut Random) -> [Vec<f64>; 3] {
    let lan = Lan::new();
    let api = Api::tcp(&lan.router, ADDRESS);
    let setup = Setup::new(&lan.router, &["lan0"])
        .config(&format!(
            "poll_interval = \"{interval}ms\"\n{LOCAL_NETWORK}\n[http]\nlisten = \"{ADDRESS}\"\n"
        ))
        .reached_at(api)
        .devices(DEVICES);
    let daemon = setup.start();
    let frame = Lan::packet(DEVICE, PEER).length(1000).build();
    // The first packet brings the row.
    lan.upload([&frame]);
    let events = events(&daemon.api);
    let mut browser = lan.router.enter(browser);
    let rows = rows(&mut browser);
    let first = rows.recv_timeout(PATIENCE).expect("the row of the device");
    assert_eq!(first.0, "ready", "{first:?}");

    let mut delays = [const { Vec::new() }; 3];
    for _ in 0..rounds {
        // Anywhere between two samples.
        thread::sleep(Duration::from_millis(interval + random.below(interval)));
        while events.try_recv().is_ok() {}
        let sent_at = now();
        lan.upload((0..10).map(|_| &frame));
        let told = events
            .recv_timeout(PATIENCE)
            .expect("an event of the device");
        let (changed, painted) = rows.recv_timeout(PATIENCE).expect("a change of the row").1;
        for (delays, seen) in delays.iter_mut().zip([told, changed, painted]) {
            delays.push(seen - sent_at);
        }
        // A sample in the midst of the packets makes two changes.
        thread::sleep(Duration::from_millis(interval));
        while rows.try_recv().is_ok() {}
    }
    // It closes the browser when it hears no more.
    drop(browser.stdin.take());
    browser.wait().expect("end the browser's driver");
    daemon.terminate();
    delays
}

/// When each event is read that has more of the device than the last one.
fn events(api: &Api) -> Receiver<Seen> {
    let events = api.events().expect("open the stream");
    let (seen, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut known = 0;
        for (_, event) in events {
            let at = now();
            let devices = event["devices"].as_array().into_iter().flatten();
            let sent = devices
                .filter_map(|device| device["today"]["sent"].as_u64())
                .max();
            if sent.is_some_and(|sent| sent > known) {
                known = sent.unwrap_or_default();
                if seen.send(at).is_err() {
                    break;
                }
            }
        }
    });
    receiver
}

/// In the namespace that the calling thread is in.
fn browser() -> Child {
    Command::new("node")
        .arg("tests/pixel.mjs")
        .arg(format!("http://{ADDRESS}/"))
        .current_dir(project().join("bwmon/web"))
        .stdout(Stdio::piped())
        .stdin(Stdio::piped())
        .spawn()
        .expect("start node")
}

/// What the page shows: the text, and when it changed and was painted.
fn rows(browser: &mut Child) -> Receiver<(String, (Seen, Seen))> {
    let output: ChildStdout = browser.stdout.take().expect("hear the browser");
    let (seen, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let row: Value = serde_json::from_str(&line).expect("a line of JSON");
            let number = |name: &str| row[name].as_f64().unwrap_or_default();
            let text = row["text"].as_str().unwrap_or_default().to_owned();
            let times = (number("changed"), number("painted"));
            if seen.send((text, times)).is_err() {
                break;
            }
        }
    });
    receiver
}

fn now() -> Seen {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.expect("a clock after 1970").as_secs_f64() * 1000.0
}

fn summary(delays: &[f64]) -> String {
    let mut sorted = delays.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |part: f64| sorted[((sorted.len() - 1) as f64 * part).round() as usize];
    format!("{:.0} ({:.0}, {:.0})", at(0.5), at(0.95), at(1.0))
}
