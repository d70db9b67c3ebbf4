//! The form in which a profile outlives the process: one line of text, at most 1.2 kB.

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use serde::{Deserialize, Serialize};

use super::*;

/// What the bytes mean. A later version that only adds to their end keeps this number.
const VERSION: u8 = 1;
/// Learning that is worth a write to flash.
const WORTH_SAVING: Duration = Duration::from_secs(6 * 3600);

/// What a [`Surge`] has learnt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SavedProfile(String);

/// Why nothing could be restored.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SavedError {
    /// Not what was saved.
    #[error("profile of past traffic is damaged; it is learnt anew")]
    Damaged,
    /// Saved by a later bwmon.
    #[error(
        "profile of past traffic has version {0}, which this bwmon does not know; it is learnt anew"
    )]
    Version(u8),
}

impl Surge {
    /// What is to be stored: all but the level.
    pub fn saved(&self) -> SavedProfile {
        let newest = self.profile.newest();
        let alert = self.alert.unwrap_or(Alert { first: 0, last: -1 });
        let mut bytes = vec![VERSION];
        for number in [newest, alert.first, alert.last] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend(self.learned.as_secs().to_le_bytes());
        let first = self.profile.known().next().map_or(newest, |(hour, _)| hour);
        bytes.extend(((newest - first) as u16 + 1).to_le_bytes());
        bytes.extend((first..=newest).map(|hour| self.profile.level(hour)));
        SavedProfile(STANDARD_NO_PAD.encode(bytes))
    }

    /// Whether so much was learnt since [`Self::stored`] that it should be saved.
    pub fn is_worth_saving(&self) -> bool {
        self.unsaved >= WORTH_SAVING
    }

    /// It is another's from now on, and what was saved is forgotten.
    pub fn is_to_be_saved(&mut self) {
        self.unsaved = self.unsaved.max(WORTH_SAVING);
    }

    /// What was [`saved`](Self::saved) is safe.
    pub fn stored(&mut self) {
        self.unsaved = Duration::ZERO;
    }

    /// Goes on from what was saved. The time in between is unknown.
    ///
    /// # Errors
    ///
    /// If the text is not what [`Self::saved`] made, or that of a later version.
    pub fn restore(saved: &SavedProfile, now: &Now) -> Result<Self, SavedError> {
        let bytes = STANDARD_NO_PAD
            .decode(&saved.0)
            .map_err(|_| SavedError::Damaged)?;
        let mut rest = bytes.as_slice();
        match take(&mut rest)? {
            [VERSION] => {}
            [version] => return Err(SavedError::Version(version)),
        }
        let newest = i64::from_le_bytes(take(&mut rest)?);
        let (first, last) = (
            i64::from_le_bytes(take(&mut rest)?),
            i64::from_le_bytes(take(&mut rest)?),
        );
        let learned = Duration::from_secs(u64::from_le_bytes(take(&mut rest)?));
        let hours = usize::from(u16::from_le_bytes(take(&mut rest)?));
        let levels = rest.get(..hours).ok_or(SavedError::Damaged)?;
        if !(1..=profile::HOURS).contains(&hours) || !PLAUSIBLE.contains(&newest) {
            return Err(SavedError::Damaged);
        }
        let mut profile = Profile::starting(newest);
        for (hour, level) in (newest + 1 - hours as i64..).zip(levels) {
            if *level != UNKNOWN {
                profile.reach(hour, *level);
            }
        }
        let here = hour(now);
        if here > newest {
            profile.advance(here, UNKNOWN);
        }
        Ok(Self {
            profile,
            learned,
            warm_up: WARM_UP,
            alert: (PLAUSIBLE.contains(&first) && (first..=newest).contains(&last))
                .then_some(Alert { first, last }),
            ..Self::new(now)
        })
    }
}

/// Hours that a clock can show: from 1970 to the year 9999.
const PLAUSIBLE: Range<i64> = 0..70_389_528;

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], SavedError> {
    let (taken, left) = rest.split_first_chunk().ok_or(SavedError::Damaged)?;
    *rest = left;
    Ok(*taken)
}
