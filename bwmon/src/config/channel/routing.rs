//! Which events go to a channel, and when it must be quiet.

use super::super::{choice::choose, error::ConfigError, schedule, value::Scalar};
use super::entry::Entry;
use crate::core::{
    event::{Event, EventState, RuleKind, Severity},
    schedule::Schedule,
};

/// The keys that are read here.
pub(super) const KEYS: [&str; 6] = [
    "min_severity",
    "rules",
    "groups",
    "resolved",
    "reminders",
    "quiet_hours",
];

/// Which events go to a channel: those that pass all of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Routing {
    /// At least so bad.
    pub min_severity: Severity,
    /// Of these rules; `None`: of all.
    pub rules: Option<Vec<RuleKind>>,
    /// About members of these groups, or about the groups; `None`: about all.
    pub groups: Option<Vec<String>>,
    /// Also the ends of alerts.
    pub resolved: bool,
    /// Also reminders.
    pub reminders: bool,
}

impl Default for Routing {
    fn default() -> Self {
        Self {
            min_severity: Severity::Info,
            rules: None,
            groups: None,
            resolved: true,
            reminders: true,
        }
    }
}

impl Routing {
    /// Whether an event goes to the channel.
    pub fn takes(&self, event: &Event) -> bool {
        let Self {
            min_severity,
            rules,
            groups,
            resolved,
            reminders,
        } = self;
        let is_wanted = match event.state {
            EventState::Firing => true,
            EventState::Reminder => *reminders,
            EventState::Resolved => *resolved,
        };
        let among = |groups: &Vec<String>| {
            let group = event.device.group.as_ref();
            group.is_some_and(|group| groups.contains(group))
        };
        is_wanted
            && event.severity >= *min_severity
            && rules
                .as_ref()
                .is_none_or(|rules| rules.contains(&event.rule))
            && groups.as_ref().is_none_or(among)
    }
}

pub(super) fn read(entry: &Entry<'_, '_, '_>) -> Result<Routing, ConfigError> {
    let default = Routing::default();
    let severity = |value: &Scalar| {
        let word = value.text("\"info\", \"warning\" or \"critical\"")?;
        Ok(choose(word, &Severity::ALL, Severity::as_str)?)
    };
    let rule = |value: &Scalar| {
        let word = value.text("rules such as [\"surge\", \"quota\"]")?;
        Ok(choose(word, &RuleKind::ALL, RuleKind::as_str)?)
    };
    let resolved = entry.read("notify.resolved", Scalar::flag)?;
    let reminders = entry.read("notify.reminders", Scalar::flag)?;
    Ok(Routing {
        min_severity: entry
            .read("notify.min_severity", severity)?
            .unwrap_or(default.min_severity),
        rules: entry.list("notify.rules", rule)?,
        groups: entry.list("notify.groups", Scalar::label)?,
        resolved: resolved.unwrap_or(default.resolved),
        reminders: reminders.unwrap_or(default.reminders),
    })
}

/// One text or several, which add up.
pub(super) fn quiet_hours(entry: &Entry<'_, '_, '_>) -> Result<Option<Schedule>, ConfigError> {
    let hours = entry.list("notify.quiet_hours", |value| {
        Ok(schedule::parse(value.text(schedule::ALLOWED)?)?)
    })?;
    let joined = |hours: Vec<Schedule>| hours.into_iter().flat_map(|hours| hours.0).collect();
    Ok(hours.map(|hours| Schedule(joined(hours))))
}
