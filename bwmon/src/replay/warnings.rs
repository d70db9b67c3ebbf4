//! What the reader of a report should know.

use std::{io::Read, time::Duration};

use super::{capture::Capture, counting::Traffic, series::Series, timeline::Timeline};
use crate::core::{
    human,
    policy::{Condition, Policy},
};

/// Of the file and of what was in it.
pub(super) fn of_capture<R: Read>(
    capture: &Capture<R>,
    traffic: &Traffic,
    undated: u64,
) -> Vec<String> {
    let mut warnings = Vec::new();
    if capture.is_cut_off() {
        warnings.push(format!(
            "the file ends within a frame, at byte {}; what was whole was read",
            capture.offset()
        ));
    }
    for (number, frames) in capture.foreign() {
        warnings.push(format!(
            "frames of link type {number}, which can't be read: {frames}"
        ));
    }
    if undated > 0 {
        warnings.push(format!(
            "frames without a time, counted as of the frame before: {undated}"
        ));
    }
    for (what, counter, advice) in [
        ("without an IP header", traffic.non_ip, ""),
        ("of no local network", traffic.outside, "; see --local"),
        ("of too many addresses", traffic.overflow, ""),
    ] {
        if counter.packets > 0 {
            let (frames, bytes) = (counter.packets, human::bytes(counter.bytes));
            warnings.push(format!("frames {what}: {frames}, {bytes}{advice}"));
        }
    }
    warnings
}

/// Of the order of its frames.
pub(super) fn of_timeline(timeline: &Timeline) -> Vec<String> {
    let late = (timeline.late > 0).then(|| {
        format!(
            "frames older than some before them, counted as of those: {}",
            timeline.late
        )
    });
    let jumps = (timeline.jumps > 0).then(|| {
        format!(
            "places where the clock goes back or more than a month ahead, time not known: {}",
            timeline.jumps
        )
    });
    late.into_iter().chain(jumps).collect()
}

/// Of its rows.
pub(super) fn of_series(series: &Series) -> Vec<String> {
    let repeated = (series.repeated > 0).then(|| {
        format!(
            "rows with the time of the row before, left out: {}",
            series.repeated
        )
    });
    let gaps = match series.gaps() {
        0 => None,
        gaps => Some(format!(
            "places where rows are missing, time not known: {gaps}"
        )),
    };
    repeated.into_iter().chain(gaps).collect()
}

/// Rules that need more history than there is.
pub(super) fn of_history(policy: &Policy, played: Duration) -> Vec<String> {
    let mut warnings: Vec<String> = Vec::new();
    for rule in policy.rules(None, &[]).list() {
        let learn = match rule.condition {
            Condition::Surge(settings) => settings.learn,
            Condition::NewDevice { learn, .. } => learn,
            Condition::Volume(_)
            | Condition::Rate(_)
            | Condition::ActiveTime(_)
            | Condition::Quota { .. }
            | Condition::Silent(_) => continue,
        };
        let warning = format!(
            "{} could not fire: it learns for {} first, and this is {} long",
            rule.rule.kind.as_str(),
            human::duration(learn),
            human::duration(played)
        );
        if played < learn && !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }
    warnings
}
