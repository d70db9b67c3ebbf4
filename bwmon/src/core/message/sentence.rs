//! The sentence of an event: who, what, how much over what, since when; then the details.

use std::time::Duration;

use super::{day, factor, share, shown, told_apart, who};
use crate::core::{
    alerts::{Alert, Ending},
    event::{Basis, Detail, Direction, EventState, RuleKind},
    human,
};

/// What to tell of an alert when it comes to this state.
pub fn sentence(alert: &Alert, state: EventState) -> String {
    match (state, alert.ending) {
        (EventState::Firing, _) => firing(alert),
        (EventState::Reminder, _) => reminder(alert),
        (EventState::Resolved, ending) => resolved(alert, ending.unwrap_or(Ending::Cleared)),
    }
}

fn firing(alert: &Alert) -> String {
    let who = who(&alert.device);
    let (observed, threshold) = values(alert);
    let lasted = human::duration(alert.lasted);
    let over = format!("over its threshold of {threshold}");
    let what = match alert.rule {
        RuleKind::Volume => format!("{who} has {} {observed} today, {over}", moved(alert)),
        RuleKind::Rate => format!("{who} has {} {observed} for {lasted}, {over}", sent(alert)),
        RuleKind::Surge => match usual(alert) {
            Some(usual) => format!(
                "{who} is {} {observed}, {usual}, for {lasted}",
                sending(alert)
            ),
            None => format!("{who} has {} {observed} for {lasted}, {over}", sent(alert)),
        },
        RuleKind::ActiveTime => format!("{who} has been active for {observed} today, {over}"),
        RuleKind::Quota => format!("{who} has {}", quota_so_far(alert)),
        RuleKind::NewDevice => return new_device(alert, &who),
        RuleKind::Silent => {
            format!("{who} has sent nothing for {observed}; it should at least every {threshold}")
        }
    };
    // Only after the bytes of a day it is clear that these are those of the day.
    let today = match alert.rule {
        RuleKind::Volume | RuleKind::ActiveTime => "",
        _ => " today",
    };
    let (sent, received) = (
        human::bytes(alert.today.sent),
        human::bytes(alert.today.received),
    );
    format!("{what}. Sent{today}: {sent}. Received{today}: {received}.")
}

fn reminder(alert: &Alert) -> String {
    let who = who(&alert.device);
    let (observed, threshold) = values(alert);
    let what = match alert.rule {
        RuleKind::Volume => format!(
            "has {} {observed} today, still over its threshold of {threshold}",
            moved(alert)
        ),
        RuleKind::Rate => format!(
            "is still {} {observed}; its threshold is {threshold}",
            sending(alert)
        ),
        RuleKind::Surge => match usual(alert) {
            Some(usual) => format!("is still {} {observed}, {usual}", sending(alert)),
            None => format!(
                "is still {} {observed}; its threshold is {threshold}",
                sending(alert)
            ),
        },
        RuleKind::ActiveTime => {
            format!("has been active for {observed} today, still over its threshold of {threshold}")
        }
        RuleKind::Quota => format!("still has {}", quota_so_far(alert)),
        RuleKind::NewDevice => "is still new on the network".to_owned(),
        RuleKind::Silent => format!(
            "has still sent nothing, for {observed} now; it should at least every {threshold}"
        ),
    };
    format!("{who} {what}; the alert lasts for {}.", course(alert))
}

fn resolved(alert: &Alert, ending: Ending) -> String {
    let who = who(&alert.device);
    let what = match alert.rule {
        RuleKind::Volume | RuleKind::Rate | RuleKind::ActiveTime => over_threshold(alert, ending),
        RuleKind::Surge => over_surge(alert, ending),
        RuleKind::Quota => over_quota(alert, ending),
        RuleKind::NewDevice => over_new_device(ending).to_owned(),
        RuleKind::Silent => over_silence(alert, ending),
    };
    let what = match ending {
        Ending::Joined => "turned out to be a device that has this alert already".to_owned(),
        _ => what,
    };
    let told_again = match alert.damped {
        Some(time) => format!(
            " It comes and goes: told again at the earliest in {}, unless it is twice as bad.",
            human::duration(time)
        ),
        None => String::new(),
    };
    format!(
        "{who} {what}; the alert lasted {}.{told_again}",
        course(alert)
    )
}

fn over_threshold(alert: &Alert, ending: Ending) -> String {
    let (observed, threshold) = values(alert);
    let did = match alert.rule {
        RuleKind::ActiveTime => "was active for",
        _ => moved(alert),
    };
    match ending {
        Ending::Cleared => format!("is no longer over its threshold of {threshold}"),
        Ending::DayOver => {
            let day = alert.today.day;
            format!("{did} {observed} on {day}, over its threshold of {threshold}")
        }
        Ending::SwitchedOff => format!("is no longer watched for its threshold of {threshold}"),
        Ending::OutOfHours => {
            format!("is not watched for its threshold of {threshold} at this hour")
        }
        Ending::Forgotten | Ending::Joined => {
            format!("is gone, after it was over its threshold of {threshold}")
        }
    }
}

fn over_surge(alert: &Alert, ending: Ending) -> String {
    let more = match alert.expected {
        Some(expected) => format!(
            "far more than the {} that is usual for it",
            human::bits_per_sec(expected)
        ),
        None => "far more than is usual for it".to_owned(),
    };
    let sending = sending(alert);
    match ending {
        Ending::Cleared | Ending::DayOver => format!("is no longer {sending} {more}"),
        Ending::SwitchedOff => format!("is no longer watched for {sending} {more}"),
        Ending::OutOfHours => format!("is not watched for {sending} {more} at this hour"),
        Ending::Forgotten | Ending::Joined => format!("is gone, after {sending} {more}"),
    }
}

fn over_quota(alert: &Alert, ending: Ending) -> String {
    let Detail::Quota {
        percent,
        limit,
        from,
        until,
        ..
    } = alert.detail
    else {
        return over_threshold(alert, ending);
    };
    let limit = human::bytes(limit);
    match ending {
        Ending::Cleared => format!("is no longer over {percent} % of its quota of {limit}"),
        Ending::DayOver => format!(
            "{} {} from {} to {}, over {percent} % of its quota of {limit}",
            moved(alert),
            human::bytes(alert.observed),
            day(from),
            day(until.yesterday().unwrap_or(until))
        ),
        Ending::SwitchedOff => format!("is no longer watched for its quota of {limit}"),
        Ending::OutOfHours => format!("is not watched for its quota of {limit} at this hour"),
        Ending::Forgotten | Ending::Joined => {
            format!("is gone, after it was over {percent} % of its quota of {limit}")
        }
    }
}

fn over_new_device(ending: Ending) -> &'static str {
    match ending {
        Ending::Cleared | Ending::DayOver => "is not new on the network any more",
        Ending::SwitchedOff => "is no longer watched as a new device",
        Ending::OutOfHours => "is not watched as a new device at this hour",
        Ending::Forgotten | Ending::Joined => "is gone, after it was new on the network",
    }
}

fn over_silence(alert: &Alert, ending: Ending) -> String {
    let threshold = shown(alert.rule.unit(), alert.threshold, human::DIGITS);
    match ending {
        Ending::Cleared | Ending::DayOver => {
            format!("sends again, after it had sent nothing for more than {threshold}")
        }
        Ending::SwitchedOff => format!("is no longer watched for {threshold} of silence"),
        Ending::OutOfHours => format!("is not watched for {threshold} of silence at this hour"),
        Ending::Forgotten | Ending::Joined => {
            format!("is gone, after it had sent nothing for more than {threshold}")
        }
    }
}

fn new_device(alert: &Alert, who: &str) -> String {
    let mac = match alert.device.mac {
        Some(mac) if mac.to_string() != alert.device.name => format!(", MAC {mac}"),
        _ => String::new(),
    };
    let private = match alert.detail {
        Detail::NewDevice { is_private: true } => "; its MAC address is a private (random) one",
        _ => "",
    };
    format!("A device that was never seen before is on the network: {who}{mac}{private}.")
}

/// What it used of its quota, and where that leads.
fn quota_so_far(alert: &Alert) -> String {
    let (did, used) = (moved(alert), human::bytes(alert.observed));
    let Detail::Quota {
        limit,
        from,
        until,
        forecast,
        ..
    } = alert.detail
    else {
        let threshold = human::bytes(alert.threshold);
        return format!("{did} {used}, over its threshold of {threshold}");
    };
    let quota = human::bytes(limit);
    let of_quota = match share(alert.observed, limit) {
        Some(percent) => format!("{percent} of its quota of {quota}"),
        None => format!("over its quota of {quota}"),
    };
    let pace = match forecast {
        Some(forecast) => format!(
            "; at this pace it will be {} by {}",
            human::bytes(forecast),
            day(until.yesterday().unwrap_or(until))
        ),
        None => String::new(),
    };
    format!("{did} {used} since {}, {of_quota}{pace}", day(from))
}

/// How a rate compares with what is expected.
fn usual(alert: &Alert) -> Option<String> {
    let expected = alert.expected?;
    let (basis, learned) = match alert.detail {
        Detail::Surge { learned, basis } => (basis, Duration::from_secs(learned)),
        _ => (Basis::Recent, Duration::ZERO),
    };
    let when = match basis {
        Basis::Recent => "in the last hours",
        Basis::HourOfDay => "at this hour",
        Basis::HourOfWeek => "at this hour of the week",
        Basis::BusyDay => "on a busy day",
    };
    let learned = match learned {
        Duration::ZERO => String::new(),
        learned => format!(" (learnt over {})", human::duration(learned)),
    };
    Some(match factor(alert.observed, expected) {
        Some(factor) => {
            let expected = human::bits_per_sec(expected);
            format!("{factor} the {expected} that is usual for it {when}{learned}")
        }
        None => format!("where nothing is usual for it {when}{learned}"),
    })
}

/// How long it lasts, and what happened in it.
fn course(alert: &Alert) -> String {
    let lasted = human::duration(alert.lasted);
    match alert.rule {
        // Of a silence, there is nothing to tell.
        RuleKind::Silent => lasted,
        _ => {
            let (sent, bytes) = (sent(alert), human::bytes(alert.moved_bytes));
            let peak = human::bits_per_sec(alert.peak_bytes_per_sec);
            format!("{lasted}, in which it {sent} {bytes} at up to {peak}")
        }
    }
}

fn values(alert: &Alert) -> (String, String) {
    told_apart(alert.rule.unit(), alert.observed, alert.threshold)
}

/// Of what adds up.
fn moved(alert: &Alert) -> &'static str {
    match alert.direction {
        Direction::Total => "used",
        Direction::Sent => "sent",
        Direction::Received => "received",
    }
}

/// Of what passes.
fn sent(alert: &Alert) -> &'static str {
    match alert.direction {
        Direction::Total => "moved",
        Direction::Sent => "sent",
        Direction::Received => "received",
    }
}

fn sending(alert: &Alert) -> &'static str {
    match alert.direction {
        Direction::Total => "moving",
        Direction::Sent => "sending",
        Direction::Received => "receiving",
    }
}
