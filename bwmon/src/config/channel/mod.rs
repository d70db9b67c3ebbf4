//! `[[notify]]`: the channels that events go to.
//!
//! Which keys a table may have depends on its type, so its keys are checked here, not by serde. What
//! each type takes is the table in `kinds`.

mod authority;
mod entry;
mod kinds;
mod others;
mod routing;
mod target;
mod template;
#[cfg(test)]
mod tests;
mod value;
mod web;

use std::time::Duration;

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};
use toml::Spanned;

use super::{
    Secret,
    error::{ConfigError, Mistake},
    reader::Reader,
    value::Scalar,
};
use crate::core::schedule::Schedule;
use entry::Entry;
use value::{Table, Value};

pub use self::{
    authority::Authorities,
    routing::Routing,
    target::{
        Alertmanager, Email, Exec, HttpReceiver, Login, Method, Mqtt, Security, Shape, SigningKey,
        Target, Webhook,
    },
    template::{BodyTemplate, TemplateError},
};

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
const MIN_TIMEOUT: Duration = Duration::from_secs(1);
const MAX_TIMEOUT: Duration = Duration::from_secs(120);
const DEFAULT_MAX_AGE: Duration = Duration::from_secs(3 * 24 * 3600);
const MIN_MAX_AGE: Duration = Duration::from_secs(60);
const MAX_MAX_AGE: Duration = Duration::from_secs(30 * 24 * 3600);

/// A channel events go to.
#[derive(Clone, Debug, PartialEq)]
pub struct Channel {
    /// What it is called in logs and in `status`.
    pub name: String,
    /// What it takes to reach it.
    pub target: Target,
    /// Which events go to it.
    pub routing: Routing,
    /// When all but critical events wait; `None`: never.
    pub quiet_hours: Option<Schedule>,
    /// Time for one try, connecting included.
    pub timeout: Duration,
    /// How long an event is worth trying.
    pub max_age: Duration,
}

/// The keys of a channel do not go together, or one of them leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChannelError {
    /// Two keys say the same.
    #[error("{0} says it already; keep one of {0} and {1}")]
    Twice(&'static str, &'static str),
    /// Where events go is no address of the web. What it is may be a secret.
    #[error("must be an address that starts with https:// or http://")]
    NotAUrl,
    /// Where the broker is, is not said.
    #[error(
        "must be an address such as \"mqtts://example.org:8883\"; name and password are keys of their own"
    )]
    NotABroker,
    /// Another one is called so.
    #[error("another channel is called {0:?}, too; give each its own name")]
    SameName(String),
    /// Nothing is in a list.
    #[error("the list is empty; leave the key out, or put something in")]
    EmptyList,
    /// It is no table.
    #[error("must be a table such as {{ \"X-Key\" = \"env:NAME\" }}")]
    NotHeaders,
    /// A header can't be called so, or bwmon sets it itself.
    #[error("{0:?} can't be a header here; choose another name")]
    NotAHeader(String),
    /// There is no certificate in a file, or one that can't be used.
    #[error("must be a file with certificates of authorities in PEM, and nothing else")]
    NoCertificates,
    /// Not what follows `whsec_`.
    #[error("what follows \"whsec_\" is no base64; copy the secret from the receiver once more")]
    NotAKey,
    /// It writes or gets no mail.
    #[error(
        "{0:?} is no address for mail; write \"name@example.org\" or \"Name <name@example.org>\""
    )]
    NotAMailbox(String),
    /// Anybody on the way could read it.
    #[error("a password needs a protected connection; use starttls, tls or mqtts, or leave it out")]
    Unprotected,
    /// Nothing can be published there.
    #[error("must be a topic such as \"bwmon/events\", without '+' and '#'")]
    NotATopic,
    /// The program may be another one tomorrow.
    #[error("{0:?} is no absolute path; write one such as \"/usr/local/bin/tell\"")]
    NotAbsolute(String),
    /// It can't be read as text.
    #[error("must be a file in UTF-8")]
    NotText,
    /// A body can't be made.
    #[error(transparent)]
    Template(#[from] TemplateError),
}

/// All channels of the file.
#[derive(Debug, Default)]
pub(super) struct Channels(Vec<Spanned<Table<Value>>>);

impl Channels {
    /// Checks every table, and reads the secrets.
    pub(super) fn read(&self, reader: &mut Reader<'_>) -> Result<Vec<Channel>, ConfigError> {
        let mut channels: Vec<Channel> = Vec::new();
        for table in &self.0 {
            let mut entry = Entry {
                table: table.get_ref(),
                start: table.span().start,
                reader,
            };
            let channel = channel(&mut entry)?;
            if channels.iter().any(|other| other.name == channel.name) {
                let key = "notify.name";
                let reason = ChannelError::SameName(channel.name);
                return Err(match entry.get(key) {
                    Some(name) => entry.mistake(key, name, reason),
                    None => {
                        let reason = reason.into();
                        let mistake = Mistake::Value { key, reason };
                        reader.source.mistake(table.span().start, mistake)
                    }
                });
            }
            channels.push(channel);
        }
        Ok(channels)
    }
}

fn channel(entry: &mut Entry<'_, '_, '_>) -> Result<Channel, ConfigError> {
    let kind = kinds::of(entry)?;
    kind.check_keys(entry)?;
    let (target, name) = (kind.read)(entry)?;
    let own_name = entry.read("notify.name", Scalar::label)?;
    let timeout = entry.read("notify.timeout", |timeout| {
        timeout.duration_within(MIN_TIMEOUT..=MAX_TIMEOUT, "a duration from 1s to 2min")
    })?;
    let max_age = entry.read("notify.max_age", |age| {
        age.duration_within(MIN_MAX_AGE..=MAX_MAX_AGE, "a duration from 1min to 30d")
    })?;
    Ok(Channel {
        name: own_name.unwrap_or(name),
        target,
        routing: routing::read(entry)?,
        quiet_hours: routing::quiet_hours(entry)?,
        timeout: timeout.unwrap_or(DEFAULT_TIMEOUT),
        max_age: max_age.unwrap_or(DEFAULT_MAX_AGE),
    })
}

impl<'de> Deserialize<'de> for Channels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ChannelsVisitor)
    }
}

struct ChannelsVisitor;

impl<'de> Visitor<'de> for ChannelsVisitor {
    type Value = Channels;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("tables [[notify]]")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Channels, A::Error> {
        let mut tables = Vec::new();
        while let Some(table) = list.next_element()? {
            tables.push(table);
        }
        Ok(Channels(tables))
    }

    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<Channels, A::Error> {
        Err(A::Error::custom(
            "write [[notify]] with two brackets, as there may be several",
        ))
    }
}
