//! What it takes to reach each kind of channel.

use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD};
use lettre::message::Mailbox;
use reqwest::header::HeaderName;

use super::{Authorities, BodyTemplate, Secret};

/// What it takes to reach a channel.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// A request of HTTP for each message.
    Http(HttpReceiver),
    /// A mail for each message.
    Email(Email),
    /// Published to a broker.
    Mqtt(Mqtt),
    /// A program of this machine.
    Exec(Exec),
}

impl Target {
    /// As in the configuration.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Http(http) => http.shape.kind(),
            Self::Email(_) => "email",
            Self::Mqtt(_) => "mqtt",
            Self::Exec(_) => "exec",
        }
    }

    /// Whether people read it, who like one message better than many.
    pub fn is_for_people(&self) -> bool {
        match self {
            Self::Http(http) => !matches!(http.shape, Shape::Webhook(_) | Shape::Alertmanager(_)),
            Self::Email(_) => true,
            Self::Mqtt(_) | Self::Exec(_) => false,
        }
    }
}

/// A receiver that speaks HTTP.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpReceiver {
    /// Where it is. May hold a secret.
    pub url: Secret,
    /// Who may vouch for it, besides those that the machine trusts.
    pub ca: Option<Authorities>,
    /// What it expects.
    pub shape: Shape,
}

/// What a receiver that speaks HTTP expects.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// The event, or what the owner makes of it.
    Webhook(Webhook),
    /// Text, with the rest in headers.
    Ntfy {
        /// Of an account.
        token: Option<Secret>,
    },
    /// Blocks. The URL is the secret.
    Slack,
    /// Markdown. The URL is the secret.
    Discord,
    /// HTML.
    Telegram {
        /// Of the bot.
        token: Secret,
        /// Where it writes.
        chat: String,
    },
    /// A card. The URL is the secret.
    Teams,
    /// Text and HTML.
    Matrix {
        /// Of the account that writes.
        token: Secret,
        /// Where it writes.
        room: String,
    },
    /// Text.
    Gotify {
        /// Of the application.
        token: Secret,
    },
    /// A form.
    Pushover {
        /// Of the application.
        token: Secret,
        /// Of the user or group.
        user: Secret,
    },
    /// Alerts with labels.
    Alertmanager(Alertmanager),
}

impl Shape {
    fn kind(&self) -> &'static str {
        match self {
            Self::Webhook(_) => "webhook",
            Self::Ntfy { .. } => "ntfy",
            Self::Slack => "slack",
            Self::Discord => "discord",
            Self::Telegram { .. } => "telegram",
            Self::Teams => "teams",
            Self::Matrix { .. } => "matrix",
            Self::Gotify { .. } => "gotify",
            Self::Pushover { .. } => "pushover",
            Self::Alertmanager(_) => "alertmanager",
        }
    }

    /// What must not be shown, besides the URL.
    pub fn secrets(&self) -> Vec<&Secret> {
        match self {
            Self::Webhook(webhook) => {
                let headers = webhook.headers.iter().map(|(_, value)| value);
                let key = webhook.key.as_ref().map(|key| &key.text);
                webhook.token.iter().chain(headers).chain(key).collect()
            }
            Self::Ntfy { token } => token.iter().collect(),
            Self::Alertmanager(manager) => manager.token.iter().collect(),
            Self::Telegram { token, .. } | Self::Matrix { token, .. } | Self::Gotify { token } => {
                vec![token]
            }
            Self::Pushover { token, user } => vec![token, user],
            Self::Slack | Self::Discord | Self::Teams => Vec::new(),
        }
    }
}

/// A webhook.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Webhook {
    /// How it is sent.
    pub method: Method,
    /// Sent as `Authorization: Bearer`.
    pub token: Option<Secret>,
    /// What it is signed with.
    pub key: Option<SigningKey>,
    /// Sent, too.
    pub headers: Vec<(HeaderName, Secret)>,
    /// What is sent instead of the event.
    pub body: Option<BodyTemplate>,
}

/// A method of HTTP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    /// `POST`
    #[default]
    Post,
    /// `PUT`
    Put,
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Post, Self::Put];

    /// As in the configuration and in a request.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Put => "PUT",
        }
    }
}

/// A key that signs as Standard Webhooks has it.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey {
    /// As the owner has it.
    text: Secret,
    bytes: Vec<u8>,
}

impl SigningKey {
    /// `whsec_` and base64, or any text; `None` if what follows the prefix is no base64.
    pub fn new(text: Secret) -> Option<Self> {
        let bytes = match text.reveal().strip_prefix("whsec_") {
            Some(encoded) => BASE64_STANDARD.decode(encoded).ok()?,
            None => text.reveal().as_bytes().to_vec(),
        };
        Some(Self { text, bytes })
    }

    /// For the one place that signs.
    pub fn reveal(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

/// Alertmanager.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Alertmanager {
    /// Sent as `Authorization: Bearer`.
    pub token: Option<Secret>,
    /// Where the reader of an alert finds more.
    pub generator_url: Option<String>,
}

/// A mail server and those who get mail.
#[derive(Clone, Debug, PartialEq)]
pub struct Email {
    /// The host that takes the mail.
    pub server: String,
    /// Where it listens.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// Who may vouch for it, besides those that the machine trusts.
    pub ca: Option<Authorities>,
    /// Name and password.
    pub login: Option<Login>,
    /// Who writes.
    pub from: Mailbox,
    /// Who gets it.
    pub to: Vec<Mailbox>,
}

/// How a connection for mail is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Security {
    /// By TLS after a greeting in the clear, and by nothing less.
    #[default]
    StartTls,
    /// By TLS.
    Tls,
    /// Not at all.
    None,
}

impl Security {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::StartTls, Self::Tls, Self::None];

    /// As in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::StartTls => "starttls",
            Self::Tls => "tls",
            Self::None => "none",
        }
    }

    /// Where a server listens for it.
    pub fn port(self) -> u16 {
        match self {
            Self::StartTls => 587,
            Self::Tls => 465,
            Self::None => 25,
        }
    }
}

/// A name and its password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The name.
    pub username: String,
    /// The password.
    pub password: Secret,
}

/// A broker of MQTT and a topic of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Mqtt {
    /// The broker.
    pub host: String,
    /// Where it listens.
    pub port: u16,
    /// Whether by TLS.
    pub tls: bool,
    /// Who may vouch for it, besides those that the machine trusts.
    pub ca: Option<Authorities>,
    /// Name and password.
    pub login: Option<Login>,
    /// What the broker knows bwmon by; `None`: another name for each connection.
    pub client_id: Option<String>,
    /// Where events are published.
    pub topic: String,
    /// Whether the broker keeps the latest for those who come later.
    pub retain: bool,
}

/// A program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exec {
    /// What is run: an absolute path, and arguments.
    pub command: Vec<String>,
}
