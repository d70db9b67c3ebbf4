//! Sudden large increase: is a subject (a device, a group, an interface) far above what it usually
//! reaches at this hour?
//!
//! A [`Surge`] is fed each sample, and answers what was to be expected; whether that is an alert, and
//! for how long, is the caller's. All of it is a function of its arguments. The wall clock only tells
//! the hour, so that a step of it costs some knowledge, and is never traffic.

mod profile;
mod saved;
mod usual;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

use std::{ops::Range, time::Duration};

use self::{
    profile::{Profile, UNKNOWN, code},
    usual::{Question, Usual, usual},
};
pub use self::{
    saved::{SavedError, SavedProfile},
    usual::Basis,
};
use super::time::Now;

/// Time constant of the fast level (DESIGN: EWMA with k = exp(−Δt/τ)).
const TIME_CONSTANT: Duration = Duration::from_secs(10);
/// What is less than this part of a busy day's peak is no surge at any hour.
const BUSY_DAY_SHARE: f64 = 0.1;
/// After a restart everything reconnects at once.
const WARM_UP: Duration = Duration::from_secs(180);
/// What lasts longer is the new usual.
const NEW_USUAL_HOURS: i64 = 24;
/// Samples before anything is expected, if they are so far apart that `learn` has fewer.
const SAMPLES: u32 = 12;
/// The clocks may drift apart by so much from one sample to the next.
const CLOCK_STEP: Duration = Duration::from_secs(300);
/// How long the wall clock must stay behind until it is believed.
const PATIENCE: Duration = Duration::from_secs(24 * 3600);
/// Not even a subject that was silent all its life surges below this. Bytes per second.
const LEAST: f64 = 1.0;
/// A level below this is silence. Bytes per second.
const SILENCE: f64 = 1.0 / 16.0;
const HOUR: Duration = Duration::from_secs(3600);

/// When a subject is far above its usual.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// How many times what it usually reaches.
    pub factor: f64,
    /// Bytes per second below which nothing is a surge.
    pub floor: u64,
    /// How much must be known of a subject before anything is expected of it; five weeks at most.
    pub learn: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            factor: 2.0,
            floor: 1_000_000,
            learn: Duration::from_secs(48 * 3600),
        }
    }
}

/// What a subject was to reach at most. Levels in bytes per second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Expectation {
    /// What it usually reaches.
    pub expected: f64,
    /// A level above this is a surge.
    pub threshold: f64,
    /// How much is known of it.
    pub learned: Duration,
    /// Which part of that the expectation stands on.
    pub basis: Basis,
}

/// The fast level of a subject in one direction, and what it reached in the past.
#[derive(Clone, Debug)]
pub struct Surge {
    level: f64,
    profile: Profile,
    learned: Duration,
    /// Learnt since the profile was stored.
    unsaved: Duration,
    /// Still to wait after a restart.
    warm_up: Duration,
    last: Now,
    /// How long the wall clock has been behind the profile.
    behind: Duration,
    /// The latest time above the threshold.
    alert: Option<Alert>,
    /// Whether it was, at the last sample.
    over: bool,
    cached: Option<(Question, Usual)>,
}

/// The hours from the first to the last sample that was over the threshold, or fired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Alert {
    first: i64,
    last: i64,
}

impl Alert {
    fn is_new_usual(self) -> bool {
        self.last - self.first >= NEW_USUAL_HOURS
    }

    fn hours(self) -> Range<i64> {
        self.first..self.last + 1
    }
}

impl Surge {
    /// Knows nothing before `now`.
    pub fn new(now: &Now) -> Self {
        Self {
            level: 0.0,
            profile: Profile::starting(hour(now)),
            learned: Duration::ZERO,
            unsaved: Duration::ZERO,
            warm_up: Duration::ZERO,
            last: *now,
            behind: Duration::ZERO,
            alert: None,
            over: false,
            cached: None,
        }
    }

    /// Takes in the bytes that moved in the time `elapsed` before `now`, and says what was to be
    /// expected; nothing while it learns, or just after a restart.
    ///
    /// The time from the last sample to `elapsed` before `now` was silence, if both clocks agree on
    /// it, and is unknown if not. While it is `firing`, or above the threshold, the expectation stands
    /// on what had been before; after a day of that, the new level is the usual one.
    pub fn sample(
        &mut self,
        now: &Now,
        elapsed: Duration,
        bytes: u64,
        settings: &Settings,
        firing: bool,
    ) -> Option<Expectation> {
        let warm = self.warm_up.is_zero();
        self.pass(now, elapsed);
        self.flow(bytes, elapsed);
        let enough = settings.learn.max(elapsed.saturating_mul(SAMPLES));
        let expectation = (warm && self.learned >= enough)
            .then(|| self.expectation(settings, firing))
            .filter(|expectation| expectation.learned >= enough);
        self.over = firing || expectation.is_some_and(|it| self.level > it.threshold);
        self.note(elapsed);
        expectation
    }

    /// Bytes per second: an average that forgets within some ten seconds.
    pub fn level(&self) -> f64 {
        self.level
    }

    /// Whether it has been silent long enough that further silence changes nothing.
    pub fn is_silent(&self) -> bool {
        self.level == 0.0
    }

    /// Takes in what is known of another subject, which turned out to be this one.
    pub fn merge(&mut self, other: Self) {
        let other = if other.learned > self.learned {
            std::mem::replace(self, other)
        } else {
            other
        };
        self.profile.merge(&other.profile);
        self.level = self.level.max(other.level);
        self.unsaved = self.unsaved.max(other.unsaved);
        self.cached = None;
    }

    /// Brings the hours up to `now`.
    fn pass(&mut self, now: &Now, elapsed: Duration) {
        let since = now.monotonic.since(self.last.monotonic);
        let silence = since.saturating_sub(elapsed);
        let passed = since.max(elapsed);
        let wall = now.wall.duration_since(self.last.wall);
        let stepped = wall.is_negative()
            || [since, passed]
                .iter()
                .all(|it| it.abs_diff(wall.unsigned_abs()) > CLOCK_STEP);
        self.last = *now;
        if !silence.is_zero() {
            self.level *= keep(silence);
        }
        let passed = if stepped { elapsed } else { passed };
        self.learned = self.learned.saturating_add(passed);
        self.unsaved = self.unsaved.saturating_add(passed);
        self.warm_up = self.warm_up.saturating_sub(passed);

        let (hour, newest) = (hour(now), self.profile.newest());
        if hour >= newest {
            self.behind = Duration::ZERO;
            self.profile
                .advance(hour, if stepped { UNKNOWN } else { 0 });
            return;
        }
        // Until the clock is believed, all goes to the latest hour that is known.
        self.behind = self.behind.saturating_add(passed);
        if self.behind > PATIENCE {
            self.behind = Duration::ZERO;
            self.profile.rewind(hour);
            self.alert = None;
        }
    }

    /// Moves the level, and with it the hours that `elapsed` covers.
    fn flow(&mut self, bytes: u64, elapsed: Duration) {
        if elapsed.is_zero() {
            return;
        }
        let keep = keep(elapsed);
        let level = self.level * keep + bytes as f64 / elapsed.as_secs_f64() * (1.0 - keep);
        self.level = if level < SILENCE {
            0.0
        } else {
            level.min(profile::LOUDEST_BYTES_PER_SEC)
        };
        let (newest, level) = (self.profile.newest(), code(self.level));
        for back in 0..hours(elapsed) {
            self.profile.reach(newest - back, level);
        }
    }

    /// Notes that the surge goes on, or that one begins.
    fn note(&mut self, elapsed: Duration) {
        if !self.over {
            return;
        }
        let hour = self.profile.newest();
        let first = match self.alert {
            Some(alert) if hour - alert.last <= hours(elapsed) => alert.first,
            _ => hour,
        };
        self.alert = Some(Alert { first, last: hour });
    }

    fn expectation(&mut self, settings: &Settings, firing: bool) -> Expectation {
        let usual = self.usual(settings.factor, firing);
        let (expected, times, basis) = if usual.irregular {
            (
                usual.busy_day,
                busy_day_factor(settings.factor),
                Basis::BusyDay,
            )
        } else {
            (usual.level, settings.factor, usual.basis)
        };
        let least = if usual.busy_day > 0.0 {
            BUSY_DAY_SHARE * usual.busy_day
        } else {
            LEAST
        };
        Expectation {
            expected,
            threshold: (times * expected).max(least).max(settings.floor as f64),
            learned: self.learned.min(HOUR * (usual.known + 1)),
            basis,
        }
    }

    /// [`usual`], which is asked anew when the hour, the alert or the factor changes.
    fn usual(&mut self, factor: f64, firing: bool) -> Usual {
        let hour = self.profile.newest();
        let alert = self.alert.filter(|alert| !alert.is_new_usual());
        let question = Question {
            hour,
            until: match alert {
                Some(alert) if firing || self.over => alert.first,
                _ => hour,
            },
            alert: alert.map_or(0..0, Alert::hours),
            factor,
        };
        match &self.cached {
            Some((asked, usual)) if *asked == question => *usual,
            _ => {
                let usual = usual(&self.profile, &question);
                self.cached = Some((question, usual));
                usual
            }
        }
    }
}

/// A busy day's peak is exceptional by itself: a quarter of the way to `factor` is enough.
fn busy_day_factor(factor: f64) -> f64 {
    1.0 + (factor - 1.0) / 4.0
}

/// The part of a level that is left after some time.
fn keep(time: Duration) -> f64 {
    (-time.as_secs_f64() / TIME_CONSTANT.as_secs_f64()).exp()
}

/// The hours that a time covers, as many as a profile can use; one at least.
fn hours(elapsed: Duration) -> i64 {
    let hours = elapsed.as_secs().div_ceil(HOUR.as_secs());
    hours.clamp(1, profile::HOURS as u64) as i64
}

/// Hours since the epoch.
fn hour(now: &Now) -> i64 {
    now.wall.as_second().div_euclid(HOUR.as_secs() as i64)
}
