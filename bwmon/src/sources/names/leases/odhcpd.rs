//! odhcpd: `# INTERFACE ID ASSOCIATION HOST EXPIRES ASSIGNED LENGTH ADDRESS/LENGTH …` a lease. For
//! IPv4 the association is the word `ipv4` and the id the MAC. Lines for a resolver stand in between
//! or in a file of their own: `ADDRESS HOST.DOMAIN HOST`.

use std::net::IpAddr;

use super::super::collected::{Collected, Lease, mac};

/// In front of a name that it would not tell the resolver.
const BROKEN: &str = "broken\\x20";

/// Reads leases.
pub(super) fn leases(text: &str) -> Collected {
    let mut collected = Collected::default();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        match words.next() {
            Some("#") => state(&mut collected, words),
            Some(address) => {
                if let (Ok(address), Some(host)) = (address.parse(), words.next()) {
                    named(&mut collected, address, host);
                }
            }
            None => {}
        }
    }
    collected
}

fn state<'a>(collected: &mut Collected, mut words: impl Iterator<Item = &'a str>) {
    let (Some(id), Some(association), Some(host)) = (words.nth(1), words.next(), words.next())
    else {
        return;
    };
    if host == "-" || host.starts_with(BROKEN) {
        return;
    }
    let is_v4 = association == "ipv4";
    for address in words.skip(3) {
        // A prefix that was given away is no address.
        let address = match address.split_once('/') {
            Some((address, "32" | "128")) => address,
            _ => continue,
        };
        collected.lease(&Lease {
            address: address.parse().ok(),
            mac: mac(id).filter(|_| is_v4),
            host,
        });
    }
}

/// A line for the resolver does not take away the MAC that the lease has.
fn named(collected: &mut Collected, address: IpAddr, host: &str) {
    use crate::core::names::Whose;
    let whose = Whose::Address(address);
    if !collected.names.contains_key(&whose) {
        collected.add(whose, host);
    }
}

#[cfg(test)]
mod tests {
    use super::{super::super::collected::tests::shown, *};

    #[test]
    fn leases_and_lines_for_a_resolver_are_read() {
        let text = "\
            # br-lan 3c22fb001122 ipv4 laptop 1772960000 c0a80105 32 192.168.1.5/32\n\
            192.168.1.5\tlaptop.lan\tlaptop\n\
            # br-lan 2:0:0:0:0:7 ipv4 phone 1772960000 c0a80107 32 192.168.1.7/32\n\
            # br-lan 00010001291f5e8a3c22fb001122 fb001122 laptop 1772960000 5 128 2001:db8::5/128 fd00::5/128\n\
            # br-lan 000300013c22fb001123 1 router2 1772960000 10 60 2001:db8:0:10::/60\n\
            # br-lan 3c22fb001124 ipv4 - 1772960000 c0a80108 32 192.168.1.8/32\n\
            # br-lan 3c22fb001125 ipv4 broken\\x20name 1772960000 c0a80109 32 192.168.1.9/32\n\
            fd00::9\ttv.lan\ttv\n\
            # br-lan\n#\n192.168.1.10\n";
        insta::assert_snapshot!(shown(&leases(text)), @r"
        02:00:00:00:00:07 phone
        3c:22:fb:00:11:22 laptop
        192.168.1.5 (3c:22:fb:00:11:22) laptop
        192.168.1.7 (02:00:00:00:00:07) phone
        2001:db8::5 laptop
        fd00::5 laptop
        fd00::9 tv
        ");
    }
}
