//! From files and command line to one checked configuration.

use std::{
    io,
    path::{self, Path, PathBuf},
};

use super::{
    Config, Listen, XdpMode,
    devices::{self, Devices},
    error::{ConfigError, ConfigErrors, Mistake, Place},
    file::{self, NotToml, Parsed},
    interface,
    listen::ListenError,
    source::Source,
    value::ValueError,
};
use crate::core::policy::Policy;

const CONFIG_FILE: &str = "/etc/bwmon/bwmon.toml";
const DEVICES_FILE: &str = "registered_devices.json";

/// What the command line says instead of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// The configuration file; else `/etc/bwmon/bwmon.toml`, if there.
    pub config: Option<PathBuf>,
    /// Names or globs; empty: as the file says.
    pub interfaces: Vec<String>,
    /// Where the HTTP interface listens.
    pub listen: Option<String>,
    /// Where history is kept.
    pub state_dir: Option<PathBuf>,
    /// The registered devices.
    pub devices: Option<PathBuf>,
    /// How to attach on ingress.
    pub xdp_mode: Option<XdpMode>,
}

/// Reads and checks everything.
///
/// # Errors
///
/// The first mistake of each file and of each option. Nothing is half in force: there is no
/// configuration then.
pub fn load(overrides: &Overrides) -> Result<Config, ConfigErrors> {
    load_from(Path::new(CONFIG_FILE), Path::new(""), overrides)
}

/// As [`load`], with the file to look for when none is named, and the directory to start from.
fn load_from(
    default_file: &Path,
    working_directory: &Path,
    overrides: &Overrides,
) -> Result<Config, ConfigErrors> {
    let mut errors = Errors::default();

    let candidate = match &overrides.config {
        Some(path) => Candidate {
            path: path.clone(),
            named_by: NamedBy::Option("--config"),
        },
        None => Candidate {
            path: default_file.to_owned(),
            named_by: NamedBy::Default,
        },
    };
    let source = errors.keep(open_first(&[candidate]));
    let devices = match &source {
        Some(source) => {
            let built_in = default_file.with_file_name(DEVICES_FILE);
            let fallback = [built_in, working_directory.join(DEVICES_FILE)];
            errors.keep(read_devices(source.as_ref(), overrides, &fallback))
        }
        // Where they are is not known, unless the command line says so.
        None => errors.keep(read_devices(None, overrides, &[])),
    };
    let parsed = source.and_then(|source| {
        let source = source.unwrap_or_default();
        let mut parsed = errors.keep(file::parse(&source))?;
        if !source.path.as_os_str().is_empty() {
            parsed.config.sources.push(source.path);
        }
        Some(parsed)
    });

    let names = overrides
        .interfaces
        .iter()
        .map(|name| interface::check(name));
    let interfaces = errors.option("--iface", names.collect::<Result<Vec<_>, _>>());
    let listen = errors.option(
        "--listen",
        overrides.listen.as_deref().map(str::parse).transpose(),
    );

    let (Some(parsed), Some(devices), Some(interfaces), Some(listen)) =
        (parsed, devices, interfaces, listen)
    else {
        return Err(ConfigErrors(errors.0));
    };
    let Parsed {
        mut config,
        listen_place,
    } = parsed;
    if !interfaces.is_empty() {
        config.interfaces = interfaces;
    }
    config.xdp_mode = overrides.xdp_mode.unwrap_or(config.xdp_mode);
    if let Some(directory) = &overrides.state_dir {
        config.state_dir = directory.clone();
    }
    let listen_place = if listen.is_some() { None } else { listen_place };
    config.http.listen = listen.unwrap_or(config.http.listen);
    errors.keep(check_listen(&config, listen_place));

    let (path, devices) = devices;
    // For those who ask where it is, from wherever they do.
    config.devices_file = path::absolute(&path).unwrap_or_else(|_| path.clone());
    if let Some(devices) = devices {
        config.sources.push(path);
        config.policy.registered = devices.registered;
        config.policy.unknown = devices.unknown;
        config.warnings.extend(devices.warnings);
    }
    config.warnings.extend(empty_groups(&config.policy));
    if errors.0.is_empty() {
        Ok(config)
    } else {
        Err(ConfigErrors(errors.0))
    }
}

/// Groups that have rules but no devices: one of the two may be misspelt.
fn empty_groups(policy: &Policy) -> impl Iterator<Item = String> {
    let is_empty = |name: &&String| {
        let mut groups = policy.registered.iter().map(|entry| entry.group.as_ref());
        !groups.any(|group| group == Some(*name))
    };
    policy.groups.keys().filter(is_empty).map(|name| {
        format!(
            "groups: no registered device is in {name:?}; its limits have no effect until an entry \
             says \"group\": {name:?}"
        )
    })
}

/// Listening where others can reach it takes a token. `place`: where the file says so, if it does.
fn check_listen(config: &Config, place: Option<Place>) -> Result<(), ConfigError> {
    let listen: &Listen = &config.http.listen;
    if listen.is_local() || config.http.token.is_some() {
        return Ok(());
    }
    let reason = ListenError::NeedsToken(listen.clone()).into();
    Err(match place {
        Some(place) => {
            let mistake = Mistake::Value {
                key: "http.listen",
                reason,
            }
            .into();
            ConfigError::Content { place, mistake }
        }
        None => ConfigError::Option {
            option: "--listen",
            reason,
        },
    })
}

/// The file of the registered devices, and what it says; `None`: it is not there. `fallback`: where it
/// may be when there is no configuration file.
fn read_devices(
    config: Option<&Source>,
    overrides: &Overrides,
    fallback: &[PathBuf],
) -> Result<(PathBuf, Option<Devices>), ConfigError> {
    let default = |path: &PathBuf| Candidate {
        path: path.clone(),
        named_by: NamedBy::Default,
    };
    let candidates = if let Some(path) = &overrides.devices {
        vec![Candidate {
            path: path.clone(),
            named_by: NamedBy::Option("--devices"),
        }]
    } else if let Some(config) = config {
        match file::devices_file(config) {
            Ok(Some((path, place))) => vec![Candidate {
                path,
                named_by: NamedBy::Key(place),
            }],
            Ok(None) => vec![default(&config.directory().join(DEVICES_FILE))],
            Err(NotToml) => Vec::new(),
        }
    } else {
        fallback.iter().map(default).collect()
    };
    let Some(source) = open_first(&candidates)? else {
        let first = candidates.into_iter().next();
        return Ok((first.map(|first| first.path).unwrap_or_default(), None));
    };
    let devices = devices::parse(&source)?;
    Ok((source.path, Some(devices)))
}

/// A file that may be there.
struct Candidate {
    path: PathBuf,
    named_by: NamedBy,
}

/// Who says that a file is there.
enum NamedBy {
    /// An option of the command line.
    Option(&'static str),
    /// The key `devices_file` at this place.
    Key(Place),
    /// Nobody.
    Default,
}

/// Reads the first file that is there. One that somebody named must be.
fn open_first(candidates: &[Candidate]) -> Result<Option<Source>, ConfigError> {
    for Candidate { path, named_by } in candidates {
        let reason = match Source::open(path) {
            Ok(source) => return source.map(Some),
            Err(reason) => reason,
        };
        let path = path.clone();
        return Err(match named_by {
            NamedBy::Default if reason.kind() == io::ErrorKind::NotFound => continue,
            NamedBy::Default => ConfigError::Unreadable { path, reason },
            NamedBy::Option(option) => ConfigError::Option {
                option,
                reason: ValueError::Unreadable { path, reason },
            },
            NamedBy::Key(place) => {
                let reason = ValueError::Unreadable { path, reason };
                let mistake = Mistake::Value {
                    key: "devices_file",
                    reason,
                }
                .into();
                ConfigError::Content {
                    place: place.clone(),
                    mistake,
                }
            }
        });
    }
    Ok(None)
}

/// The mistakes so far.
#[derive(Default)]
struct Errors(Vec<ConfigError>);

impl Errors {
    fn keep<T>(&mut self, result: Result<T, ConfigError>) -> Option<T> {
        result.map_err(|error| self.0.push(error)).ok()
    }

    fn option<T, E: Into<ValueError>>(
        &mut self,
        option: &'static str,
        result: Result<T, E>,
    ) -> Option<T> {
        self.keep(result.map_err(|reason| ConfigError::Option {
            option,
            reason: reason.into(),
        }))
    }
}

#[cfg(test)]
mod tests;
