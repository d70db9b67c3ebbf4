//! `bwmon check`: is the configuration right, and what would `run` do with it?

use std::{fmt::Write as _, process::ExitCode};

use super::{
    args::{Options, RunArgs},
    output, printable,
};
use crate::{
    config::{self, Config, LocalNetworks},
    core::{
        cycle::Cycle,
        event::{Direction, RuleKind, Severity},
        human,
        policy::{Condition, InForce, Rules},
    },
};

/// Exit status of a check that found something.
const FOUND: u8 = 1;

/// Reads the configuration as `run` would. Status 1 when there is a mistake in it.
pub fn check(options: &Options, args: &RunArgs) -> anyhow::Result<ExitCode> {
    match config::load(&args.overrides(options)) {
        Ok(config) => {
            output::print(&summary(&config))?;
            Ok(ExitCode::SUCCESS)
        }
        Err(errors) => {
            output::print(&format!("{errors}\n"))?;
            Ok(ExitCode::from(FOUND))
        }
    }
}

fn summary(config: &Config) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: String| {
        // Writing to a string does not fail.
        writeln!(text, "{name:<16}{value}").ok();
    };
    let list = |items: Vec<String>, none: &str| {
        if items.is_empty() {
            none.to_owned()
        } else {
            items.join(", ")
        }
    };
    let files = config
        .sources
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    line("files", list(files, "none: built-in defaults"));
    line(
        "interfaces",
        list(config.interfaces.clone(), "found automatically"),
    );
    line(
        "local networks",
        match &config.local_networks {
            LocalNetworks::Auto => "those of the interfaces".to_owned(),
            LocalNetworks::List(networks) => {
                list(networks.iter().map(ToString::to_string).collect(), "none")
            }
        },
    );
    line("listen", config.http.listen.to_string());
    line("state", config.state_dir.display().to_string());
    let channels = config.notify.iter().map(|channel| channel.name.clone());
    line(
        "notify",
        list(channels.collect(), "nobody: alerts are only shown"),
    );
    line(
        "devices",
        format!("{} registered", config.policy.registered.len()),
    );
    let policy = &config.policy;
    line("unknown devices", in_words(&policy.rules(None, &[])));
    let about = |name: &str, rules: Rules| format!("{}: {}", printable(name), in_words(&rules));
    for name in policy.groups.keys() {
        line("group", about(name, policy.member_rules(name)));
        if let Some(rules) = policy.group_rules(name) {
            line("group in total", about(name, rules));
        }
    }
    for name in policy.interfaces.keys() {
        if let Some(rules) = policy.interface_rules(name) {
            line("interface", about(name, rules));
        }
    }
    for warning in &config.warnings {
        line("warning", warning.clone());
    }
    line("result", "ok".to_owned());
    text
}

/// The rules in force, on one line.
fn in_words(rules: &Rules) -> String {
    let list = rules.list();
    let hours = list.first().and_then(|rule| rule.schedule.as_ref());
    let hours = hours.filter(|hours| {
        list.iter()
            .all(|rule| rule.schedule.as_ref() == Some(hours))
    });
    let parts: Vec<String> = list
        .iter()
        // The steps of a quota are told with the first of them.
        .filter(|rule| rule.rule.step == 0)
        .map(|rule| {
            format!(
                "{}{}",
                condition(rule, rules),
                remarks(rule, hours.is_some())
            )
        })
        .collect();
    let parts = parts.join(", ");
    match hours {
        _ if parts.is_empty() => "no thresholds".to_owned(),
        // Told once where all have the same.
        Some(hours) => format!("{parts}; only {hours}"),
        None => parts,
    }
}

fn condition(rule: &InForce, rules: &Rules) -> String {
    let direction = match rule.rule.direction {
        Direction::Total => "",
        Direction::Sent => " sent",
        Direction::Received => " received",
    };
    match rule.condition {
        Condition::Volume(limit) => format!("{}{direction} a day", human::bytes(limit)),
        Condition::Rate(limit) => format!("{}{direction}", human::bits_per_sec(limit)),
        Condition::Surge(settings) => {
            format!("{} times the usual rate{direction}", settings.factor)
        }
        Condition::ActiveTime(limit) => format!("active {} a day", human::duration(limit)),
        Condition::Quota { limit, .. } => {
            let limit = human::bytes(limit);
            format!("{limit}{direction} {}{}", cycle(rules.cycle), steps(rules))
        }
        Condition::NewDevice { .. } => "new devices".to_owned(),
        Condition::Silent(limit) => format!("silent for {}", human::duration(limit)),
    }
}

fn cycle(cycle: Cycle) -> String {
    match cycle {
        Cycle::DayOfMonth(1) => "a month".to_owned(),
        Cycle::DayOfMonth(day) => format!("a month from day {day}"),
        Cycle::FromMonthsEnd(before) => format!("a month from day -{before}"),
        Cycle::Every { days, from } => format!("in {days} days from {from}"),
    }
}

/// Of a quota: when somebody is told, and when bytes don't count.
fn steps(rules: &Rules) -> String {
    let percents = rules.list().iter().filter_map(|rule| match rule.condition {
        Condition::Quota { percent, .. } => Some(percent.to_string()),
        _ => None,
    });
    let percents = percents.collect::<Vec<_>>().join("/");
    match rules.free.as_ref().filter(|free| !free.0.is_empty()) {
        Some(free) => format!(" at {percents} % except {free}"),
        None => format!(" at {percents} %"),
    }
}

/// What is unusual about a rule, in brackets.
fn remarks(rule: &InForce, are_hours_told: bool) -> String {
    let usual = match rule.rule.kind {
        RuleKind::NewDevice => Severity::Info,
        _ => Severity::Warning,
    };
    let has_steps = rule.rule.kind == RuleKind::Quota;
    let severity = (rule.severity != usual && !has_steps).then(|| rule.severity.as_str());
    let hours = rule.schedule.as_ref().filter(|_| !are_hours_told);
    let remarks: Vec<String> = [
        severity.map(str::to_owned),
        rule.scope.map(|scope| scope.as_str().to_owned()),
        hours.map(ToString::to_string),
    ]
    .into_iter()
    .flatten()
    .collect();
    if remarks.is_empty() {
        String::new()
    } else {
        format!(" ({})", remarks.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Overrides;

    #[test]
    fn what_is_in_force_is_told_of_unknown_devices_groups_and_interfaces() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("bwmon.toml");
        std::fs::write(
            &file,
            r#"
            timezone = "UTC"

            [defaults]
            bandwidth_threshold = { sent = "1 GB" }
            new_device = { severity = "critical", schedule = "22:00-06:00" }

            [groups.guests]
            rate_threshold = { total = "20 Mbit/s", scope = "all" }
            surge = false
            max_active_time = "off"
            quota = { limit = "50 GB", free = "off" }
            [groups.guests.total]
            bandwidth_threshold = "20 GB"

            [groups.kids]
            schedule = "Sun-Thu 21:00-06:00"
            new_device = false

            [interface_limits.wan0]
            quota = { limit = "500 GB", direction = "received", cycle = 15, steps = [80, 100], free = "02:00-08:00" }
            silent = { after = "10min", severity = "critical" }
            "#,
        )
        .unwrap();
        let overrides = Overrides {
            config: Some(file),
            ..Overrides::default()
        };
        let text = summary(&config::load(&overrides).unwrap());
        let text = text.replace(&format!("{}/", directory.path().display()), "");
        insta::assert_snapshot!(text, @r#"
        files           bwmon.toml
        interfaces      found automatically
        local networks  those of the interfaces
        listen          127.0.0.1:4000
        state           /var/lib/bwmon
        notify          nobody: alerts are only shown
        devices         0 registered
        unknown devices 5 GB a day, 1 GB sent a day, 50 Mbit/s, 2 times the usual rate sent, 2 times the usual rate received, active 5 h a day, new devices (critical, 22:00-06:00)
        group           guests: 5 GB a day, 1 GB sent a day, 20 Mbit/s (all), 50 GB a month at 50/80/100 %, new devices (critical, 22:00-06:00)
        group in total  guests: 20 GB a day
        group           kids: 5 GB a day, 1 GB sent a day, 50 Mbit/s, 2 times the usual rate sent, 2 times the usual rate received, active 5 h a day; only Sun-Thu 21:00-06:00
        interface       wan0: 500 GB received a month from day 15 at 80/100 % except 02:00-08:00, silent for 10 min (critical)
        warning         groups: no registered device is in "guests"; its limits have no effect until an entry says "group": "guests"
        warning         groups: no registered device is in "kids"; its limits have no effect until an entry says "group": "kids"
        result          ok
        "#);
    }

    #[test]
    fn without_files_the_built_in_rules_are_told() {
        let rules = crate::core::policy::Policy::default().rules(None, &[]);
        insta::assert_snapshot!(in_words(&rules), @"5 GB a day, 50 Mbit/s, 2 times the usual rate sent, 2 times the usual rate received, active 5 h a day, new devices");
        assert_eq!(in_words(&Rules::default()), "no thresholds");
    }
}
