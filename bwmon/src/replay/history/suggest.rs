//! Which thresholds would have been quiet? Takes the days of a recording, proposes thresholds by
//! [`crate::core::suggest`], and plays them: what is promised of one is what came out.

mod policies;
mod subjects;
mod trial;

use std::collections::BTreeMap;

use serde::Serialize;

use self::{
    policies::{with_own, with_unknown},
    subjects::subjects,
    trial::{Trial, direction, quantity, threshold, trial},
};
use super::{Peaks, Recording, limits, values::DayValues};
use crate::{
    core::{
        event::{RuleKind, Unit},
        policy::{Policy, Rules},
        suggest::written,
    },
    replay::report::FoundAlert,
    store::StoreError,
};

/// Days below which nothing follows from history.
pub const LEAST_DAYS: usize = 7;
/// Plays until all promises are kept; what is still not then is not proposed.
const MOST_PLAYS: usize = 12;

/// The rules that thresholds are proposed for.
const KINDS: [RuleKind; 4] = [
    RuleKind::Volume,
    RuleKind::ActiveTime,
    RuleKind::Rate,
    RuleKind::Quota,
];

/// Whom a proposal is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// A device.
    Device {
        /// Its id.
        id: String,
        /// Its key in the registered devices.
        key: String,
        /// What the owner calls it.
        registered_name: Option<String>,
        /// The group it is in.
        group: Option<String>,
    },
    /// All devices of a group together.
    Group(String),
    /// Each device that nobody registered.
    Unknown,
}

/// A threshold, and what it would have meant.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Proposal {
    /// Whom it is about.
    pub who: Who,
    /// What people call them.
    pub name: String,
    /// Which rule.
    pub rule: RuleKind,
    /// What thresholds are measured in.
    pub unit: Unit,
    /// Days that it stands on; of a quota, billing cycles.
    pub periods: usize,
    /// The threshold in force.
    pub present: Option<u64>,
    /// Alerts that it would have meant.
    pub present_alerts: usize,
    /// The same, a week.
    pub present_per_week: f64,
    /// What is proposed; `None` where no threshold makes sense.
    pub suggested: Option<u64>,
    /// As it is written in the configuration.
    pub written: Option<String>,
    /// Alerts that it would have meant.
    pub alerts: usize,
    /// The same, a week.
    pub per_week: f64,
}

/// All that is proposed.
#[derive(Clone, Debug, Default)]
pub struct Suggestions {
    /// By subject, in the order of what they moved.
    pub proposals: Vec<Proposal>,
    /// Devices of which too little is known, and how many days.
    pub too_little: Vec<(String, usize)>,
    /// Local days of the recording.
    pub days: usize,
}

/// Several series as one, or one.
struct Subject {
    who: Who,
    name: String,
    rules: Rules,
    days: BTreeMap<i64, DayValues>,
    /// Values that may be told of together: of each unknown device, all of their days.
    pooled: Vec<BTreeMap<i64, DayValues>>,
}

/// Proposes thresholds that would have meant no more than so many alerts a week, for each subject
/// and rule, and none where even the wildest would have meant more.
///
/// # Errors
///
/// When the database can't be read.
pub fn suggest(
    recording: &Recording,
    policy: &Policy,
    per_week: f64,
) -> Result<Suggestions, StoreError> {
    let days = recording.days();
    let mut suggestions = Suggestions {
        days,
        ..Suggestions::default()
    };
    if days < LEAST_DAYS {
        return Ok(suggestions);
    }
    let (subjects, too_little) = subjects(recording, policy)?;
    suggestions.too_little = too_little;
    let mut trials: Vec<Trial> = Vec::new();
    for (place, subject) in subjects.iter().enumerate() {
        trials.extend(
            KINDS
                .iter()
                .filter_map(|rule| trial(recording, place, subject, *rule, per_week)),
        );
    }
    let present = play(recording, policy)?;
    for _ in 0..MOST_PLAYS {
        if !try_all(recording, policy, &subjects, &mut trials)? {
            break;
        }
    }
    let weeks = days as f64 / 7.0;
    for trial in trials {
        let subject = &subjects[trial.subject];
        let now = threshold(&subject.rules, trial.rule);
        let present_alerts = count(&present, subject, trial.rule, None);
        let quiet = trial.candidates.get(trial.place).copied();
        let quiet = quiet.filter(|_| trial.is_kept);
        let alerts = if quiet.is_some() { trial.alerts } else { 0 };
        let quantity = quantity(trial.rule);
        suggestions.proposals.push(Proposal {
            who: subject.who.clone(),
            name: subject.name.clone(),
            rule: trial.rule,
            unit: trial.rule.unit(),
            periods: trial.periods,
            present: now,
            present_alerts,
            present_per_week: present_alerts as f64 / weeks,
            suggested: quiet,
            written: quiet.map(|value| written(value, quantity)),
            alerts,
            per_week: alerts as f64 / weeks,
        });
    }
    Ok(suggestions)
}

/// Plays what is proposed now, and goes on to the next candidate where a promise is not kept. Says
/// whether there was one.
fn try_all(
    recording: &Recording,
    policy: &Policy,
    subjects: &[Subject],
    trials: &mut [Trial],
) -> Result<bool, StoreError> {
    let own = play(recording, &with_own(policy, subjects, trials))?;
    let unknown = match subjects.iter().any(|subject| subject.who == Who::Unknown) {
        true => play(recording, &with_unknown(policy, subjects, trials))?,
        false => Vec::new(),
    };
    let mut has_moved = false;
    for trial in trials {
        let Some(threshold) = trial.candidates.get(trial.place) else {
            (trial.alerts, trial.is_kept) = (0, false);
            continue;
        };
        let subject = &subjects[trial.subject];
        let alerts = match subject.who {
            Who::Unknown => &unknown,
            Who::Device { .. } | Who::Group(_) => &own,
        };
        trial.alerts = count(alerts, subject, trial.rule, None);
        // Steps of a quota are told of on the way; that it is used up is what is promised.
        let over = match trial.rule {
            RuleKind::Quota => count(alerts, subject, trial.rule, Some(*threshold)),
            _ => trial.alerts,
        };
        trial.is_kept = over <= trial.allowed;
        if !trial.is_kept {
            trial.place += 1;
            has_moved = true;
        }
    }
    Ok(has_moved)
}

fn play(recording: &Recording, policy: &Policy) -> Result<Vec<FoundAlert>, StoreError> {
    let policy = limits::only(policy, &KINDS);
    Ok(recording.play_with(&policy, Peaks::Played)?.report.alerts)
}

/// Alerts by a rule about a subject; `least`: on thresholds of so much or more.
fn count(alerts: &[FoundAlert], subject: &Subject, rule: RuleKind, least: Option<u64>) -> usize {
    let is_about = |alert: &&FoundAlert| match &subject.who {
        Who::Device { id, .. } => alert.device == *id,
        Who::Group(name) => alert.device.strip_prefix("group:") == Some(&**name),
        Who::Unknown => alert.is_unknown,
    };
    alerts
        .iter()
        .filter(|alert| alert.rule == rule && alert.direction == direction(&subject.rules, rule))
        .filter(|alert| least.is_none_or(|least| alert.threshold >= least))
        .filter(is_about)
        .count()
}
