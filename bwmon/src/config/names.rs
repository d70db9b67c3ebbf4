//! `[names]`: who is asked what a device is called.

use std::{
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
};

use serde::Deserialize;
use toml::Spanned;

use super::{
    error::{ConfigError, Mistake},
    reader::Reader,
    value::{Scalar, ValueError},
    visitor::Item,
};

/// Where DHCP servers usually keep their leases. Stars stand in the last part of a path.
const USUAL_LEASES: [&str; 14] = [
    // dnsmasq: Debian, Fedora, OpenWrt, Arch, libvirt.
    "/var/lib/misc/dnsmasq.leases",
    "/var/lib/dnsmasq/dnsmasq.leases",
    "/tmp/dhcp.leases",
    "/var/db/dnsmasq.leases",
    // odhcpd.
    "/tmp/odhcpd.leases",
    "/tmp/hosts/odhcpd*",
    // ISC dhcpd.
    "/var/lib/dhcp/dhcpd.leases",
    "/var/lib/dhcpd/dhcpd.leases",
    // Kea; it goes on in a new file while it cleans the old one.
    "/var/lib/kea/kea-leases4.csv",
    "/var/lib/kea/kea-leases4.csv.2",
    "/var/lib/kea/kea-leases6.csv",
    "/var/lib/kea/kea-leases6.csv.2",
    "/var/lib/kea/dhcp4.leases",
    "/var/lib/kea/dhcp6.leases",
];
const HOSTS: &str = "/etc/hosts";
const ETHERS: &str = "/etc/ethers";
/// Most files of one kind.
const MOST_FILES: usize = 32;
/// Most resolvers that are asked.
const MOST_RESOLVERS: usize = 3;
const DNS_PORT: u16 = 53;

/// Who is asked what a device is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// Files of leases; the last part of a path may be a pattern.
    pub dhcp: Vec<PathBuf>,
    /// Files such as `/etc/ethers`.
    pub ethers: Vec<PathBuf>,
    /// Files such as `/etc/hosts`.
    pub hosts: Vec<PathBuf>,
    /// Devices are asked, and listened to, over multicast DNS.
    pub mdns: bool,
    /// Devices are asked over LLMNR.
    pub llmnr: bool,
    /// Devices are asked over NetBIOS.
    pub netbios: bool,
    /// Who is asked for the names of addresses.
    pub dns: Resolver,
    /// The vendor is looked up, and names who has no other name.
    pub vendor: bool,
}

/// Who is asked for the names of addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Resolver {
    /// The resolvers of `/etc/resolv.conf` that are on this machine or in a private network.
    #[default]
    Local,
    /// These.
    These(Vec<SocketAddr>),
    /// Nobody.
    Nobody,
}

impl Default for Names {
    fn default() -> Self {
        Self {
            dhcp: USUAL_LEASES.map(PathBuf::from).to_vec(),
            ethers: vec![PathBuf::from(ETHERS)],
            hosts: vec![PathBuf::from(HOSTS)],
            mdns: false,
            llmnr: false,
            netbios: false,
            dns: Resolver::Local,
            vendor: true,
        }
    }
}

/// The keys as written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table [names]")]
pub(super) struct NamesTable {
    dhcp: Option<Spanned<Item>>,
    ethers: Option<Spanned<Item>>,
    hosts: Option<Spanned<Item>>,
    mdns: Option<Spanned<Scalar>>,
    llmnr: Option<Spanned<Scalar>>,
    netbios: Option<Spanned<Scalar>>,
    dns: Option<Spanned<Item>>,
    vendor: Option<Spanned<Scalar>>,
}

impl NamesTable {
    /// Reads and checks what is written.
    pub(super) fn read(&self, reader: &Reader<'_>) -> Result<Names, ConfigError> {
        let default = Names::default();
        let files = |key, item: &Option<Spanned<Item>>, usual| match item {
            Some(item) => files(reader, key, item, usual),
            None => Ok(usual),
        };
        let flag = |key, value: &Option<Spanned<Scalar>>, usual| {
            let flag = reader.get(key, value.as_ref(), Scalar::flag)?;
            Ok(flag.unwrap_or(usual))
        };
        Ok(Names {
            dhcp: files("names.dhcp", &self.dhcp, default.dhcp)?,
            ethers: files("names.ethers", &self.ethers, default.ethers)?,
            hosts: files("names.hosts", &self.hosts, default.hosts)?,
            mdns: flag("names.mdns", &self.mdns, default.mdns)?,
            llmnr: flag("names.llmnr", &self.llmnr, default.llmnr)?,
            netbios: flag("names.netbios", &self.netbios, default.netbios)?,
            dns: match &self.dns {
                Some(item) => resolver(reader, item)?,
                None => default.dns,
            },
            vendor: flag("names.vendor", &self.vendor, default.vendor)?,
        })
    }
}

/// What a key that switches may be written as, without a list.
enum Switch {
    Usual,
    Off,
}

fn switch(value: &Scalar) -> Option<Switch> {
    match value {
        Scalar::Bool(true) => Some(Switch::Usual),
        Scalar::Bool(false) => Some(Switch::Off),
        Scalar::Text(text) if text == "auto" => Some(Switch::Usual),
        _ => None,
    }
}

fn files(
    reader: &Reader<'_>,
    key: &'static str,
    item: &Spanned<Item>,
    usual: Vec<PathBuf>,
) -> Result<Vec<PathBuf>, ConfigError> {
    const ALLOWED: &str =
        "\"auto\", false, or a list of files such as [\"/var/lib/misc/dnsmasq.leases\"]";
    let directory = reader.source.directory();
    let read = |value: &Scalar| match value.path(ALLOWED)? {
        path if has_pattern_in_directory(&path) || path.file_name().is_none() => {
            Err(value.not("a file, with '*' or '?' nowhere but in its name"))
        }
        path => Ok(directory.join(path)),
    };
    match item.get_ref() {
        Item::One(value) => match switch(value) {
            Some(Switch::Usual) => Ok(usual),
            Some(Switch::Off) => Ok(Vec::new()),
            None => {
                let value = Spanned::new(item.span(), value.clone());
                Ok(vec![reader.read(key, &value, read)?])
            }
        },
        Item::List(list) => {
            at_most(
                reader,
                key,
                item,
                list.len(),
                MOST_FILES,
                "at most 32 files",
            )?;
            list.iter()
                .map(|value| reader.read(key, value, read))
                .collect()
        }
    }
}

fn has_pattern_in_directory(path: &Path) -> bool {
    let directory = path.parent().map(|parent| parent.to_string_lossy());
    directory.is_some_and(|directory| directory.contains(['*', '?']))
}

fn resolver(reader: &Reader<'_>, item: &Spanned<Item>) -> Result<Resolver, ConfigError> {
    const KEY: &str = "names.dns";
    match item.get_ref() {
        Item::One(value) => match switch(value) {
            Some(Switch::Usual) => Ok(Resolver::Local),
            Some(Switch::Off) => Ok(Resolver::Nobody),
            None => {
                let value = Spanned::new(item.span(), value.clone());
                Ok(Resolver::These(vec![reader.read(KEY, &value, server)?]))
            }
        },
        Item::List(list) if list.is_empty() => Ok(Resolver::Nobody),
        Item::List(list) => {
            at_most(
                reader,
                KEY,
                item,
                list.len(),
                MOST_RESOLVERS,
                "at most 3 addresses",
            )?;
            let read = |value| reader.read(KEY, value, server);
            let servers = list.iter().map(read).collect::<Result<_, _>>()?;
            Ok(Resolver::These(servers))
        }
    }
}

/// An address, with or without a port.
fn server(value: &Scalar) -> Result<SocketAddr, ValueError> {
    const ALLOWED: &str =
        "\"auto\", false, or addresses of resolvers such as [\"127.0.0.1\", \"[::1]:5353\"]";
    let text = value.text(ALLOWED)?;
    let with_port = text.parse::<SocketAddr>().ok();
    let address = || text.parse::<IpAddr>().ok();
    with_port
        .or_else(|| Some(SocketAddr::new(address()?, DNS_PORT)))
        .filter(|server| server.port() != 0 && !server.ip().is_unspecified())
        .filter(|server| !server.ip().is_multicast())
        .ok_or_else(|| value.not(ALLOWED))
}

fn at_most(
    reader: &Reader<'_>,
    key: &'static str,
    item: &Spanned<Item>,
    found: usize,
    most: usize,
    allowed: &str,
) -> Result<(), ConfigError> {
    if found <= most {
        return Ok(());
    }
    let reason = ValueError::NotAllowed {
        found: found.to_string(),
        allowed: allowed.to_owned(),
    };
    let mistake = Mistake::Value { key, reason };
    Err(reader.source.mistake(item.span().start, mistake))
}

#[cfg(test)]
mod tests {
    use super::{
        super::{file, source::Source},
        *,
    };

    fn read(text: &str) -> Result<Names, String> {
        let text = format!("[names]\n{text}\n");
        let source = Source::new(Path::new("/etc/bwmon/bwmon.toml"), text.into()).unwrap();
        file::parse(&source)
            .map(|parsed| parsed.config.names)
            .map_err(|error| error.to_string())
    }

    fn check(text: &str, expected: Names) {
        assert_eq!(read(text), Ok(expected), "{text}");
    }

    #[test]
    fn each_source_is_switched_by_itself() {
        let usual = Names::default;
        check("", usual());
        check("dhcp = \"auto\"\nethers = true\ndns = \"auto\"", usual());
        check(
            "dhcp = false\nethers = []\nhosts = false\ndns = false\nvendor = false",
            Names {
                dhcp: Vec::new(),
                ethers: Vec::new(),
                hosts: Vec::new(),
                dns: Resolver::Nobody,
                vendor: false,
                ..usual()
            },
        );
        check(
            "mdns = true\nllmnr = true\nnetbios = true",
            Names {
                mdns: true,
                llmnr: true,
                netbios: true,
                ..usual()
            },
        );
    }

    #[test]
    fn files_start_from_the_configuration_and_may_be_patterns() {
        check(
            "dhcp = [\"leases\", \"/run/dhcp/*.leases\"]\nhosts = \"/etc/hosts.lan\"",
            Names {
                dhcp: vec!["/etc/bwmon/leases".into(), "/run/dhcp/*.leases".into()],
                hosts: vec!["/etc/hosts.lan".into()],
                ..Names::default()
            },
        );
    }

    #[test]
    fn resolvers_are_addresses_with_or_without_a_port() {
        let servers = ["127.0.0.1:53", "[fd00::1]:53", "10.0.0.1:5353"];
        let servers = servers.map(|server| server.parse().unwrap());
        check(
            "dns = [\"127.0.0.1\", \"fd00::1\", \"10.0.0.1:5353\"]",
            Names {
                dns: Resolver::These(servers.to_vec()),
                ..Names::default()
            },
        );
        check(
            "dns = \"127.0.0.1\"",
            Names {
                dns: Resolver::These(vec![servers[0]]),
                ..Names::default()
            },
        );
    }

    #[test]
    fn mistakes_name_place_key_and_what_is_allowed() {
        let texts = [
            "dhcp = 5",
            "dhcp = [\"/var/*/leases\"]",
            "dhcp = [\"/var/lib/..\"]",
            "hosts = [\"/etc/hosts\", 5]",
            "mdns = \"yes\"",
            "dns = \"resolver.lan\"",
            "dns = [\"0.0.0.0\"]",
            "dns = [\"10.0.0.1\", \"10.0.0.2\", \"10.0.0.3\", \"10.0.0.4\"]",
            "wins = true",
        ];
        let said: Vec<String> = texts.iter().map(|text| read(text).unwrap_err()).collect();
        insta::assert_snapshot!(said.join("\n"), @r#"
        /etc/bwmon/bwmon.toml:2:8: names.dhcp: must be "auto", false, or a list of files such as ["/var/lib/misc/dnsmasq.leases"], not 5
        /etc/bwmon/bwmon.toml:2:9: names.dhcp: must be a file, with '*' or '?' nowhere but in its name, not "/var/*/leases"
        /etc/bwmon/bwmon.toml:2:9: names.dhcp: must be a file, with '*' or '?' nowhere but in its name, not "/var/lib/.."
        /etc/bwmon/bwmon.toml:2:24: names.hosts: must be "auto", false, or a list of files such as ["/var/lib/misc/dnsmasq.leases"], not 5
        /etc/bwmon/bwmon.toml:2:8: names.mdns: must be true or false, not "yes"
        /etc/bwmon/bwmon.toml:2:7: names.dns: must be "auto", false, or addresses of resolvers such as ["127.0.0.1", "[::1]:5353"], not "resolver.lan"
        /etc/bwmon/bwmon.toml:2:8: names.dns: must be "auto", false, or addresses of resolvers such as ["127.0.0.1", "[::1]:5353"], not "0.0.0.0"
        /etc/bwmon/bwmon.toml:2:7: names.dns: must be at most 3 addresses, not 4
        /etc/bwmon/bwmon.toml:2:1: unknown key "wins"; allowed here: "dhcp", "ethers", "hosts", "mdns", "llmnr", "netbios", "dns", "vendor"
        "#);
    }
}
