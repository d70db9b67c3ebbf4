//! Changes one member of an object in a text, and leaves every other byte where it is.
//!
//! Each function takes a text that can be read and returns a new one. `None`: the text is not what it
//! was taken for, which its caller has to find out before.

use serde_json::{Map, Value};

use super::{
    members::{Comma, Document, Member, Object, RestOfLine},
    style::{Style, inline},
};

/// Brings an object in line with a merge patch (RFC 7396). `path`: the keys that lead to it.
/// `style`: of what is added to it.
pub(super) fn merge(
    text: &str,
    path: &[&str],
    patch: &Map<String, Value>,
    order: &dyn Fn(&str) -> usize,
) -> Option<String> {
    let mut text = text.to_owned();
    let mut keys: Vec<&String> = patch.keys().collect();
    keys.sort_by_key(|key| order(key));
    for key in keys {
        text = merge_one(&text, path, key, &patch[key])?;
    }
    Some(text)
}

fn merge_one(text: &str, path: &[&str], key: &str, value: &Value) -> Option<String> {
    let document = Document::new(text)?;
    let object = find(&document, path)?;
    let index = object.members.iter().position(|member| member.key == key);
    match (index, value) {
        (None, Value::Null) => Some(text.to_owned()),
        (None, _) => insert(&document, &object, key, &inline(&without_nulls(value))),
        (Some(index), Value::Null) => remove(&document, &object, index, Comments::Stay),
        (Some(index), Value::Object(patch)) => {
            let member = &object.members[index];
            if document.object_of(member).is_none() {
                return set(&document, member, &without_nulls(value));
            }
            let path: Vec<&str> = path.iter().copied().chain([key]).collect();
            merge(text, &path, patch, &|_| 0)
        }
        (Some(index), _) => set(&document, &object.members[index], value),
    }
}

/// The object that these keys lead to.
pub(super) fn find(document: &Document, path: &[&str]) -> Option<Object> {
    let mut object = document.root()?;
    for key in path {
        let member = object.members.iter().find(|member| member.key == *key)?;
        object = document.object_of(member)?;
    }
    Some(object)
}

/// What a merge patch makes of nothing.
pub(super) fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key.clone(), without_nulls(value)))
            .collect(),
        _ => value.clone(),
    }
}

/// Gives a member another value. Comments that were inside the old one go behind the new one.
fn set(document: &Document, member: &Member, value: &Value) -> Option<String> {
    let text = document.text;
    if document.value(member.value.clone())? == *value {
        return Some(text.to_owned());
    }
    let mut new = inline(value);
    for comment in document.comments(member.value.clone()) {
        new.push(' ');
        new.push_str(&text[comment.clone()]);
        if !text[comment.clone()].starts_with("/*") {
            new.push_str(document.newline());
            new.push_str(document.indentation(member.name.start));
        }
    }
    Some(spliced(text, &[(member.value.clone(), &new)]))
}

/// Adds a member behind all others. `value`: its text.
pub(super) fn insert(
    document: &Document,
    object: &Object,
    key: &str,
    value: &str,
) -> Option<String> {
    let text = document.text;
    let style = Style::of(document, object);
    let member = style.member(key, value);
    let Some(last) = object.members.last() else {
        return Some(insert_first(document, object, &style, &member));
    };
    let newline = document.newline();
    let comma = document.comma(last, object.close);
    let (behind, is_ended) = match comma {
        Comma::Last(at) => (at + 1, true),
        _ => (last.value.end, false),
    };
    let at = match document.rest_of_line(behind) {
        RestOfLine::Empty(end) | RestOfLine::Used(end) => end,
    };
    let follows_line_comment = document
        .comments(behind..at)
        .last()
        .is_some_and(|comment| !text[comment.clone()].starts_with("/*"));
    let mut new = match style.is_spread() || follows_line_comment {
        true => format!("{newline}{}{member}", style.indentation),
        false => format!("{}{member}", style.gap),
    };
    if is_ended {
        new.push(',');
    }
    let comma = if is_ended { "" } else { "," };
    let ends = last.value.end..last.value.end;
    Some(spliced(text, &[(ends, comma), (at..at, &new)]))
}

fn insert_first(document: &Document, object: &Object, style: &Style, member: &str) -> String {
    let text = document.text;
    let Object { open, close, .. } = *object;
    let newline = document.newline();
    let inside = &text[open + 1..close];
    let line = document.line_start(close);
    if line > open && text[line..close].trim().is_empty() {
        let new = format!("{}{member}{newline}", style.indentation);
        return spliced(text, &[(line..line, &new)]);
    }
    let is_blank = inside.trim().is_empty();
    let place = match is_blank {
        true => open + 1..close,
        false => close..close,
    };
    let new = match style.is_spread() {
        true => format!(
            "{newline}{}{member}{newline}{}",
            style.indentation,
            document.indentation(open)
        ),
        false if is_blank || !inside.ends_with([' ', '\t']) => format!(" {member} "),
        false => format!("{member} "),
    };
    spliced(text, &[(place, &new)])
}

/// What becomes of comments inside of what is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comments {
    /// They stay where it was.
    Stay,
    /// They go with it.
    Go,
}

/// Removes a member, and the line that it leaves empty.
pub(super) fn remove(
    document: &Document,
    object: &Object,
    index: usize,
    comments: Comments,
) -> Option<String> {
    let text = document.text;
    let member = object.members.get(index)?;
    let start = member.name.start;
    let mut end = member.value.end;
    let inside = document.comments(start..end);
    let mut cuts = Vec::new();
    let comma = match document.comma(member, object.close) {
        Comma::Between(at) | Comma::Last(at) => Some(at),
        // The comma that is left over is the one before it.
        Comma::None => {
            let before = index.checked_sub(1).map(|index| &object.members[index]);
            if let Some(before) = before
                && let Comma::Between(at) = document.comma(before, object.close)
            {
                cuts.push((at..at + 1, String::new()));
            }
            None
        }
    };
    let mut kept = String::new();
    if comments == Comments::Stay {
        for comment in inside {
            kept.push_str(&text[comment.clone()]);
            kept.push_str(match text[comment.clone()].starts_with("/*") {
                true => " ",
                false => document.newline(),
            });
        }
    }
    match comma {
        Some(at) if text[end..at].trim().is_empty() => end = at + 1,
        Some(at) => cuts.push((at..at + 1, String::new())),
        None => {}
    }
    let line = document.line_start(start);
    let is_first_on_line = text[line..start].trim().is_empty();
    let rest = &text[end..];
    let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
    let after = &rest[blanks..];
    let line_end = ["\r\n", "\n"]
        .into_iter()
        .find(|newline| after.starts_with(newline));
    let cut = match line_end {
        Some(newline) if is_first_on_line && kept.is_empty() => line..end + blanks + newline.len(),
        // Behind something else: the space before it goes, the end of the line stays.
        Some(_) if !is_first_on_line && kept.is_empty() => {
            let before = text[line..start].trim_end_matches([' ', '\t']);
            line + before.len()..end + blanks
        }
        _ if comma.is_none() && !is_first_on_line && kept.is_empty() => {
            let before = text[line..start].trim_end_matches([' ', '\t']);
            line + before.len()..end
        }
        _ => start..end + blanks,
    };
    cuts.push((cut, kept));
    cuts.sort_by_key(|(range, _)| range.start);
    let cuts: Vec<_> = cuts
        .iter()
        .map(|(range, new)| (range.clone(), new.as_str()))
        .collect();
    Some(spliced(text, &cuts))
}

/// `text` with these ranges, which are in order, replaced.
fn spliced(text: &str, parts: &[(std::ops::Range<usize>, &str)]) -> String {
    let mut result = String::with_capacity(text.len() + 128);
    let mut done = 0;
    for (range, new) in parts {
        result.push_str(&text[done..range.start]);
        result.push_str(new);
        done = range.end;
    }
    result.push_str(&text[done..]);
    result
}
