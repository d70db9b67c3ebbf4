//! `bwmon.toml`: its keys, what each may be, and what it is when left out.

use std::{path::PathBuf, time::Duration};

use serde::Deserialize;
use toml::Spanned;

use super::{
    Config, Http, Listen, LocalNetworks, TcMode, XdpMode,
    channel::Channels,
    error::{ConfigError, Mistake, Place, wording},
    history::HistoryTable,
    interface,
    metrics::MetricsTable,
    names::NamesTable,
    network,
    reader::Reader,
    rules::{Defaults, Groups, Interfaces},
    source::Source,
    value::{Scalar, ValueError},
    visitor::Item,
    zone::Zone,
};
use crate::core::policy::Policy;

const DEFAULT_MAX_ADDRESSES: u32 = 8192;
const DEFAULT_POLL_INTERVAL: Duration = Duration::from_secs(1);
const MIN_POLL_INTERVAL: Duration = Duration::from_millis(100);
const MAX_POLL_INTERVAL: Duration = Duration::from_secs(60);
const DEFAULT_STATE_DIR: &str = "/var/lib/bwmon";
const PIN_DIR: &str = "/sys/fs/bpf/bwmon";
const DEFAULT_LISTEN: Listen = Listen::Tcp(std::net::SocketAddr::new(
    std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
    4000,
));

/// What a file says, and what is left to check once the command line is known.
pub(super) struct Parsed {
    /// Without registered devices.
    pub(super) config: Config,
    /// Where `http.listen` is.
    pub(super) listen_place: Option<Place>,
}

/// The keys as written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    interfaces: Option<Spanned<Item>>,
    xdp_mode: Option<Spanned<Scalar>>,
    tc_mode: Option<Spanned<Scalar>>,
    local_networks: Option<Spanned<Item>>,
    max_addresses: Option<Spanned<Scalar>>,
    poll_interval: Option<Spanned<Scalar>>,
    devices_file: Option<Spanned<Scalar>>,
    state_dir: Option<Spanned<Scalar>>,
    pin: Option<Spanned<Scalar>>,
    timezone: Option<Spanned<Scalar>>,
    #[serde(default)]
    http: HttpTable,
    #[serde(default)]
    history: HistoryTable,
    #[serde(default)]
    metrics: MetricsTable,
    #[serde(default)]
    defaults: Defaults,
    #[serde(default)]
    groups: Groups,
    #[serde(default)]
    interface_limits: Interfaces,
    #[serde(default)]
    names: NamesTable,
    #[serde(default)]
    notify: Channels,
}

/// `[http]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table [http]")]
struct HttpTable {
    listen: Option<Spanned<Scalar>>,
    token_file: Option<Spanned<Scalar>>,
}

/// Reads and checks the file; `Source::default()` gives the built-in configuration.
pub(super) fn parse(source: &Source) -> Result<Parsed, ConfigError> {
    let file: File = toml::from_str(&source.text).map_err(|error| toml_error(source, &error))?;
    let reader = &mut Reader {
        source,
        warnings: Vec::new(),
    };

    // Read here for its mistakes; `devices_file` reads it for its value.
    reader.get("devices_file", file.devices_file.as_ref(), devices_path)?;

    let interfaces = file
        .interfaces
        .as_ref()
        .map(|names| read_interfaces(reader, names))
        .transpose()?;
    let xdp_mode = reader.get("xdp_mode", file.xdp_mode.as_ref(), |mode| {
        Ok(mode
            .text("\"auto\", \"native\", \"generic\" or \"tc\"")?
            .parse::<XdpMode>()?)
    })?;
    let tc_mode = reader.get("tc_mode", file.tc_mode.as_ref(), |mode| {
        Ok(mode
            .text("\"auto\", \"tcx\" or \"clsact\"")?
            .parse::<TcMode>()?)
    })?;
    let local_networks = file.local_networks.as_ref();
    let local_networks = local_networks
        .map(|list| read_networks(reader, list))
        .transpose()?;
    let max_addresses = reader.get("max_addresses", file.max_addresses.as_ref(), |count| {
        count.integer_within(16..=1_048_576, "a whole number from 16 to 1048576")
    })?;
    let poll_interval = reader.get("poll_interval", file.poll_interval.as_ref(), |interval| {
        let limits = MIN_POLL_INTERVAL..=MAX_POLL_INTERVAL;
        interval.duration_within(limits, "a duration from 100ms to 60s")
    })?;
    let state_dir = reader.get("state_dir", file.state_dir.as_ref(), |directory| {
        let path = directory.path("a directory such as \"/var/lib/bwmon\"")?;
        Ok(source.directory().join(path))
    })?;
    let pin = reader.get("pin", file.pin.as_ref(), pin_directory)?;
    let zone = reader.get("timezone", file.timezone.as_ref(), |zone| {
        Ok(Zone::read(zone.text(
            "\"local\", a name such as \"Europe/Berlin\", or a POSIX time zone",
        )?)?)
    })?;
    let zone = zone.unwrap_or_else(Zone::local);
    reader
        .warnings
        .extend(zone.warning.map(|warning| format!("timezone: {warning}")));
    let listen = reader.get("http.listen", file.http.listen.as_ref(), |listen| {
        Ok(listen
            .text("text such as \"127.0.0.1:4000\"")?
            .parse::<Listen>()?)
    })?;
    let config = Config {
        interfaces: interfaces.unwrap_or_default(),
        xdp_mode: xdp_mode.unwrap_or_default(),
        tc_mode: tc_mode.unwrap_or_default(),
        local_networks: local_networks.unwrap_or_default(),
        max_addresses: max_addresses.unwrap_or(DEFAULT_MAX_ADDRESSES),
        poll_interval: poll_interval.unwrap_or(DEFAULT_POLL_INTERVAL),
        state_dir: state_dir.unwrap_or_else(|| PathBuf::from(DEFAULT_STATE_DIR)),
        pin: pin.flatten(),
        timezone: zone.zone,
        http: Http {
            listen: listen.unwrap_or(DEFAULT_LISTEN),
            token: reader.secret("http.token_file", file.http.token_file.as_ref())?,
        },
        history: file.history.read(reader)?,
        metrics: file.metrics.read(reader)?,
        policy: Policy {
            defaults: file.defaults.0,
            groups: file.groups.0,
            interfaces: file.interface_limits.0,
            ..Policy::default()
        },
        names: file.names.read(reader)?,
        notify: file.notify.read(reader)?,
        devices_file: PathBuf::new(),
        sources: Vec::new(),
        warnings: std::mem::take(&mut reader.warnings),
    };
    let listen_place = file
        .http
        .listen
        .map(|listen| source.place(listen.span().start));
    Ok(Parsed {
        config,
        listen_place,
    })
}

/// The registered devices' file, with the place that names it, whatever else is wrong with the file;
/// `Err` where even that can't be told.
pub(super) fn devices_file(source: &Source) -> Result<Option<(PathBuf, Place)>, NotToml> {
    #[derive(Deserialize)]
    struct DevicesFile {
        devices_file: Option<Spanned<Scalar>>,
    }
    let file: DevicesFile = toml::from_str(&source.text).map_err(|_| NotToml)?;
    let Some(value) = file.devices_file else {
        return Ok(None);
    };
    let path = devices_path(value.get_ref()).map_err(|_| NotToml)?;
    Ok(Some((
        source.directory().join(path),
        source.place(value.span().start),
    )))
}

/// The file can't be read far enough.
pub(super) struct NotToml;

fn read_interfaces(reader: &Reader<'_>, names: &Spanned<Item>) -> Result<Vec<String>, ConfigError> {
    const ALLOWED: &str = "a list of interface names such as [\"br-lan\", \"eth*\"]";
    let read = |name: &Scalar| Ok(interface::check(name.text(ALLOWED)?)?);
    match names.get_ref() {
        Item::One(Scalar::Text(text)) if text == "auto" => Ok(Vec::new()),
        Item::One(name) => {
            let name = Spanned::new(names.span(), name.clone());
            Ok(vec![reader.read("interfaces", &name, read)?])
        }
        Item::List(names) => names
            .iter()
            .map(|name| reader.read("interfaces", name, read))
            .collect(),
    }
}

fn read_networks(
    reader: &Reader<'_>,
    networks: &Spanned<Item>,
) -> Result<LocalNetworks, ConfigError> {
    const KEY: &str = "local_networks";
    const ALLOWED: &str = "\"auto\", or a list of prefixes such as [\"192.168.1.0/24\"]";
    let read = |prefix: &Scalar| Ok(network::prefix(prefix.text(ALLOWED)?)?);
    let prefixes = match networks.get_ref() {
        Item::One(Scalar::Text(text)) if text == "auto" => return Ok(LocalNetworks::Auto),
        Item::One(prefix) => {
            let prefix = Spanned::new(networks.span(), prefix.clone());
            vec![reader.read(KEY, &prefix, read)?]
        }
        Item::List(list) => {
            let read = |prefix| reader.read(KEY, prefix, read);
            list.iter().map(read).collect::<Result<Vec<_>, _>>()?
        }
    };
    network::join(&prefixes)
        .map(LocalNetworks::List)
        .map_err(|reason| {
            let mistake = Mistake::Value {
                key: KEY,
                reason: reason.into(),
            };
            reader.source.mistake(networks.span().start, mistake)
        })
}

fn pin_directory(pin: &Scalar) -> Result<Option<PathBuf>, ValueError> {
    const ALLOWED: &str = "true, false, or a directory of a bpffs such as \"/sys/fs/bpf/bwmon\"";
    match pin {
        Scalar::Bool(true) => Ok(Some(PathBuf::from(PIN_DIR))),
        Scalar::Bool(false) => Ok(None),
        _ => match pin.path(ALLOWED)? {
            path if path.is_absolute() => Ok(Some(path)),
            _ => {
                let (found, allowed) = (pin.to_string(), ALLOWED.to_owned());
                Err(ValueError::NotAllowed { found, allowed })
            }
        },
    }
}

fn devices_path(value: &Scalar) -> Result<PathBuf, ValueError> {
    value.path("a file such as \"registered_devices.json\"")
}

/// What the reader of TOML said, in our words where they are better.
fn toml_error(source: &Source, error: &toml::de::Error) -> ConfigError {
    let span = error.span().unwrap_or_default();
    let message = error.message();
    let mistake = if let Some((key, allowed)) = unknown_field(message) {
        Mistake::UnknownKey { key, allowed }
    } else if message == "duplicate key" {
        let key = source.text.get(span.clone()).unwrap_or_default().to_owned();
        Mistake::DuplicateKey { key }
    } else if is_bare(&source.text, span.start) {
        Mistake::Format("must be text in double quotes, a number, true or false".to_owned())
    } else {
        Mistake::Format(wording(message))
    };
    source.mistake(span.start, mistake)
}

/// Whether at `offset` there is a value that may be meant for text: one that starts with neither quote
/// nor bracket nor digit, and is no value of its own.
fn is_bare(text: &str, offset: usize) -> bool {
    let Some((before, rest)) = text.split_at_checked(offset) else {
        return false;
    };
    let end = rest.find(|c: char| !c.is_alphanumeric());
    let word = &rest[..end.unwrap_or(rest.len())];
    before.trim_end_matches([' ', '\t']).ends_with('=')
        && rest.starts_with(|c: char| c.is_alphabetic() || "/~.$".contains(c))
        && !["true", "false", "inf", "nan"].contains(&word)
}

/// Takes serde's message apart: ``unknown field `a`, expected one of `b`, `c` ``.
fn unknown_field(message: &str) -> Option<(String, Vec<String>)> {
    let rest = message.strip_prefix("unknown field `")?;
    // The key may be any text, but our own names after it hold no quotes.
    let end = rest.rfind("`, expected ")?;
    let allowed = rest[end + 1..]
        .split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect();
    Some((rest[..end].to_owned(), allowed))
}

#[cfg(test)]
mod tests;
