//! MAC addresses.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An EUI-48.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(
    value_type = String,
    pattern = "^[0-9a-f]{2}(:[0-9a-f]{2}){5}$",
    example = "02:1b:c3:00:4f:9e"
)]
pub struct MacAddr(pub [u8; 6]);

impl MacAddr {
    /// Whether a device made it up (locally administered unicast, as phones do for privacy).
    pub fn is_private(self) -> bool {
        self.0[0] & 0b11 == 0b10
    }

    /// Whether it can be one station's address: neither a group address nor all zero.
    pub fn is_station(self) -> bool {
        self.0[0] & 1 == 0 && self.0 != [0; 6]
    }
}

impl fmt::Display for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Debug for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is no MAC address.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not a MAC address (six hexadecimal pairs, as in 02:1b:c3:00:4f:9e)")]
pub struct ParseMacError(String);

impl FromStr for MacAddr {
    type Err = ParseMacError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || ParseMacError(text.to_owned());
        let separator = if text.contains('-') { '-' } else { ':' };
        let mut octets = [0; 6];
        let mut pairs = text.split(separator);
        for octet in &mut octets {
            let pair = pairs
                .next()
                .filter(|pair| pair.len() == 2)
                .ok_or_else(invalid)?;
            if !pair.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err(invalid());
            }
            *octet = u8::from_str_radix(pair, 16).map_err(|_| invalid())?;
        }
        if pairs.next().is_some() {
            return Err(invalid());
        }
        Ok(Self(octets))
    }
}

impl TryFrom<String> for MacAddr {
    type Error = ParseMacError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<MacAddr> for String {
    fn from(mac: MacAddr) -> Self {
        mac.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<[u8; 6]>) {
        assert_eq!(
            text.parse::<MacAddr>().ok().map(|mac| mac.0),
            expected,
            "{text}"
        );
    }

    #[test]
    fn reads_both_usual_forms_and_nothing_else() {
        check("02:1b:c3:00:4f:9e", Some([2, 0x1b, 0xc3, 0, 0x4f, 0x9e]));
        check("02-1B-C3-00-4F-9E", Some([2, 0x1b, 0xc3, 0, 0x4f, 0x9e]));
        for text in [
            "",
            "02:1b:c3:00:4f",
            "02:1b:c3:00:4f:9e:00",
            "2:1b:c3:00:4f:9e",
            "+2:1b:c3:00:4f:9e",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn a_locally_administered_station_is_private() {
        assert!(MacAddr([0x02, 0, 0, 0, 0, 1]).is_private());
        assert!(!MacAddr([0x00, 0, 0, 0, 0, 1]).is_private());
        assert!(!MacAddr([0x03, 0, 0, 0, 0, 1]).is_private());
    }
}
