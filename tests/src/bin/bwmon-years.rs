//! Years of a large home in a database: how large it gets, how fast it answers, and how much is
//! written for it in a day.
//!
//! `bwmon-years [DEVICES [DAYS]]` makes up traffic, writes it by the store as the daemon does, and
//! asks for it as the daemon is asked. Each answer is held against what was made up. Prints the
//! tables of `docs/operations.md`.
#![expect(
    clippy::expect_used,
    reason = "a measurement fails by panicking, with the reason"
)]

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    time::{Duration, Instant},
};

use bwmon::{
    core::{
        history::{Moved, Peak},
        human,
        ledger::SavedHistory,
        usage::DayUsage,
    },
    past::{HistoryAsked, Past, Period, Present, ReportAsked},
    store::{
        Checkpoint, DeviceRecord, History, HistorySettings, Outcome, Store, UsageRecord, minute_of,
    },
};
use bwmon_common::layout::{Counter, Row};
use jiff::{
    Timestamp,
    civil::{Date, date},
    tz::TimeZone,
};
use rusqlite::Connection;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// The days before the end of which every minute is made up. Before that it is a minute of each
/// quarter or hour, since no more is left of them.
const BY_MINUTE: i64 = 8;
const BY_QUARTER: i64 = 92;
/// Devices at work on the day of which every write is counted.
const AT_WORK: usize = 50;
/// How often something is measured.
const ROUNDS: usize = 5;

fn main() {
    let mut numbers = std::env::args().skip(1).map(|argument| {
        let number: Option<i64> = argument.parse().ok().filter(|number| *number > 0);
        number.expect("DEVICES and DAYS are numbers above 0")
    });
    let (devices, days) = (numbers.next().unwrap_or(200), numbers.next().unwrap_or(730));
    let directory = tempfile::Builder::new()
        .prefix("bwmon-years-")
        .tempdir_in(".")
        .expect("make a directory here, on a disk that is one");
    let started = Instant::now();
    let years = Years::make(directory.path(), devices, days);
    let made = started.elapsed().as_secs();
    println!("{devices} devices, {days} days, made up and written in {made} s\n");
    years.print_sizes();
    years.print_times();
    print_a_day_of_writes();
}

/// A database, and what must be in it.
struct Years {
    history: History,
    zone: TimeZone,
    /// Bytes sent and received, by month and device.
    months: BTreeMap<(i16, i8), BTreeMap<usize, u64>>,
    /// By device, of the last 365 days.
    year: BTreeMap<usize, u64>,
    first_of_year: Timestamp,
}

impl Years {
    fn make(directory: &Path, devices: i64, days: i64) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("start a runtime");
        runtime.block_on(Self::write(directory, devices, days))
    }

    async fn write(directory: &Path, devices: i64, days: i64) -> Self {
        let zone = TimeZone::get("Europe/Berlin").expect("there is a time zone database");
        let today = date(2026, 11, 20);
        let midnight = today
            .to_zoned(zone.clone())
            .expect("that day has a midnight");
        let end = midnight.timestamp().as_second() + 15 * HOUR;
        let start = end - days * DAY;
        let (mut store, _) = Store::open(directory, today).expect("make the database");
        store.keep_history(HistorySettings {
            zone: zone.clone(),
            // Nothing is to go before its time.
            max_size: u64::MAX,
            ..HistorySettings::default()
        });
        let at = |second| Timestamp::from_second(second).expect("a time of our days");
        let mut years = Self {
            history: store.history(),
            zone,
            months: BTreeMap::new(),
            year: BTreeMap::new(),
            first_of_year: at(end - 365 * DAY),
        };
        let mut random = Random(42);
        for hour in (start..end).step_by(HOUR as usize) {
            let step = match end - hour {
                left if left <= BY_MINUTE * DAY => MINUTE,
                left if left <= BY_QUARTER * DAY => 15 * MINUTE,
                _ => HOUR,
            };
            let mut history = Vec::new();
            for device in 0..devices {
                // 7 of 10 hours, 7 of 10 quarters of those, 6 of 10 minutes of those.
                if !random.is(70) {
                    continue;
                }
                let mut is_active = step == HOUR;
                for second in (hour..hour + HOUR).step_by(step as usize) {
                    if step < HOUR && second % (15 * MINUTE) == 0 {
                        is_active = random.is(70);
                    }
                    if is_active && (step > MINUTE || random.is(60)) {
                        let bytes = 1_000 + random.next() % 40_000_000;
                        years.expect(device as usize, at(second), bytes + bytes / 10);
                        history.push(record(device as usize, at(second), bytes));
                    }
                }
            }
            write(
                &mut store,
                Checkpoint {
                    at: at(hour + HOUR),
                    ran: Duration::from_secs((hour + HOUR - start) as u64),
                    history,
                    ..Checkpoint::default()
                },
            )
            .await;
        }
        store.close().await.expect("close the database");
        years
    }

    fn expect(&mut self, device: usize, at: Timestamp, bytes: u64) {
        let day: Date = at.to_zoned(self.zone.clone()).date();
        let month = self.months.entry((day.year(), day.month())).or_default();
        *month.entry(device).or_default() += bytes;
        if at >= self.first_of_year {
            *self.year.entry(device).or_default() += bytes;
        }
    }

    fn ask(&self) -> Past {
        Past::open(&self.history, &self.zone, Present::default()).expect("read the database")
    }

    fn print_sizes(&self) {
        let connection = Connection::open(self.history.path()).expect("open the database");
        let number = |query: &str| -> i64 {
            let number = connection.query_row(query, [], |row| row.get(0));
            number.expect("ask for a size")
        };
        println!("| tier | rows | bytes | bytes a row |\n|---|---|---|---|");
        let mut all = 0;
        for tier in ["minute", "quarter", "hour", "day"] {
            let table = format!("history_{tier}");
            let rows = number(&format!("SELECT count(*) FROM {table}"));
            let bytes = number(&format!(
                "SELECT sum(pgsize) FROM dbstat WHERE name = '{table}'"
            ));
            all += bytes;
            let shown = human::bytes(bytes.unsigned_abs());
            println!("| {tier} | {rows} | {shown} | {} |", bytes / rows.max(1));
        }
        let file = fs::metadata(self.history.path())
            .expect("find the database")
            .len();
        let (all, file) = (human::bytes(all.unsigned_abs()), human::bytes(file));
        println!("| together | | {all} | the file has {file} |\n");
    }

    fn print_times(&self) {
        println!("| question | rows or points | time |\n|---|---|---|");
        let months: Vec<_> = self.months.keys().rev().copied().collect();
        // This month, the last one, and some that are further back.
        for back in [0, 1, 3, 12, months.len().saturating_sub(2)] {
            let Some((year, month)) = months.get(back) else {
                continue;
            };
            let what = format!("report of {year}-{month:02}");
            self.time(&what, || self.month(*year, *month, false));
        }
        if let Some((year, month)) = months.get(1) {
            let what = format!("the same of {year}-{month:02} with percentiles");
            self.time(&what, || self.month(*year, *month, true));
        }
        self.time("report of the billing cycle, with forecasts", || {
            let report = self.ask().answer_report(&ReportAsked {
                period: Some(Period::Cycle),
                ..ReportAsked::default()
            });
            report.expect("the cycle is reported").rows.len()
        });
        self.time(
            "a year of one device, by the hour and then by the day",
            || self.device_year(),
        );
        self.time("a day of all devices, by three minutes", || {
            let answer = self.ask().answer_history(&HistoryAsked::default());
            answer.expect("the day is told").points.len()
        });
        println!();
    }

    /// The middle one of several times that it takes, with the database opened anew each time.
    fn time(&self, what: &str, question: impl Fn() -> usize) {
        let mut times = Vec::new();
        let mut count = 0;
        for _ in 0..ROUNDS {
            let started = Instant::now();
            count = question();
            times.push(started.elapsed());
        }
        times.sort_unstable();
        println!(
            "| {what} | {count} | {:.1} ms |",
            times[ROUNDS / 2].as_secs_f64() * 1e3
        );
    }

    /// The report of a month, which is what it must be.
    fn month(&self, year: i16, month: i8, p95: bool) -> usize {
        let report = self.ask().answer_report(&ReportAsked {
            period: Some(Period::Month),
            from: Some(format!("{year}-{month:02}-02")),
            p95,
            ..ReportAsked::default()
        });
        let rows = report.expect("the month is reported").rows;
        let found: BTreeMap<usize, u64> = rows
            .iter()
            .map(|row| (number_of(&row.id), row.total))
            .collect();
        assert_eq!(found, self.months[&(year, month)], "{year}-{month}");
        rows.len()
    }

    /// A device's year, which is what it must be.
    fn device_year(&self) -> usize {
        let answer = self.ask().answer_history(&HistoryAsked {
            device: Some(id(0)),
            from: Some("-365d".to_owned()),
            step: Some("1h".to_owned()),
            ..HistoryAsked::default()
        });
        let points = answer.expect("the year is told").points;
        let sum: u64 = points
            .iter()
            .map(|point| point.amounts.sent + point.amounts.received)
            .sum();
        assert_eq!(Some(&sum), self.year.get(&0));
        let usual = self.ask().answer_history(&HistoryAsked {
            device: Some(id(0)),
            from: Some("-365d".to_owned()),
            ..HistoryAsked::default()
        });
        usual.expect("the year is told").points.len()
    }
}

/// What a checkpoint a minute writes in a day in which all devices are at work.
fn print_a_day_of_writes() {
    let directory = tempfile::Builder::new()
        .prefix("bwmon-years-")
        .tempdir_in(".")
        .expect("make a directory");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("start a runtime");
    let written = runtime.block_on(a_day_of_writes(directory.path()));
    println!("a day of {AT_WORK} devices at work in every minute, one checkpoint a minute:");
    println!("| | |\n|---|---|");
    println!(
        "| by write calls (`wchar`) | {} |",
        human::bytes(written.by_calls)
    );
    println!(
        "| to the disk (`write_bytes`) | {} |",
        human::bytes(written.to_disk)
    );
}

/// Of this process, as `/proc/self/io` has it.
#[derive(Clone, Copy, Debug)]
struct Written {
    by_calls: u64,
    to_disk: u64,
}

impl Written {
    fn now() -> Self {
        let text = fs::read_to_string("/proc/self/io").expect("the kernel counts what is written");
        let number = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|number| number.trim().parse().ok())
                .expect("the kernel counts what is written")
        };
        Self {
            by_calls: number("wchar:"),
            to_disk: number("write_bytes:"),
        }
    }
}

async fn a_day_of_writes(directory: &Path) -> Written {
    let today = date(2026, 11, 20);
    let midnight = today
        .to_zoned(TimeZone::UTC)
        .expect("that day has a midnight");
    let start = midnight.timestamp().as_second();
    let (mut store, _) = Store::open(directory, today).expect("make the database");
    store.keep_history(HistorySettings::default());
    let mut random = Random(7);
    let before = Written::now();
    for minute in 0..24 * 60 {
        let second = start + minute * MINUTE;
        let at = Timestamp::from_second(second + MINUTE).expect("a time of our days");
        let mut checkpoint = Checkpoint {
            at,
            ran: Duration::from_secs((minute * MINUTE).unsigned_abs()),
            ..Checkpoint::default()
        };
        for device in 0..AT_WORK {
            let bytes = 1_000 + random.next() % 40_000_000;
            let begin = Timestamp::from_second(second).expect("a time of our days");
            checkpoint.history.push(record(device, begin, bytes));
            let mut usage = DayUsage::on(today);
            usage.sent = bytes;
            checkpoint.usage.push(UsageRecord {
                device: id(device),
                day: today,
                state: serde_json::to_string(&usage).expect("usage is plain data"),
                sent: bytes,
                received: bytes,
                sent_local: 0,
                received_local: 0,
                active_seconds: (minute * MINUTE).unsigned_abs(),
            });
            checkpoint.devices.push(DeviceRecord {
                id: id(device),
                mac: id(device).parse().ok(),
                addresses: vec!["192.168.1.5".parse().expect("an address")],
                first_seen: begin,
                last_seen: at,
            });
        }
        write(&mut store, checkpoint).await;
    }
    store.close().await.expect("close the database");
    let after = Written::now();
    Written {
        by_calls: after.by_calls - before.by_calls,
        to_disk: after.to_disk - before.to_disk,
    }
}

async fn write(store: &mut Store, checkpoint: Checkpoint) {
    store.write(checkpoint);
    match store.outcome().await {
        Outcome::Durable(_) => {}
        Outcome::Failed(error) => panic!("cannot write: {error}"),
    }
}

/// `bytes` received and a tenth of that sent.
fn record(device: usize, at: Timestamp, bytes: u64) -> SavedHistory {
    let counter = |bytes: u64| Counter {
        bytes,
        packets: bytes / 1_000 + 1,
    };
    SavedHistory {
        subject: id(device).into(),
        name: Some(format!("Device {device}")),
        group: Some(format!("Group {}", device % 7)),
        minute: minute_of(at),
        moved: Moved {
            row: Row {
                sent: counter(bytes / 10),
                received: counter(bytes),
                ..Row::default()
            },
            peak: Peak {
                sent: bytes / 300,
                received: bytes / 30,
            },
        },
    }
}

fn id(device: usize) -> String {
    format!("02:00:00:00:{:02x}:{:02x}", device >> 8, device & 0xff)
}

fn number_of(id: &str) -> usize {
    let digits: String = id.split(':').skip(4).collect();
    usize::from_str_radix(&digits, 16).expect("an id of ours")
}

/// xorshift64*, as good as is needed here, and the same on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    fn is(&mut self, percent: u64) -> bool {
        self.next() % 100 < percent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_month_and_a_devices_year_are_what_they_must_be() {
        let directory = tempfile::tempdir().expect("make a directory");
        let years = Years::make(directory.path(), 3, 500);
        for (year, month) in years.months.keys() {
            assert_eq!(years.month(*year, *month, false), 3);
        }
        assert!(years.device_year() > 300);
        assert!(years.months.len() >= 16);
    }
}
