//! dnsmasq: `EXPIRES MAC ADDRESS HOST CLIENT-ID` a line, then, after a line with `duid`, those of
//! DHCPv6 with the identity association in place of the MAC. `*` stands for what is not known.

use super::super::collected::{Collected, Lease, mac};

/// Reads leases.
pub(super) fn leases(text: &str) -> Collected {
    let mut collected = Collected::default();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let expires = words.next();
        if !expires.is_some_and(|word| word.bytes().all(|digit| digit.is_ascii_digit())) {
            continue;
        }
        let (Some(hardware), Some(address), Some(host)) =
            (words.next(), words.next(), words.next())
        else {
            continue;
        };
        let Ok(address) = address.parse() else {
            continue;
        };
        collected.lease(&Lease {
            address: Some(address),
            // Of other hardware than Ethernet there is the kind in front: `06-…`.
            mac: mac(hardware).filter(|_| address.is_ipv4()),
            host,
        });
    }
    collected
}

#[cfg(test)]
mod tests {
    use super::{super::super::collected::tests::shown, *};

    #[test]
    fn both_families_are_read() {
        let text = "1772960000 3c:22:fb:00:11:22 192.168.1.5 laptop 01:3c:22:fb:00:11:22\n\
            1772960000 3c:22:fb:00:11:23 192.168.1.6 * *\n\
            0 02:00:00:00:00:07 192.168.1.7 phone.lan *\n\
            1772960000 06-00:01:02:03:04:05 192.168.1.8 firewire *\n\
            duid 00:01:00:01:29:1f:5e:8a:02:00:00:00:00:01\n\
            1772960000 12345678 fd00::5 laptop 00:01:00:01\n\
            1772960000 T12345678 fd00::6 * 00:01:00:01\n";
        insta::assert_snapshot!(shown(&leases(text)), @r"
        02:00:00:00:00:07 phone
        3c:22:fb:00:11:22 laptop
        192.168.1.5 (3c:22:fb:00:11:22) laptop
        192.168.1.7 (02:00:00:00:00:07) phone
        192.168.1.8 firewire
        fd00::5 laptop
        ");
    }

    #[test]
    fn hostile_and_broken_lines_name_nobody_or_harmlessly() {
        let text = "1 3c:22:fb:00:11:22 192.168.1.5 \u{202e}\u{1b}[2Jevil *\n\
            1 3c:22:fb:00:11:23 192.168.1.6 192.168.1.1 *\n\
            x 3c:22:fb:00:11:24 192.168.1.7 late *\n\
            1 3c:22:fb:00:11:25 192.168.1.300 far *\n\
            1 3c:22:fb:00:11:26 192.168.1.9\n";
        insta::assert_snapshot!(shown(&leases(text)), @r"
        3c:22:fb:00:11:22 [2Jevil
        192.168.1.5 (3c:22:fb:00:11:22) [2Jevil
        ");
    }
}
