//! Which thresholds would have been quiet? Takes the days of a recording, proposes thresholds by
//! [`crate::core::suggest`], and plays them: what is promised of one is what came out.

use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;
use serde::Serialize;

use super::{
    Feed, Peaks, Recording,
    feed::DeviceFeed,
    limits,
    values::{self, DayValues},
};
use crate::{
    core::{
        event::{Direction, RuleKind, Unit},
        policy::{Limits, Policy, Registration, Rules, Scope, Selector, Setting},
        suggest::{Quantity, allowed, candidates, written},
    },
    replay::report::FoundAlert,
    store::{StoreError, time_of},
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

/// A proposal that is being tried.
struct Trial {
    subject: usize,
    rule: RuleKind,
    periods: usize,
    allowed: usize,
    candidates: Vec<u64>,
    place: usize,
    alerts: usize,
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
            alerts: trial.alerts,
            per_week: trial.alerts as f64 / weeks,
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
            trial.alerts = 0;
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
        if over > trial.allowed {
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

/// All whom something can be proposed for; and devices of which too little is known.
fn subjects(
    recording: &Recording,
    policy: &Policy,
) -> Result<(Vec<Subject>, Vec<(String, usize)>), StoreError> {
    let groups: Vec<&String> = policy.groups.keys().collect();
    let mut belongs = Vec::new();
    for (place, feed) in recording.feeds.iter().enumerate() {
        let Feed::Device(device) = feed else {
            belongs.push(Vec::new());
            continue;
        };
        let group = entry(policy, device).and_then(|entry| entry.group.as_ref());
        let group = group.and_then(|group| groups.iter().position(|other| *other == group));
        let group = group.map(|group| recording.feeds.len() + group);
        belongs.push([place].into_iter().chain(group).collect());
    }
    let count = recording.feeds.len() + groups.len();
    let mut days = values::days(recording, &belongs, count)?.into_iter();
    let (mut subjects, mut too_little, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
    for (feed, days) in recording.feeds.iter().zip(days.by_ref()) {
        let Feed::Device(device) = feed else {
            continue;
        };
        let entry = entry(policy, device);
        let name = device.shown(policy);
        if days.len() < LEAST_DAYS {
            if !days.is_empty() {
                too_little.push((name, days.len()));
            }
            continue;
        }
        if entry.is_none() {
            unknown.push(days.clone());
        }
        subjects.push(Subject {
            who: Who::Device {
                id: device.id.clone(),
                key: key(device, entry),
                registered_name: entry.and_then(|entry| entry.name.clone()),
                group: entry.and_then(|entry| entry.group.clone()),
            },
            name,
            rules: policy.rules(entry, &device.all_addresses()),
            days,
            pooled: Vec::new(),
        });
    }
    let volume = |subject: &Subject| -> u64 {
        let days = subject
            .days
            .values()
            .map(|day| day.bytes[Scope::All as usize]);
        days.fold(0, u64::saturating_add)
    };
    subjects.sort_by_cached_key(|subject| std::cmp::Reverse(volume(subject)));
    for (name, days) in groups.into_iter().zip(days) {
        if days.len() >= LEAST_DAYS {
            subjects.push(Subject {
                who: Who::Group(name.clone()),
                name: format!("group {name}"),
                rules: policy.group_rules(name).unwrap_or_default(),
                days,
                pooled: Vec::new(),
            });
        }
    }
    if !unknown.is_empty() {
        subjects.push(Subject {
            who: Who::Unknown,
            name: "unknown".to_owned(),
            rules: policy.rules(None, &[]),
            days: BTreeMap::new(),
            pooled: unknown,
        });
    }
    Ok((subjects, too_little))
}

fn entry<'a>(policy: &'a Policy, device: &DeviceFeed) -> Option<&'a Registration> {
    policy.registration(device.mac, &device.all_addresses())
}

/// Its key in the registered devices: that of its entry, unless that is about several.
fn key(device: &DeviceFeed, entry: Option<&Registration>) -> String {
    match entry.map(|entry| entry.selector) {
        Some(Selector::Address(address)) => address.to_string(),
        Some(Selector::Mac(mac)) => mac.to_string(),
        Some(Selector::Prefix(_)) | None => device.id.clone(),
    }
}

/// What is to be tried for a subject and rule; `None` where nothing is to be said of it.
fn trial(
    recording: &Recording,
    place: usize,
    subject: &Subject,
    rule: RuleKind,
    per_week: f64,
) -> Option<Trial> {
    if matches!(subject.who, Who::Group(_)) && rule == RuleKind::ActiveTime {
        // When any of them is active is not written down.
        return None;
    }
    let scope = rule_scope(&subject.rules, rule) as usize;
    let own = [&subject.days];
    let all: Vec<&BTreeMap<i64, DayValues>> = match subject.who {
        Who::Unknown => subject.pooled.iter().collect(),
        Who::Device { .. } | Who::Group(_) => own.to_vec(),
    };
    let longest = all.iter().map(|days| days.len()).max()?;
    let (values, periods, allowed) = if rule == RuleKind::Quota {
        let cycles: Vec<u64> = all
            .iter()
            .flat_map(|days| cycles(recording, &subject.rules, days, scope))
            .collect();
        let periods = cycles.len();
        (cycles, periods, 0)
    } else {
        let value = |day: &DayValues| match rule {
            RuleKind::Volume => day.bytes[scope],
            RuleKind::Rate => day.peak[scope],
            _ => day.active,
        };
        let values: Vec<u64> = all
            .iter()
            .flat_map(|days| days.values().map(value))
            .collect();
        (values, longest, allowed(per_week, longest))
    };
    let candidates = candidates(&values, allowed, quantity(rule));
    let present = threshold(&subject.rules, rule);
    (!candidates.is_empty() || (present.is_some() && periods > 0)).then_some(Trial {
        subject: place,
        rule,
        periods,
        allowed,
        candidates,
        place: 0,
        alerts: 0,
    })
}

/// Bytes of each whole billing cycle.
fn cycles(
    recording: &Recording,
    rules: &Rules,
    days: &BTreeMap<i64, DayValues>,
    scope: usize,
) -> Vec<u64> {
    let date = |minute| -> Date { time_of(minute).to_zoned(recording.zone.clone()).date() };
    let mut cycles: BTreeMap<Date, (i32, u64)> = BTreeMap::new();
    for (minute, day) in days {
        let start = rules.cycle.start(date(*minute));
        let (count, sum) = cycles.entry(start).or_default();
        *count += 1;
        *sum = sum.saturating_add(day.bytes[scope]);
    }
    let today = date(recording.to);
    let whole = cycles.into_iter().filter(|(start, (count, _))| {
        let end = rules.cycle.end(*start);
        end <= today && crate::core::cycle::days_between(*start, end) == *count
    });
    whole.map(|(_, (_, sum))| sum).collect()
}

fn quantity(rule: RuleKind) -> Quantity {
    match rule.unit() {
        Unit::Bytes => Quantity::Size,
        Unit::BytesPerSecond => Quantity::Rate,
        Unit::Seconds => Quantity::Time,
    }
}

fn threshold(rules: &Rules, rule: RuleKind) -> Option<u64> {
    match rule {
        RuleKind::Volume => rules.volume(),
        RuleKind::Rate => rules.bytes_per_sec(),
        RuleKind::ActiveTime => rules.active_time().map(|time| time.as_secs()),
        _ => rules.quota(),
    }
}

fn direction(rules: &Rules, rule: RuleKind) -> Direction {
    let quota = rules
        .list()
        .iter()
        .find(|each| each.rule.kind == RuleKind::Quota);
    match rule {
        RuleKind::Quota => quota.map_or(Direction::Total, |quota| quota.rule.direction),
        _ => Direction::Total,
    }
}

fn rule_scope(rules: &Rules, rule: RuleKind) -> Scope {
    let rule = rules.find(rule, direction(rules, rule));
    rule.and_then(|rule| rule.scope).unwrap_or_default()
}

/// The policy with what is proposed for each device and group.
fn with_own(policy: &Policy, subjects: &[Subject], trials: &[Trial]) -> Policy {
    let mut policy = policy.clone();
    let mut by_subject: HashMap<usize, Vec<&Trial>> = HashMap::new();
    for trial in trials {
        by_subject.entry(trial.subject).or_default().push(trial);
    }
    let mut own = Vec::new();
    for (place, trials) in by_subject {
        match &subjects[place].who {
            Who::Device { id, .. } => {
                let Some(entry) = own_entry(&policy, id, &subjects[place], &trials) else {
                    continue;
                };
                own.push(entry);
            }
            Who::Group(name) => {
                if let Some(group) = policy.groups.get_mut(name) {
                    set(&mut group.total, &trials);
                }
            }
            Who::Unknown => {}
        }
    }
    // Of several that are about the same device, the first one stands.
    own.append(&mut policy.registered);
    policy.registered = own;
    policy
}

fn own_entry(
    policy: &Policy,
    id: &str,
    subject: &Subject,
    trials: &[&Trial],
) -> Option<Registration> {
    let by_mac = id.parse().map(Selector::Mac).ok();
    let selector = by_mac.or_else(|| id.parse().map(Selector::Address).ok())?;
    let Who::Device {
        key,
        group,
        registered_name,
        ..
    } = &subject.who
    else {
        return None;
    };
    let known = policy.registered.iter().find(|entry| match entry.selector {
        Selector::Mac(mac) => mac.to_string() == *key,
        Selector::Address(address) => address.to_string() == *key,
        Selector::Prefix(_) => false,
    });
    let mut limits = known.map(|entry| entry.limits.clone()).unwrap_or_default();
    set(&mut limits, trials);
    Some(Registration {
        selector,
        name: registered_name.clone(),
        group: group.clone(),
        limits,
        muted: false,
    })
}

/// The policy with what is proposed for unknown devices.
fn with_unknown(policy: &Policy, subjects: &[Subject], trials: &[Trial]) -> Policy {
    let mut policy = policy.clone();
    let trials: Vec<&Trial> = trials
        .iter()
        .filter(|trial| subjects[trial.subject].who == Who::Unknown)
        .collect();
    set(&mut policy.unknown, &trials);
    policy
}

fn set(limits: &mut Limits, trials: &[&Trial]) {
    for trial in trials {
        let Some(value) = trial.candidates.get(trial.place).copied() else {
            continue;
        };
        match trial.rule {
            RuleKind::Volume => limits.volume.value.total = Setting::At(value),
            RuleKind::Rate => limits.rate.value.total = Setting::At(value),
            RuleKind::ActiveTime => {
                let time = std::time::Duration::from_secs(value);
                limits.active_time.value = Setting::At(time);
            }
            _ => limits.quota.value.limit = Setting::At(value),
        }
    }
}
