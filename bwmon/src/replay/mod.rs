//! What would have fired? Plays a recording through the core, by the recording's own clock.
//!
//! A capture goes through the parser that the kernel half uses, a series is one device that receives
//! it, and recorded history is each device's and interface's own. Everything from there on is what the daemon does with a sample. Nothing here reads a
//! clock or tells anybody.

pub mod capture;
pub mod counting;
pub mod history;
pub mod report;
pub mod series;

mod neighbours;
mod player;
mod timeline;
mod warnings;

use std::{
    io,
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use bwmon_common::layout::{Counter, Row};
use ipnet::IpNet;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use self::{
    capture::{Capture, CaptureError},
    counting::Traffic,
    player::Player,
    report::{Read, Report},
    series::{Series, Span},
    timeline::Timeline,
};
use crate::core::policy::{Limits, Policy, Registration, Selector, Setting};

/// A series is what this address received (of the block for documentation, RFC 5737).
const SERIES_ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
/// A row is played in steps of so much, as far as it is longer.
const SERIES_STEP: Duration = Duration::from_secs(10);

/// How a capture is played.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Names and thresholds.
    pub policy: Policy,
    /// For days, hours and what people read.
    pub zone: TimeZone,
    /// The networks that are local.
    pub networks: Vec<IpNet>,
    /// Between two samples.
    pub interval: Duration,
}

/// Plays a capture.
///
/// # Errors
///
/// When it is none, or damaged, or nothing in it can be read.
pub fn play_capture(setup: Setup, source: impl io::Read) -> Result<Report, CaptureError> {
    let Setup {
        policy,
        zone,
        networks,
        interval,
    } = setup;
    let mut capture = Capture::open(source)?;
    let mut traffic = Traffic::new(networks);
    let mut playing: Option<(Timeline, Player, Timestamp)> = None;
    let mut undated = 0;
    while let Some(frame) = capture.next_frame()? {
        match (frame.at, &mut playing) {
            (Some(at), Some((timeline, player, _))) => timeline.advance(at, |sample| {
                play(player, &mut traffic, sample);
            }),
            (Some(at), None) => {
                let player = Player::new(policy.clone(), zone.clone(), at);
                playing = Some((Timeline::new(interval, at), player, at));
            }
            (None, _) => undated += 1,
        }
        traffic.add(&frame);
    }
    if traffic.total.packets == 0
        && let Some(number) = capture.foreign().keys().next()
    {
        return Err(CaptureError::LinkType(*number));
    }
    let mut warnings = warnings::of_capture(&capture, &traffic, undated);
    let Some((mut timeline, mut player, first)) = playing else {
        if traffic.total.packets > 0 {
            return Err(CaptureError::NoTime);
        }
        warnings.push("the capture has no frames".to_owned());
        return Ok(Report {
            alerts: Vec::new(),
            read: Read::default(),
            warnings,
        });
    };
    let last = timeline.end();
    play(&mut player, &mut traffic, last);
    let read = Read {
        records: traffic.total.packets,
        bytes: traffic.total.bytes,
        period: Some((first, last.at)),
        played: player.played(),
        devices: player.device_count(),
    };
    warnings.extend(warnings::of_timeline(&timeline));
    warnings.extend(warnings::of_history(&policy, read.played));
    Ok(Report {
        alerts: player.finish(),
        read,
        warnings,
    })
}

fn play(player: &mut Player, traffic: &mut Traffic, sample: timeline::Sample) {
    for (address, mac) in traffic.take_learned() {
        player.learn(address, mac);
    }
    player.sample(sample.at, sample.elapsed, traffic.take());
}

/// Plays a series as one device of this name, in UTC.
///
/// Rules are those of a device that nobody registered, but that a surge has no floor unless the
/// configuration sets one.
pub fn play_series(policy: &Policy, name: &str, series: &Series) -> Report {
    let policy = series_policy(policy);
    let mut spans = series.spans().peekable();
    let first = spans
        .peek()
        .map_or(Timestamp::UNIX_EPOCH, |span| span.start);
    let mut last = first;
    let mut player = Player::new(policy.clone(), TimeZone::UTC, first);
    let mut counted = Whole::default();
    for span in spans {
        for (at, elapsed, bytes) in steps(&span, counted.add(span.bytes)) {
            let row = received(bytes);
            let rows = (bytes > 0).then_some((SERIES_ADDRESS, row));
            player.sample(at, elapsed, rows);
            last = at;
        }
    }
    let read = Read {
        records: series.len() as u64,
        bytes: counted.bytes,
        period: Some((first, last)),
        played: player.played(),
        devices: 1,
    };
    let mut warnings = warnings::of_series(series);
    warnings.extend(warnings::of_history(&policy, read.played));
    let mut alerts = player.finish();
    for alert in &mut alerts {
        name.clone_into(&mut alert.device);
        name.clone_into(&mut alert.name);
    }
    Report {
        alerts,
        read,
        warnings,
    }
}

/// What applies to a series: no entry is about it, and it has a scale of its own.
fn series_policy(policy: &Policy) -> Policy {
    let mut policy = Policy {
        unknown: policy.unknown.clone(),
        defaults: policy.defaults.clone(),
        ..Policy::default()
    };
    let surge = &mut policy.defaults.surge;
    surge.value.floor.get_or_insert(0);
    // An interval is as much as there is to see of anything.
    surge.tuning.for_.get_or_insert(Duration::ZERO);
    // What is usual is learnt of devices that the owner knows, however little they move.
    policy.registered.push(Registration {
        selector: Selector::Address(SERIES_ADDRESS),
        name: None,
        group: None,
        limits: Limits::default(),
        muted: false,
    });
    // It has no MAC address that could be new.
    policy.unknown.new_device.value.watch = Setting::Off;
    policy
}

/// Whole bytes out of fractions, of which none is lost.
#[derive(Default)]
struct Whole {
    fraction: f64,
    bytes: u64,
}

impl Whole {
    fn add(&mut self, bytes: f64) -> u64 {
        let bytes = bytes + self.fraction;
        let whole = bytes.floor();
        self.fraction = bytes - whole;
        self.bytes = self.bytes.saturating_add(whole as u64);
        whole as u64
    }
}

/// Cuts a row into steps: when each ends, how long it is, and its share of the bytes.
fn steps(span: &Span, bytes: u64) -> impl Iterator<Item = (Timestamp, Duration, u64)> {
    let Span { start, length, .. } = *span;
    let total = length.as_nanos().max(1);
    let share = move |until: Duration| (u128::from(bytes) * until.as_nanos() / total) as u64;
    let mut from = Duration::ZERO;
    std::iter::from_fn(move || {
        if from >= length {
            return None;
        }
        let until = length.min(from + SERIES_STEP);
        let offset = SignedDuration::try_from(until).ok()?;
        let at = start.checked_add(offset).ok()?;
        let step = (at, until - from, share(until) - share(from));
        from = until;
        Some(step)
    })
}

fn received(bytes: u64) -> Row {
    Row {
        received: Counter { bytes, packets: 1 },
        ..Row::default()
    }
}

#[cfg(test)]
mod tests;
