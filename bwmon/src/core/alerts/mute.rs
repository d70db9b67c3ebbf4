//! What the owner does not want to hear of, for a while or until further notice.
//!
//! A mute ends by the wall clock, as people mean it: also while bwmon does not run.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::core::{event::RuleKind, message};

/// Most mutes at a time.
pub const MUTES: usize = 1000;
/// Most characters of what people write: who takes care, and why something is muted.
pub const TEXT_CHARS: usize = 200;
/// Most bytes of an id that a mute may name; those of subjects are far shorter.
const ID_BYTES: usize = 256;

/// No new alerts about this, and no reminders. What fires already is told when it is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mute {
    /// Its id.
    pub id: String,
    /// The id of the device, group or interface; `None`: all of them.
    pub subject: Option<String>,
    /// Which rule; `None`: all of them.
    pub rule: Option<RuleKind>,
    /// Until when; `None`: until it is taken back.
    pub until: Option<Timestamp>,
    /// Why, for people.
    pub reason: Option<String>,
    /// Since when.
    pub created_at: Timestamp,
}

/// Why something is not muted, or stays so.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MuteError {
    /// There are as many as there may be.
    #[error("cannot mute more: there are {MUTES} mutes already, end one first")]
    Full,
    /// It would be over before it begins.
    #[error("cannot mute until {0}: that is past, name a later time")]
    Past(Timestamp),
    /// No subject has such an id.
    #[error("cannot mute a subject whose id has {0} bytes, of which {ID_BYTES} are allowed")]
    LongId(usize),
    /// There is none with this id; perhaps it is over.
    #[error("no mute has the id {0:?}: see the list of mutes for those there are")]
    Unknown(String),
}

/// All that is muted.
#[derive(Clone, Debug, Default)]
pub(super) struct Mutes {
    list: Vec<Mute>,
    /// When the first of them ends.
    next_end: Option<Timestamp>,
}

/// Which rules are muted for a subject, in the order of [`RuleKind`].
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Muted {
    rules: [bool; RuleKind::ALL.len()],
}

impl Mutes {
    /// What nobody wants to hear of a subject. To be asked after [`Self::expire`].
    pub(super) fn of(&self, subject: &str) -> Muted {
        let about = |mute: &&Mute| mute.subject.as_ref().is_none_or(|muted| muted == subject);
        let mut muted = Muted::default();
        for mute in self.list.iter().filter(about) {
            match mute.rule {
                Some(rule) => muted.rules[rule as usize] = true,
                None => muted.rules.fill(true),
            }
        }
        muted
    }

    /// Drops those that are over. Says whether there were any.
    pub(super) fn expire(&mut self, wall: Timestamp) -> bool {
        let is_any_over = self.next_end.is_some_and(|end| end <= wall);
        if is_any_over {
            self.list
                .retain(|mute| mute.until.is_none_or(|until| until > wall));
            self.find_next_end();
        }
        is_any_over
    }

    /// Adds one; one with the same id gives way to it.
    pub(super) fn add(&mut self, wall: Timestamp, mut mute: Mute) -> Result<(), MuteError> {
        self.expire(wall);
        if let Some(until) = mute.until
            && until <= wall
        {
            return Err(MuteError::Past(until));
        }
        if let Some(subject) = &mute.subject
            && subject.len() > ID_BYTES
        {
            return Err(MuteError::LongId(subject.len()));
        }
        let others = self.list.iter().filter(|other| other.id != mute.id).count();
        if others >= MUTES {
            return Err(MuteError::Full);
        }
        mute.reason = shown(mute.reason.as_deref());
        self.list.retain(|other| other.id != mute.id);
        self.list.push(mute);
        self.find_next_end();
        Ok(())
    }

    /// Ends one.
    pub(super) fn remove(&mut self, id: &str) -> Result<Mute, MuteError> {
        let index = self.list.iter().position(|mute| mute.id == id);
        let index = index.ok_or_else(|| MuteError::Unknown(message::printable(id)))?;
        let mute = self.list.remove(index);
        self.find_next_end();
        Ok(mute)
    }

    /// Follows a subject that turned out to be another one.
    pub(super) fn join(&mut self, from: &str, to: &str) {
        for mute in &mut self.list {
            if mute.subject.as_deref() == Some(from) {
                mute.subject = Some(to.to_owned());
            }
        }
    }

    /// In the order in which they were made.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Mute> {
        self.list.iter()
    }

    /// Goes on with what was saved, as far as there is room.
    pub(super) fn restore(saved: impl IntoIterator<Item = Mute>) -> Self {
        let mut mutes = Self {
            list: saved.into_iter().take(MUTES).collect(),
            next_end: None,
        };
        mutes.find_next_end();
        mutes
    }

    fn find_next_end(&mut self) {
        self.next_end = self.list.iter().filter_map(|mute| mute.until).min();
    }
}

impl Muted {
    pub(super) fn has(self, rule: RuleKind) -> bool {
        self.rules[rule as usize]
    }
}

/// What somebody wrote, as far as it can be shown.
pub(super) fn shown(text: Option<&str>) -> Option<String> {
    text.map(|text| message::printable_within(text, TEXT_CHARS))
        .filter(|text| !text.is_empty())
}
