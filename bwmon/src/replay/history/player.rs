//! One play: the clock, and what moves at each of its ticks.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::IpAddr,
    time::Duration,
};

use bwmon_common::layout::Row;
use jiff::{SignedDuration, Timestamp};

use super::{Detail, Feed, Flow, Outcome, Read, Recording, Report, limits, time_of};
use crate::{
    core::{human, policy::Policy},
    replay::{player::Player, warnings},
    store::Tier,
};

/// Time in which nobody at all moved anything is time in which nobody counted, if it is this long.
/// Seconds.
const GAP: i64 = 3600;
/// Where nothing moves, there is a sample each so many seconds.
const IDLE_STEP: i64 = 60;

pub(super) struct HistoryPlayer<'a> {
    recording: &'a Recording,
    policy: &'a Policy,
    player: Player,
    /// A sum of rates below this needs no bursts: no rule looks at it.
    quiet_below: u64,
    /// The time of the last sample, seconds since the epoch.
    at: i64,
    from: i64,
    read: Read,
    seen: BTreeSet<usize>,
    parts: BTreeMap<Tier, Duration>,
    others: u64,
    gaps: u64,
    not_known: Duration,
    /// What is under way: by order of start.
    under_way: Vec<Flow>,
}

impl<'a> HistoryPlayer<'a> {
    pub(super) fn new(recording: &'a Recording, policy: &'a Policy, lead: i64) -> Self {
        let (start, from) = (time_of(lead), time_of(recording.from));
        let mut player = Player::new(policy.clone(), recording.zone.clone(), start);
        let devices = recording.feeds.iter().filter_map(|feed| match feed {
            Feed::Device(device) => Some(device),
            Feed::Interface(_) | Feed::Others => None,
        });
        let seen = devices.clone().filter_map(|device| {
            let first_seen = device.first_seen.filter(|first| *first < start)?;
            Some((device.mac?, first_seen))
        });
        let earliest = seen.clone().map(|(_, at)| at).min();
        let watched = earliest.map_or(SignedDuration::ZERO, |at| start.duration_since(at));
        player.know(seen, watched.unsigned_abs());
        for device in devices {
            let Some(mac) = device.mac else { continue };
            for address in &device.addresses {
                player.learn(*address, mac);
            }
        }
        player.tell_from(from);
        Self {
            recording,
            policy,
            player,
            quiet_below: limits::lowest_rate(policy) / 4,
            at: start.as_second(),
            from: from.as_second(),
            read: Read::default(),
            seen: BTreeSet::new(),
            parts: BTreeMap::new(),
            others: 0,
            gaps: 0,
            not_known: Duration::ZERO,
            under_way: Vec::new(),
        }
    }

    /// Plays a day.
    pub(super) fn play(&mut self, flows: Vec<Flow>, detail: Detail) {
        let steps = self.steps(&flows, detail);
        self.note(&flows, detail);
        let mut coming = flows.into_iter().peekable();
        for at in steps {
            if at <= self.at {
                continue;
            }
            // What began before is under way by now.
            while let Some(flow) = coming.next_if(|flow| flow.start < at) {
                self.begin(flow);
            }
            if self.under_way.is_empty() {
                self.idle(at);
            } else {
                self.sample(at);
            }
        }
    }

    pub(super) fn finish(mut self) -> Outcome {
        let end = self.recording.to.saturating_mul(60);
        if self.at < end {
            self.idle(end);
        }
        let Self {
            recording,
            policy,
            player,
            mut read,
            seen,
            parts,
            others,
            gaps,
            not_known,
            ..
        } = self;
        read.devices = seen.len();
        read.period = Some((time_of(recording.from), time_of(recording.to)));
        let mut warnings = warnings::of_history(policy, player.played());
        if others > 0 {
            warnings.push(format!(
                "bytes of devices that have no history of their own, left out: {}",
                human::bytes(others)
            ));
        }
        if gaps > 0 {
            warnings.push(format!(
                "places where nothing at all was recorded, time not known: {gaps}, {}",
                human::duration(not_known)
            ));
        }
        let mut alerts = player.finish();
        let devices = recording.feeds.iter().filter_map(|feed| match feed {
            Feed::Device(device) => device.names(policy),
            Feed::Interface(_) | Feed::Others => None,
        });
        let names: HashMap<String, _> = devices.map(|(key, id, name)| (key, (id, name))).collect();
        let unknown = recording.unknown(policy);
        for alert in &mut alerts {
            if let Some((id, name)) = names.get(&alert.device) {
                (*id).clone_into(&mut alert.device);
                if let Some(name) = name {
                    (*name).clone_into(&mut alert.name);
                }
            }
            alert.is_unknown = unknown.contains(&*alert.device);
        }
        Outcome {
            report: Report {
                alerts,
                read,
                warnings,
            },
            parts: parts.into_iter().collect(),
        }
    }

    /// When samples are taken: as often as something changes that a rule may look at.
    fn steps(&self, flows: &[Flow], detail: Detail) -> Vec<i64> {
        let mut peaks: HashMap<(Tier, i64), u64> = HashMap::new();
        for flow in flows {
            let sum = peaks.entry((flow.tier, flow.start)).or_default();
            *sum = sum.saturating_add(flow.highest());
        }
        let mut steps = Vec::new();
        let mut known = BTreeSet::new();
        for flow in flows {
            let peak = peaks.get(&(flow.tier, flow.start));
            let is_fine = peak.is_some_and(|peak| *peak >= self.quiet_below);
            // Most of a slot have the same ones.
            if known.insert(flow.shape()) {
                match detail {
                    Detail::All => flow.steps(is_fine, &mut steps),
                    Detail::Hours => flow.rough_steps(is_fine, &mut steps),
                }
            }
        }
        steps.sort_unstable();
        steps.dedup();
        steps
    }

    /// Takes down what is read.
    fn note(&mut self, flows: &[Flow], detail: Detail) {
        if detail == Detail::Hours {
            return;
        }
        let mut slots = BTreeSet::new();
        for flow in flows {
            let Row { sent, received, .. } = flow.moved.row;
            let bytes = sent.bytes.saturating_add(received.bytes);
            match &self.recording.feeds[flow.series] {
                Feed::Device(_) => {
                    self.seen.insert(flow.series);
                    self.read.bytes = self.read.bytes.saturating_add(bytes);
                }
                Feed::Others => self.others = self.others.saturating_add(bytes),
                // That is the same once more.
                Feed::Interface(_) => {}
            }
            self.read.records += 1;
            slots.insert((flow.start, flow.end, flow.tier));
        }
        let mut until = i64::MIN;
        for (start, end, tier) in slots {
            let length = end - until.max(start);
            if length > 0 {
                let length = Duration::from_secs(length.unsigned_abs());
                *self.parts.entry(tier).or_default() += length;
                until = end;
            }
        }
    }

    fn begin(&mut self, flow: Flow) {
        if let Feed::Device(device) = &self.recording.feeds[flow.series]
            && let Some(mac) = device.mac
        {
            self.player.learn(device.address, mac);
        }
        self.under_way.push(flow);
    }

    fn sample(&mut self, at: i64) {
        let Self {
            recording,
            player,
            under_way,
            ..
        } = self;
        let mut rows: Vec<(IpAddr, Row)> = Vec::with_capacity(under_way.len());
        for flow in under_way.iter_mut() {
            let row = flow.advance(at);
            if row == Row::default() {
                continue;
            }
            match &recording.feeds[flow.series] {
                Feed::Device(device) => rows.push((device.address, row)),
                Feed::Interface(name) => player.carried(name, row),
                Feed::Others => {}
            }
        }
        self.tick(at, rows);
        self.under_way.retain(|flow| flow.end > at);
    }

    /// Nothing moves up to `at`, or nobody counts.
    fn idle(&mut self, at: i64) {
        if at - self.at >= GAP {
            if at > self.from {
                self.gaps += 1;
                let gap = (at - self.at.max(self.from)).max(0);
                self.not_known += Duration::from_secs(gap.unsigned_abs());
            }
            self.at = at;
            return;
        }
        while self.at < at {
            self.tick(at.min(self.at + IDLE_STEP), Vec::new());
        }
    }

    fn tick(&mut self, at: i64, rows: Vec<(IpAddr, Row)>) {
        let elapsed = Duration::from_secs((at - self.at).unsigned_abs());
        let Ok(wall) = Timestamp::from_second(at) else {
            return;
        };
        self.player.sample(wall, elapsed, rows);
        if at > self.from {
            self.read.played += elapsed;
        }
        self.at = at;
    }
}
