//! What the owner wants of an entry, as a change of the text of the file.
//!
//! It says what the new text is, and writes nothing. The new text is read again: it has to say what
//! was asked for, and otherwise what it said before, with every comment.

use std::net::IpAddr;

use serde_json::{Map, Value};

use super::{
    super::{
        error::{ConfigError, hint},
        network::{SelectorError, Subject, subject},
        source::Source,
    },
    entry, members, parse, patch, style,
};
use crate::core::{mac::MacAddr, policy::Selector};

/// Whom a change is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whom {
    /// Of a new entry.
    key: Subject,
    /// Those whose entry is meant where there is one, instead of just that of `key`.
    device: Option<(Option<MacAddr>, Vec<IpAddr>)>,
}

impl Whom {
    /// A device with all that is known of it. Its own entry is that with its MAC, else the first
    /// with one of its addresses; a new one has its MAC for a key, else the address that is its id.
    ///
    /// # Errors
    ///
    /// When it has no MAC, and its id is no address.
    pub fn device(
        id: &str,
        mac: Option<MacAddr>,
        addresses: &[IpAddr],
    ) -> Result<Self, SelectorError> {
        let key = match mac {
            Some(mac) => Subject::Registered(Selector::Mac(mac)),
            None => subject(id)?,
        };
        let mut whom = Self::key_of(key);
        let (_, known) = whom.device.get_or_insert_default();
        known.extend(addresses);
        Ok(whom)
    }

    /// Whoever an entry with this key is about: an address, a MAC, a prefix, or `unknown`.
    ///
    /// # Errors
    ///
    /// When it is none of these.
    pub fn key(text: &str) -> Result<Self, SelectorError> {
        Ok(Self::key_of(subject(text)?))
    }

    /// It is one device, not a prefix and not `unknown`.
    pub fn is_device(&self) -> bool {
        self.device.is_some()
    }

    fn key_of(key: Subject) -> Self {
        let device = match key {
            Subject::Registered(Selector::Mac(mac)) => Some((Some(mac), Vec::new())),
            Subject::Registered(Selector::Address(address)) => Some((None, vec![address])),
            Subject::Registered(Selector::Prefix(_)) | Subject::Unknown => None,
        };
        Self { key, device }
    }

    /// Which of the entries is its own.
    fn own(&self, entries: &[Subject]) -> Option<usize> {
        let Some((mac, addresses)) = &self.device else {
            return entries.iter().position(|entry| *entry == self.key);
        };
        let by_mac = mac.map(|mac| Subject::Registered(Selector::Mac(mac)));
        let is_address = |entry: &Subject| match entry {
            Subject::Registered(Selector::Address(address)) => addresses.contains(address),
            _ => false,
        };
        let by_mac = entries.iter().position(|entry| Some(*entry) == by_mac);
        by_mac.or_else(|| entries.iter().position(is_address))
    }

    /// Which of the entries is that of the longest prefix that it is in.
    fn prefix(&self, entries: &[Subject]) -> Option<usize> {
        let (_, addresses) = self.device.as_ref()?;
        let length = |entry: &Subject| match entry {
            Subject::Registered(Selector::Prefix(prefix)) => addresses
                .iter()
                .any(|address| prefix.contains(address))
                .then_some(prefix.prefix_len()),
            _ => None,
        };
        let lengths = entries.iter().enumerate();
        lengths
            .filter_map(|(index, entry)| Some((length(entry)?, index)))
            // The first of several equals.
            .rev()
            .max_by_key(|(length, _)| *length)
            .map(|(_, index)| index)
    }
}

/// What is to become of an entry.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A merge patch (RFC 7396) of it, with the keys of the file: `null` removes one.
    Merge(Map<String, Value>),
    /// It goes.
    Remove,
}

/// An entry as it is written.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// As it is spelt in the file.
    pub key: String,
    /// What it says.
    pub value: Value,
}

/// Why the text can't be changed so.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// It has a mistake.
    #[error("{0}; mend that first, nothing was changed")]
    Mistake(#[from] ConfigError),
    /// What is asked for is not allowed.
    #[error("{0}")]
    NotAllowed(String),
    /// There is nothing to remove.
    #[error("there is no entry about {0} to remove")]
    NoEntry(String),
    /// The result would not say what it should.
    #[error("{0}: cannot be changed without changing something else, too; edit it by hand")]
    Unclear(String),
}

/// A changed text.
#[derive(Debug)]
pub(super) struct Edited {
    /// All of it.
    pub(super) text: String,
    /// Of the entry.
    pub(super) key: String,
}

/// The text of the file after the change.
pub(super) fn edit(source: &Source, whom: &Whom, change: &Change) -> Result<Edited, EditError> {
    parse(source)?;
    let unclear = || EditError::Unclear(source.path.display().to_string());
    let old = Read::new(&source.text).ok_or_else(unclear)?;
    let own = whom.own(&old.subjects);
    let (text, key, expected) = match change {
        Change::Remove => {
            let index = own.ok_or_else(|| EditError::NoEntry(whom.key.to_string()))?;
            let text = patch::remove(&old.document, &old.root, index, patch::Comments::Go);
            let mut expected = old.entries.clone();
            let (key, _) = expected.remove(index);
            (text, key, expected)
        }
        Change::Merge(fields) => {
            let asks_for_something = fields.values().any(|value| !value.is_null());
            let fields = match own {
                Some(_) => fields.clone(),
                None => with_inherited(fields, whom.prefix(&old.subjects), &old.entries),
            };
            let (key, mut value) = match own {
                Some(index) => old.entries[index].clone(),
                None => (whom.key.to_string(), Value::Object(Map::new())),
            };
            merge(&mut value, &Value::Object(fields.clone()));
            check(&key, &fields, &value)?;
            let mut expected = old.entries.clone();
            let text = match own {
                // Nothing is to be removed from what is not there.
                None if !asks_for_something => Some(source.text.clone()),
                Some(index) => {
                    expected[index].1 = value;
                    patch::merge(old.document.text, &[&key], &fields, &entry::place)
                }
                None => {
                    let value_text = new_entry(&old, &value);
                    expected.push((key.clone(), value));
                    patch::insert(&old.document, &old.root, &key, &value_text)
                }
            };
            (text, key, expected)
        }
    };
    let text = text.ok_or_else(unclear)?;
    let kept = old.comments_without(match change {
        Change::Remove => own,
        Change::Merge(_) => None,
    });
    let is_right = Read::new(&text)
        .is_some_and(|new| new.entries == expected && new.comments_without(None) == kept);
    let again = Source {
        path: source.path.clone(),
        text,
    };
    if !is_right || parse(&again).is_err() {
        return Err(unclear());
    }
    Ok(Edited {
        text: again.text,
        key,
    })
}

/// The own entry of somebody, if there is one.
pub(super) fn own_entry(source: &Source, whom: &Whom) -> Result<Option<Entry>, EditError> {
    parse(source)?;
    let read = Read::new(&source.text);
    let mut read = read.ok_or_else(|| EditError::Unclear(source.path.display().to_string()))?;
    Ok(whom.own(&read.subjects).map(|index| {
        let (key, value) = read.entries.swap_remove(index);
        Entry { key, value }
    }))
}

/// A text that can be read, taken apart.
struct Read<'a> {
    document: members::Document<'a>,
    root: members::Object,
    entries: Vec<(String, Value)>,
    subjects: Vec<Subject>,
}

impl<'a> Read<'a> {
    fn new(text: &'a str) -> Option<Self> {
        let document = members::Document::new(text)?;
        let root = document.root()?;
        let entry = |member: &members::Member| {
            Some((member.key.clone(), document.value(member.value.clone())?))
        };
        let entries = root.members.iter().map(entry).collect::<Option<_>>()?;
        let subjects = root.members.iter().map(|member| subject(&member.key).ok());
        Some(Self {
            subjects: subjects.collect::<Option<_>>()?,
            entries,
            root,
            document,
        })
    }

    /// All comments but those inside of an entry.
    fn comments_without(&self, entry: Option<usize>) -> Vec<&'a str> {
        let gone = entry.map_or(0..0, |index| {
            let member = &self.root.members[index];
            member.name.start..member.value.end
        });
        let text = self.document.text;
        let all = self.document.comments(0..text.len()).iter();
        all.filter(|comment| !gone.contains(&comment.start))
            .map(|comment| &text[comment.clone()])
            .collect()
    }
}

fn new_entry(file: &Read, value: &Value) -> String {
    let members = value.as_object().into_iter().flatten();
    let mut members: Vec<_> = members.collect();
    members.sort_by_key(|(key, _)| entry::place(key));
    style::entry(&file.document, &file.root, &members)
}

/// What an own entry takes over, since that of the prefix is none of the device's any more: only
/// rules are inherited.
fn with_inherited(
    fields: &Map<String, Value>,
    prefix: Option<usize>,
    entries: &[(String, Value)],
) -> Map<String, Value> {
    let mut all = fields.clone();
    let prefix = prefix.and_then(|index| entries[index].1.as_object());
    for (key, value) in prefix.into_iter().flatten() {
        if entry::is_not_inherited(key) && !all.contains_key(key) {
            all.insert(key.clone(), value.clone());
        }
    }
    all
}

/// Says what is not allowed, in the words of the reader of the file.
fn check(key: &str, fields: &Map<String, Value>, merged: &Value) -> Result<(), EditError> {
    let names = entry::ENTRY_FIELDS;
    if let Some(name) = fields.keys().find(|name| !names.contains(&name.as_str())) {
        let hint = hint(name, &names);
        return Err(EditError::NotAllowed(format!(
            "{key:?}: unknown key {name:?}; {hint}"
        )));
    }
    let read = |value: &Value| {
        parse(&Source {
            text: Value::from_iter([(key.to_owned(), value.clone())]).to_string(),
            ..Source::default()
        })
    };
    if let Err(error) = read(merged) {
        return Err(EditError::NotAllowed(match error {
            ConfigError::Content { mistake, .. } => mistake.to_string(),
            other => other.to_string(),
        }));
    }
    // What was there before without an effect is no fault of this change.
    let alone = patch::without_nulls(&Value::Object(fields.clone()));
    let warnings = read(&alone).map(|devices| devices.warnings);
    match warnings.unwrap_or_default().pop() {
        Some(warning) => {
            let warning = warning.trim_start_matches(|c| c != ' ').trim_start();
            Err(EditError::NotAllowed(warning.to_owned()))
        }
        None => Ok(()),
    }
}

/// RFC 7396, section 2.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(target) = target else {
        return;
    };
    for (key, value) in patch {
        if value.is_null() {
            target.remove(key);
        } else {
            merge(target.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
#[path = "edit_tests.rs"]
mod tests;
