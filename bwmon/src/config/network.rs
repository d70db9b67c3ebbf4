//! Prefixes of networks, and whom an entry of the registered devices is about.

use std::{fmt, net::IpAddr};

use bwmon_common::networks::MAX_PREFIXES;
use ipnet::IpNet;

use super::error::hint;
use crate::core::{mac::MacAddr, policy::Selector};

/// The text is no prefix, or there are too many.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// It is not a prefix.
    #[error("{0:?} is not a network prefix; write one such as \"192.168.1.0/24\" or \"fd00::/8\"")]
    Invalid(String),
    /// It is an address.
    #[error("{found:?} is an address, not a network prefix; did you mean \"{suggestion}\"?")]
    Address {
        /// As written.
        found: String,
        /// The usual network around it.
        suggestion: IpNet,
    },
    /// It is an address in a network.
    #[error("{found:?} has bits set after the prefix; did you mean \"{network}\"?")]
    HostBits {
        /// As written.
        found: String,
        /// The network it is in.
        network: IpNet,
    },
    /// IPv4 written as IPv6.
    #[error("{0:?} is IPv4 written as IPv6; write it as IPv4, such as \"192.168.1.0/24\"")]
    Mapped(String),
    /// The list is empty.
    #[error("the list is empty; name at least one prefix, or write \"auto\"")]
    Empty,
    /// More than the kernel half has room for.
    #[error(
        "{count} {family} prefixes are more than the {MAX_PREFIXES} allowed; join neighbouring ones into \
         a shorter prefix"
    )]
    TooMany {
        /// How many are left when neighbours and parts are joined.
        count: usize,
        /// `IPv4` or `IPv6`.
        family: &'static str,
    },
}

/// The key of an entry says nobody.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectorError {
    /// It is none of the forms allowed.
    #[error(
        "{found:?} is no device; {}", match .near_unknown {
            true => "did you mean \"unknown\"?",
            false => "write an IPv4 or IPv6 address, a MAC address, a prefix such as \
                     \"192.168.1.0/28\", or \"unknown\"",
        }
    )]
    Invalid {
        /// As written.
        found: String,
        /// It looks like `unknown`.
        near_unknown: bool,
    },
    /// It should be a prefix.
    #[error(transparent)]
    Prefix(#[from] NetworkError),
    /// No device has such a MAC address.
    #[error("\"{0}\" is the MAC address of a group or of nobody; write that of one device")]
    NotAStation(MacAddr),
}

/// Whom an entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Subject {
    /// Every device that no other entry is about.
    Unknown,
    /// These.
    Registered(Selector),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("unknown"),
            Self::Registered(Selector::Address(address)) => address.fmt(f),
            Self::Registered(Selector::Mac(mac)) => mac.fmt(f),
            Self::Registered(Selector::Prefix(prefix)) => prefix.fmt(f),
        }
    }
}

/// Reads the key of an entry. Different spellings of the same give the same.
pub(super) fn subject(text: &str) -> Result<Subject, SelectorError> {
    if text == "unknown" {
        return Ok(Subject::Unknown);
    }
    let selector = if text.contains('/') {
        let prefix = prefix(text)?;
        if prefix.prefix_len() == prefix.max_prefix_len() {
            Selector::Address(prefix.addr())
        } else {
            Selector::Prefix(prefix)
        }
    } else if let Ok(mac) = text.parse::<MacAddr>() {
        if !mac.is_station() {
            return Err(SelectorError::NotAStation(mac));
        }
        Selector::Mac(mac)
    } else if let Ok(address) = text.parse::<IpAddr>() {
        Selector::Address(address.to_canonical())
    } else {
        let near_unknown = hint(text, &["unknown"]).starts_with("did");
        return Err(SelectorError::Invalid {
            found: text.to_owned(),
            near_unknown,
        });
    };
    Ok(Subject::Registered(selector))
}

/// Reads a prefix.
pub(super) fn prefix(text: &str) -> Result<IpNet, NetworkError> {
    let found = || text.to_owned();
    if let Ok(address) = text.parse::<IpAddr>() {
        let length = if address.is_ipv4() { 24 } else { 64 };
        let around = IpNet::new(address, length).map_err(|_| NetworkError::Invalid(found()))?;
        return Err(NetworkError::Address {
            found: found(),
            suggestion: around.trunc(),
        });
    }
    let prefix: IpNet = text.parse().map_err(|_| NetworkError::Invalid(found()))?;
    if prefix.addr().to_canonical().is_ipv4() && !prefix.addr().is_ipv4() {
        return Err(NetworkError::Mapped(found()));
    }
    if prefix.trunc() != prefix {
        return Err(NetworkError::HostBits {
            found: found(),
            network: prefix.trunc(),
        });
    }
    Ok(prefix)
}

/// Joins prefixes, so that none contains another, and checks that the kernel half has room for them.
pub(super) fn join(prefixes: &Vec<IpNet>) -> Result<Vec<IpNet>, NetworkError> {
    if prefixes.is_empty() {
        return Err(NetworkError::Empty);
    }
    let joined = IpNet::aggregate(prefixes);
    let v4 = joined
        .iter()
        .filter(|prefix| prefix.addr().is_ipv4())
        .count();
    for (count, family) in [(v4, "IPv4"), (joined.len() - v4, "IPv6")] {
        if count > MAX_PREFIXES {
            return Err(NetworkError::TooMany { count, family });
        }
    }
    Ok(joined)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text<T: fmt::Display, E: fmt::Display>(result: Result<T, E>) -> String {
        result.map_or_else(|error| error.to_string(), |value| value.to_string())
    }

    #[test]
    fn prefixes() {
        let check = |found, expected: &str| assert_eq!(text(prefix(found)), expected);
        check("192.168.1.0/24", "192.168.1.0/24");
        check("fd00::/8", "fd00::/8");
        check("0.0.0.0/0", "0.0.0.0/0");
        check(
            "192.168.1.7/24",
            "\"192.168.1.7/24\" has bits set after the prefix; did you mean \"192.168.1.0/24\"?",
        );
        check(
            "192.168.1.7",
            "\"192.168.1.7\" is an address, not a network prefix; did you mean \"192.168.1.0/24\"?",
        );
        check(
            "fd00::1",
            "\"fd00::1\" is an address, not a network prefix; did you mean \"fd00::/64\"?",
        );
        check(
            "::ffff:192.168.1.0/120",
            "\"::ffff:192.168.1.0/120\" is IPv4 written as IPv6; write it as IPv4, such as \
             \"192.168.1.0/24\"",
        );
        for found in [
            "",
            "/",
            "lan",
            "192.168.1.0/33",
            "192.168.1.0/255.255.255.0",
            "1.2.3.4/-1",
        ] {
            assert_eq!(prefix(found), Err(NetworkError::Invalid(found.to_owned())));
        }
    }

    #[test]
    fn neighbours_and_parts_are_joined_before_they_are_counted() {
        let list = |count: u8| -> Vec<IpNet> {
            (0..count)
                .map(|n| IpNet::new([10, 0, n, 0].into(), 24).unwrap())
                .collect()
        };
        assert_eq!(join(&list(32)).unwrap(), ["10.0.0.0/19".parse().unwrap()]);
        let scattered: Vec<IpNet> = list(34).into_iter().step_by(2).collect();
        assert_eq!(scattered.len(), 17);
        assert_eq!(
            text(join(&scattered).map(|_| "")),
            "17 IPv4 prefixes are more than the 16 allowed; join neighbouring ones into a shorter prefix",
        );
        assert_eq!(join(&scattered[..16].to_vec()).unwrap().len(), 16);
        assert_eq!(join(&Vec::new()), Err(NetworkError::Empty));
    }

    #[test]
    fn subjects() {
        let check = |found, expected: &str| assert_eq!(text(subject(found)), expected);
        check("unknown", "unknown");
        check("192.0.2.1", "192.0.2.1");
        check("::ffff:192.0.2.1", "192.0.2.1");
        check("0::1", "::1");
        check("02-1B-C3-00-4F-9E", "02:1b:c3:00:4f:9e");
        check("192.0.2.0/28", "192.0.2.0/28");
        check("192.0.2.1/32", "192.0.2.1");
        check(
            "Unknown",
            "\"Unknown\" is no device; did you mean \"unknown\"?",
        );
        check(
            "laptop",
            "\"laptop\" is no device; write an IPv4 or IPv6 address, a MAC address, a prefix such as \
             \"192.168.1.0/28\", or \"unknown\"",
        );
        check(
            "192.0.2.1/28",
            "\"192.0.2.1/28\" has bits set after the prefix; did you mean \"192.0.2.0/28\"?",
        );
        check(
            "ff:ff:ff:ff:ff:ff",
            "\"ff:ff:ff:ff:ff:ff\" is the MAC address of a group or of nobody; write that of one device",
        );
    }
}
