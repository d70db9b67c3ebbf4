//! The kinds of channels: which keys each has, and what is made of them.

use super::{
    super::{
        choice::choose,
        error::{ConfigError, Mistake},
    },
    Shape, Target,
    entry::Entry,
    others::{email, exec, mqtt},
    routing,
    web::{CHAT, alertmanager, chat, http, must_token, token, webhook},
};

/// A kind of channel.
pub(super) struct Kind {
    name: &'static str,
    /// What it takes besides the keys of all.
    keys: &'static [Keys],
    /// What it takes to reach it, and what it is called unless the owner says so.
    pub(super) read: fn(&mut Entry<'_, '_, '_>) -> Result<(Target, String), ConfigError>,
}

/// Keys that every kind takes.
const COMMON: [&str; 4] = ["type", "name", "timeout", "max_age"];

type Keys = &'static [&'static str];
const WEB: Keys = &["url", "url_file", "ca_file"];
const TOKEN: Keys = &["token", "token_file"];
const LOGIN: Keys = &["username", "password", "password_file"];

const KINDS: [Kind; 13] = [
    Kind {
        name: "webhook",
        keys: &[
            WEB,
            TOKEN,
            &[
                "secret",
                "secret_file",
                "headers",
                "method",
                "template",
                "template_file",
                "content_type",
            ],
        ],
        read: |entry| http(entry, None, |entry| Ok(Shape::Webhook(webhook(entry)?))),
    },
    Kind {
        name: "ntfy",
        keys: &[WEB, TOKEN],
        read: |entry| {
            http(entry, None, |entry| {
                Ok(Shape::Ntfy {
                    token: token(entry)?,
                })
            })
        },
    },
    Kind {
        name: "slack",
        keys: &[WEB],
        read: |entry| http(entry, None, |_| Ok(Shape::Slack)),
    },
    Kind {
        name: "discord",
        keys: &[WEB],
        read: |entry| http(entry, None, |_| Ok(Shape::Discord)),
    },
    Kind {
        name: "telegram",
        keys: &[WEB, TOKEN, &["chat"]],
        read: |entry| {
            http(entry, Some("https://api.telegram.org"), |entry| {
                let token =
                    must_token(entry, "the token of the bot, or token_file a file with it")?;
                let chat = entry.must("notify.chat", CHAT, chat)?;
                Ok(Shape::Telegram { token, chat })
            })
        },
    },
    Kind {
        name: "teams",
        keys: &[WEB],
        read: |entry| http(entry, None, |_| Ok(Shape::Teams)),
    },
    Kind {
        name: "matrix",
        keys: &[WEB, TOKEN, &["room"]],
        read: |entry| {
            http(entry, None, |entry| {
                let token = must_token(
                    entry,
                    "the access token of the account that writes, or token_file a file with it",
                )?;
                let room = entry.line(
                    "notify.room",
                    "the id of a room such as \"!abc:example.org\"",
                )?;
                Ok(Shape::Matrix { token, room })
            })
        },
    },
    Kind {
        name: "gotify",
        keys: &[WEB, TOKEN],
        read: |entry| {
            http(entry, None, |entry| {
                let token = must_token(
                    entry,
                    "the token of the application, or token_file a file with it",
                )?;
                Ok(Shape::Gotify { token })
            })
        },
    },
    Kind {
        name: "pushover",
        keys: &[WEB, TOKEN, &["user", "user_file"]],
        read: |entry| {
            http(entry, Some("https://api.pushover.net"), |entry| {
                let token = must_token(
                    entry,
                    "the token of the application, or token_file a file with it",
                )?;
                let user = "the key of the user or group, or user_file a file with it";
                let user = entry.must_secret("notify.user", "notify.user_file", user)?;
                Ok(Shape::Pushover { token, user })
            })
        },
    },
    Kind {
        name: "alertmanager",
        keys: &[WEB, TOKEN, &["generator_url"]],
        read: |entry| {
            http(entry, None, |entry| {
                Ok(Shape::Alertmanager(alertmanager(entry)?))
            })
        },
    },
    Kind {
        name: "email",
        keys: &[
            LOGIN,
            &["server", "port", "security", "ca_file", "from", "to"],
        ],
        read: email,
    },
    Kind {
        name: "mqtt",
        keys: &[LOGIN, &["url", "ca_file", "client_id", "topic", "retain"]],
        read: mqtt,
    },
    Kind {
        name: "exec",
        keys: &[&["command"]],
        read: exec,
    },
];

/// The kind that an entry says it is.
pub(super) fn of(entry: &Entry<'_, '_, '_>) -> Result<&'static Kind, ConfigError> {
    const ALLOWED: &str = "\"webhook\", \"ntfy\", \"slack\", \"discord\", \"telegram\", \"teams\", \
        \"matrix\", \"gotify\", \"pushover\", \"alertmanager\", \"email\", \"mqtt\" or \"exec\"";
    let kinds: Vec<&Kind> = KINDS.iter().collect();
    entry.must("notify.type", ALLOWED, |kind| {
        Ok(choose(kind.text(ALLOWED)?, &kinds, |kind| kind.name)?)
    })
}

impl Kind {
    /// Refuses keys that this kind does not have.
    pub(super) fn check_keys(&self, entry: &Entry<'_, '_, '_>) -> Result<(), ConfigError> {
        let allowed: Vec<&str> = [&COMMON, &*self.keys.concat(), &routing::KEYS].concat();
        let unknown = entry
            .table
            .keys()
            .filter(|key| !allowed.contains(&key.get_ref().as_str()))
            .min_by_key(|key| key.span().start);
        let Some(key) = unknown else { return Ok(()) };
        let mistake = Mistake::UnknownKey {
            key: key.get_ref().clone(),
            allowed: allowed.into_iter().map(str::to_owned).collect(),
        };
        Err(entry.reader.source.mistake(key.span().start, mistake))
    }
}
