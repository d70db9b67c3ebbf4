//! `[metrics]`: what Prometheus is shown.

use serde::Deserialize;
use toml::Spanned;

use super::{error::ConfigError, reader::Reader, value::Scalar};

const DEFAULT_MAX_DEVICES: u32 = 1000;

/// What is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metrics {
    /// Devices that have metrics of their own; the others are summed up.
    pub max_devices: usize,
}

/// The keys as written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table [metrics]")]
pub(super) struct MetricsTable {
    max_devices: Option<Spanned<Scalar>>,
}

impl MetricsTable {
    /// Reads and checks the keys.
    pub(super) fn read(&self, reader: &Reader<'_>) -> Result<Metrics, ConfigError> {
        let key = "metrics.max_devices";
        let max_devices = reader.get(key, self.max_devices.as_ref(), |count| {
            count.integer_within(0..=65_536, "a whole number from 0 to 65536")
        })?;
        Ok(Metrics {
            max_devices: max_devices.unwrap_or(DEFAULT_MAX_DEVICES) as usize,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::{file, source::Source};

    fn read(text: &str) -> Result<usize, String> {
        let source = Source::new(Path::new("f"), text.into()).unwrap();
        let parsed = file::parse(&source).map_err(|error| error.to_string())?;
        Ok(parsed.config.metrics.max_devices)
    }

    #[test]
    fn how_many_devices_are_shown_is_a_number() {
        assert_eq!(read(""), Ok(1000));
        assert_eq!(read("[metrics]\nmax_devices = 0"), Ok(0));
        let error = read("[metrics]\nmax_devices = \"all\"").unwrap_err();
        assert!(
            error.contains("f:2:15: metrics.max_devices: must be a whole number"),
            "{error}"
        );
    }
}
