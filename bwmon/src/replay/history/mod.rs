//! Plays what the daemon recorded, each device under its own name, by the rules of any configuration.
//!
//! History is read a day at a time, beside the daemon that writes it. What happens within a bucket is
//! a guess that [`flow`] explains.

mod feed;
mod flow;
mod limits;
mod player;
pub mod suggest;
mod values;

#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};

use self::{
    feed::{Feed, feeds},
    flow::Flow,
    player::HistoryPlayer,
};
use super::report::{Basis, FoundAlert, Read, Report};
use crate::{
    core::{
        event::RuleKind,
        history::Minute,
        human,
        policy::{Policy, Scope},
    },
    store::{Bucket, HistoryReader, StoreError, Tier, minute_of, time_of},
};

pub use self::flow::Peaks;

/// What a surge is to be measured by is learnt from so long before.
const LEAD: SignedDuration = SignedDuration::from_hours(14 * 24);

/// History from a day on.
#[derive(Debug)]
pub struct Recording {
    reader: HistoryReader,
    zone: TimeZone,
    /// By place of the series.
    feeds: Vec<Feed>,
    /// Seconds that devices were active, by place and day.
    active: HashMap<(usize, Date), u64>,
    from: Minute,
    to: Minute,
    first: Minute,
}

/// What came out, and how finely that could be told.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What would have fired.
    pub report: Report,
    /// How much of it was played by which tier.
    pub parts: Vec<(Tier, Duration)>,
}

/// How finely a stretch is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Detail {
    /// As finely as it is kept.
    All,
    /// What is needed to know what was usual and used before.
    Hours,
}

impl Recording {
    /// From the start of the local day that `since` is in, to the last checkpoint, or `now` where
    /// there was none; `None` if nothing is recorded of that.
    ///
    /// # Errors
    ///
    /// When the database can't be read.
    pub fn open(
        reader: HistoryReader,
        zone: &TimeZone,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<Option<Self>, StoreError> {
        let until = reader.until().unwrap_or(now);
        let started = minute_of(until);
        let to = started + Minute::from(time_of(started) < until);
        let day = |minute| Tier::Day.start(minute, zone);
        let Some(first) = reader.first().map(day).filter(|first| *first < to) else {
            return Ok(None);
        };
        let from = day(minute_of(since)).max(first);
        if from >= to {
            return Ok(None);
        }
        let feeds = feeds(reader.series(), &reader.devices()?);
        let date = |minute| time_of(minute).to_zoned(zone.clone()).date();
        let until = date(to).tomorrow().unwrap_or(Date::MAX);
        let active = reader.active(date(first), until)?;
        Ok(Some(Self {
            reader,
            zone: zone.clone(),
            feeds,
            active,
            from,
            to,
            first,
        }))
    }

    /// What the rules of `policy` would have told.
    ///
    /// # Errors
    ///
    /// When the database can't be read.
    pub fn play(&self, policy: &Policy) -> Result<Outcome, StoreError> {
        let mut outcome = self.play_with(policy, Peaks::Played)?;
        let is_rate = |alert: &FoundAlert| alert.rule == RuleKind::Rate;
        if outcome.report.alerts.iter().any(is_rate) {
            let only_rates = limits::only(policy, &[RuleKind::Rate]);
            let sure = self.play_with(&only_rates, Peaks::Flat)?.report.alerts;
            for alert in outcome
                .report
                .alerts
                .iter_mut()
                .filter(|alert| is_rate(alert))
            {
                let is_sure = sure.iter().any(|other| is_same(alert, other));
                alert.basis = Some(if is_sure { Basis::Average } else { Basis::Peak });
            }
        }
        let possible = outcome.report.alerts.iter();
        let possible = possible.filter(|alert| alert.basis == Some(Basis::Peak));
        match possible.count() {
            0 => {}
            count => outcome.report.warnings.push(format!(
                "rate alerts that may have fired, by the highest rate of a minute or longer but not by \
                 its average: {count}; they are marked with ~"
            )),
        }
        Ok(outcome)
    }

    /// The local days that it has.
    pub fn days(&self) -> usize {
        self.stretches(self.from).count()
    }

    fn play_with(&self, policy: &Policy, peaks: Peaks) -> Result<Outcome, StoreError> {
        let lead = self.lead(policy);
        let mut player = HistoryPlayer::new(self, policy, lead);
        for (from, to) in self.stretches(lead) {
            let detail = match from < self.from {
                true => Detail::Hours,
                false => Detail::All,
            };
            let flows = self.flows(from, to, detail, peaks)?;
            player.play(flows, detail);
        }
        Ok(player.finish())
    }

    /// Ids of devices that no entry is about.
    fn unknown(&self, policy: &Policy) -> HashSet<&str> {
        let devices = self.feeds.iter().filter_map(|feed| match feed {
            Feed::Device(device) => Some(device),
            Feed::Interface(_) | Feed::Others => None,
        });
        devices
            .filter(|device| {
                policy
                    .registration(device.mac, &device.all_addresses())
                    .is_none()
            })
            .map(|device| &*device.id)
            .collect()
    }

    /// When playing has to begin for all to be known at the start that rules go by.
    fn lead(&self, policy: &Policy) -> Minute {
        let start = time_of(self.from);
        let date = start.to_zoned(self.zone.clone()).date();
        let mut lead = self.from;
        let inherits = policy.rules(None, &[]).has(RuleKind::Surge);
        if inherits || limits::all(policy).any(limits::watches_surges) {
            let day = start.checked_sub(LEAD).unwrap_or(Timestamp::MIN);
            lead = lead.min(minute_of(day));
        }
        for cycle in limits::cycles(policy) {
            let begin = cycle.start(date).to_zoned(self.zone.clone());
            lead = lead.min(begin.map_or(lead, |begin| minute_of(begin.timestamp())));
        }
        Tier::Day.start(lead, &self.zone).max(self.first)
    }

    /// Local days from one on.
    fn stretches(&self, from: Minute) -> impl Iterator<Item = (Minute, Minute)> {
        let mut from = from;
        std::iter::from_fn(move || {
            let to = Tier::Day.next(from, &self.zone).min(self.to);
            let stretch = (from < to).then_some((from, to));
            from = to;
            stretch
        })
    }

    fn buckets(&self, from: Minute, to: Minute, detail: Detail) -> Result<Vec<Bucket>, StoreError> {
        let tier = match detail {
            Detail::All => Tier::Minute,
            Detail::Hours => Tier::Hour,
        };
        self.reader.buckets(tier, None, from, to)
    }

    /// What moved on a day, in the order in which it began.
    fn flows(
        &self,
        from: Minute,
        to: Minute,
        detail: Detail,
        peaks: Peaks,
    ) -> Result<Vec<Flow>, StoreError> {
        let buckets = self.buckets(from, to, detail)?;
        let date = time_of(from).to_zoned(self.zone.clone()).date();
        let active = match detail {
            Detail::All => self.active_minutes(&buckets, date),
            Detail::Hours => vec![None; buckets.len()],
        };
        let mut ends: HashMap<(Tier, Minute), Minute> = HashMap::new();
        let flows = buckets.into_iter().zip(active).map(|(bucket, active)| {
            let Bucket {
                series,
                tier,
                start,
                moved,
            } = bucket;
            let end = ends
                .entry((tier, start))
                .or_insert_with(|| tier.next(start, &self.zone));
            let times = [start, *end].map(|minute| minute.saturating_mul(60));
            Flow::new(series, tier, times, moved, active, peaks)
        });
        Ok(flows.collect())
    }

    /// In how many minutes of each bucket its device was active, as far as that is known of the day.
    fn active_minutes(&self, buckets: &[Bucket], date: Date) -> Vec<Option<u32>> {
        let mut active = vec![None; buckets.len()];
        let mut coarse: HashMap<usize, Vec<usize>> = HashMap::new();
        let mut fine: HashMap<usize, u64> = HashMap::new();
        for (place, bucket) in buckets.iter().enumerate() {
            let is_active =
                values::bytes(bucket, Scope::Internet) >= crate::core::usage::ACTIVE_BYTES;
            match bucket.tier {
                Tier::Minute if is_active => *fine.entry(bucket.series).or_default() += 1,
                Tier::Minute => {}
                _ => coarse.entry(bucket.series).or_default().push(place),
            }
        }
        for (series, places) in coarse {
            let Some(seconds) = self.active.get(&(series, date)) else {
                continue;
            };
            let rest = (seconds / 60).saturating_sub(fine.get(&series).copied().unwrap_or(0));
            let room: Vec<(u32, u64)> = places
                .iter()
                .map(|place| {
                    let bucket = &buckets[*place];
                    let length = bucket.tier.next(bucket.start, &self.zone) - bucket.start;
                    let length = u32::try_from(length).unwrap_or(u32::MAX);
                    (length, values::bytes(bucket, Scope::Internet))
                })
                .collect();
            for (place, minutes) in places.into_iter().zip(flow::active_minutes(&room, rest)) {
                active[place] = Some(minutes);
            }
        }
        active
    }
}

/// Whether two alerts are about the same thing at the same time.
fn is_same(one: &FoundAlert, other: &FoundAlert) -> bool {
    let end = |alert: &FoundAlert| {
        let end = alert.ended_at.as_ref().and_then(|at| at.parse().ok());
        end.unwrap_or(Timestamp::MAX)
    };
    let start = |alert: &FoundAlert| alert.started_at.parse().unwrap_or(Timestamp::MIN);
    one.device == other.device
        && one.direction == other.direction
        && start(one) <= end(other)
        && start(other) <= end(one)
}

/// `7 d by minutes, 23 d by quarters of an hour`.
pub fn how_finely(parts: &[(Tier, Duration)]) -> String {
    let words = |tier| match tier {
        Tier::Minute => "minutes",
        Tier::Quarter => "quarters of an hour",
        Tier::Hour => "hours",
        Tier::Day => "days",
    };
    let parts: Vec<String> = parts
        .iter()
        .map(|(tier, length)| format!("{} by {}", human::duration(*length), words(*tier)))
        .collect();
    parts.join(", ")
}
