//! Reads JSON that other programs wrote, and says where it is wrong.

use serde::{Deserialize, Deserializer, de::DeserializeOwned};

use super::{ImportError, MAX_AMOUNT};

/// All of a text.
pub(super) fn read<T: DeserializeOwned>(text: &str) -> Result<T, ImportError> {
    serde_json::from_str(text).map_err(|error| at(&error, 1, 0))
}

/// Where an error is, in a text that begins on a line after so many bytes of it.
pub(super) fn at(error: &serde_json::Error, line: usize, before: usize) -> ImportError {
    let message = error.to_string();
    let end = message.rfind(" at line ").unwrap_or(message.len());
    let column = match error.line() {
        0 | 1 => before + error.column().max(1),
        _ => error.column().max(1),
    };
    let line = line + error.line().saturating_sub(1);
    ImportError::new(
        line,
        column,
        crate::core::message::printable(&message[..end]),
    )
}

/// A number, or a text that is one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Number(pub(super) f64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Number(f64),
            Text(String),
        }
        let wrong = || serde::de::Error::custom("this is no number; write one from 0 up");
        let value = match Written::deserialize(deserializer).map_err(|_| wrong())? {
            Written::Number(value) => value,
            Written::Text(text) => text.trim().parse().map_err(|_| wrong())?,
        };
        if value.is_finite() && (0.0..=MAX_AMOUNT as f64).contains(&value) {
            Ok(Self(value))
        } else {
            Err(wrong())
        }
    }
}

/// A whole amount.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Whole(pub(super) u64);

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = u64::deserialize(deserializer)?;
        if value <= MAX_AMOUNT {
            Ok(Self(value))
        } else {
            Err(serde::de::Error::custom(
                "this is more than can have passed",
            ))
        }
    }
}
