//! What the owner asks for while it runs: that an alert is taken care of, and what not to hear of.

use super::*;
use crate::core::{
    alerts::{AcknowledgeError, MuteError},
    event::RuleKind,
};

/// Most seconds that a mute may be asked for; who wants more means for ever.
pub(super) const MUTE_SECONDS: u64 = 10 * 365 * 24 * 3600;

/// Something to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Somebody takes care of an alert that fires: no more reminders.
    Acknowledge {
        /// Of the alert.
        id: String,
        /// Who; any text.
        by: Option<String>,
    },
    /// Nobody does after all.
    Unacknowledge {
        /// Of the alert.
        id: String,
    },
    /// Not to hear of something.
    Mute(NewMute),
    /// To hear of it again.
    Unmute {
        /// Of the mute.
        id: String,
    },
}

/// What not to hear of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMute {
    /// The id or an address of a device, or the id of a group or an interface; `None`: all of them.
    pub subject: Option<String>,
    /// Which rule; `None`: all of them.
    pub rule: Option<RuleKind>,
    /// For how long.
    pub end: MuteEnd,
    /// Why; any text.
    pub reason: Option<String>,
}

/// When a mute ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MuteEnd {
    /// When it is taken back.
    Never,
    /// After so many seconds of the wall clock.
    After(u64),
    /// Then.
    At(Timestamp),
}

/// What was done.
#[derive(Clone, Debug, PartialEq)]
pub enum Done {
    /// The alert as it is now.
    Alert(Arc<AlertView>),
    /// The mute as it is now.
    Muted(Arc<MuteView>),
    /// The mute is gone.
    Unmuted,
}

/// Why nothing was done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// Neither an open one nor one of the latest that are over.
    #[error("there is no alert {0:?}")]
    NoAlert(String),
    /// It can't be taken care of any more.
    #[error("alert {0:?} is over: only one that fires can be acknowledged")]
    Over(String),
    /// It can't be taken care of yet.
    #[error("alert {0:?} is only pending: nobody is told of it unless it fires")]
    Pending(String),
    /// Nothing has this id or address.
    #[error(
        "there is no device {0:?}: name one by its id or an address, a group as \"group:NAME\", an \
         interface as \"interface:NAME\""
    )]
    NoSubject(String),
    /// It would last too long.
    #[error("cannot mute for {0} s: write 1 to {MUTE_SECONDS}, or nothing to mute for ever")]
    TooLong(u64),
    /// There is no such mute, or no such mute can be.
    #[error(transparent)]
    Mute(#[from] MuteError),
}

impl Ledger {
    /// Does what is asked for. What is shown shows it from now on.
    pub fn command(
        &mut self,
        now: &Now,
        command: Command,
        new_id: &mut dyn FnMut() -> String,
    ) -> Result<Done, CommandError> {
        match command {
            Command::Acknowledge { id, by } => {
                let done = self.alerts.acknowledge(&id, now, by.as_deref());
                self.acknowledged(&id, done)
            }
            Command::Unacknowledge { id } => {
                let done = self.alerts.unacknowledge(&id);
                self.acknowledged(&id, done)
            }
            Command::Mute(new) => self.mute(now, new, new_id()),
            Command::Unmute { id } => self.unmute(&id),
        }
    }

    fn acknowledged(
        &mut self,
        id: &str,
        done: Result<(), AcknowledgeError>,
    ) -> Result<Done, CommandError> {
        match done {
            Ok(()) => {}
            Err(AcknowledgeError::Pending(id)) => return Err(CommandError::Pending(id)),
            Err(AcknowledgeError::Unknown(shown)) => {
                let is_over = self.alerts.closed().any(|alert| alert.id == id);
                return Err(match is_over {
                    true => CommandError::Over(shown),
                    false => CommandError::NoAlert(shown),
                });
            }
        }
        self.views.alerts.expire();
        let alert = self.alerts.open().find(|alert| alert.id == id);
        alert
            .map(|alert| Done::Alert(Arc::new(message::view(alert, &self.zone))))
            .ok_or_else(|| CommandError::NoAlert(message::printable(id)))
    }

    fn mute(&mut self, now: &Now, new: NewMute, id: String) -> Result<Done, CommandError> {
        let subject = match new.subject {
            Some(text) => Some(
                self.find_subject(&text)
                    .ok_or_else(|| CommandError::NoSubject(message::printable(&text)))?,
            ),
            None => None,
        };
        let until = match new.end {
            MuteEnd::Never => None,
            MuteEnd::At(until) => Some(until),
            MuteEnd::After(seconds) => {
                Some(later(now.wall, seconds).ok_or(CommandError::TooLong(seconds))?)
            }
        };
        let mute = Mute {
            id: id.clone(),
            subject,
            rule: new.rule,
            until,
            reason: new.reason,
            created_at: now.wall,
        };
        self.alerts.mute(now, mute.clone())?;
        // As it was taken in: what can't be shown is gone from its reason.
        let kept = self.alerts.mutes().find(|mute| mute.id == id);
        Ok(Done::Muted(Arc::new(view(
            kept.unwrap_or(&mute),
            &self.zone,
        ))))
    }

    fn unmute(&mut self, id: &str) -> Result<Done, CommandError> {
        let mute = self.alerts.unmute(id)?;
        // Who is at rest is looked at too: there may be something to tell by now.
        let concerned = self.devices.keys().filter(|id| {
            let subject = mute.subject.as_ref();
            subject.is_none_or(|subject| subject == *id)
        });
        self.busy_devices.extend(concerned.cloned());
        Ok(Done::Unmuted)
    }

    /// The id of what is called so.
    fn find_subject(&mut self, text: &str) -> Option<String> {
        if let Some(total) = self.totals.by_id(text) {
            return Some(total.id.clone());
        }
        let address: Option<IpAddr> = text.parse().ok();
        let mac: Option<MacAddr> = text.parse().ok();
        let ids = [
            address.and_then(|address| self.listed.get(&address).cloned()),
            address.map(|address| address.to_string()),
            mac.map(|mac| mac.to_string()),
        ];
        ids.into_iter()
            .flatten()
            .find(|id| self.devices.contains_key(id))
    }

    /// Mutes in force, in the order in which they were made.
    pub fn mute_views(&mut self) -> Arc<[Arc<MuteView>]> {
        let mutes = self.mutes_in_force();
        if let Some(shown) = &self.views.mutes
            && shown.mutes == mutes
        {
            return Arc::clone(&shown.views);
        }
        let zone = &self.zone;
        let views: Arc<[_]> = mutes
            .iter()
            .map(|mute| Arc::new(view(mute, zone)))
            .collect();
        let shown = Arc::clone(&views);
        self.views.mutes = Some(ShownMutes { mutes, views });
        shown
    }

    /// Where nothing moves, nobody has dropped yet what is over.
    fn mutes_in_force(&self) -> Vec<Mute> {
        let now = self.sampled_at;
        let mutes = self.alerts.mutes();
        mutes
            .filter(|mute| mute.until.is_none_or(|until| until > now))
            .cloned()
            .collect()
    }
}

fn later(now: Timestamp, seconds: u64) -> Option<Timestamp> {
    if !(1..=MUTE_SECONDS).contains(&seconds) {
        return None;
    }
    let seconds = i64::try_from(seconds).ok()?;
    now.checked_add(SignedDuration::from_secs(seconds)).ok()
}

fn view(mute: &Mute, zone: &TimeZone) -> MuteView {
    MuteView {
        id: mute.id.clone(),
        device: mute.subject.clone(),
        rule: mute.rule,
        until: mute.until.map(|until| rfc3339(until, zone)),
        reason: mute.reason.clone(),
        created_at: rfc3339(mute.created_at, zone),
    }
}
