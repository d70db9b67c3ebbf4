//! Whom thresholds can be proposed for, and what they did.

use std::collections::BTreeMap;

use super::{LEAST_DAYS, Subject, Who};
use crate::{
    core::policy::{Policy, Registration, Scope, Selector},
    replay::history::{Feed, Recording, feed::DeviceFeed, values},
    store::StoreError,
};

/// Devices of which too little is known, and how many days.
type TooLittle = Vec<(String, usize)>;

/// All whom something can be proposed for; and devices of which too little is known.
pub(super) fn subjects(
    recording: &Recording,
    policy: &Policy,
) -> Result<(Vec<Subject>, TooLittle), StoreError> {
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
