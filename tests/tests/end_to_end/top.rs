//! `bwmon top` on a real terminal: of a daemon, and by itself, where it leaves nothing behind.
#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::{fs, os::unix::process::CommandExt, process::Command, sync::Arc};

use bwmon_tests::{
    Flow, ForeignProgram, Hook, LOCAL_NETWORK, Lan, Link, Namespace, PEER, Programs, SOON, Setup,
    Stage, Tmux, binary, wait_until,
};
use nix::sys::signal::Signal;
use serde_json::Value;

const LAPTOP: &str = "192.0.2.7";
const TABLET: &str = "192.0.2.8";

const DEVICES: &str = r#"{
    "192.0.2.7": { "name": "Laptop", "bandwidth_threshold": 50000000, "group": "Work" },
    "192.0.2.8": { "name": "Tablet", "bandwidth_threshold": 50000 }
}"#;

/// Bytes per second of the laptop's uploads, and of the tablet's.
const BUSY: f64 = 1_000_000.0;
const QUIET: f64 = 100_000.0;

#[test]
fn a_daemon_is_looked_at() {
    let stage = Stage::new("", DEVICES);
    let _daemon = stage.setup.start();
    let _flows = flows(&stage.lan);
    let top = look(&stage.setup);

    top.wait_for("the rates", |screen| {
        let (laptop, tablet) = (row(screen, "Laptop")?, row(screen, "Tablet")?);
        let is_on_top = laptop.0 < tablet.0;
        let are_right = is_about(laptop.1, BUSY) && is_about(tablet.1, QUIET);
        (is_on_top && are_right).then_some(())
    });
    // Who is over the threshold is marked.
    top.wait_for_words(&["▲ Tablet", "▲ 1 alert", "lan0 100 %"]);
    assert!(top.coloured().contains('\x1b'), "{}", top.coloured());

    top.press(&["<", "<", "<", "r"]);
    top.wait_for_words(&["DEVICE▾"]);
    top.wait_for("another order", |screen| {
        (row(screen, "Tablet")?.0 < row(screen, "Laptop")?.0).then_some(())
    });
    top.press(&["/", "w", "o", "r"]);
    top.wait_for("the filter", |screen| {
        (screen.contains("1 of 2 devices shown") && !screen.contains("Tablet")).then_some(())
    });
    top.press(&["Enter", "Enter"]);
    top.wait_for_words(&[
        "addresses  192.0.2.7",
        "group      Work",
        "in the last 10 minutes",
    ]);
    top.wait_for("a chart", |screen| screen.contains('█').then_some(()));
    top.press(&["t"]);
    top.wait_for_words(&["in the last 24 hours"]);
    top.press(&["Escape"]);
    top.wait_for_words(&["LAST MINUTE"]);
    top.press(&["?"]);
    top.wait_for_words(&["Help", "sort the other way round"]);
    top.press(&["x", "u"]);
    top.wait_for_words(&["MB/s"]);
    top.press(&["p"]);
    top.wait_for_words(&["PAUSED"]);
    let paused = top.screen();
    stage.setup.command(["status"]);
    assert_eq!(top.screen(), paused);

    top.resize(40, 12);
    top.wait_for_words(&["PAUSED", "Laptop"]);
    top.resize(1, 1);
    top.resize(100, 24);
    top.wait_for_words(&["LAST MINUTE"]);
    top.press(&["q"]);
    assert_eq!(top.wait_for_end(), 0);
}

#[test]
fn a_daemon_that_goes_is_missed_until_it_is_back() {
    let stage = Stage::new("", DEVICES);
    let daemon = stage.setup.start();
    let _flows = flows(&stage.lan);
    let top = look(&stage.setup);
    top.wait_for_words(&["Laptop", "Mbit/s"]);
    daemon.terminate();
    top.wait_for_words(&["no news since ", "trying again"]);
    let _daemon = stage.setup.start();
    top.wait_for("news", |screen| (!screen.contains("no news")).then_some(()));
    top.wait_for("a rate", |screen| {
        is_about(row(screen, "Laptop")?.1, BUSY).then_some(())
    });
    top.signal(Signal::SIGHUP);
    assert_eq!(top.wait_for_end(), 0);
}

#[test]
fn by_itself_it_leaves_nothing_behind() {
    let lan = Lan::new();
    let setup = setup(&lan);
    let _flows = flows(&lan);
    let before = fs::read_dir("/var/lib/bwmon").is_ok();
    let top = alone(&setup, &lan.router);
    top.wait_for("the rates", |screen| {
        let (laptop, tablet) = (row(screen, "Laptop")?, row(screen, "Tablet")?);
        let is_on_top = laptop.0 < tablet.0;
        (is_on_top && is_about(laptop.1, BUSY) && is_about(tablet.1, QUIET)).then_some(())
    });
    assert_ne!(lan.lan.programs(), Programs::default(), "it counts");
    assert_eq!(listening(&lan.router), 0, "nobody can ask it anything");
    top.press(&["Enter"]);
    top.wait_for_words(&["addresses  192.0.2.7", "in the last 10 minutes"]);
    top.press(&["t"]);
    top.wait_for_words(&["not known without a daemon"]);

    top.signal(Signal::SIGTERM);
    assert_eq!(top.wait_for_end(), 0);
    assert_free(&lan.lan);
    assert!(!setup.state_path().exists(), "it keeps nothing");
    assert_eq!(fs::read_dir("/var/lib/bwmon").is_ok(), before);
    let mut left: Vec<_> = fs::read_dir(top.work())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    left.sort();
    assert_eq!(left, ["after", "before", "pid"], "those of the test");
}

#[test]
fn by_itself_it_ends_with_a_key_also_beside_the_program_of_somebody_else() {
    let lan = Lan::new();
    let foreign = ForeignProgram::attach(&lan.lan, Hook::Xdp, "foreign");
    let setup = setup(&lan);
    let _flows = flows(&lan);
    let top = alone(&setup, &lan.router);
    top.wait_for("a rate", |screen| {
        is_about(row(screen, "Laptop")?.1, BUSY).then_some(())
    });
    top.press(&["C-c"]);
    assert_eq!(top.wait_for_end(), 0);
    let left = wait_until("its programs to be gone", SOON, || {
        let programs = lan.lan.programs();
        let is_free = programs.tcx_ingress.is_empty() && programs.tcx_egress.is_empty();
        if is_free {
            Ok(programs)
        } else {
            Err(format!("{programs:?}"))
        }
    });
    assert_eq!(left.xdp.len(), 1);
    assert_eq!(left.xdp[0].id, foreign.id);
}

#[test]
fn scripts_are_told_once() {
    let lan = Lan::new();
    let setup = setup(&lan);
    let _flows = flows(&lan);
    // The rate is that of one interval, in which a busy machine may send what another one owed.
    wait_until("an interval with its share", 2 * SOON, || {
        let table = said(&setup, &["top", "--once", "--iface", "lan0"]);
        assert!(table.contains("lan0: 100 % of its packets"), "{table}");
        let laptop = table.lines().find(|line| line.starts_with("Laptop"));
        let laptop = laptop.unwrap_or_else(|| panic!("{table}"));
        let sent: f64 = laptop.split_whitespace().nth(2).unwrap().parse().unwrap();
        match is_about(sent * 1e6 / 8.0, BUSY) {
            true => Ok(()),
            false => Err(table),
        }
    });
    assert_free(&lan.lan);

    let document = said(&setup, &["top", "--once", "--json", "--iface", "lan0"]);
    let document: Value = serde_json::from_str(&document).unwrap();
    check_document(&document);
    assert_eq!(document["status"]["store"]["written_at"], Value::Null);
    assert_free(&lan.lan);

    let _daemon = setup.start();
    let asked = wait_until("rates", SOON, || {
        let text = said(&setup, &["top", "--once", "--json"]);
        let document: Value = serde_json::from_str(&text).unwrap();
        let rate = device(&document, "Laptop")["sent_rate"].as_f64();
        let is_right = rate.is_some_and(|rate| is_about(rate, BUSY));
        if is_right { Ok(document) } else { Err(text) }
    });
    check_document(&asked);
}

#[test]
fn scripts_are_told_each_sample() {
    let lan = Lan::new();
    let setup = setup(&lan);
    let _flows = flows(&lan);
    let config = setup.config_path();
    let mut command = Command::new("timeout");
    command
        .args(["--signal=INT", "2"])
        .arg(binary())
        .args(["top", "--json", "--iface", "lan0", "--interval", "100ms"])
        .arg("--config")
        .arg(config);
    let output = lan.router.enter(|| command.output().unwrap());
    let text = String::from_utf8(output.stdout).unwrap();
    let documents: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(documents.len() >= 5, "{} lines", documents.len());
    documents.iter().for_each(check_document);
    let samples = |document: &Value| document["status"]["poll"]["samples"].as_u64();
    assert!(documents.is_sorted_by(|one, next| samples(one) < samples(next)));
    assert_free(&lan.lan);
}

#[test]
fn what_is_in_the_way_is_said_with_what_to_do() {
    let lan = Lan::new();
    let setup = setup(&lan);
    let fails = |args: &[&str], words: &[&str]| {
        let output = setup.command(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            words.iter().all(|word| said.contains(word)),
            "{args:?}: {said}"
        );
    };
    fails(
        &["top", "--once"],
        &["cannot reach bwmon", "sudo bwmon top --iface eth0"],
    );
    fails(&["top"], &["stdout is no terminal", "--once", "--json"]);
    fails(
        &["top", "--once", "--iface", "lan7"],
        &["lan7: there is no such interface", "there are lan0, lo"],
    );
    fails(
        &["top", "--once", "--iface", "wan*"],
        &["no interface has such a name; there are lan0, lo"],
    );

    let said = as_nobody(&lan.router, &["top", "--once", "--iface", "lan0"]);
    assert!(
        said.contains("counting takes root, so run `sudo bwmon top --iface lan0`"),
        "{said}"
    );
    assert_free(&lan.lan);
}

/// A network of the laptop and the tablet, and the configuration for it, but no daemon yet.
fn setup(lan: &Lan) -> Setup {
    Setup::new(&lan.router, &["lan0"])
        .config(&format!(
            "{LOCAL_NETWORK}state_dir = \"state\"\ndevices_file = \"registered_devices.json\"\n"
        ))
        .devices(DEVICES)
}

/// Both upload without end.
fn flows(lan: &Lan) -> [Flow; 2] {
    let flow = |source, rate: f64| {
        let frame = Lan::packet(source, PEER).length(1000).build();
        Flow::start(&lan.device, frame, (rate / 1000.0) as u32)
    };
    [flow(LAPTOP, BUSY), flow(TABLET, QUIET)]
}

/// At the daemon of that setup.
fn look(setup: &Setup) -> Tmux {
    let config = setup.config_path();
    let args = ["top".as_ref(), "--config".as_ref(), config.as_os_str()];
    Tmux::bwmon(setup.namespace(), args)
}

fn alone(setup: &Setup, router: &Arc<Namespace>) -> Tmux {
    let config = setup.config_path();
    let args = ["top", "--iface", "lan0", "--config"].map(AsRef::as_ref);
    Tmux::bwmon(router, args.into_iter().chain([config.as_os_str()]))
}

/// The line that a device is in, and the bytes per second that it sends.
fn row(screen: &str, name: &str) -> Option<(usize, f64)> {
    let (line, row) = screen
        .lines()
        .enumerate()
        .find(|(_, line)| line.contains(name))?;
    let words: Vec<&str> = row.split_whitespace().collect();
    let unit = words.iter().rposition(|word| word.ends_with("bit/s"))?;
    let number: f64 = words.get(unit.checked_sub(1)?)?.parse().ok()?;
    let factor = match words[unit] {
        "kbit/s" => 1e3,
        "Mbit/s" => 1e6,
        _ => 1.0,
    };
    Some((line, number * factor / 8.0))
}

/// Smoothing and the scheduler have a part in what is seen.
fn is_about(rate: f64, expected: f64) -> bool {
    (0.8..1.2).contains(&(rate / expected))
}

fn check_document(document: &Value) {
    assert_eq!(document["full"], true);
    assert_eq!(document["interfaces"][0]["name"], "lan0");
    assert!(document["host"].is_string() && document["at"].is_string());
    let rate = |name| device(document, name)["sent_rate"].as_u64().unwrap();
    assert!(rate("Laptop") > rate("Tablet"), "{document}");
}

fn device<'a>(document: &'a Value, name: &str) -> &'a Value {
    let mut devices = document["devices"].as_array().unwrap().iter();
    let is_it = |device: &&Value| device["name"].as_str().unwrap().starts_with(name);
    devices.find(is_it).unwrap()
}

#[track_caller]
fn said(setup: &Setup, args: &[&str]) -> String {
    let output = setup.command(args);
    let (stdout, stderr) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{args:?}: {stderr}");
    assert!(!stdout.contains('\x1b'), "{stdout}");
    stdout.into_owned()
}

/// What it says on stderr to somebody who may nothing.
fn as_nobody(router: &Namespace, args: &[&str]) -> String {
    // It may lie where nobody else may go.
    let directory = tempfile::tempdir().unwrap();
    let copy = directory.path().join("bwmon");
    fs::copy(binary(), &copy).unwrap();
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(directory.path(), open).unwrap();
    let mut command = Command::new(&copy);
    command.args(args).current_dir("/").uid(65534).gid(65534);
    let output = router.enter(|| command.output().unwrap());
    assert_eq!(output.status.code(), Some(2));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Sockets that wait for somebody.
fn listening(namespace: &Namespace) -> usize {
    let sockets = namespace.proc_net("tcp") + &namespace.proc_net("tcp6");
    // State 0A is LISTEN.
    sockets.lines().filter(|line| line.contains(" 0A ")).count()
}

#[track_caller]
fn assert_free(link: &Link) {
    wait_until("its programs to be gone", SOON, || {
        let programs = link.programs();
        match programs == Programs::default() {
            true => Ok(()),
            false => Err(format!("{programs:?}")),
        }
    });
}
