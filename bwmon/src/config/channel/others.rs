//! What mail servers, brokers and programs are told by their keys.

use lettre::message::Mailbox;
use reqwest::Url;

use super::{
    super::{
        choice::choose,
        error::ConfigError,
        value::{Scalar, ValueError},
    },
    ChannelError, Email, Exec, Mqtt, Security, Target,
    entry::{Entry, line},
};

pub(super) fn email(entry: &mut Entry<'_, '_, '_>) -> Result<(Target, String), ConfigError> {
    let server = entry.must("notify.server", SERVER, |value| host_name(value, SERVER))?;
    let security = entry.read("notify.security", |value| {
        let word = value.text("\"starttls\", \"tls\" or \"none\"")?;
        Ok(choose(word, &Security::ALL, Security::as_str)?)
    })?;
    let security = security.unwrap_or_default();
    let port = entry.read("notify.port", |port| {
        port.integer_within(1..=65_535, "a port from 1 to 65535")
    })?;
    let port = port.and_then(|port| u16::try_from(port).ok());
    let login = entry.login()?;
    if login.is_some() && security == Security::None {
        entry.read("notify.username", |_| {
            Err::<(), _>(ChannelError::Unprotected.into())
        })?;
    }
    let from = entry.must("notify.from", "the address that mail comes from", mailbox)?;
    let Some(to) = entry.list("notify.to", mailbox)? else {
        return Err(entry.missing(
            "notify.to",
            "the address that mail goes to, or a list of them",
        ));
    };
    let email = Email {
        port: port.unwrap_or(security.port()),
        ca: entry.authorities()?,
        server: server.clone(),
        security,
        login,
        from,
        to,
    };
    Ok((Target::Email(email), server))
}

const SERVER: &str = "the name or address of a mail server such as \"smtp.example.org\"";

/// A name or an address of the network.
fn host_name(value: &Scalar, allowed: &str) -> Result<String, ValueError> {
    let text = line(value, allowed)?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || ".-_:".contains(c);
    if text.chars().all(is_plain) {
        return Ok(text);
    }
    let (found, allowed) = (value.to_string(), allowed.to_owned());
    Err(ValueError::NotAllowed { found, allowed })
}

fn mailbox(value: &Scalar) -> Result<Mailbox, ValueError> {
    let text = line(value, "an address for mail such as \"name@example.org\"")?;
    Ok(text.parse().map_err(|_| ChannelError::NotAMailbox(text))?)
}

pub(super) fn mqtt(entry: &mut Entry<'_, '_, '_>) -> Result<(Target, String), ConfigError> {
    const BROKER: &str = "the address of the broker such as \"mqtts://example.org:8883\"";
    let (host, port, tls) =
        entry.must("notify.url", BROKER, |url| Ok(broker(&line(url, BROKER)?)?))?;
    let login = entry.login()?;
    if login.is_some() && !tls && !is_loopback(&host) {
        entry.read("notify.username", |_| {
            Err::<(), _>(ChannelError::Unprotected.into())
        })?;
    }
    let client_id = entry.read("notify.client_id", Scalar::label)?;
    let topic = entry.must("notify.topic", "where events are published", |topic| {
        let text = line(topic, "text such as \"bwmon/events\"")?;
        // As MQTT 3.1.1, 4.7 has it.
        if text.contains(['+', '#']) || text.len() > usize::from(u16::MAX) {
            return Err(ChannelError::NotATopic.into());
        }
        Ok(text)
    })?;
    let retain = entry.read("notify.retain", Scalar::flag)?;
    let mqtt = Mqtt {
        host: host.clone(),
        port,
        tls,
        ca: entry.authorities()?,
        login,
        client_id,
        topic,
        retain: retain.unwrap_or_default(),
    };
    Ok((Target::Mqtt(mqtt), host))
}

/// Host, port, and whether by TLS.
fn broker(url: &str) -> Result<(String, u16, bool), ChannelError> {
    let url = Url::parse(url).map_err(|_| ChannelError::NotABroker)?;
    let (tls, port) = match url.scheme() {
        "mqtt" => (false, 1883),
        "mqtts" => (true, 8883),
        _ => return Err(ChannelError::NotABroker),
    };
    let is_bare = url.username().is_empty()
        && url.password().is_none()
        && matches!(url.path(), "" | "/")
        && url.query().is_none();
    let host = url.host_str().filter(|host| is_bare && !host.is_empty());
    let host = host.ok_or(ChannelError::NotABroker)?;
    let host = host.trim_matches(['[', ']']).to_owned();
    Ok((host, url.port().unwrap_or(port), tls))
}

fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host
            .parse()
            .is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

pub(super) fn exec(entry: &mut Entry<'_, '_, '_>) -> Result<(Target, String), ConfigError> {
    const KEY: &str = "notify.command";
    const ALLOWED: &str = "a list of an absolute path and arguments such as \
        [\"/usr/local/bin/tell\", \"--loud\"]";
    let command = entry.list(KEY, |word| match word.text(ALLOWED)? {
        text if text.contains('\0') => Err(ValueError::NotAllowed {
            found: word.to_string(),
            allowed: ALLOWED.to_owned(),
        }),
        text => Ok(text.to_owned()),
    })?;
    let command = command.ok_or_else(|| entry.missing(KEY, ALLOWED))?;
    let program = command.first().map(String::as_str).unwrap_or_default();
    if let (false, Some(value)) = (program.starts_with('/'), entry.get(KEY)) {
        let reason = ChannelError::NotAbsolute(program.to_owned());
        return Err(entry.mistake(KEY, value, reason));
    }
    let name = program.rsplit('/').next().unwrap_or(program).to_owned();
    Ok((Target::Exec(Exec { command }), name))
}
