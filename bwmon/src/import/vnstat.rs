//! `vnstat --json`: what interfaces carried, in version 1 (KiB) and 2 (bytes) of its format.
//!
//! vnStat keeps five minutes and hours for some days only, days for two months, months for years. A
//! day is taken in the finest parts that add up to it, and of a month what its days don't tell is
//! spread over the days that are missing.

use std::collections::BTreeMap;

use bwmon_common::layout::Counter;
use jiff::{civil::Date, tz::TimeZone};
use serde::Deserialize;

use super::{
    Entry, ImportError, MAX_ENTRIES, Named, Parsed, Period, When,
    json::{self, Whole},
    local_minute,
};
use crate::{core::history::Minute, store::Tier};

/// Of several interfaces joined.
const LONGEST_NAME: usize = 64;

#[derive(Debug, Deserialize)]
struct Export {
    jsonversion: Version,
    interfaces: Vec<Interface>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Version {
    Text(String),
    Number(u64),
}

#[derive(Debug, Deserialize)]
struct Interface {
    #[serde(alias = "id")]
    name: String,
    created: Option<Moment>,
    updated: Option<Moment>,
    traffic: Traffic,
}

#[derive(Debug, Deserialize)]
struct Moment {
    date: Day,
}

#[derive(Debug, Deserialize)]
struct Traffic {
    #[serde(default, alias = "fiveminutes")]
    fiveminute: Vec<Item>,
    #[serde(default, alias = "hours")]
    hour: Vec<Item>,
    #[serde(default, alias = "days")]
    day: Vec<Item>,
    #[serde(default, alias = "months")]
    month: Vec<Item>,
}

#[derive(Debug, Deserialize)]
struct Item {
    /// In version 1, the hour of the day.
    #[serde(default)]
    id: i64,
    date: Day,
    time: Option<Time>,
    rx: Whole,
    tx: Whole,
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct Day {
    year: i16,
    month: i8,
    day: Option<i8>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct Time {
    hour: i8,
    #[serde(default, alias = "minutes")]
    minute: i8,
}

/// Came in and went out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Amounts {
    rx: u64,
    tx: u64,
}

type Parts = BTreeMap<Minute, Amounts>;

/// Reads an export; its times are those of `zone`. What came in is called sent, what went out
/// received: the view of devices that an interface faces.
///
/// # Errors
///
/// The first mistake.
pub fn parse(text: &str, zone: &TimeZone) -> Result<Parsed, ImportError> {
    let export: Export = json::read(text.trim_start_matches('\u{feff}'))?;
    let version = match &export.jsonversion {
        Version::Text(text) => text.trim().to_owned(),
        Version::Number(number) => number.to_string(),
    };
    let unit = match &*version {
        "1" => 1024,
        "2" => 1,
        _ => {
            let version = crate::core::message::printable(&version);
            let what = format!("version {version} of vnStat's JSON is not known, only 1 and 2 are");
            return Err(ImportError::new(1, 1, what));
        }
    };
    let mut parsed = Parsed::default();
    for interface in &export.interfaces {
        let name = crate::core::message::printable(&interface.name);
        if !is_name(&interface.name) {
            let what = format!("{name:?} is no name of an interface");
            return Err(ImportError::new(1, 1, what));
        }
        take(interface, &name, unit, zone, &mut parsed)?;
        if parsed.entries.len() > MAX_ENTRIES {
            let what = format!("more than {MAX_ENTRIES} entries; export less by --limit");
            return Err(ImportError::new(1, 1, what));
        }
    }
    Ok(parsed)
}

fn take(
    interface: &Interface,
    name: &str,
    unit: u64,
    zone: &TimeZone,
    parsed: &mut Parsed,
) -> Result<(), ImportError> {
    let wrong = |item: &Item| {
        let Day { year, month, day } = item.date;
        let day = day.map_or(String::new(), |day| format!("-{day}"));
        ImportError::new(
            1,
            1,
            format!("{name}: there is no time {year}-{month}{day} or within it"),
        )
    };
    let parts = |items: &[Item], tier: Tier| -> Result<BTreeMap<Date, Parts>, ImportError> {
        let mut parts: BTreeMap<Date, Parts> = BTreeMap::new();
        for item in items {
            let date = item.date.whole().ok_or_else(|| wrong(item))?;
            let (hour, minute) = match item.time {
                Some(Time { hour, minute }) => (hour, minute),
                None => (i8::try_from(item.id).map_err(|_| wrong(item))?, 0),
            };
            let start = local_minute(date, hour, minute, zone).ok_or_else(|| wrong(item))?;
            let of_day = parts.entry(date).or_default();
            of_day
                .entry(tier.start(start, zone))
                .or_default()
                .add(item, unit);
        }
        Ok(parts)
    };
    let quarters = parts(&interface.traffic.fiveminute, Tier::Quarter)?;
    let hours = parts(&interface.traffic.hour, Tier::Hour)?;
    let mut days: BTreeMap<Date, Amounts> = BTreeMap::new();
    for item in &interface.traffic.day {
        let date = item.date.whole().ok_or_else(|| wrong(item))?;
        days.entry(date).or_default().add(item, unit);
    }
    let mut push = |when, amounts: Amounts| {
        let counter = |bytes| Counter { bytes, packets: 0 };
        if amounts != Amounts::default() {
            parsed.entries.push(Entry {
                who: Named::Interface(name.to_owned()),
                when,
                sent: counter(amounts.rx),
                received: counter(amounts.tx),
                active: None,
            });
        }
    };
    let mut all: Vec<Date> = days
        .keys()
        .chain(hours.keys())
        .chain(quarters.keys())
        .copied()
        .collect();
    all.sort_unstable();
    all.dedup();
    for date in &all {
        let finest = [
            (Tier::Quarter, quarters.get(date)),
            (Tier::Hour, hours.get(date)),
        ];
        let mut finest = finest
            .into_iter()
            .filter_map(|(tier, parts)| Some((tier, parts?)));
        let whole = days.get(date);
        // Where no day is exported, its hours are all there is.
        let found = match whole {
            Some(day) => finest.find(|(_, parts)| sum(parts) == *day),
            None => finest.max_by_key(|(_, parts)| sum(parts).total()),
        };
        match (found, whole) {
            (Some((tier, parts)), _) => {
                for (start, amounts) in parts {
                    push(When::Bucket(tier, *start), *amounts);
                }
            }
            (None, Some(day)) => {
                let start = local_minute(*date, 0, 0, zone).unwrap_or_default();
                push(When::Bucket(Tier::Day, Tier::Day.start(start, zone)), *day);
            }
            (None, None) => {}
        }
    }
    let limits = [&interface.created, &interface.updated]
        .map(|moment| moment.as_ref().and_then(|moment| moment.date.whole()));
    let mut spread = 0;
    for item in &interface.traffic.month {
        let first = Day {
            day: Some(1),
            ..item.date
        }
        .whole()
        .ok_or_else(|| wrong(item))?;
        let mut rest = Amounts::default();
        rest.add(item, unit);
        let of_month = |date: &&Date| date.first_of_month() == first;
        for date in all.iter().filter(of_month) {
            let parts = days.get(date).copied();
            let parts = parts
                .or_else(|| hours.get(date).map(sum))
                .unwrap_or_default();
            rest.rx = rest.rx.saturating_sub(parts.rx);
            rest.tx = rest.tx.saturating_sub(parts.tx);
        }
        let [created, updated] = limits;
        let from = created.map_or(first, |created| first.max(created));
        let last = first.last_of_month();
        let to = updated.map_or(last, |updated| last.min(updated));
        // Days are kept from some day on: what is missing is before it.
        let known = all.iter().find(|date| **date >= from && **date <= to);
        let to = match known {
            Some(known) => known.yesterday().ok(),
            None => Some(to),
        };
        let period = to.and_then(|to| Period::new(from, to));
        if let Some(period) = period
            && rest != Amounts::default()
        {
            push(When::Days(period), rest);
            spread += 1;
        }
    }
    if spread > 0 {
        parsed.notes.push(format!(
            "{name}: months whose days are not told, spread evenly over them: {spread}"
        ));
    }
    Ok(())
}

/// What the kernel would call an interface; vnStat joins several by `+`.
fn is_name(text: &str) -> bool {
    let is_allowed = |letter: char| letter.is_ascii_graphic() && !matches!(letter, '/' | ':');
    !text.is_empty() && text.len() <= LONGEST_NAME && text.chars().all(is_allowed)
}

impl Day {
    fn whole(self) -> Option<Date> {
        Date::new(self.year, self.month, self.day?).ok()
    }
}

impl Amounts {
    fn add(&mut self, item: &Item, unit: u64) {
        self.rx = self.rx.saturating_add(item.rx.0.saturating_mul(unit));
        self.tx = self.tx.saturating_add(item.tx.0.saturating_mul(unit));
    }

    fn total(self) -> u64 {
        self.rx.saturating_add(self.tx)
    }
}

fn sum(parts: &Parts) -> Amounts {
    parts
        .values()
        .fold(Amounts::default(), |sum, part| Amounts {
            rx: sum.rx.saturating_add(part.rx),
            tx: sum.tx.saturating_add(part.tx),
        })
}
