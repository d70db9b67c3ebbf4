//! All that a policy says, wherever it says it.

use crate::core::{
    cycle::Cycle,
    event::RuleKind,
    policy::{Directed, Limits, Policy, Setting},
};

/// What each entry says.
pub(super) fn all(policy: &Policy) -> impl Iterator<Item = &Limits> {
    let entries = policy.registered.iter().map(|entry| &entry.limits);
    let groups = policy.groups.values();
    let groups = groups.flat_map(|group| [&group.members, &group.total]);
    entries
        .chain(groups)
        .chain(policy.interfaces.values())
        .chain([&policy.unknown, &policy.defaults])
}

fn all_mut(policy: &mut Policy) -> impl Iterator<Item = &mut Limits> {
    let entries = policy.registered.iter_mut().map(|entry| &mut entry.limits);
    let groups = policy.groups.values_mut();
    let groups = groups.flat_map(|group| [&mut group.members, &mut group.total]);
    entries
        .chain(groups)
        .chain(policy.interfaces.values_mut())
        .chain([&mut policy.unknown, &mut policy.defaults])
}

/// The same, with rules of these kinds alone.
pub(super) fn only(policy: &Policy, kinds: &[RuleKind]) -> Policy {
    let mut policy = policy.clone();
    let off = |kind| !kinds.contains(&kind);
    for limits in all_mut(&mut policy) {
        if off(RuleKind::Volume) {
            limits.volume.value = Directed::each(Setting::Off);
        }
        if off(RuleKind::Rate) {
            limits.rate.value = Directed::each(Setting::Off);
        }
        if off(RuleKind::Surge) {
            limits.surge.value.watch = Directed::each(Setting::Off);
        }
        if off(RuleKind::ActiveTime) {
            limits.active_time.value = Setting::Off;
        }
        if off(RuleKind::Quota) {
            limits.quota.value.limit = Setting::Off;
        }
        if off(RuleKind::NewDevice) {
            limits.new_device.value.watch = Setting::Off;
        }
        if off(RuleKind::Silent) {
            limits.silent.value = Setting::Off;
        }
    }
    policy
}

pub(super) fn watches_surges(limits: &Limits) -> bool {
    let watch = limits.surge.value.watch;
    [watch.total, watch.sent, watch.received].contains(&Setting::At(()))
}

/// The billing cycles that there are, if there is any quota.
pub(super) fn cycles(policy: &Policy) -> Vec<Cycle> {
    let has_quota = |limits: &Limits| matches!(limits.quota.value.limit, Setting::At(_));
    if !all(policy).any(has_quota) {
        return Vec::new();
    }
    let written = all(policy).filter_map(|limits| limits.quota.value.cycle);
    written.chain([Cycle::default()]).collect()
}

/// The lowest rate that any rule looks at, bytes per second.
pub(super) fn lowest_rate(policy: &Policy) -> u64 {
    let built_in = Limits::built_in();
    let rates = all(policy).chain([&built_in]).flat_map(|limits| {
        let Directed {
            total,
            sent,
            received,
        } = limits.rate.value;
        let floor = limits.surge.value.floor;
        let rates = [total, sent, received].map(Setting::value);
        rates.into_iter().chain([floor]).flatten()
    });
    let surge = crate::core::surge::Settings::default().floor;
    rates.chain([surge]).min().unwrap_or(0)
}
