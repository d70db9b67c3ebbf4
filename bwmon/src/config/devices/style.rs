//! How what is added to the file looks: as what is there.

use serde_json::Value;

use super::members::{Comma, Document, Member, Object};
use crate::core::text::is_harmless;

/// Where nothing is there to go by.
const INDENTATION: &str = "  ";

/// How members of an object are written.
#[derive(Clone, Debug)]
pub(super) struct Style {
    /// Before a member, where each has a line of its own.
    pub(super) indentation: String,
    /// Between two members on one line, the comma left aside.
    pub(super) gap: String,
    colon: String,
    is_spread: bool,
}

impl Style {
    /// Of what is in an object, or would be.
    pub(super) fn of(document: &Document, object: &Object) -> Self {
        match object.members.as_slice() {
            [] => Self::of_empty(document, object),
            members => Self::of_members(document, object, members),
        }
    }

    /// Each member has a line of its own.
    pub(super) fn is_spread(&self) -> bool {
        self.is_spread
    }

    /// A member, its value as text.
    pub(super) fn member(&self, key: &str, value: &str) -> String {
        format!("{}{}{value}", quoted(key), self.colon)
    }

    fn of_members(document: &Document, object: &Object, members: &[Member]) -> Self {
        let text = document.text;
        let last = &members[members.len() - 1];
        let before = match members {
            [.., before, _] => before.value.end,
            _ => object.open,
        };
        let colon = &text[last.name.end..last.value.start];
        let colon = if is_plain(colon, ":") { colon } else { ": " };
        let gap = &text[before..last.name.start];
        let gap = match members.len() {
            1 => None,
            _ if is_plain(gap, ",") => gap.split_once(',').map(|(_, gap)| gap.to_owned()),
            _ => None,
        };
        Self {
            indentation: document.indentation(last.name.start).to_owned(),
            gap: gap.unwrap_or_else(|| if colon == ":" { "" } else { " " }.to_owned()),
            colon: colon.to_owned(),
            is_spread: text[before..last.name.start].contains('\n'),
        }
    }

    fn of_empty(document: &Document, object: &Object) -> Self {
        let root = document.root();
        let is_root = root.as_ref().is_some_and(|root| root.open == object.open);
        let first = root.as_ref().and_then(|root| root.members.first());
        let unit = first.map(|member| document.indentation(member.name.start));
        let unit = unit.filter(|unit| !unit.is_empty()).unwrap_or(INDENTATION);
        Self {
            indentation: format!("{}{unit}", document.indentation(object.open)),
            gap: " ".to_owned(),
            colon: ": ".to_owned(),
            is_spread: is_root,
        }
    }
}

/// An object as the value of a new member of `root`: as its last neighbour is written that is one.
pub(super) fn entry(document: &Document, root: &Object, members: &[(&String, &Value)]) -> String {
    let neighbour = root.members.iter().rev().find_map(|member| {
        let object = document.object_of(member)?;
        let last = object.members.last()?;
        let is_ended = matches!(document.comma(last, object.close), Comma::Last(_));
        Some((Style::of(document, &object), object, is_ended))
    });
    let Some((style, object, is_ended)) = neighbour else {
        return inline_object(members.iter().copied());
    };
    let written: Vec<String> = members
        .iter()
        .map(|(key, value)| style.member(key, &inline(value)))
        .collect();
    let end = if is_ended { "," } else { "" };
    if written.is_empty() {
        return "{}".to_owned();
    }
    if style.is_spread() {
        let newline = document.newline();
        let between = format!(",{newline}{}", style.indentation);
        let outside = Style::of(document, root).indentation;
        return format!(
            "{{{newline}{}{}{end}{newline}{outside}}}",
            style.indentation,
            written.join(&between),
        );
    }
    let pad = match document.text[object.open + 1..].starts_with('"') {
        true => "",
        false => " ",
    };
    let between = format!(",{}", style.gap);
    format!("{{{pad}{}{end}{pad}}}", written.join(&between))
}

/// A value on one line.
pub(super) fn inline(value: &Value) -> String {
    match value {
        Value::Object(members) => inline_object(members.iter()),
        Value::Array(items) => {
            let items = items.iter().map(inline);
            format!("[{}]", items.collect::<Vec<_>>().join(", "))
        }
        Value::String(text) => quoted(text),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

fn inline_object<'a>(members: impl Iterator<Item = (&'a String, &'a Value)>) -> String {
    let members: Vec<String> = members
        .map(|(key, value)| format!("{}: {}", quoted(key), inline(value)))
        .collect();
    match members.is_empty() {
        true => "{}".to_owned(),
        false => format!("{{ {} }}", members.join(", ")),
    }
}

/// Text as JSON, in which what can't be seen or steers the reader is escaped.
fn quoted(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 2);
    for c in Value::from(text).to_string().chars() {
        if is_harmless(c) {
            escaped.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            escaped.push_str(&format!("\\u{unit:04x}"));
        }
    }
    escaped
}

/// Whether there is nothing but this and space on one line.
fn is_plain(text: &str, mark: &str) -> bool {
    text.trim_matches([' ', '\t']) == mark
}
