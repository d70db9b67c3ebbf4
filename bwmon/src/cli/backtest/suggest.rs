//! `bwmon backtest --suggest`: what is proposed, as a table, as JSON, and as a piece of
//! `registered_devices.json`.

use std::fmt::Write as _;

use anstyle::Style;
use serde_json::{Map, Value};

use super::amount;
use crate::{
    cli::{
        output::Look,
        printable::printable,
        table::{Column, Table},
    },
    core::event::RuleKind,
    replay::history::suggest::{LEAST_DAYS, Proposal, Suggestions, Who},
};

const PROPOSALS: [Column; 6] = [
    Column::rest("DEVICE"),
    Column::text("RULE"),
    Column::number("NOW"),
    Column::number("PER WEEK"),
    Column::number("SUGGESTED"),
    Column::number("PER WEEK"),
];

/// As people read it.
pub(super) fn table(suggestions: &Suggestions, per_week: f64, look: Look) -> String {
    let mut text = String::new();
    if suggestions.days < LEAST_DAYS {
        return too_short(suggestions);
    }
    if suggestions.proposals.is_empty() {
        text.push_str("nothing to suggest\n");
    } else {
        let mut table = Table::new(&PROPOSALS);
        for proposal in &suggestions.proposals {
            table.row(Style::new(), row(proposal));
        }
        text.push_str(&table.render(look));
    }
    text.push('\n');
    // Writing to a string does not fail.
    let mut line = |name: &str, value: String| writeln!(text, "{name:<10}{value}").unwrap_or(());
    line(
        "note",
        format!(
            "from {} days; at most {per_week} alerts a week each, as played on the same days",
            suggestions.days
        ),
    );
    line(
        "note",
        "--as-config prints what to put into registered_devices.json".to_owned(),
    );
    for (name, days) in &suggestions.too_little {
        let name = printable(name);
        line(
            "warning",
            format!("{name}: {days} days are too few, it takes {LEAST_DAYS}"),
        );
    }
    text
}

/// Why there is nothing.
pub(super) fn too_short(suggestions: &Suggestions) -> String {
    format!(
        "{} days of history are too few to suggest anything from, it takes {LEAST_DAYS}\n",
        suggestions.days
    )
}

fn row(proposal: &Proposal) -> [String; 6] {
    let value = |value: Option<u64>| {
        value.map_or_else(|| "-".to_owned(), |value| amount(value, proposal.unit))
    };
    let per_week = |threshold: Option<u64>, count: f64| match threshold {
        Some(_) => format!("{count:.1}"),
        None => "-".to_owned(),
    };
    [
        printable(&proposal.name).into_owned(),
        proposal.rule.as_str().to_owned(),
        value(proposal.present),
        per_week(proposal.present, proposal.present_per_week),
        value(proposal.suggested),
        per_week(proposal.suggested, proposal.per_week),
    ]
}

/// As a piece of `registered_devices.json`. Groups have their totals in the other file, so those are
/// comments.
pub(super) fn snippet(suggestions: &Suggestions) -> String {
    let mut entries: Vec<(String, Map<String, Value>)> = Vec::new();
    let mut groups: Vec<(&str, Vec<String>)> = Vec::new();
    for proposal in &suggestions.proposals {
        let Some(written) = &proposal.written else {
            continue;
        };
        let field = field(proposal.rule);
        let (key, given, group) = match &proposal.who {
            Who::Device {
                key,
                registered_name,
                group,
                ..
            } => (key.clone(), registered_name.as_ref(), group.as_ref()),
            Who::Unknown => ("unknown".to_owned(), None, None),
            Who::Group(name) => {
                let line = format!("#   {field} = {}", Value::from(&**written));
                match groups.last_mut().filter(|(other, _)| *other == name) {
                    Some((_, lines)) => lines.push(line),
                    None => groups.push((name, vec![line])),
                }
                continue;
            }
        };
        if entries.last().is_none_or(|(other, _)| *other != key) {
            let mut entry = Map::new();
            for (name, value) in [("name", given), ("group", group)] {
                if let Some(value) = value {
                    entry.insert(name.to_owned(), Value::from(&**value));
                }
            }
            entries.push((key.clone(), entry));
        }
        if let Some((_, entry)) = entries.last_mut() {
            entry.insert(field.to_owned(), Value::from(&**written));
        }
    }
    let entries: Vec<String> = entries
        .into_iter()
        .map(|(key, entry)| format!("  {}: {}", Value::from(key), Value::from(entry)))
        .collect();
    let mut text = format!("{{\n{}\n}}\n", entries.join(",\n"));
    for (name, lines) in groups {
        // Writing to a string does not fail.
        writeln!(
            text,
            "# in bwmon.toml:\n# [groups.{}.total]",
            Value::from(name)
        )
        .unwrap_or(());
        for line in lines {
            text.push_str(&line);
            text.push('\n');
        }
    }
    text
}

fn field(rule: RuleKind) -> &'static str {
    match rule {
        RuleKind::Volume => "bandwidth_threshold",
        RuleKind::Rate => "rate_threshold",
        RuleKind::ActiveTime => "max_active_time",
        RuleKind::Surge => "surge",
        RuleKind::Quota => "quota",
        RuleKind::NewDevice => "new_device",
        RuleKind::Silent => "silent",
    }
}
