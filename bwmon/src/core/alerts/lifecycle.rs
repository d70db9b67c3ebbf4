//! The life of the alerts of one device and rule, one after the other.
//!
//! [`next`] is the whole state machine; the rest carries out its moves. The cooldown is no stage of
//! it: it only keeps what is broken from opening an alert, and so survives a pending one that comes
//! to nothing.

use std::sync::Arc;

use jiff::civil::Date;

use super::{
    alert::{DeviceRef, Ending, Transition},
    history::History,
    open::{Open, Quiet, Stopwatch},
};
use crate::core::{
    event::EventState,
    message,
    policy::{Cooldown, Timing},
    rules::{Finding, Judgement, Level},
    time::Now,
    view::AlertState,
};

/// Where the alert of a device and rule is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// There is none.
    Idle,
    /// Broken, not yet for long enough.
    Pending,
    /// Somebody was told.
    Firing,
    /// Somebody was told; clear, not yet for long enough.
    Clearing,
}

/// What a sample says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signal {
    Broken,
    Within,
    Clear,
    /// What the alert is about exists no more.
    Over(Ending),
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
    Stay,
    /// Begin an alert, pending.
    Open,
    /// Drop a pending alert, of which nobody knows.
    Drop,
    /// Tell that it is firing.
    Fire,
    /// Tell that it still is.
    Remind,
    /// Begin to clear.
    Subside,
    /// Not clear after all.
    Relapse,
    /// Tell that it is over.
    Resolve(Ending),
}

/// The transition table. `waited`: the stage lasts as long as the rule's timing asks for, of a firing
/// one since somebody was last told.
pub(super) fn next(stage: Stage, signal: Signal, waited: bool) -> Move {
    match (stage, signal) {
        (Stage::Idle, Signal::Broken) => Move::Open,
        (Stage::Idle, Signal::Within | Signal::Clear | Signal::Over(_)) => Move::Stay,

        (Stage::Pending, Signal::Broken) if waited => Move::Fire,
        (Stage::Pending, Signal::Broken) => Move::Stay,
        (Stage::Pending, Signal::Within | Signal::Clear | Signal::Over(_)) => Move::Drop,

        (Stage::Firing, Signal::Broken | Signal::Within) if waited => Move::Remind,
        (Stage::Firing, Signal::Broken | Signal::Within) => Move::Stay,
        (Stage::Firing, Signal::Clear) => Move::Subside,

        (Stage::Clearing, Signal::Broken | Signal::Within) => Move::Relapse,
        (Stage::Clearing, Signal::Clear) if waited => Move::Resolve(Ending::Cleared),
        (Stage::Clearing, Signal::Clear) => Move::Stay,

        (Stage::Firing | Stage::Clearing, Signal::Over(ending)) => Move::Resolve(ending),
    }
}

/// One device and rule: its open alert, and the silence after the one before.
#[derive(Clone, Debug, Default)]
pub(super) struct Track {
    pub(super) open: Option<Box<Open>>,
    pub(super) quiet: Option<Box<Quiet>>,
}

impl Track {
    /// Takes in one sample. Copies and allocates only when an alert opens or changes.
    pub(super) fn step(
        &mut self,
        now: &Now,
        device: &DeviceRef<'_>,
        finding: &Finding,
        is_muted: bool,
        history: &mut History,
        new_id: &mut dyn FnMut() -> String,
    ) -> Option<Transition> {
        let timing = finding.timing;
        self.expire(now, finding.period);
        let signal = self.signal(now, finding, is_muted);
        if let Some(open) = &mut self.open {
            open.update(now, finding, signal, is_muted);
        }
        // Where there is nothing to wait for, one sample makes two moves: opens and fires, or
        // subsides and resolves.
        loop {
            match next(self.stage(), signal, self.waited(now, &timing)) {
                Move::Stay => return None,
                Move::Open => self.open = Some(Box::new(Open::new(now, device, finding, new_id()))),
                Move::Drop => {
                    self.open = None;
                    return None;
                }
                Move::Fire => return self.fire(now, device, new_id),
                Move::Remind => return self.tell(now, device, EventState::Reminder, new_id),
                Move::Subside => self.set_clear(Some(Stopwatch::start(now))),
                Move::Relapse => self.set_clear(None),
                Move::Resolve(ending) => {
                    return self.resolve(now, Some(device), ending, history, new_id);
                }
            }
        }
    }

    fn fire(
        &mut self,
        now: &Now,
        device: &DeviceRef<'_>,
        new_id: &mut dyn FnMut() -> String,
    ) -> Option<Transition> {
        let open = self.open.as_mut()?;
        open.alert.state = AlertState::Firing;
        open.damping = self.quiet.take().and_then(|quiet| quiet.damping());
        self.tell(now, device, EventState::Firing, new_id)
    }

    /// Tells that the open alert begins or lasts.
    fn tell(
        &mut self,
        now: &Now,
        device: &DeviceRef<'_>,
        state: EventState,
        new_id: &mut dyn FnMut() -> String,
    ) -> Option<Transition> {
        let Open { alert, told, .. } = &mut **self.open.as_mut()?;
        *told = Stopwatch::start(now);
        alert.level = alert.level.max(alert.observed);
        alert.device = device.to_event();
        alert.description = message::sentence(alert, state);
        Some(Transition {
            state,
            event_id: new_id(),
            at: now.wall,
            alert: Arc::new(alert.clone()),
        })
    }

    /// Ends the open alert; tells so if somebody was told that it began. Without `device`, it keeps
    /// what it knows of it.
    pub(super) fn resolve(
        &mut self,
        now: &Now,
        device: Option<&DeviceRef<'_>>,
        ending: Ending,
        history: &mut History,
        new_id: &mut dyn FnMut() -> String,
    ) -> Option<Transition> {
        let Open {
            mut alert,
            age,
            cooldown,
            damping,
            ..
        } = *self.open.take()?;
        if alert.state == AlertState::Pending {
            return None;
        }
        if let Some(device) = device {
            alert.device = device.to_event();
        }
        alert.state = AlertState::Resolved;
        alert.lasted = age.elapsed(now);
        alert.ended_at = Some(now.wall);
        alert.ending = Some(ending);
        alert.damped = match cooldown {
            Cooldown::For(length) => damping.filter(|damping| *damping > length),
            Cooldown::Period => None,
        };
        alert.description = message::sentence(&alert, EventState::Resolved);
        let closed = history.close(alert);
        let alert = Arc::clone(&closed.alert);
        self.quiet = Some(Box::new(Quiet::after(now, cooldown, damping, closed)));
        Some(Transition {
            state: EventState::Resolved,
            event_id: new_id(),
            at: now.wall,
            alert,
        })
    }

    /// Forgets a silence, and what came before it, once that is long ago.
    fn expire(&mut self, now: &Now, period: Date) {
        let quiet = self.quiet.as_deref_mut();
        if quiet.is_some_and(|quiet| quiet.has_passed(now, period)) {
            self.quiet = None;
        }
    }

    /// The same where only the day is known.
    pub(super) fn sweep(&mut self, now: &Now, day: Date) {
        self.quiet = self
            .quiet
            .take()
            .filter(|quiet| !quiet.has_passed_by(now, day));
    }

    /// There is nothing to remember.
    pub(super) fn is_idle(&self) -> bool {
        self.open.is_none() && self.quiet.is_none()
    }

    pub(super) fn stage(&self) -> Stage {
        match &self.open {
            None => Stage::Idle,
            Some(open) if open.alert.state == AlertState::Pending => Stage::Pending,
            Some(open) if open.clear.is_some() => Stage::Clearing,
            Some(_) => Stage::Firing,
        }
    }

    fn signal(&self, now: &Now, finding: &Finding, is_muted: bool) -> Signal {
        if let Some(open) = &self.open {
            if open.alert.rule() != finding.rule {
                // A quota that counts another direction now.
                return Signal::Over(Ending::SwitchedOff);
            }
            if open.period_over(finding.period) {
                return Signal::Over(Ending::DayOver);
            }
        }
        let verdict = match finding.judgement {
            Judgement::Judged(verdict) => verdict,
            Judgement::OutOfHours => return Signal::Over(Ending::OutOfHours),
            Judgement::Off => return Signal::Over(Ending::SwitchedOff),
        };
        let is_hushed = || {
            let quiet = self.quiet.as_ref();
            quiet.is_some_and(|quiet| quiet.hushes(now, &verdict))
        };
        match verdict.level {
            Level::Broken if is_muted || is_hushed() => Signal::Within,
            Level::Broken => Signal::Broken,
            Level::Within => Signal::Within,
            Level::Clear => Signal::Clear,
        }
    }

    fn waited(&self, now: &Now, timing: &Timing) -> bool {
        let Some(open) = &self.open else {
            return false;
        };
        match self.stage() {
            Stage::Idle => false,
            Stage::Pending => open.age.elapsed(now) >= timing.for_,
            Stage::Firing => {
                let wants_reminder = open.alert.acknowledged.is_none() && !open.alert.muted;
                let is_due = |repeat| open.told.elapsed(now) >= repeat;
                wants_reminder && timing.repeat.is_some_and(is_due)
            }
            Stage::Clearing => {
                let is_over = |clear: Stopwatch| clear.elapsed(now) >= timing.clear_for;
                open.clear.is_some_and(is_over)
            }
        }
    }

    fn set_clear(&mut self, clear: Option<Stopwatch>) {
        if let Some(open) = &mut self.open {
            open.clear = clear;
        }
    }
}
