//! Any split into runs tells the same as one run: ledger and store together, with tables that are
//! pinned, and a kernel that counts whether or not anybody reads.

use std::{collections::BTreeMap, net::IpAddr, time::Duration};

use bwmon_common::layout::{Counter, Row};
use jiff::{SignedDuration, tz::TimeZone};
use proptest::{collection::vec, prelude::*, sample::select};

use super::{checkpoint, watch::SavedTable};
use crate::{
    core::{
        ledger::{Ledger, Occasion},
        mac::MacAddr,
        meter::{minus, plus},
        policy::{Policy, Scope},
        time::{Monotonic, Now},
    },
    store::{Checkpoint, HistorySettings, Outcome, Store},
};

const ADDRESSES: usize = 4;
const LAN: &str = "lan0";

#[derive(Clone, Debug)]
enum Step {
    /// An address sends.
    Use(usize, u64),
    /// Time passes, and a sample is taken.
    Sample(u64),
    /// The wall clock is set, by minutes.
    Set(i64),
    /// The neighbour table tells of an address: two of them may be one device.
    Learn(usize, u8),
    /// A checkpoint, and all of it is durable.
    Keep,
    /// The process is killed, and the next one started some seconds later.
    Kill(u64),
    /// A clean stop and a start.
    Stop(u64),
    /// The same with the machine: its tables are gone.
    Reboot(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0..ADDRESSES, 1_u64..1_000_000).prop_map(|(address, bytes)| Step::Use(address, bytes)),
        6 => prop_oneof![3 => 1_u64..120, 1 => 1_u64..4 * 3600].prop_map(Step::Sample),
        1 => (-2 * 1440_i64..2 * 1440).prop_map(Step::Set),
        1 => (0..ADDRESSES, 1_u8..4).prop_map(|(address, mac)| Step::Learn(address, mac)),
        3 => Just(Step::Keep),
        3 => (0_u64..600).prop_map(Step::Kill),
        1 => (0_u64..600).prop_map(Step::Stop),
        1 => (0_u64..600).prop_map(Step::Reboot),
    ];
    vec(step, 1..60)
}

/// Bytes by subject, and by subject and day.
#[derive(Debug, Default, PartialEq)]
struct Told {
    history: BTreeMap<String, u64>,
    usage: BTreeMap<String, u64>,
    days: BTreeMap<(String, String), u64>,
}

struct World {
    directory: tempfile::TempDir,
    zone: TimeZone,
    now: Now,
    boot: u32,
    /// What the kernel counted.
    table: [Row; ADDRESSES],
    macs: BTreeMap<usize, MacAddr>,
    run: Option<Run>,
    /// Whether each kill was on the day of the last checkpoint, by a clock that was never set.
    days_are_sure: bool,
}

struct Run {
    ledger: Ledger,
    store: Store,
    baseline: [Row; ADDRESSES],
    sampled: Monotonic,
    kept: Now,
}

impl World {
    async fn new(zone: &str, start: &str) -> Self {
        let mut world = Self {
            directory: tempfile::tempdir().unwrap(),
            zone: TimeZone::get(zone).unwrap(),
            now: Now {
                monotonic: Monotonic(Duration::from_secs(1_000)),
                wall: start.parse().unwrap(),
            },
            boot: 1,
            table: Default::default(),
            macs: BTreeMap::new(),
            run: None,
            days_are_sure: true,
        };
        world.start().await;
        world
    }

    async fn start(&mut self) {
        let day = self.now.day(&self.zone);
        let (mut store, loaded) = Store::open(self.directory.path(), day).unwrap();
        assert_eq!(loaded.warnings, Vec::<String>::new());
        store.keep_history(HistorySettings {
            zone: self.zone.clone(),
            ..HistorySettings::default()
        });
        let (policy, zone) = (Policy::default(), self.zone.clone());
        let mut ledger = Ledger::new(policy, Scope::Internet, zone, &self.now);
        let tables = checkpoint::restore(&mut ledger, loaded, &self.now);
        let known = tables
            .into_iter()
            .find(|table| table.identity == self.boot.to_string());
        let mut baseline = [Row::default(); ADDRESSES];
        let is_known = known.is_some();
        for (slot, row) in known.into_iter().flat_map(|table| table.rows) {
            baseline[slot as usize] = row;
        }
        for (address, mac) in &self.macs {
            ledger.learn(ip(*address), *mac);
        }
        self.run = Some(Run {
            ledger,
            store,
            baseline,
            sampled: self.now.monotonic,
            kept: self.now,
        });
        if !is_known {
            // New tables are written down before they count.
            self.keep(Occasion::Checkpoint).await;
        }
    }

    async fn step(&mut self, step: &Step, is_one_run: bool) {
        match *step {
            Step::Use(address, bytes) => {
                let sent = Counter { bytes, packets: 1 };
                let row = Row {
                    sent,
                    ..Row::default()
                };
                self.table[address] = plus(self.table[address], row);
            }
            Step::Sample(seconds) => {
                self.pass(seconds);
                self.sample();
            }
            Step::Set(minutes) => {
                let by = SignedDuration::from_mins(minutes);
                self.now.wall = self.now.wall.checked_add(by).unwrap();
                self.days_are_sure = false;
            }
            Step::Learn(address, mac) => {
                let mac = MacAddr([2, 0, 0, 0, 0, mac]);
                // One that has another is another story.
                if self.macs.contains_key(&address) {
                    return;
                }
                self.macs.insert(address, mac);
                self.run().ledger.learn(ip(address), mac);
            }
            Step::Keep => self.keep(Occasion::Checkpoint).await,
            // The same time passes, and the same samples are taken.
            Step::Kill(seconds) | Step::Stop(seconds) | Step::Reboot(seconds) if is_one_run => {
                if !matches!(step, Step::Kill(_)) {
                    self.sample();
                }
                self.pass(seconds);
                self.sample();
            }
            Step::Kill(seconds) => {
                let kept = self.run().kept;
                // All of it was durable, so nothing is written here.
                self.end().await;
                self.pass(seconds);
                self.days_are_sure &= kept.day(&self.zone) == self.now.day(&self.zone);
                self.start().await;
                self.sample();
            }
            Step::Stop(seconds) | Step::Reboot(seconds) => {
                self.sample();
                self.keep(Occasion::End).await;
                self.end().await;
                if let Step::Reboot(_) = step {
                    self.boot += 1;
                    self.table = Default::default();
                }
                self.pass(seconds);
                self.start().await;
                self.sample();
            }
        }
    }

    fn run(&mut self) -> &mut Run {
        self.run.as_mut().unwrap()
    }

    fn pass(&mut self, seconds: u64) {
        let time = Duration::from_secs(seconds);
        self.now.monotonic.0 += time;
        self.now.wall += time;
    }

    fn sample(&mut self) {
        let (now, table) = (self.now, self.table);
        let run = self.run();
        let counted: Vec<_> = (0..ADDRESSES)
            .map(|address| (ip(address), minus(table[address], run.baseline[address])))
            .filter(|(_, row)| *row != Row::default())
            .collect();
        run.baseline = table;
        let all = counted.iter().map(|(_, row)| *row);
        run.ledger.carried(LAN, all.fold(Row::default(), plus));
        let elapsed = now.monotonic.since(run.sampled).max(Duration::from_secs(1));
        run.sampled = now.monotonic;
        let mut new_id = String::new;
        let told = run.ledger.sample(&now, elapsed, counted, &mut new_id);
        assert_eq!(told, [], "there are no rules");
    }

    async fn keep(&mut self, occasion: Occasion) {
        let (now, identity) = (self.now, self.boot.to_string());
        let run = self.run();
        let changes = run.ledger.take_changes(occasion);
        let table = SavedTable {
            interface: LAN.to_owned(),
            identity,
            rows: (0..).zip(run.baseline).collect(),
        };
        let checkpoint = checkpoint::checkpoint(changes, &[], Some(vec![table]), now.wall);
        run.store.write(Checkpoint {
            ran: now.monotonic.0,
            ..checkpoint
        });
        match run.store.outcome().await {
            Outcome::Durable(_) => {}
            Outcome::Failed(error) => panic!("{error}"),
        }
        run.kept = now;
    }

    async fn end(&mut self) {
        let run = self.run.take().unwrap();
        run.store.close().await.unwrap();
    }

    /// What is in the database once all is written.
    async fn told(mut self) -> Told {
        self.sample();
        self.keep(Occasion::End).await;
        let history = self.run().store.history();
        let reader = history.open(&self.zone).unwrap();
        let mut told = Told::default();
        for (series, moved) in reader.totals(i64::MIN / 100, i64::MAX / 100).unwrap() {
            let subject = reader.series()[series].subject.clone();
            *told.history.entry(subject).or_default() += moved.row.sent.bytes;
        }
        drop(reader);
        self.end().await;
        let database = rusqlite::Connection::open(self.directory.path().join("bwmon.db")).unwrap();
        let mut statement = database
            .prepare("SELECT id, day, sent FROM usage JOIN device ON key = device WHERE sent > 0")
            .unwrap();
        let rows = statement.query_map([], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get::<_, i64>(2)?))
        });
        for row in rows.unwrap() {
            let (id, day, sent): (String, String, i64) = row.unwrap();
            *told.usage.entry(id.clone()).or_default() += sent as u64;
            told.days.insert((id, day), sent as u64);
        }
        told
    }
}

fn ip(address: usize) -> IpAddr {
    format!("10.0.0.{address}").parse().unwrap()
}

/// What was sent, by whom at the end.
fn sent(steps: &[Step]) -> BTreeMap<String, u64> {
    let mut macs = BTreeMap::new();
    for step in steps {
        if let Step::Learn(address, mac) = step {
            macs.entry(*address)
                .or_insert(MacAddr([2, 0, 0, 0, 0, *mac]));
        }
    }
    let mut sums = BTreeMap::new();
    for step in steps {
        if let Step::Use(address, bytes) = step {
            let id = match macs.get(address) {
                Some(mac) => mac.to_string(),
                None => ip(*address).to_string(),
            };
            *sums.entry(id).or_default() += bytes;
        }
    }
    sums
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_split_into_runs_tells_the_same_as_one_run(
        steps in steps(),
        zone in select(vec!["UTC", "Europe/Berlin", "Asia/Kathmandu"]),
        // Days with 23 and with 25 hours are among those that follow.
        start in select(vec!["2026-03-28T20:00:00Z", "2026-10-24T20:00:00Z"]),
    ) {
        check(&steps, zone, start)?;
    }
}

/// Found by the property above.
#[test]
fn a_day_before_one_that_had_begun_too_early_is_kept() {
    let steps = [
        Step::Use(3, 1),
        Step::Use(0, 2),
        Step::Kill(133),
        Step::Learn(0, 3),
        Step::Set(1804),
        Step::Reboot(76),
        Step::Set(-2709),
        Step::Learn(3, 3),
        Step::Keep,
        Step::Kill(198),
        Step::Use(1, 677_963),
        Step::Sample(13_285),
        Step::Stop(437),
    ];
    check(&steps, "Asia/Kathmandu", "2026-03-28T20:00:00Z").unwrap();
}

fn check(steps: &[Step], zone: &str, start: &str) -> Result<(), TestCaseError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let (many, one, days_are_sure) = runtime.block_on(async {
        let (mut many, mut one) = (World::new(zone, start).await, World::new(zone, start).await);
        for step in steps {
            many.step(step, false).await;
            one.step(step, true).await;
        }
        let days_are_sure = many.days_are_sure;
        (many.told().await, one.told().await, days_are_sure)
    });
    let sent = sent(steps);
    prop_assert_eq!(&many.usage, &sent, "days of many runs");
    let mut with_interface = sent.clone();
    if !sent.is_empty() {
        with_interface.insert(format!("interface:{LAN}"), sent.values().sum());
    }
    prop_assert_eq!(&many.history, &with_interface, "history of many runs");
    prop_assert_eq!(&one.usage, &many.usage);
    prop_assert_eq!(&one.history, &many.history);
    if days_are_sure {
        prop_assert_eq!(&one.days, &many.days);
    }
    Ok(())
}
