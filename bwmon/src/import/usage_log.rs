//! The Python script's `usage_log.txt`: a line `# Device Usage Log for DATE`, then a JSON object a
//! line, with the fields of `/usage_report`.
//!
//! Scripts differ, so whatever can be understood is: several days in a file, blank lines, comments,
//! the lines of an array, numbers in quotes. Of a device that comes several times on a day, the
//! highest values stand: they were written as the day went on.

use std::{collections::BTreeMap, net::IpAddr, time::Duration};

use bwmon_common::layout::Counter;
use jiff::{civil::Date, tz::TimeZone};
use serde::Deserialize;

use super::{
    Entry, ImportError, MAX_ENTRIES, MAX_LINE, Named, Parsed, When, amount,
    json::{self, Number},
    local_minute, name,
};
use crate::{core::mac::MacAddr, store::Tier};

const TITLE: &str = "device usage log for";
/// The log has gigabytes of 10^9.
const GB: f64 = 1e9;
const DAY: f64 = 86_400.0;

/// A line. What else it says is of no use here.
#[derive(Debug, Deserialize)]
struct Line {
    date: Option<String>,
    #[serde(alias = "address")]
    ip: Option<String>,
    mac: Option<String>,
    #[serde(alias = "name")]
    device_name: Option<String>,
    sent: Option<Number>,
    received: Option<Number>,
    usage: Option<Number>,
    active_time: Option<Number>,
}

/// What a device used on a day.
#[derive(Clone, Copy, Debug, Default)]
struct Day {
    sent: u64,
    received: u64,
    active: Option<u64>,
}

/// Reads a log; days are those of `zone`.
///
/// # Errors
///
/// The first mistake.
pub fn parse(text: &str, zone: &TimeZone) -> Result<Parsed, ImportError> {
    let mut days: BTreeMap<(Date, Named), Day> = BTreeMap::new();
    let mut day = None;
    let mut unsplit = 0_u64;
    for (number, written) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
        if written.len() > MAX_LINE {
            let what = format!("the line is longer than {MAX_LINE} bytes; is this a usage log?");
            return Err(ImportError::new(number, 1, what));
        }
        let line = written.trim().trim_end_matches(',').trim_end();
        let before = written.len() - written.trim_start().len();
        if let Some(comment) = comment(line) {
            if let Some(date) = title(comment) {
                let date = self::date(date).ok_or_else(|| {
                    let what = "after \"Device Usage Log for\" a day is to follow, as 2026-03-08";
                    ImportError::new(number, before + 1, what)
                })?;
                day = Some(date);
            }
            continue;
        }
        if line.is_empty() || line == "[" || line == "]" {
            continue;
        }
        let fail = |what: &str| ImportError::new(number, before + 1, what);
        let read: Line =
            serde_json::from_str(line).map_err(|error| json::at(&error, number, before))?;
        let date = match &read.date {
            Some(date) => Some(
                self::date(date)
                    .ok_or_else(|| fail("the date can't be read; write it as 2026-03-08"))?,
            ),
            None => day,
        };
        let date = date.ok_or_else(|| {
            fail("no date; it is to be in the line, or in a line \"# Device Usage Log for DATE\" above")
        })?;
        let who = read
            .who()
            .ok_or_else(|| fail("neither an ip nor a device_name is in the line"))?;
        let used = read
            .used(&mut unsplit)
            .ok_or_else(|| fail("neither sent and received nor usage is in the line"))?;
        let known = days.entry((date, who)).or_default();
        known.sent = known.sent.max(used.sent);
        known.received = known.received.max(used.received);
        known.active = known.active.max(used.active);
        if days.len() > MAX_ENTRIES {
            return Err(fail(&format!(
                "more than {MAX_ENTRIES} days and devices; split the file"
            )));
        }
    }
    let mut parsed = Parsed::default();
    for ((date, who), used) in days {
        let Some(start) = local_minute(date, 0, 0, zone) else {
            continue;
        };
        let counter = |bytes| Counter { bytes, packets: 0 };
        parsed.entries.push(Entry {
            who,
            when: When::Bucket(Tier::Day, Tier::Day.start(start, zone)),
            sent: counter(used.sent),
            received: counter(used.received),
            active: used.active.map(Duration::from_secs),
        });
    }
    if unsplit > 0 {
        parsed.notes.push(format!(
            "lines that say only how much was used, taken as received: {unsplit}"
        ));
    }
    Ok(parsed)
}

impl Line {
    fn who(&self) -> Option<Named> {
        let address: Option<IpAddr> = self.ip.as_ref().and_then(|ip| ip.trim().parse().ok());
        let mac = self
            .mac
            .as_ref()
            .and_then(|mac| mac.trim().parse::<MacAddr>().ok());
        let name = self.device_name.as_deref().and_then(name);
        // What has no name is told by its address, or as unknown.
        let is_no_name =
            |name: &String| name.eq_ignore_ascii_case("unknown") || name.parse::<IpAddr>().is_ok();
        let name = name.filter(|name| !is_no_name(name));
        let who = Named::Device { mac, address, name };
        let is_nobody = matches!(
            &who,
            Named::Device {
                mac: None,
                address: None,
                name: None
            }
        );
        (!is_nobody).then_some(who)
    }

    fn used(&self, unsplit: &mut u64) -> Option<Day> {
        let bytes = |number: &Option<Number>| number.and_then(|Number(value)| amount(value * GB));
        let (sent, received) = (bytes(&self.sent), bytes(&self.received));
        let (sent, received) = match (sent, received, bytes(&self.usage)) {
            (Some(sent), Some(received), _) => (sent, received),
            (Some(sent), None, usage) => (sent, usage.unwrap_or(sent).saturating_sub(sent)),
            (None, Some(received), usage) => {
                (usage.unwrap_or(received).saturating_sub(received), received)
            }
            (None, None, usage) => {
                *unsplit += 1;
                (0, usage?)
            }
        };
        let active = self
            .active_time
            .map(|Number(seconds)| seconds.min(DAY) as u64);
        Some(Day {
            sent,
            received,
            active,
        })
    }
}

fn comment(line: &str) -> Option<&str> {
    let comment = line.strip_prefix('#').or_else(|| line.strip_prefix("//"))?;
    Some(comment.trim_start_matches(['#', '/']).trim())
}

/// What follows the words of the title.
fn title(comment: &str) -> Option<&str> {
    let start = comment.get(..TITLE.len())?;
    start
        .eq_ignore_ascii_case(TITLE)
        .then(|| comment[TITLE.len()..].trim())
}

/// `2026-03-08`, `2026/03/08`, or the day of a time.
fn date(text: &str) -> Option<Date> {
    let day: String = text.trim().chars().take(10).collect();
    day.replace('/', "-").parse().ok()
}
