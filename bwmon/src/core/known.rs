//! MAC addresses that were ever seen, so that a device that never was can be told of.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    mac::MacAddr,
    rules::{NEW_FOR, Newcomer},
    time::{Monotonic, Now},
};

/// Most that are remembered. Phones make up a MAC for each network, so some thousand come about.
const MOST: usize = 1 << 14;
/// Most that are told of in an hour: whoever invents MACs gets no further.
const MOST_AN_HOUR: usize = 20;

/// All of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    arrivals: HashMap<MacAddr, Arrival>,
    /// For how long there was anybody to see them, all runs together.
    watched_for: Duration,
    /// When the latest ones came.
    latest: VecDeque<Monotonic>,
    /// Changed since the last checkpoint.
    changed: Vec<MacAddr>,
    gone: Vec<MacAddr>,
}

/// How a MAC was first seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// When.
    pub at: Timestamp,
    /// For how long bwmon had watched by then, in seconds.
    pub watched_for: u64,
    /// It came among so many that it is not told of.
    pub in_a_crowd: bool,
}

impl Known {
    /// Time passes.
    pub(super) fn watch(&mut self, elapsed: Duration) {
        self.watched_for = self.watched_for.saturating_add(elapsed);
    }

    /// For how long there was anybody to see, all runs together.
    pub(super) fn watched_for(&self) -> Duration {
        self.watched_for
    }

    /// A MAC was seen.
    pub(super) fn see(&mut self, mac: MacAddr, now: &Now) {
        if self.arrivals.contains_key(&mac) {
            return;
        }
        if self.arrivals.len() >= MOST {
            self.make_room();
        }
        let is_recent = |at: &Monotonic| now.monotonic.since(*at) < NEW_FOR;
        while self.latest.front().is_some_and(|at| !is_recent(at)) {
            self.latest.pop_front();
        }
        let in_a_crowd = self.latest.len() >= MOST_AN_HOUR;
        if !in_a_crowd {
            self.latest.push_back(now.monotonic);
        }
        let arrival = Arrival {
            at: now.wall,
            watched_for: self.watched_for.as_secs(),
            in_a_crowd,
        };
        self.arrivals.insert(mac, arrival);
        self.changed.push(mac);
    }

    /// What there is to say of a device with this MAC, if it came not long ago.
    pub(super) fn newcomer(&self, mac: MacAddr, now: &Now) -> Option<Newcomer> {
        let arrival = self
            .arrivals
            .get(&mac)
            .filter(|arrival| !arrival.in_a_crowd)?;
        let seen_for = now.wall.duration_since(arrival.at);
        Some(Newcomer {
            // A clock that was set back makes nobody new again.
            seen_for: Duration::try_from(seen_for).unwrap_or(NEW_FOR),
            watched_for: Duration::from_secs(arrival.watched_for),
            is_private: mac.is_private(),
        })
    }

    /// What changed since the last call: MACs with their arrival, and those to forget.
    pub(super) fn take_changes(&mut self) -> impl Iterator<Item = (MacAddr, Option<Arrival>)> {
        let gone = std::mem::take(&mut self.gone);
        let changed: Vec<_> = std::mem::take(&mut self.changed)
            .into_iter()
            .filter_map(|mac| Some((mac, Some(*self.arrivals.get(&mac)?))))
            .collect();
        gone.into_iter().map(|mac| (mac, None)).chain(changed)
    }

    /// What was saved is gone: all of it is a change.
    pub(super) fn unsave(&mut self) {
        self.changed = self.arrivals.keys().copied().collect();
        self.gone.clear();
    }

    /// Takes in what an earlier run knew.
    pub(super) fn restore(&mut self, mac: MacAddr, arrival: Arrival) {
        if self.arrivals.len() < MOST {
            self.arrivals.insert(mac, arrival);
        }
    }

    /// Takes in for how long earlier runs watched.
    pub(super) fn restore_watched(&mut self, time: Duration) {
        self.watched_for = time;
    }

    /// Forgets the older half; of a flood, which is a crowd and the newest of all, only that.
    fn make_room(&mut self) {
        let mut times: Vec<Timestamp> = self.arrivals.values().map(|each| each.at).collect();
        let middle = times.len() / 2;
        let (_, middle, _) = times.select_nth_unstable(middle);
        let middle = *middle;
        let is_flood = |arrival: &Arrival| arrival.in_a_crowd && arrival.at >= middle;
        let flood = self.arrivals.values().filter(|each| is_flood(each)).count();
        let is_to_go = |arrival: &Arrival| match flood > MOST / 4 {
            true => is_flood(arrival),
            false => arrival.at <= middle,
        };
        let gone = self.arrivals.extract_if(|_, arrival| is_to_go(arrival));
        self.gone.extend(gone.map(|(mac, _)| mac));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mac(number: u32) -> MacAddr {
        let [a, b, c, d] = number.to_be_bytes();
        MacAddr([0, 0, a, b, c, d])
    }

    fn at(second: u64) -> Now {
        Now {
            monotonic: Monotonic(Duration::from_secs(second)),
            wall: Timestamp::from_second(1_772_928_000 + second as i64).unwrap(),
        }
    }

    #[test]
    fn a_mac_is_new_once() {
        let mut known = Known::default();
        known.watch(Duration::from_secs(90_000));
        known.see(mac(1), &at(0));
        known.see(mac(1), &at(50));
        let newcomer = known.newcomer(mac(1), &at(60)).unwrap();
        assert_eq!(newcomer.seen_for, Duration::from_secs(60));
        assert_eq!(newcomer.watched_for, Duration::from_secs(90_000));
        assert!(!newcomer.is_private);
        assert_eq!(known.newcomer(mac(2), &at(60)), None);
    }

    #[test]
    fn a_crowd_is_remembered_but_not_told_of() {
        let mut known = Known::default();
        for number in 0..100 {
            known.see(mac(number), &at(number.into()));
        }
        let told = |known: &Known, now: &Now| {
            let is_told = |number: &u32| known.newcomer(mac(*number), now).is_some();
            (0..200).filter(is_told).count()
        };
        assert_eq!(told(&known, &at(100)), MOST_AN_HOUR);
        // An hour later there is room again.
        known.see(mac(100), &at(3700));
        assert_eq!(told(&known, &at(3700)), MOST_AN_HOUR + 1);
        assert_eq!(known.take_changes().count(), 101);
        assert_eq!(known.take_changes().count(), 0);
    }

    #[test]
    fn a_flood_pushes_out_nobody_but_itself() {
        let mut known = Known::default();
        known.see(mac(0), &at(0));
        for number in 1..=3 * MOST as u32 {
            known.see(mac(number), &at(10_000 + u64::from(number)));
        }
        assert!(known.arrivals.len() <= MOST);
        assert!(known.arrivals.contains_key(&mac(0)));
    }

    #[test]
    fn what_is_remembered_is_bounded_and_the_oldest_goes() {
        let mut known = Known::default();
        for number in 0..=MOST as u32 {
            // Twenty an hour are no crowd.
            known.see(mac(number), &at(200 * u64::from(number)));
        }
        assert!(known.arrivals.len() <= MOST);
        assert!(known.arrivals.contains_key(&mac(MOST as u32)));
        assert!(!known.arrivals.contains_key(&mac(0)));
        let gone = known
            .take_changes()
            .filter(|(_, arrival)| arrival.is_none())
            .count();
        assert_eq!(gone + known.arrivals.len(), MOST + 1);
    }
}
