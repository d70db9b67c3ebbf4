//! The time zone that days follow.

use std::path::Path;

use jiff::tz::TimeZone;

/// What an example looks like in messages.
const EXAMPLES: &str = "\"Europe/Berlin\" or \"CET-1CEST,M3.5.0,M10.5.0/3\"";

/// The text is no time zone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ZoneError {
    /// It was tried as all that it may be.
    #[error(
        "{0:?} is not \"local\", not in the time zone database, and not a POSIX time zone; write one \
         such as {EXAMPLES}"
    )]
    NotFound(String),
    /// It may be right, but there is nothing to look it up in.
    #[error(
        "{0:?} can't be looked up, as this machine has no time zone database, and it is not a POSIX \
         time zone; install the database (tzdata, zoneinfo), or write the zone as in \
         \"CET-1CEST,M3.5.0,M10.5.0/3\""
    )]
    NoDatabase(String),
}

/// A time zone, and what its owner should know.
pub(super) struct Zone {
    /// The zone.
    pub(super) zone: TimeZone,
    /// Why it may be another than expected.
    pub(super) warning: Option<String>,
}

impl Zone {
    /// Reads `local`, a name of the time zone database, or a POSIX time zone.
    pub(super) fn read(text: &str) -> Result<Self, ZoneError> {
        if text == "local" {
            return Ok(Self::local());
        }
        if let Ok(zone) = TimeZone::get(text).or_else(|_| TimeZone::posix(text)) {
            return Ok(Self {
                zone,
                warning: None,
            });
        }
        let is_name = text.contains('/') && jiff::tz::db().is_definitively_empty();
        let error = if is_name {
            ZoneError::NoDatabase
        } else {
            ZoneError::NotFound
        };
        Err(error(text.to_owned()))
    }

    /// That of the system, else UTC.
    pub(super) fn local() -> Self {
        // Some routers say it in this file only.
        let posix = |path: &Path| TimeZone::posix(std::fs::read_to_string(path).ok()?.trim()).ok();
        match TimeZone::try_system()
            .ok()
            .or_else(|| posix(Path::new("/etc/TZ")))
        {
            Some(zone) => Self {
                zone,
                warning: None,
            },
            None => {
                let warning = format!(
                    "no time zone found in the variable TZ, /etc/localtime or /etc/TZ, so days follow \
                     UTC; set timezone to one such as {EXAMPLES}"
                );
                Self {
                    zone: TimeZone::UTC,
                    warning: Some(warning),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn names_and_posix_strings_are_read() {
        let check = |text: &str, hours: i32| {
            let zone = Zone::read(text).unwrap().zone;
            let summer: Timestamp = "2026-07-01T00:00:00Z".parse().unwrap();
            assert_eq!(zone.to_offset(summer).seconds(), hours * 3600, "{text}");
        };
        check("UTC", 0);
        check("CET-1CEST,M3.5.0,M10.5.0/3", 2);
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "Local",
            "Mars/Olympus",
            "CET-1CEST,M99",
            "../../etc/passwd",
            "\0",
        ] {
            assert!(Zone::read(text).is_err(), "{text}");
        }
    }
}
