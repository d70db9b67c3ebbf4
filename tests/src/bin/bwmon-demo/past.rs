//! The weeks before today, which never were: made up by the simulated home that the surge rule is
//! judged by, and written by the store as the daemon does. So device pages and reports have something
//! to show. Today is left to what really passes.

use std::{collections::BTreeMap, path::Path, time::Duration};

use anyhow::{Context, Result, bail};
use bwmon::{
    core::{
        history::{Moved, interface_id},
        ledger::{Remembered, SavedHistory},
        usage::CycleUsage,
    },
    store::{Checkpoint, DeviceRecord, HistorySettings, MemoryRecord, Outcome, Store, minute_of},
};
use bwmon_common::layout::Counter;
use bwmon_tests::{Moved as Step, STEP, Week};
use jiff::{Timestamp, ToSpan as _, Zoned, civil::Weekday, tz::TimeZone};

use crate::home::{CAMERA, DEVICES, Device, NAS};

const WEEKS: i64 = 5;
const MINUTE: i64 = 60;
const QUARTER: i64 = 15 * MINUTE;
const HOUR: i64 = 60 * MINUTE;
/// The seconds before today of which every minute is made up. Before that it is a minute of each
/// quarter of an hour, which is written sooner.
const BY_MINUTE: i64 = 2 * 24 * HOUR;
/// Which device of the simulation each of [`DEVICES`] lives the life of.
const LIVES: [&str; 6] = [
    "tv-1", "phone-1", "laptop-1", "laptop-2", "nas-1", "camera-1",
];
const SEED: u64 = 11;

/// Writes them into the state directory, which has no database yet.
///
/// # Errors
/// When they can't be written.
pub(crate) async fn make_up(state: &Path) -> Result<()> {
    let zone = TimeZone::system();
    let midnight = Timestamp::now().to_zoned(zone.clone()).start_of_day();
    let midnight = midnight.context("find today's midnight")?;
    let start = monday_before(&midnight)?.timestamp().as_second();
    let end = midnight.timestamp().as_second();
    let (mut store, _) = Store::open(state, midnight.date()).context("make the database")?;
    store.keep_history(HistorySettings {
        zone: zone.clone(),
        ..HistorySettings::default()
    });
    let mut lives = lives()?;
    // Of the billing cycle, which quotas look at.
    let cycle = midnight.date().first_of_month();
    let mut used = DEVICES.map(|_| CycleUsage::from(cycle));
    for hour in (start..end).step_by(HOUR as usize) {
        let step = match end - hour {
            ..=BY_MINUTE => MINUTE,
            _ => QUARTER,
        };
        let until = end.min(hour + HOUR);
        let mut checkpoint = Checkpoint {
            at: at(until)?,
            ran: Duration::from_secs((until - start).unsigned_abs()),
            ..Checkpoint::default()
        };
        for second in (hour..until).step_by(step as usize) {
            let passed = lives.pass(step.min(until - second));
            checkpoint.history.extend(records(&passed, second)?);
            if at(second)?.to_zoned(zone.clone()).date() >= cycle {
                add(&mut used, &passed);
            }
        }
        if hour == start || until == end {
            let devices = DEVICES.map(|device| record(device, start, until));
            checkpoint.devices = devices.into_iter().collect::<Result<_>>()?;
            checkpoint.memory = memory(&used)?;
        }
        store.write(checkpoint);
        if let Outcome::Failed(error) = store.outcome().await {
            bail!("write the weeks before today: {error}");
        }
    }
    store.close().await.context("close the database")
}

/// Some weeks ago, as the simulation begins on a Monday.
fn monday_before(midnight: &Zoned) -> Result<Zoned> {
    let days = WEEKS * 7 + i64::from(midnight.weekday().since(Weekday::Monday));
    let monday = midnight.checked_sub(days.days());
    monday.context("go back some weeks")
}

/// The simulated devices, beside those whose life it is.
struct Lives(Vec<(&'static Device, bwmon_tests::Device)>);

fn lives() -> Result<Lives> {
    let mut simulated = Week::new(SEED, WEEKS as u32 * 7).devices;
    let mut lives = Vec::new();
    for (device, life) in DEVICES.into_iter().zip(LIVES) {
        let place = simulated.iter().position(|each| each.name == life);
        let place = place.with_context(|| format!("find {life} in the simulated home"))?;
        lives.push((device, simulated.swap_remove(place)));
    }
    Ok(Lives(lives))
}

/// What each device moved, in the order of [`DEVICES`].
type Passed = Vec<(&'static Device, Moved)>;

impl Lives {
    /// Lets so many seconds pass.
    fn pass(&mut self, seconds: i64) -> Passed {
        let steps = seconds.unsigned_abs() / STEP.as_secs();
        let lives = self.0.iter_mut();
        let mut passed: Passed = lives
            .map(|(device, life)| (*device, live(life, steps)))
            .collect();
        keep_at_home(&mut passed);
        passed
    }
}

fn live(life: &mut bwmon_tests::Device, steps: u64) -> Moved {
    let mut moved = Moved::default();
    for _ in 0..steps {
        let Step { sent, received } = life.step();
        moved.row.sent = plus(moved.row.sent, sent);
        moved.row.received = plus(moved.row.received, received);
        moved.peak.sent = moved.peak.sent.max(sent / STEP.as_secs());
        moved.peak.received = moved.peak.received.max(received / STEP.as_secs());
    }
    moved
}

/// What the camera sends goes to the NAS, as it does today.
fn keep_at_home(passed: &mut Passed) {
    let mut film = Counter::default();
    for (device, moved) in &mut *passed {
        if device.name == CAMERA.name {
            film = moved.row.sent;
            moved.row.sent_local = film;
        }
    }
    for (device, moved) in passed {
        if device.name == NAS.name {
            moved.row.received = sum(moved.row.received, film);
            moved.row.received_local = film;
        }
    }
}

/// Of the devices, and of the interfaces that carried it.
fn records(passed: &Passed, second: i64) -> Result<Vec<SavedHistory>> {
    let minute = minute_of(at(second)?);
    let mut carried = BTreeMap::<&str, Moved>::new();
    let mut records = Vec::new();
    for (device, moved) in passed {
        carried.entry(device.interface()).or_default().add(moved);
        records.push(SavedHistory {
            subject: device.mac().into(),
            name: Some(device.name.to_owned()),
            group: None,
            minute,
            moved: *moved,
        });
    }
    records.extend(carried.into_iter().map(|(interface, moved)| SavedHistory {
        subject: interface_id(interface).into(),
        name: None,
        group: None,
        minute,
        moved,
    }));
    Ok(records)
}

fn add(used: &mut [CycleUsage; 6], passed: &Passed) {
    for (used, (_, Moved { row, .. })) in used.iter_mut().zip(passed) {
        used.sent += row.sent.bytes;
        used.received += row.received.bytes;
        used.sent_local += row.sent_local.bytes;
        used.received_local += row.received_local.bytes;
    }
}

/// What the daemon is to remember of the billing cycle.
fn memory(used: &[CycleUsage; 6]) -> Result<Vec<MemoryRecord>> {
    let record = |(device, used): (&Device, &CycleUsage)| {
        let used = Remembered::Cycle(*used);
        Ok(MemoryRecord {
            subject: device.mac(),
            kind: "cycle".to_owned(),
            state: Some(serde_json::to_string(&used).context("write a cycle as text")?),
        })
    };
    DEVICES.into_iter().zip(used).map(record).collect()
}

fn record(device: &Device, start: i64, end: i64) -> Result<DeviceRecord> {
    Ok(DeviceRecord {
        id: device.mac(),
        mac: device.mac().parse().ok(),
        addresses: vec![device.v4(), device.v6()],
        first_seen: at(start)?,
        last_seen: at(end)?,
    })
}

fn at(second: i64) -> Result<Timestamp> {
    Timestamp::from_second(second).context("name a time of the weeks before today")
}

/// So many bytes more, in packets of a usual size.
fn plus(counter: Counter, bytes: u64) -> Counter {
    let packets = bytes.div_ceil(1000);
    sum(counter, Counter { bytes, packets })
}

fn sum(one: Counter, other: Counter) -> Counter {
    Counter {
        bytes: one.bytes + other.bytes,
        packets: one.packets + other.packets,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_device_has_a_life_and_the_film_stays_at_home() {
        let passed = lives().unwrap().pass(24 * HOUR);
        let mut used = [CycleUsage::default(); 6];
        add(&mut used, &passed);
        let of = |device: &Device| {
            let place = DEVICES.iter().position(|each| each.name == device.name);
            used[place.unwrap()]
        };
        for device in DEVICES {
            let used = of(device);
            assert!(used.sent > 0 && used.received > 0, "{used:?}");
        }
        assert_eq!(of(&CAMERA).sent, of(&CAMERA).sent_local);
        assert_eq!(of(&NAS).received_local, of(&CAMERA).sent);
        let records = records(&passed, 0).unwrap();
        let carried = records
            .iter()
            .filter(|record| record.subject.starts_with("interface:"));
        assert_eq!(
            carried
                .map(|record| record.moved.row.sent.bytes)
                .sum::<u64>(),
            used.iter().map(|used| used.sent).sum::<u64>()
        );
    }

    #[test]
    fn the_past_begins_on_a_monday() {
        for day in 1..=7 {
            let date = jiff::civil::date(2026, 11, day);
            let midnight = date.to_zoned(TimeZone::UTC).unwrap();
            let monday = monday_before(&midnight).unwrap();
            assert_eq!(monday.weekday(), Weekday::Monday);
            let days = midnight.date() - monday.date();
            assert!((35..42).contains(&days.get_days()), "{days:?}");
        }
    }
}
