//! What a device does, or a group, or an interface: what it used, how fast it goes, what is usual
//! for it.

use std::time::Duration;

use bwmon_common::layout::Row;
use jiff::civil::{Date, DateTime};

use super::{
    event::{Direction, RuleKind},
    meter::{Rates, plus},
    policy::{Condition, Directed, Rule, Rules, Scope},
    rules::{Facts, Newcomer, Seen, Today},
    surge::{Expectation, Surge},
    time::Now,
    usage::{CycleUsage, DayUsage},
    view::{CycleView, MovedView, TodayView},
};

/// Finished days that are remembered: how often a clock may jump ahead before it is set right.
const FINISHED: usize = 3;

/// The time of a sample, in each form that is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) now: Now,
    /// On the clock on the wall.
    pub(super) local: DateTime,
    /// The day that usage is dated by.
    pub(super) day: Date,
    /// Since the last sample.
    pub(super) elapsed: Duration,
    /// Which traffic counts for rules that don't say so themselves.
    pub(super) scope: Scope,
}

/// What one subject does, and the rules it is held to.
#[derive(Clone, Debug)]
pub(super) struct Activity {
    pub(super) usage: DayUsage,
    pub(super) used: CycleUsage,
    /// The latest days before this one, in case the clock goes back to them.
    finished: Vec<DayUsage>,
    rules: Rules,
    /// Of all traffic.
    rates: Rates,
    /// Of the part of it that stays in the local networks.
    local_rates: Rates,
    /// Kept for directions that have a surge rule.
    surges: [Option<Box<Learning>>; 3],
    is_learning: bool,
    /// What is learnt is to be saved now, however little that is.
    is_due: bool,
    silent_for: Duration,
    /// Counted since the last sample.
    pending: Row,
    /// Counted since the start of this run.
    since_start: Row,
}

/// What is usual in one direction, and what is to be made of it now.
#[derive(Clone, Debug)]
struct Learning {
    surge: Surge,
    expectation: Option<Expectation>,
}

impl Activity {
    /// Nothing done yet.
    pub(super) fn on(day: Date) -> Self {
        Self {
            usage: DayUsage::on(day),
            used: CycleUsage::default(),
            finished: Vec::new(),
            rules: Rules::default(),
            rates: Rates::default(),
            local_rates: Rates::default(),
            surges: Default::default(),
            is_learning: false,
            is_due: false,
            silent_for: Duration::ZERO,
            pending: Row::default(),
            since_start: Row::default(),
        }
    }

    /// The rules that it is held to from now on.
    pub(super) fn hold_to(&mut self, rules: Rules) {
        for (direction, learning) in Direction::ALL.into_iter().zip(&mut self.surges) {
            if rules.find(RuleKind::Surge, direction).is_none() {
                *learning = None;
            }
        }
        self.rules = rules;
    }

    pub(super) fn rules(&self) -> &Rules {
        &self.rules
    }

    /// From now on it is learnt what is usual for it, which takes a kilobyte for each direction: not
    /// to be spent on an address that somebody made up.
    pub(super) fn start_learning(&mut self) {
        self.is_learning = true;
    }

    /// Adds what was counted.
    pub(super) fn count(&mut self, row: Row) {
        self.pending = plus(self.pending, row);
    }

    /// Takes in what was counted since the last sample. Returns the day that ended with it, and
    /// whether anything was counted. `is_surging` says whether a surge in a direction is being told.
    pub(super) fn settle(
        &mut self,
        moment: &Moment,
        is_surging: impl Fn(Direction) -> bool,
    ) -> Settled {
        let (finished, undated) = self.change_day(moment.day);
        self.used.roll(self.rules.cycle.start(moment.day));
        let counted = std::mem::take(&mut self.pending);
        let Row {
            sent,
            received,
            sent_local,
            received_local,
        } = counted;
        let has_counted = counted != Row::default();
        self.since_start = plus(self.since_start, counted);
        if has_counted {
            let active = self.rules.find(RuleKind::ActiveTime, Direction::Total);
            let scope = active.and_then(|rule| rule.scope).unwrap_or(moment.scope);
            self.usage.record(&moment.now, &counted, scope);
            let is_free = |free: &super::schedule::Schedule| free.contains(moment.local);
            if !self.rules.free.as_ref().is_some_and(is_free) {
                self.used.record(&counted);
            }
        }
        self.silent_for = match sent.packets {
            0 => self.silent_for.saturating_add(moment.elapsed),
            _ => Duration::ZERO,
        };
        self.rates
            .update(sent.bytes, received.bytes, moment.elapsed);
        self.local_rates
            .update(sent_local.bytes, received_local.bytes, moment.elapsed);
        if self.is_learning {
            self.learn(moment, &counted, is_surging);
        }
        Settled {
            finished,
            undated,
            counted,
            has_counted,
        }
    }

    /// A day is over, unless the clock is ahead. They come in order.
    pub(super) fn had_finished(&mut self, day: DayUsage) {
        if self.finished.len() == FINISHED {
            self.finished.remove(0);
        }
        self.finished.push(day);
    }

    /// Moves on to `day`. Returns the day that ended, or else those that had begun too early.
    fn change_day(&mut self, day: Date) -> (Option<DayUsage>, Vec<Date>) {
        let before = self.usage.day;
        if let Some(finished) = self.usage.roll(day) {
            self.had_finished(finished);
            return (Some(finished), Vec::new());
        }
        if day == before {
            return (None, Vec::new());
        }
        // The clock had been ahead: what was finished since goes on as this day.
        let early = self.finished.extract_if(.., |finished| finished.day >= day);
        let mut undated = vec![before];
        for early in early {
            self.usage.resume(&early);
            if early.day > day {
                undated.push(early.day);
            }
        }
        (None, undated)
    }

    fn learn(&mut self, moment: &Moment, counted: &Row, is_surging: impl Fn(Direction) -> bool) {
        for (direction, learning) in Direction::ALL.into_iter().zip(&mut self.surges) {
            let Some(rule) = self.rules.find(RuleKind::Surge, direction) else {
                continue;
            };
            let Condition::Surge(settings) = &rule.condition else {
                continue;
            };
            let scope = rule.scope.unwrap_or(moment.scope);
            let bytes = bytes_of(counted, direction, scope);
            let Learning { surge, expectation } = &mut **learning.get_or_insert_with(|| {
                Box::new(Learning {
                    surge: Surge::new(&moment.now),
                    expectation: None,
                })
            });
            let is_surging = is_surging(direction);
            *expectation = surge.sample(&moment.now, moment.elapsed, bytes, settings, is_surging);
        }
    }

    /// What there is to judge. `newcomer`: what is to be said of a device that was first seen not
    /// long ago.
    pub(super) fn facts(
        &self,
        moment: &Moment,
        newcomer: Option<Newcomer>,
        is_muted: bool,
    ) -> Facts<'_> {
        let seen = |learning: &Option<Box<Learning>>| {
            let Learning { surge, expectation } = &**learning.as_ref()?;
            Some(Seen {
                bytes_per_sec: surge.level(),
                expectation: *expectation,
            })
        };
        let [total, sent, received] = &self.surges;
        Facts {
            local: moment.local,
            usage: &self.usage,
            used: &self.used,
            cycle: self.rules.cycle,
            rates: self.rates,
            local_rates: self.local_rates,
            surge: Directed {
                total: seen(total),
                sent: seen(sent),
                received: seen(received),
            },
            silent_for: self.silent_for,
            newcomer,
            scope: moment.scope,
            is_muted,
        }
    }

    /// Nothing would change if it were not looked at until there is traffic again.
    pub(super) fn is_at_rest(&self) -> bool {
        let mut learning = self.surges.iter().flatten();
        self.rates.is_silent()
            && self.local_rates.is_silent()
            && learning.all(|learning| learning.surge.is_silent())
            && !self.rules.has(RuleKind::Silent)
    }

    /// Smoothed rates of all its traffic.
    pub(super) fn rates(&self) -> Rates {
        self.rates
    }

    /// Smoothed rates of the part of it that stays in the local networks.
    pub(super) fn local_rates(&self) -> Rates {
        self.local_rates
    }

    /// What it moved since the start of this run.
    pub(super) fn since_start_view(&self) -> MovedView {
        let row = self.since_start;
        MovedView {
            sent: row.sent.bytes,
            received: row.received.bytes,
            sent_local: row.sent_local.bytes,
            received_local: row.received_local.bytes,
        }
    }

    /// Takes in another subject that turned out to be this one. Returns the day that one of them had
    /// not ended yet.
    pub(super) fn merge(&mut self, mut other: Self) -> Option<DayUsage> {
        let day = self.usage.day.max(other.usage.day);
        let ended = other.usage.roll(day).or(self.usage.roll(day));
        for finished in other.finished.into_iter().chain(ended) {
            match self.finished.iter_mut().find(|own| own.day == finished.day) {
                Some(own) => own.merge(&finished),
                None => self.finished.push(finished),
            }
        }
        self.finished.sort_unstable_by_key(|finished| finished.day);
        let too_many = self.finished.len().saturating_sub(FINISHED);
        self.finished.drain(..too_many);
        self.usage.merge(&other.usage);
        self.used.merge(&other.used);
        self.pending = plus(self.pending, other.pending);
        self.since_start = plus(self.since_start, other.since_start);
        for (mine, others) in [
            (&mut self.rates, other.rates),
            (&mut self.local_rates, other.local_rates),
        ] {
            mine.sent += others.sent;
            mine.received += others.received;
        }
        for (mine, others) in self.surges.iter_mut().zip(other.surges) {
            match (mine, others) {
                (Some(mine), Some(others)) => mine.surge.merge(others.surge),
                (mine @ None, others) => *mine = others,
                (Some(_), None) => {}
            }
        }
        for learning in self.surges.iter_mut().flatten() {
            learning.surge.is_to_be_saved();
        }
        self.silent_for = self.silent_for.min(other.silent_for);
        self.is_learning |= other.is_learning;
        ended
    }

    /// Which traffic counts for a rule; `usual` for one that does not say so itself.
    pub(super) fn scope(&self, rule: Rule, usual: Scope) -> Scope {
        let mut rules = self.rules.list().iter();
        let in_force = rules.find(|each| each.rule == rule);
        in_force.and_then(|each| each.scope).unwrap_or(usual)
    }

    /// What it used today, in scope.
    pub(super) fn today(&self, scope: Scope) -> Today {
        Today {
            day: self.usage.day,
            sent: self.usage.sent_in(scope),
            received: self.usage.received_in(scope),
        }
    }

    /// Whether so much of a quota is used in the cycle of `day` that it should not be forgotten: a
    /// hundredth, which somebody who makes up addresses does not use for each of them.
    pub(super) fn has_used_quota(&self, day: Date) -> bool {
        let used = self.used.of(Direction::Total, Scope::All);
        let is_part = |limit: u64| used > 0 && used >= limit / 100;
        self.used.start == self.rules.cycle.start(day) && self.rules.quota().is_some_and(is_part)
    }

    /// How readers see what it used today.
    pub(super) fn today_view(&self) -> TodayView {
        let DayUsage {
            sent,
            received,
            sent_local,
            received_local,
            ..
        } = self.usage;
        TodayView {
            sent,
            received,
            sent_local,
            received_local,
            active_seconds: self.usage.active().as_secs(),
        }
    }

    /// How readers see what it used in its billing cycle.
    pub(super) fn cycle_view(&self) -> CycleView {
        let CycleUsage {
            start,
            sent,
            received,
            sent_local,
            received_local,
        } = self.used;
        let quota = self.rules.quota_rule();
        CycleView {
            from: start.to_string(),
            until: self.rules.cycle.end(start).to_string(),
            sent,
            received,
            sent_local,
            received_local,
            quota: quota.map(|quota| quota.limit),
            direction: quota.map_or(Direction::Total, |quota| quota.direction),
            scope: quota.and_then(|quota| quota.scope),
        }
    }

    /// What is usual is to be saved with the next checkpoint.
    pub(super) fn keep_what_is_usual(&mut self) {
        self.is_due = true;
    }

    /// Whether that was asked for since the last call.
    pub(super) fn take_due(&mut self) -> bool {
        std::mem::take(&mut self.is_due)
    }

    /// What was learnt in each direction.
    pub(super) fn surges(&mut self) -> impl Iterator<Item = (Direction, &mut Surge)> {
        Direction::ALL
            .into_iter()
            .zip(&mut self.surges)
            .filter_map(|(direction, learning)| Some((direction, &mut learning.as_mut()?.surge)))
    }

    /// For how long it has sent nothing, where a rule asks for that.
    pub(super) fn silence(&self) -> Option<Duration> {
        self.rules.has(RuleKind::Silent).then_some(self.silent_for)
    }

    /// It had sent nothing for so long before a restart.
    pub(super) fn resume_silence(&mut self, time: Duration) {
        self.silent_for = time;
    }

    /// Goes on from what was learnt before.
    pub(super) fn relearn(&mut self, direction: Direction, surge: Surge) {
        if self.rules.find(RuleKind::Surge, direction).is_some() {
            self.is_learning = true;
            self.surges[direction as usize] = Some(Box::new(Learning {
                surge,
                expectation: None,
            }));
        }
    }
}

/// What came of a sample.
pub(super) struct Settled {
    /// The day that ended with it.
    pub(super) finished: Option<DayUsage>,
    /// Days under which usage is not kept any more, as they had begun too early.
    pub(super) undated: Vec<Date>,
    /// What was counted.
    pub(super) counted: Row,
    /// Whether there was any traffic.
    pub(super) has_counted: bool,
}

fn bytes_of(row: &Row, direction: Direction, scope: Scope) -> u64 {
    // A reading of the table is not one instant, so the local part may be ahead by a packet.
    let in_scope = |all: u64, local: u64| match scope {
        Scope::All => all,
        Scope::Local => local,
        Scope::Internet => all.saturating_sub(local),
    };
    let sent = in_scope(row.sent.bytes, row.sent_local.bytes);
    let received = in_scope(row.received.bytes, row.received_local.bytes);
    match direction {
        Direction::Total => sent.saturating_add(received),
        Direction::Sent => sent,
        Direction::Received => received,
    }
}
