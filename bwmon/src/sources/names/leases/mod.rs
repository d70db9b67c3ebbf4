//! The leases of DHCP servers. The format is told by the content, so that a file may be called
//! anything.
//!
//! A lease also says which MAC has an address. That is not taken for who a device is: joining what
//! two devices used can't be undone, a lease outlives its device, and whoever speaks through this
//! machine is in the kernel's neighbour table, which knows. It is only used the other way round: a
//! lease does not name an address that another MAC has.

mod dnsmasq;
mod isc;
mod kea;
mod odhcpd;

use std::{borrow::Cow, collections::HashMap, net::IpAddr};

use super::collected::{Collected, Lease};
use crate::core::mac::MacAddr;

/// Reads leases.
pub(super) fn leases(text: &str) -> Collected {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let is_kea = text.trim_start().starts_with("address,");
    let is_isc = lines.clone().any(|line| {
        ["lease ", "server-duid ", "authoring-byte-order "]
            .iter()
            .any(|start| line.starts_with(start))
    });
    // Its lines are comments and hosts; those of dnsmasq start with a time or `duid`.
    let first = lines.next().and_then(|line| line.split_whitespace().next());
    let is_odhcpd = first.is_some_and(|word| word == "#" || word.parse::<IpAddr>().is_ok());
    if is_kea {
        kea::leases(text)
    } else if is_isc {
        isc::leases(text)
    } else if is_odhcpd {
        odhcpd::leases(text)
    } else {
        dnsmasq::leases(text)
    }
}

/// A change of a lease, in a file to which all of them are appended.
struct Entry<'a> {
    address: IpAddr,
    mac: Option<MacAddr>,
    host: Cow<'a, str>,
    /// Or else it was given back, ran out, or is nobody's.
    is_given: bool,
}

/// What is in force of all changes.
fn in_force<'a>(entries: impl Iterator<Item = Entry<'a>>) -> Collected {
    let entries: Vec<_> = entries.collect();
    let numbered = entries.iter().enumerate();
    let last: HashMap<IpAddr, usize> = numbered.map(|(at, entry)| (entry.address, at)).collect();
    let mut collected = Collected::default();
    for (at, entry) in entries.iter().enumerate() {
        if entry.is_given && last.get(&entry.address) == Some(&at) {
            collected.lease(&Lease {
                address: Some(entry.address),
                mac: entry.mac,
                host: &entry.host,
            });
        }
    }
    collected
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::collected::tests::shown, *};

    #[test]
    fn the_format_is_told_by_the_content() {
        let texts = [
            "1772960000 3c:22:fb:00:11:22 192.168.1.5 laptop *\n",
            "\n# br-lan 3c22fb001122 ipv4 laptop 1772960000 c0a80105 32 192.168.1.5/32\n",
            "192.168.1.5\tlaptop.lan\tlaptop\n",
            "# The format of this file is documented in dhcpd.leases(5).\n\
             lease 192.168.1.5 {\n hardware ethernet 3c:22:fb:00:11:22;\n client-hostname \"laptop\";\n}\n",
            "address,hwaddr,hostname\n192.168.1.5,3c:22:fb:00:11:22,laptop\n",
        ];
        for text in texts {
            let shown = shown(&leases(text));
            let expected = "192.168.1.5 (3c:22:fb:00:11:22) laptop\n";
            let without_mac = "192.168.1.5 laptop\n";
            assert!(
                shown.ends_with(expected) || shown == without_mac,
                "{text}: {shown}"
            );
        }
        assert_eq!(shown(&leases("")), "");
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(?s:.{0,300})") {
            leases(&text);
        }

        #[test]
        fn nothing_like_leases_panics(
            words in prop::collection::vec(
                prop_oneof![
                    Just("lease ".to_owned()), Just("{\n".to_owned()), Just("}\n".to_owned()),
                    Just("\"".to_owned()), Just("\\".to_owned()), Just(";\n".to_owned()),
                    Just("# ".to_owned()), Just("address,hwaddr,hostname,state\n".to_owned()),
                    Just(",".to_owned()), Just("\n".to_owned()), Just(" ".to_owned()),
                    Just("hardware ethernet ".to_owned()), Just("client-hostname ".to_owned()),
                    Just("192.168.1.5".to_owned()), Just("3c:22:fb:00:11:22".to_owned()),
                    Just("&#x2c".to_owned()), Just("ipv4 ".to_owned()), "[0-9a-f:.é]{1,12}",
                ],
                0..60,
            )
        ) {
            let text = words.concat();
            for read in [leases, dnsmasq::leases, odhcpd::leases, isc::leases, kea::leases] {
                // Each name takes more than a byte to write down, and names two.
                prop_assert!(read(&text).names.len() <= 2 * text.len());
            }
        }
    }
}
