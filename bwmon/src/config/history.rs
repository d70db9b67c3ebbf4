//! `[history]`: for how long what moved is kept, and how finely.

use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::{
    error::{ConfigError, Mistake},
    reader::Reader,
    value::{Scalar, ValueError},
};
use crate::store::Retention;

/// Bytes of the database beyond which history goes before its time.
const DEFAULT_MAX_SIZE: u64 = 256 * 1000 * 1000;
/// A smaller database can't hold even a day of a home.
const LEAST_SIZE: u64 = 4 * 1000 * 1000;
/// The least that a tier is kept for: the next one is made of it.
const LEAST: Duration = Duration::from_secs(3600);

/// How history is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct History {
    /// For how long.
    pub retention: Retention,
    /// Bytes of the database beyond which the oldest of the finest goes.
    pub max_size: u64,
}

impl Default for History {
    fn default() -> Self {
        Self {
            retention: Retention::default(),
            max_size: DEFAULT_MAX_SIZE,
        }
    }
}

/// The keys as written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table [history]")]
pub(super) struct HistoryTable {
    minutes: Option<Spanned<Scalar>>,
    quarters: Option<Spanned<Scalar>>,
    hours: Option<Spanned<Scalar>>,
    days: Option<Spanned<Scalar>>,
    max_size: Option<Spanned<Scalar>>,
}

impl HistoryTable {
    /// Reads and checks the keys.
    pub(super) fn read(&self, reader: &Reader<'_>) -> Result<History, ConfigError> {
        let built_in = Retention::default();
        let get = |key, value: &Option<_>, built_in| {
            let read = reader.get(key, value.as_ref(), time)?;
            Ok(read.unwrap_or(built_in))
        };
        let retention = Retention {
            minute: get("history.minutes", &self.minutes, built_in.minute)?,
            quarter: get("history.quarters", &self.quarters, built_in.quarter)?,
            hour: get("history.hours", &self.hours, built_in.hour)?,
            day: get("history.days", &self.days, built_in.day)?,
        };
        let tiers = [
            (
                "history.quarters",
                &self.quarters,
                retention.minute,
                retention.quarter,
            ),
            (
                "history.hours",
                &self.hours,
                retention.quarter,
                retention.hour,
            ),
            ("history.days", &self.days, retention.hour, retention.day),
        ];
        let written = [&self.minutes, &self.quarters, &self.hours, &self.days];
        for (key, value, finer, coarser) in tiers {
            if is_longer(finer, coarser) {
                let reason = "must not be shorter than that of the finer ones before it".to_owned();
                let place = value.as_ref().or(written.into_iter().flatten().next());
                let offset = place.map_or(0, |value| value.span().start);
                let mistake = Mistake::Format(format!("{key} {reason}"));
                return Err(reader.source.mistake(offset, mistake));
            }
        }
        let max_size = reader.get(
            "history.max_size",
            self.max_size.as_ref(),
            |size| match size.size()? {
                bytes if bytes >= LEAST_SIZE => Ok(bytes),
                _ => Err(size.not("a size of at least 4 MB")),
            },
        )?;
        Ok(History {
            retention,
            max_size: max_size.unwrap_or(DEFAULT_MAX_SIZE),
        })
    }
}

/// `None` is for ever, the longest there is.
fn is_longer(finer: Option<Duration>, coarser: Option<Duration>) -> bool {
    coarser.is_some_and(|coarser| finer.is_none_or(|finer| finer > coarser))
}

fn time(value: &Scalar) -> Result<Option<Duration>, ValueError> {
    const ALLOWED: &str = "a duration of at least 1h such as \"90d\", or \"forever\"";
    match value {
        Scalar::Text(text) if text == "forever" => Ok(None),
        _ => match value.duration()? {
            duration if duration >= LEAST => Ok(Some(duration)),
            _ => Err(value.not(ALLOWED)),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{file, source::Source};

    fn read(text: &str) -> Result<History, String> {
        let source = Source::new(Path::new("f"), text.into()).unwrap();
        let parsed = file::parse(&source).map_err(|error| error.to_string())?;
        Ok(parsed.config.history)
    }

    #[test]
    fn everything_has_a_default() {
        let days = |days: u64| Some(Duration::from_secs(days * 24 * 3600));
        let History {
            retention,
            max_size,
        } = read("").unwrap();
        assert_eq!(
            [
                retention.minute,
                retention.quarter,
                retention.hour,
                retention.day
            ],
            [days(7), days(90), days(730), None]
        );
        assert_eq!(max_size, 256_000_000);
    }

    #[test]
    fn each_may_be_longer_or_shorter() {
        let history = read(
            "[history]\nminutes = \"2d\"\nquarters = \"2d\"\nhours = \"forever\"\n\
             days = \"forever\"\nmax_size = \"20 MB\"",
        );
        let History {
            retention,
            max_size,
        } = history.unwrap();
        assert_eq!(retention.minute, Some(Duration::from_secs(2 * 24 * 3600)));
        assert_eq!(retention.hour, None);
        assert_eq!(max_size, 20_000_000);
    }

    #[test]
    fn mistakes_have_a_place_and_say_what_is_allowed() {
        for (text, expected) in [
            (
                "[history]\nminutes = \"5s\"",
                "f:2:11: history.minutes: must be a duration of at least 1h",
            ),
            (
                "[history]\nmax_size = 5",
                "f:2:12: history.max_size: must be a size of at least 4 MB",
            ),
            (
                "[history]\nhours = \"1d\"",
                "f:2:9: history.hours must not be shorter",
            ),
            (
                "[history]\nquarters = \"forever\"",
                "f:2:12: history.hours must not be shorter",
            ),
            ("[history]\nyears = 1", "f:2:1: unknown key"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
