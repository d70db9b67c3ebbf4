//! `bwmon import`: the past of other programs comes into the history of a running daemon, once.
#![expect(
    clippy::expect_used,
    reason = "what a test stands on fails by panicking, with the reason"
)]

use std::{fs, path::Path};

use bwmon_tests::{Lan, SOON, Setup, ip, project, wait_until};
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

const CONFIG: &str = "timezone = \"UTC\"\nlocal_networks = [\"192.0.2.0/24\"]\n";

const LOG: &str = "# Device Usage Log for 2026-03-08\n\
    {\"date\": \"2026-03-08\", \"ip\": \"192.0.2.7\", \"device_name\": \"Laptop\", \"sent\": 0.5, \
    \"received\": 1.5, \"usage\": 2.0, \"active_time\": 7200}\n\
    \n# Device Usage Log for 2026-03-09\n\
    {\"ip\": \"192.0.2.7\", \"device_name\": \"Laptop\", \"sent\": \"1\", \"received\": 2}\n\
    {\"ip\": \"192.0.2.99\", \"device_name\": \"Unknown\", \"sent\": 0.001, \"received\": 0}\n";

/// As `nlbw -c csv` of nlbwmon prints it: quoted words between tabs.
const NLBW: &str = "\"family\"\t\"proto\"\t\"port\"\t\"mac\"\t\"ip\"\t\"conns\"\t\"rx_bytes\"\t\"rx_pkts\"\t\"tx_bytes\"\t\"tx_pkts\"\t\"layer7\"\n\
    4\t\"TCP\"\t443\t\"02:00:00:00:00:aa\"\t\"192.0.2.50\"\t11\t2800\t28\t280\t1\t\"HTTPS\"\n\
    6\t\"UDP\"\t53\t\"02:00:00:00:00:aa\"\t\"2001:db8::50\"\t1\t28\t2\t28\t1\t\"DNS\"\n";

#[test]
fn what_others_counted_comes_into_the_history_of_a_running_daemon_once() {
    let lan = Lan::new();
    lan.give_addresses();
    let setup = Setup::new(&lan.router, &["lan0"]).config(CONFIG);
    let daemon = setup.start();
    // So that its MAC is known, and the log's address is that of a device.
    lan.upload([Lan::packet("192.0.2.7", "198.51.100.1").length(500).build()]);
    let device = wait_until("the device", SOON, || daemon.api.device(ip("192.0.2.7")));
    let id = device["id"].as_str().unwrap().to_owned();
    let database = setup.state_path().join("bwmon.db");
    // What it knows is in the database when it has ended.
    daemon.terminate();
    let daemon = setup.start();

    let log = setup.directory().join("usage_log.txt");
    let nlbw = setup.directory().join("nlbw-2026-02-01.csv");
    fs::write(&log, LOG).unwrap();
    fs::write(&nlbw, NLBW).unwrap();
    let vnstat = project().join("tests/data/vnstat-2.10.json");
    let files = [&log, &nlbw, &vnstat];

    let tried = import(&setup, &files, &["--faces", "lan", "--dry-run"]);
    assert!(tried.contains("nothing was written"), "{tried}");
    assert_eq!(one(&database, "SELECT count(*) FROM history_import"), 0);

    let taken: Vec<Value> =
        serde_json::from_str(&import(&setup, &files, &["--faces", "lan", "--json"])).unwrap();
    let rows: Vec<(String, u64, u64)> = taken
        .iter()
        .map(|line| {
            let number = |name: &str| line[name].as_u64().unwrap();
            let subject = line["subject"].as_str().unwrap().to_owned();
            (subject, number("rows"), number("bytes"))
        })
        .collect();
    let expected = [
        (id.clone(), 2, 5_000_000_000),
        ("192.0.2.99".to_owned(), 1, 1_000_000),
        ("02:00:00:00:00:aa".to_owned(), 28, 3136),
        // Shares of January from the 20th on, of February, and of three days of March, three days,
        // the hours of another, and six quarters.
        (
            "interface:br-lan".to_owned(),
            12 + 28 + 3 + 3 + 24 + 6,
            46_043_113_556,
        ),
    ];
    assert_eq!(rows, expected, "{taken:?}");
    // vnStat's own total, which this test did not add up.
    let export: Value = serde_json::from_str(&fs::read_to_string(&vnstat).unwrap()).unwrap();
    let total = &export["interfaces"][0]["traffic"]["total"];
    let all = total["rx"].as_u64().unwrap() + total["tx"].as_u64().unwrap();
    assert_eq!(rows[3].2, all);

    let before: Vec<i64> = sums(&database);
    let again = import(&setup, &files, &["--faces", "lan"]);
    assert_eq!(again.matches("already").count(), 3, "{again}");
    // The same days in another file.
    fs::write(&log, format!("// more\n{LOG}")).unwrap();
    let again = import(&setup, &[&log], &[]);
    assert!(again.contains("left out"), "{again}");
    assert_eq!(sums(&database), before);

    daemon.terminate();
    let setup_log = fs::read_to_string(setup.directory().join("log")).unwrap();
    assert!(!setup_log.contains("database"), "{setup_log}");
}

#[test]
fn a_file_with_a_mistake_brings_nothing() {
    let lan = Lan::new();
    let setup = Setup::new(&lan.router, &["lan0"]).config(CONFIG);
    let path = setup.directory().join("usage_log.txt");
    fs::write(
        &path,
        format!("{LOG}{{\"ip\": \"192.0.2.8\", \"sent\": much}}\n"),
    )
    .unwrap();
    let shown = path.to_str().unwrap();
    fails(&setup, &[shown], "start bwmon once, which makes it");
    setup.start().terminate();
    fails(&setup, &[shown], &format!("{shown}: line 7, column 28: "));
    let vnstat = project().join("tests/data/vnstat-2.10.json");
    fails(&setup, &[vnstat.to_str().unwrap()], "--faces lan");
    let nlbw = setup.directory().join("nlbw.csv");
    fs::write(&nlbw, NLBW).unwrap();
    fails(&setup, &[nlbw.to_str().unwrap()], "--from DAY --to DAY");
    fails(&setup, &["/dev/null"], "cannot tell who wrote /dev/null");
    let database = setup.state_path().join("bwmon.db");
    assert_eq!(one(&database, "SELECT count(*) FROM import"), 0);
}

#[track_caller]
fn fails(setup: &Setup, args: &[&str], expected: &str) {
    let state = setup.state_path();
    let mut words = vec![
        "import",
        "--state-dir",
        state.to_str().expect("a path is text"),
    ];
    words.extend(args);
    let output = setup.command(words);
    let error = String::from_utf8(output.stderr).expect("stderr is text");
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(
        error.contains(expected) && error.lines().count() == 1,
        "{error}"
    );
}

#[track_caller]
fn import(setup: &Setup, files: &[&std::path::PathBuf], args: &[&str]) -> String {
    let state = setup.state_path();
    let mut words = vec![
        "import",
        "--state-dir",
        state.to_str().expect("a path is text"),
    ];
    words.extend(
        files
            .iter()
            .map(|path| path.to_str().expect("a path is text")),
    );
    words.extend(args);
    let output = setup.command(words);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("stdout is text")
}

fn open(database: &Path) -> Connection {
    Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY)
        .expect("read what was imported")
}

fn one(database: &Path, query: &str) -> i64 {
    open(database)
        .query_row(query, [], |row| row.get(0))
        .expect("read what was imported")
}

fn sums(database: &Path) -> Vec<i64> {
    let names = [
        "count(*)",
        "sum(sent)",
        "sum(received)",
        "sum(active_seconds)",
    ];
    names
        .iter()
        .map(|name| one(database, &format!("SELECT {name} FROM history_import")))
        .collect()
}
