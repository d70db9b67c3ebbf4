//! What the reader of a report should know.

use std::time::Duration;

use super::{capture::Capture, counting::Traffic, series::Series, timeline::Timeline};
use crate::core::{
    human,
    policy::{Condition, Policy},
};

/// Of the file and of what was in it.
pub(super) fn of_capture<R: std::io::Read>(
    capture: &Capture<R>,
    traffic: &Traffic,
    undated: u64,
) -> Vec<String> {
    let mut warnings = Vec::new();
    if capture.is_cut_off() {
        warnings.push(format!(
            "the file ends within a frame, at byte {}: what was there was read",
            capture.offset()
        ));
    }
    for (number, frames) in capture.foreign() {
        warnings.push(format!(
            "{frames} frames of link type {number} can't be read and are left out"
        ));
    }
    if undated > 0 {
        warnings.push(format!(
            "{undated} frames have no time: each counts as of the time of the frame before"
        ));
    }
    let left_out = [
        (traffic.non_ip, "have no IP header that can be read"),
        (traffic.outside, "are between addresses of no local network"),
        (traffic.overflow, "are of more addresses than are counted"),
    ];
    for (counter, what) in left_out {
        if counter.packets > 0 {
            warnings.push(format!(
                "{} frames ({}) {what}",
                counter.packets,
                human::bytes(counter.bytes)
            ));
        }
    }
    warnings
}

/// Of the order of its frames.
pub(super) fn of_timeline(timeline: &Timeline) -> Vec<String> {
    let mut warnings = Vec::new();
    if timeline.late > 0 {
        warnings.push(format!(
            "{} frames are older than frames before them: each counts as of the time of those",
            timeline.late
        ));
    }
    if timeline.jumps > 0 {
        warnings.push(format!(
            "the clock goes back or more than a month ahead in {} places: that time is not known",
            timeline.jumps
        ));
    }
    warnings
}

/// Of its rows.
pub(super) fn of_series(series: &Series) -> Vec<String> {
    let mut warnings = Vec::new();
    if series.repeated > 0 {
        warnings.push(format!(
            "{} rows have the time of the row before and are left out",
            series.repeated
        ));
    }
    let gaps = series.gaps();
    if gaps > 0 {
        warnings.push(format!(
            "rows are missing in {gaps} places: that time is not known, and not silence"
        ));
    }
    warnings
}

/// Rules that need more history than there is.
pub(super) fn of_history(policy: &Policy, played: Duration) -> Vec<String> {
    let rules = policy.rules(None, &[]);
    let mut warnings: Vec<String> = Vec::new();
    for rule in rules.list() {
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
