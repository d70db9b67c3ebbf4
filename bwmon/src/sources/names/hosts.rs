//! `/etc/hosts` and `/etc/ethers`.

use std::net::IpAddr;

use super::collected::{Collected, mac};
use crate::core::names::Whose;

/// `ADDRESS NAME [ALIAS …]`: the first name is the one it is called by, and of several lines about an
/// address the first one, as the resolver has it.
pub(super) fn hosts(text: &str) -> Collected {
    let mut collected = Collected::default();
    for line in text.lines() {
        let mut words = words(line);
        let address = words.next().and_then(|word| word.parse::<IpAddr>().ok());
        let (Some(address), Some(name)) = (address, words.next()) else {
            continue;
        };
        let whose = Whose::Address(address);
        if !collected.names.contains_key(&whose) {
            collected.add(whose, name);
        }
    }
    collected
}

/// `MAC NAME`, or `MAC ADDRESS`, which names nobody.
pub(super) fn ethers(text: &str) -> Collected {
    let mut collected = Collected::default();
    for line in text.lines() {
        let mut words = words(line);
        let mac = words.next().and_then(mac);
        if let (Some(mac), Some(name)) = (mac, words.next()) {
            collected.add(Whose::Mac(mac), name);
        }
    }
    collected
}

/// The words before a comment.
fn words(line: &str) -> impl Iterator<Item = &str> {
    let content = line.split('#').next().unwrap_or_default();
    content.split_whitespace()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::collected::tests::shown, *};

    #[test]
    fn hosts_are_called_by_their_first_name() {
        let text = "127.0.0.1\tlocalhost\n\
            127.0.1.1 router\n\
            # 192.168.1.2 commented\n\
            192.168.1.5 laptop.lan laptop # Ann's\n\
            192.168.1.5 other\n\
            fd00::5\tlaptop6.lan\n\
            ::1 ip6-localhost ip6-loopback\n\
            ff02::1 ip6-allnodes\n\
            fe80::1%lo0 localhost\n\
            192.168.1.6\n\
            192.168.1.7 \u{1b}]0;title\u{7}evil\n\
            999.1.1.1 nobody\n";
        insta::assert_snapshot!(shown(&hosts(text)), @r"
        192.168.1.5 laptop
        192.168.1.7 ]0;titleevil
        fd00::5 laptop6
        ");
    }

    #[test]
    fn ethers_name_macs() {
        let text = "# comment\n\
            3c:22:fb:00:11:22 laptop\n\
            8:0:20:0:61:CA\tprinter.lan # hall\n\
            3c:22:fb:00:11:23 192.168.1.5\n\
            02:00:00:00:00\tshort\n\
            ff:ff:ff:ff:ff:ff all\n";
        insta::assert_snapshot!(shown(&ethers(text)), @r"
        08:00:20:00:61:ca printer
        3c:22:fb:00:11:22 laptop
        ");
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(?s:.{0,200})|([0-9a-f:.]{0,20}[ \t#]{0,2}.{0,80}\n){0,9}") {
            for collected in [hosts(&text), ethers(&text)] {
                prop_assert!(collected.names.len() <= text.lines().count());
            }
        }
    }
}
