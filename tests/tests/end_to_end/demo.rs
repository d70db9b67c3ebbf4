//! `cargo xtask demo`: what somebody sees who starts it, and that nothing is left of it.
#![expect(
    clippy::expect_used,
    reason = "what a test stands on fails by panicking, with the reason"
)]

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use bwmon_tests::{Api, Process, SOON, binary, wait_until};
use nix::sys::signal::Signal;
use serde_json::Value;
use tempfile::TempDir;

/// For the weeks before today, which a program that was built without optimisation takes its time for.
const PAST: Duration = Duration::from_secs(180);
/// From the start of the demo to the first alert.
const MINUTE: Duration = Duration::from_secs(60);
const NAMES: [&str; 6] = [
    "Desktop",
    "Door camera",
    "Laptop",
    "NAS",
    "Phone",
    "Smart TV",
];

#[test]
fn an_alert_comes_within_a_minute_and_at_the_end_nothing_is_left() {
    let demo = Demo::start(&[]);
    let address = demo.dashboard();
    let dashboard = Api::here(address);
    let count = wait_until("six devices that move something", MINUTE, || {
        let devices = dashboard.json("/api/v1/devices")?;
        let devices = devices.as_array().cloned().unwrap_or_default();
        let busy = devices.iter().filter(|device| {
            let addresses = device["addresses"].as_array().map_or(0, Vec::len);
            addresses > 0 && device["today"]["sent"].as_u64() > Some(0)
        });
        let names: BTreeSet<_> = busy.map(name).collect();
        match names == NAMES.into() {
            true => Ok(devices.len()),
            false => Err(format!("{names:?}")),
        }
    });
    assert_eq!(count, NAMES.len(), "nobody else is there");
    let interfaces = dashboard.json("/api/v1/interfaces");
    let interfaces = interfaces.expect("the interfaces are told");
    for interface in interfaces.as_array().expect("they are a list") {
        assert_eq!(interface["coverage"], 1.0, "{interface}");
    }
    // The weeks before today are there, and are of the same devices.
    let report = dashboard.json("/api/v1/report?from=-14d&to=-1d");
    let report = report.expect("a report is told");
    let rows = report["rows"].as_array().expect("a report has rows");
    let names: BTreeSet<_> = rows.iter().map(name).collect();
    assert_eq!(names, NAMES.into(), "{report}");
    // The page itself, which may acknowledge what it shows.
    let page = dashboard.get("/").expect("ask for the dashboard");
    assert_eq!(page.status, 200, "{}", page.body);
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    let status = dashboard.json("/api/v1/status").expect("it says how it is");
    assert_eq!(status["can_change"], true, "{status}");
    // A page of elsewhere that has its name resolve to here gets nothing.
    let refused = ask_for(address, "evil.example");
    assert!(refused.starts_with("HTTP/1.1 403 "), "{refused}");

    let line = demo.wait_for("an alert of the camera", MINUTE, |line| {
        line.contains("  firing    Door camera (192.168.2.30) has sent")
    });
    assert!(line.contains("over its threshold of 5 Mbit/s"), "{line}");
    let alerts = dashboard.json("/api/v1/alerts").expect("alerts are told");
    let alerts = alerts.as_array().expect("they are a list").iter();
    let mut of_camera = alerts.filter(|alert| alert["rule"] == "rate");
    let id = of_camera.next().and_then(|alert| alert["id"].as_str());
    let path = format!("/api/v1/alerts/{}/ack", id.expect("it is told, too"));
    let response = dashboard.ask("POST", &path, "").expect("acknowledge it");
    assert_eq!(response.status, 200, "{}", response.body);
    // What the camera sends to the NAS stays at home.
    let devices = dashboard.json("/api/v1/devices").expect("devices are told");
    let mut devices = devices.as_array().expect("they are a list").iter();
    let nas = devices.find(|device| device["name"] == "NAS");
    let local = nas.and_then(|nas| nas["today"]["received_local"].as_u64());
    assert!(local > Some(1_000_000), "{nas:?}");

    let daemon = demo.daemon();
    let programs = programs(daemon);
    assert!(programs.len() >= 2, "{programs:?}");
    demo.process.signal(Signal::SIGINT);
    assert_nothing_is_left(&demo.end_well(), daemon, &programs);
}

#[test]
fn what_a_killed_demo_left_is_removed_by_the_next_one() {
    let mut demo = Demo::start(&["--no-past"]);
    let daemon = demo.daemon();
    let programs = programs(daemon);
    let run = demo.run.clone();
    // The other tests start demos, too.
    let turn = turn();
    demo.process.signal(Signal::SIGKILL);
    demo.process.wait(SOON);
    assert!(!left(&run).is_empty(), "nobody could clean up");
    drop(turn);
    let next = Demo::start(&["--no-past", "--seconds", "1"]);
    let next_daemon = next.daemon();
    assert_nothing_is_left(&next.end_well(), next_daemon, &[]);
    assert_nothing_is_left(&run, daemon, &programs);
}

#[test]
fn a_demo_that_can_not_start_says_why_and_leaves_nothing() {
    let demo = Demo::spawn(Path::new("/bin/false"), &["--no-past"]);
    let run = demo.run.clone();
    let (status, said) = demo.end();
    assert_eq!(status, Some(2), "{said}");
    assert!(
        said.contains("bwmon-demo: bwmon ended with exit status: 1"),
        "{said}"
    );
    let left = left(&run);
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn sigterm_and_sighup_end_it_as_well() {
    for signal in [Signal::SIGTERM, Signal::SIGHUP] {
        let demo = Demo::start(&["--no-past"]);
        let daemon = demo.daemon();
        demo.process.signal(signal);
        assert_nothing_is_left(&demo.end_well(), daemon, &[]);
    }
}

/// A running demo, with what it printed.
struct Demo {
    process: Process,
    /// What everything of it has in its name.
    run: String,
    lines: Arc<Mutex<Vec<String>>>,
    errors: PathBuf,
    _directory: TempDir,
}

impl Demo {
    /// Waits until the home is there.
    #[track_caller]
    fn start(options: &[&str]) -> Self {
        let demo = Self::spawn(&binary(), options);
        demo.wait_for("the home", PAST, |line| line.contains("is printed here"));
        demo
    }

    #[track_caller]
    fn spawn(bwmon: &Path, options: &[&str]) -> Self {
        let directory = tempfile::Builder::new().prefix("bwmon-test-").tempdir();
        let directory = directory.expect("make a directory");
        let errors = directory.path().join("errors");
        let mut command = Command::new(env!("CARGO_BIN_EXE_bwmon-demo"));
        command.arg("--bwmon").arg(bwmon);
        command.arg("--port=0").args(options).stdin(Stdio::null());
        let (reader, writer) = std::io::pipe().expect("make a pipe");
        command.stdout(writer);
        command.stderr(File::create(&errors).expect("make a file for errors"));
        let _turn = turn();
        let mut process = Process::spawn(&mut command);
        // It holds the other end of the pipe.
        drop(command);
        let run = format!("bwmon-home-{}", process.pid());
        wait_until("what others left to be removed", SOON, || {
            let is_past_that = !left(&run).is_empty() || process.ended().is_some();
            is_past_that
                .then_some(())
                .ok_or("its directory is not there")
        });
        let lines = Arc::<Mutex<Vec<String>>>::default();
        thread::spawn({
            let lines = Arc::clone(&lines);
            move || {
                for line in BufReader::new(reader).lines().map_while(Result::ok) {
                    lines.lock().expect("no thread panics").push(line);
                }
            }
        });
        Self {
            run,
            process,
            lines,
            errors,
            _directory: directory,
        }
    }

    #[track_caller]
    fn wait_for(&self, what: &str, deadline: Duration, fits: impl Fn(&str) -> bool) -> String {
        wait_until(what, deadline, || {
            let lines = self.lines.lock().expect("no thread panics");
            let found = lines.iter().find(|line| fits(line));
            found
                .cloned()
                .ok_or_else(|| format!("{lines:#?} {}", self.errors()))
        })
    }

    fn errors(&self) -> String {
        fs::read_to_string(&self.errors).unwrap_or_default()
    }

    /// Where it says that the dashboard is.
    #[track_caller]
    fn dashboard(&self) -> SocketAddr {
        let line = self.wait_for("the address", SOON, |line| line.contains("dashboard "));
        let address = line.split("http://").last().and_then(|it| it.parse().ok());
        address.expect("an address and a port")
    }

    /// The process id of its bwmon.
    #[track_caller]
    fn daemon(&self) -> u32 {
        let config = format!("/run/{}/bwmon.toml", self.run);
        let processes = fs::read_dir("/proc").expect("list the processes");
        let ids = processes
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let mut ids = ids.filter(|id: &u32| {
            let line = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&line).contains(&config)
        });
        ids.next().expect("bwmon runs")
    }

    /// Waits for its end, and says how it ended and what it said on stderr.
    #[track_caller]
    fn end(mut self) -> (Option<i32>, String) {
        let status = self.process.wait(2 * SOON);
        (status.code(), self.errors())
    }

    /// Waits for its end, which is a good one without a word of complaint, and says which it was.
    #[track_caller]
    fn end_well(self) -> String {
        let run = self.run.clone();
        let (status, said) = self.end();
        assert_eq!((status, said.as_str()), (Some(0), ""));
        run
    }
}

#[track_caller]
fn assert_nothing_is_left(run: &str, daemon: u32, programs: &[String]) {
    wait_until("nothing to be left", SOON, || {
        let mut left = left(run);
        if Path::new("/proc").join(daemon.to_string()).exists() {
            left.push(format!("bwmon, process {daemon}"));
        }
        let alive = programs.iter().filter(|id| {
            let shown = Command::new("bpftool")
                .args(["prog", "show", "id", id])
                .output();
            shown.expect("start bpftool").status.success()
        });
        left.extend(alive.map(|id| format!("program {id}")));
        match left.is_empty() {
            true => Ok(()),
            false => Err(format!("{left:?}")),
        }
    });
}

/// Namespaces and files of a run. Links are in its namespaces.
fn left(run: &str) -> Vec<String> {
    let entries = ["/run/netns", "/run"].into_iter().flat_map(|directory| {
        let entries = fs::read_dir(directory).into_iter().flatten().flatten();
        entries.map(|entry| entry.path().display().to_string())
    });
    let links = Command::new("ip").args(["-o", "link", "show"]).output();
    let links = links.expect("start ip").stdout;
    let links = String::from_utf8_lossy(&links).into_owned();
    let links = links.lines().map(str::to_owned);
    entries
        .chain(links)
        .filter(|name| name.contains(run))
        .collect()
}

/// The ids of the programs that a process holds, or that are attached by links that it holds.
fn programs(process: u32) -> Vec<String> {
    let files = fs::read_dir(format!("/proc/{process}/fdinfo"));
    let texts = files
        .expect("list the open files of bwmon")
        .flatten()
        .filter_map(|file| fs::read_to_string(file.path()).ok());
    let ids: BTreeSet<String> = texts
        .flat_map(|text| {
            let mut lines = text.lines();
            lines.find_map(|line| Some(line.strip_prefix("prog_id:")?.trim().to_owned()))
        })
        .collect();
    ids.into_iter().collect()
}

fn name(of: &Value) -> &str {
    of["name"].as_str().unwrap_or_default()
}

/// The answer to a request that names another host.
fn ask_for(address: SocketAddr, host: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("connect to the demo");
    let request = format!("GET /api/v1/devices HTTP/1.1\r\nhost: {host}\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("ask the demo");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("hear the demo");
    answer
}

/// To start a demo, which removes what dead ones left, or to see that nobody has done so.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}
