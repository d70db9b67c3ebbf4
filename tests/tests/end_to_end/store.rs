//! Disks that are full, read-only or damaged, and databases that are not ours: the daemon goes on
//! counting, says so, and writes all of it once it can.
#![expect(
    clippy::expect_used,
    reason = "what a test stands on fails by panicking, with the reason"
)]

use std::{
    fs::{self, File},
    os::unix::fs::FileExt,
    path::Path,
};

use bwmon_tests::{
    Counted, Daemon, Kept, Lan, LinkCounters, SOON, Sent, Setup, Tmpfs, Traffic, ip, keep_now,
    wait_until,
};
use rusqlite::Connection;
use serde_json::Value;

const CONFIG: &str = "local_networks = [\"192.0.2.0/24\"]\n";
const DEVICE: &str = "192.0.2.7";
const PEER: &str = "198.51.100.1";

#[test]
fn a_disk_that_gets_full_costs_nothing_once_there_is_room() {
    let lan = Lan::new();
    let setup = Setup::new(&lan.router, &["lan0"]).config(CONFIG);
    let disk = Tmpfs::mount(&setup.state_path(), 2 << 20);
    let daemon = setup.start();
    let start = lan.lan.counters();
    let mut sent = upload(&lan);
    assert!(keep_now(&setup));
    wait_until("the disk to be full", SOON, || {
        disk.fill();
        sent += upload(&lan);
        keep_now(&setup);
        waits(&daemon)
    });
    let store = store(&daemon);
    assert!(text(&store["reason"]).contains("no space left"), "{store}");
    assert!(store["since"].is_string(), "{store}");
    assert!(store["waiting_records"].as_u64() > Some(0), "{store}");
    wait_for_warning(&daemon, "kept in memory");
    for _ in 0..3 {
        sent += upload(&lan);
        assert!(!keep_now(&setup), "the disk is full");
    }
    wait_for_today(&daemon, sent);

    disk.make_room();
    assert!(keep_now(&setup));
    wait_until("the store to be well", SOON, || is_well(&daemon));
    daemon.wait_for_log(&["history is written again"]);
    sent += upload(&lan);
    wait_for_today(&daemon, sent);
    daemon.terminate();
    check_kept(&setup, &lan, start, sent);
}

#[test]
fn a_disk_that_is_full_from_the_start_is_counted_on_all_the_same() {
    let lan = Lan::new();
    let setup = Setup::new(&lan.router, &["lan0"]).config(CONFIG);
    for is_new in [true, false] {
        // With nothing on it, and with what an earlier run left.
        let disk = Tmpfs::mount(&setup.state_path(), 1 << 20);
        let mut start = lan.lan.counters();
        let mut sent = Sent::default();
        if !is_new {
            let daemon = setup.start();
            start = lan.lan.counters();
            sent += upload(&lan);
            wait_for_today(&daemon, sent);
            daemon.terminate();
        }
        disk.fill();
        let daemon = setup.start();
        if is_new {
            start = lan.lan.counters();
        }
        sent += upload(&lan);
        wait_for_today(&daemon, sent);
        wait_until("the store to wait", SOON, || waits(&daemon));
        wait_for_warning(&daemon, "no space left");
        disk.make_room();
        assert!(keep_now(&setup), "{}", daemon.log());
        wait_until("the store to be well", SOON, || is_well(&daemon));
        sent += upload(&lan);
        wait_for_today(&daemon, sent);
        daemon.terminate();
        check_kept(&setup, &lan, start, sent);
    }
}

#[test]
fn a_read_only_state_directory_is_read_and_counted_on() {
    for is_killed in [false, true] {
        let lan = Lan::new();
        let setup = Setup::new(&lan.router, &["lan0"]).config(CONFIG);
        let disk = Tmpfs::mount(&setup.state_path(), 4 << 20);
        let daemon = setup.start();
        let start = lan.lan.counters();
        let mut sent = upload(&lan);
        wait_for_today(&daemon, sent);
        assert!(keep_now(&setup));
        match is_killed {
            // Its log is still there.
            true => daemon.kill(),
            false => daemon.terminate(),
        }
        disk.set_read_only(true);
        let daemon = setup.start();
        wait_for_today(&daemon, sent);
        sent += upload(&lan);
        wait_for_today(&daemon, sent);
        assert!(!keep_now(&setup));
        wait_until("the store to wait", SOON, || waits(&daemon));
        wait_for_warning(&daemon, "is read-only");
        disk.set_read_only(false);
        assert!(keep_now(&setup), "{}", daemon.log());
        wait_until("the store to be well", SOON, || is_well(&daemon));
        daemon.terminate();
        check_kept(&setup, &lan, start, sent);
    }
}

#[test]
fn a_daemon_that_could_not_write_to_its_end_says_so() {
    let lan = Lan::new();
    let setup = Setup::new(&lan.router, &["lan0"]).config(CONFIG);
    let disk = Tmpfs::mount(&setup.state_path(), 4 << 20);
    disk.set_read_only(true);
    let mut daemon = setup.start();
    wait_until("the store to wait", SOON, || waits(&daemon));
    daemon.signal(nix::sys::signal::Signal::SIGTERM);
    assert_eq!(daemon.wait().code(), Some(2));
    daemon.wait_for_log(&["ERROR", "the last of what was counted is not written"]);
}

#[test]
fn a_database_that_appears_later_is_not_written_over() {
    let lan = Lan::new();
    let setup = Setup::new(&lan.router, &["lan0"]).config(CONFIG);
    let disk = Tmpfs::mount(&setup.state_path(), 4 << 20);
    let daemon = setup.start();
    let sent = upload(&lan);
    wait_for_today(&daemon, sent);
    daemon.terminate();
    let path = setup.state_path().join("bwmon.db");
    let before = fs::read(&path).expect("read the database");
    fs::remove_file(&path).expect("remove the database");

    // As where another file system is mounted on the directory when bwmon runs already.
    disk.set_read_only(true);
    let mut daemon = setup.start();
    wait_until("the store to wait", SOON, || waits(&daemon));
    disk.set_read_only(false);
    fs::write(&path, &before).expect("put it back");
    assert!(!keep_now(&setup));
    wait_for_warning(
        &daemon,
        "not the one that bwmon started with; restart bwmon",
    );
    daemon.signal(nix::sys::signal::Signal::SIGTERM);
    assert_eq!(daemon.wait().code(), Some(2));
    wait_for_today(&setup.start(), sent);
}

#[test]
fn a_database_that_is_damaged_under_the_daemon_is_replaced_and_counting_goes_on() {
    let lan = Lan::new();
    let setup = Setup::new(&lan.router, &["lan0"]).config(CONFIG);
    // So large that it is not in memory as a whole.
    setup.start().terminate();
    let path = setup.state_path().join("bwmon.db");
    let connection = Connection::open(&path).expect("open the database");
    connection
        .execute_batch(
            "INSERT INTO series (key, subject) VALUES (1000, 'past');
             WITH RECURSIVE many (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM many WHERE n < 100000)
             INSERT INTO history_minute
             SELECT strftime('%s') / 60 - 5000 + n / 100, 1000 + n % 100, n, n, 0, 0, 1, 1, 0, 0, 1, 1
             FROM many;
             UPDATE state SET rolled = strftime('%s') / 60 - 6000;",
        )
        .expect("fill the database");
    drop(connection);
    let daemon = setup.start();
    let mut sent = upload(&lan);
    wait_for_today(&daemon, sent);
    let file = File::options().write(true).open(&path);
    let file = file.expect("open the database");
    let pages = file.metadata().expect("ask for its size").len() / 4096;
    for page in 1..pages {
        file.write_all_at(&[0x5a; 4096], page * 4096)
            .expect("damage the database");
    }
    wait_until("the damage to be found", SOON, || {
        sent += upload(&lan);
        keep_now(&setup);
        match daemon.log().contains("history begins anew") {
            true => Ok(()),
            false => Err("not yet"),
        }
    });
    wait_for_warning(&daemon, "was damaged");
    sent += upload(&lan);
    wait_for_today(&daemon, sent);
    wait_until("the store to be well", SOON, || is_well(&daemon));
    daemon.terminate();
    let aside = aside(&setup, "corrupt");
    assert!(fs::read(aside).expect("read it").contains(&0x5a));
    let usage = Kept::open(&setup.state_path()).usage();
    assert_eq!(
        usage[DEVICE].0, sent.bytes,
        "all of today is in the new one"
    );
    let daemon = setup.start();
    wait_for_today(&daemon, sent);
}

#[test]
fn a_damaged_newer_or_foreign_database_is_moved_aside_at_the_start_and_said_so() {
    type Prepare = fn(&Path);
    let rows: [(&str, &str, Prepare); 4] = [
        ("corrupt", "was damaged", |path| {
            let file = File::options().write(true).open(path);
            let file = file.expect("open the database");
            file.write_all_at(&[0x5a; 8192], 4096).expect("damage it");
        }),
        ("corrupt", "file is not a database", |path| {
            fs::write(path, "shopping list\n".repeat(1000)).expect("write another file");
        }),
        ("newer", "was of a newer bwmon (version 99", |path| {
            let connection = Connection::open(path).expect("open the database");
            let set = connection.pragma_update(None, "user_version", 99);
            set.expect("set its version");
        }),
        ("foreign", "was another program's", |path| {
            fs::remove_file(path).expect("remove the database");
            let connection = Connection::open(path).expect("make another one");
            connection
                .execute_batch("CREATE TABLE song (title); INSERT INTO song VALUES ('Ode')")
                .expect("fill it");
        }),
    ];
    for (kind, words, prepare) in rows {
        let lan = Lan::new();
        let setup = Setup::new(&lan.router, &["lan0"]).config(CONFIG);
        setup.start().terminate();
        let path = setup.state_path().join("bwmon.db");
        prepare(&path);
        let before = fs::read(&path).expect("read the database");
        let daemon = setup.start();
        let start = lan.lan.counters();
        wait_for_warning(&daemon, words);
        let sent = upload(&lan);
        wait_for_today(&daemon, sent);
        daemon.terminate();
        check_kept(&setup, &lan, start, sent);
        let moved = fs::read(aside(&setup, kind)).expect("read what was moved");
        assert!(moved == before, "{words}: it has changed");
    }
}

fn upload(lan: &Lan) -> Sent {
    let frames = (0..50).map(|n| Lan::packet(DEVICE, PEER).length(100 + n).build());
    lan.upload(frames)
}

fn store(daemon: &Daemon) -> Value {
    let status = daemon.api.json("/api/v1/status").expect("the status");
    status["store"].clone()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn waits(daemon: &Daemon) -> Result<(), String> {
    let store = store(daemon);
    match store["state"] == "waiting" {
        true => Ok(()),
        false => Err(store.to_string()),
    }
}

fn is_well(daemon: &Daemon) -> Result<(), String> {
    let store = store(daemon);
    let is_well = store["state"] == "ok"
        && store["reason"].is_null()
        && store["since"].is_null()
        && store["waiting_records"] == 0
        && store["database_bytes"].as_u64() > Some(0)
        && store["written_at"].is_string();
    match is_well {
        true => Ok(()),
        false => Err(store.to_string()),
    }
}

#[track_caller]
fn wait_for_warning(daemon: &Daemon, words: &str) {
    wait_until("the warning", SOON, || {
        let status = daemon.api.json("/api/v1/status")?;
        let warnings = status["warnings"].as_array().ok_or("no warnings")?;
        match warnings.iter().any(|each| text(each).contains(words)) {
            true => Ok(()),
            false => Err(format!("{warnings:?}")),
        }
    });
}

#[track_caller]
fn wait_for_today(daemon: &Daemon, sent: Sent) {
    wait_until("today's figures", SOON, || {
        let device = daemon.api.device(ip(DEVICE))?;
        match device["today"]["sent"] == sent.bytes {
            true => Ok(()),
            false => Err(format!("{} instead of {sent:?}", device["today"])),
        }
    });
}

/// What the database says after a clean stop: what was sent, and what the interface itself counted.
#[track_caller]
fn check_kept(setup: &Setup, lan: &Lan, start: LinkCounters, sent: Sent) {
    let kept = Kept::open(&setup.state_path());
    let history = kept.history();
    let expected = Traffic {
        sent,
        ..Traffic::default()
    };
    let moved = lan.lan.counters() - start;
    // Native XDP on veth: the link's own counter leaves out the 14 bytes of Ethernet.
    let carried = Counted {
        bytes: moved.rx.bytes + 14 * moved.rx.packets,
        packets: moved.rx.packets,
    };
    assert_eq!(carried, sent, "the oracles agree");
    assert_eq!(history["interface:lan0"], expected, "the interface");
    assert_eq!(history[DEVICE], expected, "the device");
    assert_eq!(kept.usage()[DEVICE], (sent.bytes, 0), "the day");
}

/// The only database that was moved aside.
#[track_caller]
fn aside(setup: &Setup, kind: &str) -> std::path::PathBuf {
    let entries = fs::read_dir(setup.state_path()).expect("list the state directory");
    let mut found = entries.flatten().map(|entry| entry.path()).filter(|path| {
        let name = path.to_string_lossy();
        name.contains(".db.") && !name.ends_with("-wal") && !name.ends_with("-shm")
    });
    let aside = found.next().expect("a database was moved aside");
    assert_eq!(found.next(), None, "and no other");
    assert!(
        aside.to_string_lossy().contains(&format!(".{kind}-")),
        "{}",
        aside.display()
    );
    aside
}
