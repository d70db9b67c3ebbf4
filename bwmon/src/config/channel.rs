//! `[[notify]]`: the channels that events go to.
//!
//! Which keys a table may have depends on its type, so its keys are checked here, not by serde.

use std::{collections::BTreeMap, time::Duration};

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};
use toml::Spanned;

use super::{
    Channel, Routing, Secret, Target, Webhook,
    error::{ConfigError, Mistake},
    reader::Reader,
    secret::SecretOrigin,
    value::{Scalar, ValueError},
};

const KEYS: [&str; 6] = ["type", "name", "url", "url_file", "token_file", "timeout"];
const TYPES: &str = "\"webhook\"";
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
const DEFAULT_MAX_AGE: Duration = Duration::from_secs(3 * 24 * 3600);
const MIN_TIMEOUT: Duration = Duration::from_secs(1);
const MAX_TIMEOUT: Duration = Duration::from_secs(120);

/// The keys of a channel do not go together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChannelError {
    /// Both are there.
    #[error("url says it already; keep one of url and url_file")]
    TwoUrls,
    /// Where events go is no address of the web. What it is may be a secret.
    #[error("must be an address that starts with https:// or http://")]
    NotAUrl,
    /// Another one is called so.
    #[error("another channel is called {0:?}, too; give each its own name")]
    SameName(String),
}

/// All channels of the file.
#[derive(Debug, Default)]
pub(super) struct Channels(Vec<Spanned<Table>>);

type Table = BTreeMap<Spanned<String>, Spanned<Scalar>>;

impl Channels {
    /// Checks every table, and reads the secrets.
    pub(super) fn read(&self, reader: &mut Reader<'_>) -> Result<Vec<Channel>, ConfigError> {
        let mut channels: Vec<Channel> = Vec::new();
        for table in &self.0 {
            let entry = Entry {
                table: table.get_ref(),
                start: table.span().start,
            };
            let channel = entry.channel(reader)?;
            if channels.iter().any(|other| other.name == channel.name) {
                let start = entry
                    .get("name")
                    .map_or(entry.start, |name| name.span().start);
                let reason = ChannelError::SameName(channel.name).into();
                return Err(reader.source.mistake(
                    start,
                    Mistake::Value {
                        key: "notify.name",
                        reason,
                    },
                ));
            }
            channels.push(channel);
        }
        Ok(channels)
    }
}

/// One `[[notify]]`.
struct Entry<'a> {
    table: &'a Table,
    /// Where it starts.
    start: usize,
}

impl<'a> Entry<'a> {
    fn get(&self, key: &str) -> Option<&'a Spanned<Scalar>> {
        self.table.get(key)
    }

    fn channel(&self, reader: &mut Reader<'_>) -> Result<Channel, ConfigError> {
        let kind = self.get("type").ok_or_else(|| {
            let mistake = Mistake::MissingKey {
                key: "notify.type",
                allowed: TYPES,
            };
            reader.source.mistake(self.start, mistake)
        })?;
        reader.read("notify.type", kind, |kind| match kind.text(TYPES)? {
            "webhook" => Ok(()),
            _ => {
                let (found, allowed) = (kind.to_string(), TYPES.to_owned());
                Err(ValueError::NotAllowed { found, allowed })
            }
        })?;
        self.check_keys(reader)?;
        let (url, host) = self.url(reader)?;
        let name = reader.get("notify.name", self.get("name"), Scalar::label)?;
        let timeout = reader.get("notify.timeout", self.get("timeout"), |timeout| {
            timeout.duration_within(MIN_TIMEOUT..=MAX_TIMEOUT, "a duration from 1s to 2min")
        })?;
        let token = reader.secret("notify.token_file", self.get("token_file"))?;
        Ok(Channel {
            name: name.unwrap_or(host),
            target: Target::Webhook(Webhook { url, token }),
            routing: Routing::default(),
            quiet_hours: None,
            timeout: timeout.unwrap_or(DEFAULT_TIMEOUT),
            max_age: DEFAULT_MAX_AGE,
        })
    }

    fn check_keys(&self, reader: &Reader<'_>) -> Result<(), ConfigError> {
        let unknown = |key: &&Spanned<String>| !KEYS.contains(&key.get_ref().as_str());
        let Some(key) = self
            .table
            .keys()
            .filter(unknown)
            .min_by_key(|key| key.span().start)
        else {
            return Ok(());
        };
        let mistake = Mistake::UnknownKey {
            key: key.get_ref().clone(),
            allowed: KEYS.map(str::to_owned).to_vec(),
        };
        Err(reader.source.mistake(key.span().start, mistake))
    }

    /// Where events go, and the host in it.
    fn url(&self, reader: &mut Reader<'_>) -> Result<(Secret, String), ConfigError> {
        let allowed = "an address that events are posted to, or \"env:NAME\"";
        let (key, value, url) = match (self.get("url"), self.get("url_file")) {
            (Some(value), None) => {
                let read = |url: &Scalar| Ok(SecretOrigin::of_key(url.text(allowed)?).read()?);
                ("notify.url", value, reader.read("notify.url", value, read)?)
            }
            (None, Some(value)) => (
                "notify.url_file",
                value,
                reader.read_secret("notify.url_file", value)?,
            ),
            (Some(_), Some(value)) => {
                let reason = ChannelError::TwoUrls.into();
                let mistake = Mistake::Value {
                    key: "notify.url_file",
                    reason,
                };
                return Err(reader.source.mistake(value.span().start, mistake));
            }
            (None, None) => {
                let allowed = "the address that events are posted to, or url_file a file with it";
                let mistake = Mistake::MissingKey {
                    key: "notify.url",
                    allowed,
                };
                return Err(reader.source.mistake(self.start, mistake));
            }
        };
        let host = host(url.reveal()).ok_or(ChannelError::NotAUrl);
        reader.read(key, value, |_| Ok((url, host?)))
    }
}

/// The host of an address of the web.
fn host(url: &str) -> Option<String> {
    let url = reqwest::Url::parse(url).ok()?;
    let host = url
        .host_str()
        .filter(|_| matches!(url.scheme(), "http" | "https"))?;
    Some(host.to_owned())
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
