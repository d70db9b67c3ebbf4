//! Everything goes wrong at once, for a while: receivers fail in every way, and the daemon is killed
//! at random. When all is well again, each channel has been told of every alert that there was:
//! nothing is lost, nothing made up, nothing out of order.
//!
//! What there was, the database says: it is read here, not by the daemon.
#![expect(
    clippy::expect_used,
    reason = "what a test stands on fails by panicking, with the reason"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use bwmon_tests::{Answer, Delivery, Flow, Lan, Random, Receiver, Setup, wait_until};
use rusqlite::{Connection, OpenFlags};

const KILLS: usize = 50;
/// The daemon lives for less than this until it is killed: from before it counts to several alerts.
const LIFE: Duration = Duration::from_millis(1800);
const PEER: &str = "198.51.100.1";
/// After each quarter of the kills the volume of a day may be more, so that alerts end and begin.
const VOLUMES: [u64; 4] = [20_000, 1_000_000, 2_000_000, 4_000_000];
/// Back-off included, when all is well.
const WELL: Duration = Duration::from_secs(30);

#[test]
fn fifty_kills_and_every_fault_of_a_receiver_lose_and_invent_nothing() {
    let mut random = Random::from_environment();
    let lan = Lan::new();
    // Where a redirect leads to. What arrives there was told to somebody who must not know.
    let stranger = Receiver::start_at(&lan.router, Ipv4Addr::new(127, 0, 0, 2).into());
    let fair = Receiver::start(&lan.router);
    let mut foul = Receiver::start(&lan.router);
    let setup = Setup::new(&lan.router, &["lan0"]).config(&config(&fair, &foul));
    let flows = [7, 8, 9].map(|host| {
        let frame = Lan::packet(&format!("192.0.2.{host}"), PEER);
        Flow::start(&lan.device, frame.length(1000).build(), 100)
    });

    let start = Instant::now();
    for round in 0..KILLS {
        if round % KILLS.div_ceil(VOLUMES.len()) == 0 {
            setup.write_devices(&devices(VOLUMES[round * VOLUMES.len() / KILLS]));
        }
        misbehave(&mut foul, round, &stranger);
        match random.below(5) {
            0 => fair.set(Answer::Close),
            1 => fair.set(Answer::Fail),
            _ => fair.set(Answer::Accept),
        }
        let daemon = setup.spawn();
        await_moment(&mut random, &fair);
        daemon.kill();
    }
    println!("{KILLS} kills in {:?}", start.elapsed());

    for flow in flows {
        flow.stop();
    }
    fair.set(Answer::Accept);
    misbehave(&mut foul, FAULTS.len() - 1, &stranger);
    let daemon = setup.start();
    let database = setup.state_path().join("bwmon.db");
    wait_until(
        "the outbox to be empty and nothing to be too fast",
        WELL,
        || match (unsent(&database), alerts(&database, "rate", "firing").len()) {
            (0, 0) => Ok(()),
            (unsent, firing) => Err(format!("{unsent} unsent, {firing} firing")),
        },
    );
    daemon.terminate();

    assert_eq!(stranger.attempts(), 0, "a redirect was followed");
    assert_eq!(unsent(&database), 0);
    let told = Told::of(&database);
    assert!(told.firing.len() > KILLS / 2, "{told:?}");
    for rule in ["rate", "volume"] {
        assert!(!alerts(&database, rule, "resolved").is_empty(), "no {rule}");
    }
    for (name, receiver) in [("fair", &fair), ("foul", &foul)] {
        check(name, &receiver.requests(), &told);
    }
}

/// The moment of a kill: any, or that at which one of the next events arrives, when bwmon has yet to
/// write down that it did.
fn await_moment(random: &mut Random, receiver: &Receiver) {
    let any = LIFE.mul_f64(random.fraction());
    if random.below(2) == 0 {
        thread::sleep(any);
        return;
    }
    let arrived = receiver.attempts() + random.below(8) as usize;
    let end = Instant::now() + LIFE;
    while receiver.attempts() <= arrived && Instant::now() < end {
        thread::sleep(Duration::from_micros(200));
    }
}

/// What the foul channel does, one round after the other.
const FAULTS: [Fault; 7] = [
    Fault::Answer(Answer::Fail),
    Fault::Answer(Answer::Hang),
    Fault::Gone,
    Fault::Answer(Answer::Close),
    Fault::Answer(Answer::Half),
    Fault::Redirect,
    Fault::Answer(Answer::Accept),
];

enum Fault {
    Answer(Answer),
    Redirect,
    Gone,
}

fn misbehave(receiver: &mut Receiver, round: usize, stranger: &Receiver) {
    receiver.close();
    match FAULTS[round % FAULTS.len()] {
        Fault::Gone => return,
        Fault::Answer(answer) => receiver.set(answer),
        Fault::Redirect => receiver.set(Answer::Redirect(stranger.address())),
    }
    receiver.open();
}

fn config(fair: &Receiver, foul: &Receiver) -> String {
    let channel = |name: &str, receiver: &Receiver| {
        let url = receiver.url();
        format!(
            "[[notify]]\ntype = \"webhook\"\nname = \"{name}\"\nurl = \"{url}\"\ntimeout = \"1s\"\n"
        )
    };
    format!(
        "local_networks = [\"192.0.2.0/24\"]\n\
         poll_interval = \"100ms\"\n\
         timezone = \"UTC\"\n{}{}",
        channel("fair", fair),
        channel("foul", foul),
    )
}

/// Each start of the daemon forgets how fast a device was: so an alert on rate ends, and the next
/// one begins a few samples later.
fn devices(volume: u64) -> String {
    format!(
        r#"{{ "unknown": {{
            "bandwidth_threshold": {volume},
            "rate_threshold": {{
                "total": 5000, "for": "0s", "clear_for": "0s", "cooldown": "0s"
            }}
        }} }}"#
    )
}

/// What was there to be told.
#[derive(Debug)]
struct Told {
    /// Alerts that began.
    firing: BTreeSet<String>,
    /// Those of them that ended.
    resolved: BTreeSet<String>,
}

impl Told {
    fn of(database: &Path) -> Self {
        let resolved = alerts(database, "%", "resolved");
        let mut firing = alerts(database, "%", "firing");
        firing.extend(resolved.iter().cloned());
        Self { firing, resolved }
    }
}

/// What a channel was told, against what there was to be told.
fn check(name: &str, requests: &[Delivery], told: &Told) {
    let taken: Vec<_> = requests.iter().filter(|each| each.is_taken).collect();
    // The first time that each event was taken.
    let mut seen = BTreeSet::new();
    let first: Vec<_> = taken
        .iter()
        .filter(|each| seen.insert(each.text("id")))
        .collect();
    println!(
        "{name}: {} requests, {} taken, {} events of {} alerts",
        requests.len(),
        taken.len(),
        first.len(),
        told.firing.len(),
    );
    for request in requests {
        let id = request.text("id");
        assert!(seen.contains(id), "{name}: {id} was tried and never came");
    }

    let mut of_alerts: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for event in &first {
        let states = of_alerts.entry(event.text("alert")).or_default();
        states.push(event.text("state"));
    }
    let known: BTreeSet<_> = of_alerts.keys().copied().collect();
    let began: BTreeSet<_> = told.firing.iter().map(String::as_str).collect();
    let lost: Vec<_> = began.difference(&known).collect();
    let invented: Vec<_> = known.difference(&began).collect();
    assert!(
        lost.is_empty() && invented.is_empty(),
        "{name}: lost {lost:?}, invented {invented:?}"
    );
    for (alert, states) in of_alerts {
        let reminders = states.iter().filter(|state| **state == "reminder").count();
        let mut expected = vec!["firing"];
        expected.extend(vec!["reminder"; reminders]);
        expected.extend(told.resolved.contains(alert).then_some("resolved"));
        assert_eq!(states, expected, "{name}: {alert}");
    }
    for pair in first.windows(2) {
        let (before, after) = (pair[0].text("timestamp"), pair[1].text("timestamp"));
        assert!(before <= after, "{name}: {before} came before {after}");
    }
}

/// Ids of the alerts of a rule in a state; `%` is every rule.
fn alerts(database: &Path, rule: &str, state: &str) -> BTreeSet<String> {
    let connection = open(database);
    let mut statement = connection
        .prepare("SELECT id FROM alert WHERE rule LIKE ?1 AND state = ?2")
        .expect("the database has alerts");
    let ids = statement.query_map([rule, state], |row| row.get(0));
    let ids: Result<_, _> = ids.expect("read the alerts").collect();
    ids.expect("an alert has an id")
}

/// Events that are in the outbox, given up or not.
fn unsent(database: &Path) -> i64 {
    let count = open(database).query_row("SELECT count(*) FROM outbox", [], |row| row.get(0));
    count.expect("the database has an outbox")
}

fn open(database: &Path) -> Connection {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(database, flags).expect("open the database")
}
