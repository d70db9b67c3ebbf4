//! Kea: a table with commas and a line of titles. Each change of a lease is a line at the end, and
//! what would be a comma in a field is written by its number (`&#x2c`).

use std::borrow::Cow;

use super::{
    super::collected::{Collected, mac},
    Entry, in_force,
};

/// The state of a lease that is given.
const GIVEN: &str = "0";
/// The type of a lease of a whole prefix.
const PREFIX: &str = "2";

/// Reads leases.
pub(super) fn leases(text: &str) -> Collected {
    let mut lines = text.lines();
    let titles: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
    let column = |title: &str| titles.iter().position(|other| other.trim() == title);
    let (Some(address), Some(host)) = (column("address"), column("hostname")) else {
        return Collected::default();
    };
    let (hardware, state) = (column("hwaddr"), column("state"));
    let (lifetime, kind) = (column("valid_lifetime"), column("lease_type"));
    let entries = lines.filter_map(|line| {
        let fields: Vec<&str> = line.split(',').collect();
        let field = |column: Option<usize>| column.and_then(|at| fields.get(at)).copied();
        let address = field(Some(address))?.parse().ok()?;
        if field(kind) == Some(PREFIX) {
            return None;
        }
        let is_given = field(state).is_none_or(|state| state.is_empty() || state == GIVEN)
            && field(lifetime) != Some("0");
        Some(Entry {
            address,
            mac: field(hardware).and_then(mac),
            host: unescape(field(Some(host)).unwrap_or_default()),
            is_given,
        })
    });
    in_force(entries)
}

/// Takes `&#x2c` for the character that it stands for.
fn unescape(field: &str) -> Cow<'_, str> {
    if !field.contains("&#x") {
        return Cow::Borrowed(field);
    }
    let mut parts = field.split("&#x");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let number = part
            .get(..2)
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match number.filter(u8::is_ascii) {
            Some(byte) => {
                text.push(byte.into());
                text.push_str(&part[2..]);
            }
            None => text.extend(["&#x", part]),
        }
    }
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::{super::super::collected::tests::shown, *};

    #[test]
    fn the_last_line_about_an_address_counts() {
        let text = "\
            address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context,pool_id\n\
            192.168.1.5,3c:22:fb:00:11:22,01:3c,3600,1772960000,1,0,0,old.lan.,0,,0\n\
            192.168.1.5,3c:22:fb:00:11:22,01:3c,3600,1772963600,1,0,0,laptop.lan.,0,{ \"a\": 1 },0\n\
            192.168.1.6,3c:22:fb:00:11:23,,3600,1772960000,1,0,0,gone,0,,0\n\
            192.168.1.6,3c:22:fb:00:11:23,,0,1772960000,1,0,0,gone,0,,0\n\
            192.168.1.7,3c:22:fb:00:11:24,,3600,1772960000,1,0,0,declined,1,,0\n\
            192.168.1.8,3c:22:fb:00:11:25,,3600,1772960000,1,0,0,tv&#x2c hall,0,,0\n\
            192.168.1.9,3c:22:fb:00:11:26,,3600,1772960000,1,0,0,,0,,0\n\
            192.168.1.10\n";
        insta::assert_snapshot!(shown(&leases(text)), @r"
        3c:22:fb:00:11:22 laptop
        3c:22:fb:00:11:25 tv, hall
        192.168.1.5 (3c:22:fb:00:11:22) laptop
        192.168.1.8 (3c:22:fb:00:11:25) tv, hall
        ");
    }

    #[test]
    fn addresses_of_ipv6_are_read_and_prefixes_are_not() {
        let text = "\
            address,duid,valid_lifetime,expire,subnet_id,pref_lifetime,lease_type,iaid,prefix_len,fqdn_fwd,fqdn_rev,hostname,hwaddr,state,user_context,hwtype,hwaddr_source,pool_id\n\
            fd00::5,00:01:00:01,3600,1772960000,1,3000,0,1,128,0,0,laptop.,3c:22:fb:00:11:22,0,,1,0,0\n\
            fd00:10::,00:01:00:01,3600,1772960000,1,3000,2,1,56,0,0,router.,3c:22:fb:00:11:23,0,,1,0,0\n";
        insta::assert_snapshot!(shown(&leases(text)), @r"
        3c:22:fb:00:11:22 laptop
        fd00::5 (3c:22:fb:00:11:22) laptop
        ");
    }

    #[test]
    fn escapes_that_are_none_stay() {
        for (field, expected) in [
            ("a", "a"),
            ("a&#x2cb&#x2c", "a,b,"),
            ("a&#x", "a&#x"),
            ("a&#xzz", "a&#xzz"),
            ("a&#xé", "a&#xé"),
            ("a&#xff", "a&#xff"),
        ] {
            assert_eq!(unescape(field), expected);
        }
    }
}
