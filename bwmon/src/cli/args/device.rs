//! The command line of `device`.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand, builder::PossibleValuesParser};
use serde_json::{Map, Value};

use crate::config::ENTRY_FIELDS;

/// Of `device`.
#[derive(Args, Clone, Debug)]
pub struct DeviceArgs {
    /// What to do.
    #[command(subcommand)]
    pub action: DeviceAction,
}

/// What to do about a device.
#[derive(Clone, Debug, Subcommand)]
pub enum DeviceAction {
    /// Write into its entry of the registered devices
    Set(Box<SetArgs>),
    /// Remove its entry
    Unset(UnsetArgs),
    /// What is known of it, and what its entry says
    Show(ShowArgs),
}

/// Where the file is, if the configuration does not say.
#[derive(Args, Clone, Debug, Default)]
pub struct FileArgs {
    /// The registered devices, as given to `run`
    #[arg(long, value_name = "FILE")]
    pub devices: Option<PathBuf>,
    /// The state directory, as given to `run`: whose holds it is told
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
}

/// Of `device set`.
#[derive(Args, Clone, Debug, Default)]
#[command(group = ArgGroup::new("change").required(true).multiple(true))]
pub struct SetArgs {
    /// Its id, an address or its name; a prefix; or "unknown": all that have no entry
    pub device: String,
    /// What messages call it
    #[arg(long, value_name = "TEXT", group = "change")]
    pub name: Option<String>,
    /// The group it is in
    #[arg(long, value_name = "NAME", group = "change")]
    pub group: Option<String>,
    /// No alerts for it
    #[arg(long, group = "change", conflicts_with = "unmute")]
    pub mute: bool,
    /// Alerts for it after all
    #[arg(long, group = "change")]
    pub unmute: bool,
    /// Bytes a day, as "5 GB"
    #[arg(long, value_name = "SIZE|off", group = "change")]
    pub bandwidth_threshold: Option<String>,
    /// Active time a day, as 5h
    #[arg(long, value_name = "TIME|off", group = "change")]
    pub max_active_time: Option<String>,
    /// As "50 Mbit/s"
    #[arg(long, value_name = "RATE|off", group = "change")]
    pub rate_threshold: Option<String>,
    /// Bytes a billing cycle, as "500 GB"
    #[arg(long, value_name = "SIZE|off", group = "change")]
    pub quota: Option<String>,
    /// Whether a rate far above the usual is told of
    #[arg(long, value_name = "on|off", value_parser = switch(), group = "change")]
    pub surge: Option<String>,
    /// Whether it is told of when it is new
    #[arg(long, value_name = "on|off", value_parser = switch(), group = "change")]
    pub new_device: Option<String>,
    /// How long it may send nothing, as 10min
    #[arg(long, value_name = "TIME|off", group = "change")]
    pub silent: Option<String>,
    /// When its rules apply, as "Mon-Fri 08:00-18:00"; may be repeated
    #[arg(long, value_name = "TIMES", group = "change")]
    pub schedule: Vec<String>,
    /// Further fields as in the file: '{"quota": {"limit": "20 GB", "steps": [80, 100]}}'
    #[arg(long, value_name = "JSON", value_parser = object, group = "change")]
    pub fields: Option<Map<String, Value>>,
    /// Remove this field; may be repeated
    #[arg(long, value_name = "FIELD", group = "change")]
    #[arg(value_parser = PossibleValuesParser::new(ENTRY_FIELDS))]
    pub unset: Vec<String>,
    /// Where the file is.
    #[command(flatten)]
    pub files: FileArgs,
}

/// Of `device unset`.
#[derive(Args, Clone, Debug, Default)]
pub struct UnsetArgs {
    /// Its id, an address or its name; a prefix; or "unknown"
    pub device: String,
    /// Where the file is.
    #[command(flatten)]
    pub files: FileArgs,
}

/// Of `device show`.
#[derive(Args, Clone, Debug, Default)]
pub struct ShowArgs {
    /// Its id, an address or its name; a prefix; or "unknown"
    pub device: String,
    /// Print what the API answers
    #[arg(long)]
    pub json: bool,
    /// Where the file is.
    #[command(flatten)]
    pub files: FileArgs,
}

fn switch() -> PossibleValuesParser {
    PossibleValuesParser::new(["on", "off"])
}

fn object(text: &str) -> Result<Map<String, Value>, String> {
    serde_json::from_str(text).map_err(|error| format!("write a JSON object: {error}"))
}

impl SetArgs {
    /// What is to become of the entry, as a merge patch.
    ///
    /// # Errors
    ///
    /// When a field is named twice; with its name.
    pub fn patch(&self) -> Result<Map<String, Value>, String> {
        let mute = match (self.mute, self.unmute) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        };
        let text = |text: &Option<String>| text.as_deref().map(Value::from);
        let amount = |text: &Option<String>| text.as_deref().map(amount);
        let switch = |text: &Option<String>| text.as_deref().map(|text| Value::from(text == "on"));
        let schedule = match self.schedule.as_slice() {
            [] => None,
            [one] => Some(Value::from(one.as_str())),
            several => Some(Value::from(several)),
        };
        let named = [
            ("name", text(&self.name)),
            ("group", text(&self.group)),
            ("mute", mute.map(Value::from)),
            ("bandwidth_threshold", amount(&self.bandwidth_threshold)),
            ("max_active_time", amount(&self.max_active_time)),
            ("rate_threshold", amount(&self.rate_threshold)),
            ("quota", amount(&self.quota)),
            ("surge", switch(&self.surge)),
            ("new_device", switch(&self.new_device)),
            ("silent", amount(&self.silent)),
            ("schedule", schedule),
        ];
        let named = named
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)));
        let removed = self.unset.iter().map(|name| (name.clone(), Value::Null));
        let mut patch = self.fields.clone().unwrap_or_default();
        for (name, value) in named.chain(removed) {
            if patch.insert(name.clone(), value).is_some() {
                return Err(name);
            }
        }
        Ok(patch)
    }
}

/// Plain numbers as such, as owners write them.
fn amount(text: &str) -> Value {
    text.parse::<u64>()
        .map_or_else(|_| Value::from(text), Value::from)
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use serde_json::json;

    use super::{super::*, *};

    fn set(args: &[&str]) -> Result<SetArgs, clap::Error> {
        let words = ["bwmon", "device", "set"].iter().chain(args);
        match Cli::try_parse_from(words)?.command {
            Command::Device(DeviceArgs {
                action: DeviceAction::Set(args),
            }) => Ok(*args),
            other => panic!("{other:?}"),
        }
    }

    fn check(args: &[&str], expected: Value) {
        let patch = set(args).unwrap().patch().unwrap();
        assert_eq!(Value::Object(patch), expected, "{args:?}");
    }

    #[test]
    fn what_is_typed_becomes_what_the_file_says() {
        check(
            &[
                "tv", "--name", "TV", "--group", "kids", "--mute", "--quota", "20 GB",
            ],
            json!({ "name": "TV", "group": "kids", "mute": true, "quota": "20 GB" }),
        );
        check(
            &[
                "tv",
                "--unmute",
                "--bandwidth-threshold",
                "5000000000",
                "--max-active-time",
                "off",
            ],
            json!({ "mute": false, "bandwidth_threshold": 5_000_000_000_u64, "max_active_time": "off" }),
        );
        check(
            &[
                "tv",
                "--surge",
                "off",
                "--new-device",
                "on",
                "--rate-threshold",
                "1 MB/s",
            ],
            json!({ "surge": false, "new_device": true, "rate_threshold": "1 MB/s" }),
        );
        check(
            &[
                "tv",
                "--schedule",
                "Mon",
                "--schedule",
                "Tue",
                "--silent",
                "10min",
            ],
            json!({ "schedule": ["Mon", "Tue"], "silent": "10min" }),
        );
        check(
            &[
                "tv",
                "--fields",
                r#"{"quota": {"cycle": 15}}"#,
                "--unset",
                "name",
                "--unset",
                "surge",
            ],
            json!({ "quota": { "cycle": 15 }, "name": null, "surge": null }),
        );
    }

    #[test]
    fn a_field_is_named_once() {
        for args in [
            &["tv", "--name", "TV", "--unset", "name"][..],
            &["tv", "--mute", "--fields", r#"{"mute": false}"#],
            &["tv", "--unset", "quota", "--unset", "quota"],
        ] {
            set(args).unwrap().patch().unwrap_err();
        }
        for args in [
            &["tv"][..],
            &["--name", "TV"],
            &["tv", "--mute", "--unmute"],
            &["tv", "--surge", "maybe"],
            &["tv", "--unset", "nme"],
            &["tv", "--fields", "[]"],
        ] {
            assert_eq!(set(args).unwrap_err().exit_code(), 2, "{args:?}");
        }
    }
}
