//! Policies with what is proposed in force.

use std::collections::HashMap;

use super::{Subject, Trial, Who};
use crate::core::{
    event::RuleKind,
    policy::{Limits, Policy, Registration, Selector, Setting},
};

/// The policy with what is proposed for each device and group.
pub(super) fn with_own(policy: &Policy, subjects: &[Subject], trials: &[Trial]) -> Policy {
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
pub(super) fn with_unknown(policy: &Policy, subjects: &[Subject], trials: &[Trial]) -> Policy {
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
