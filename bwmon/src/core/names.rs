//! What devices are called by others than the owner, and which of them is believed.
//!
//! Most of these names are chosen by the devices themselves, or by whoever sits in the same network.
//! So they are cleaned in one place, [`Name::of_host`], and none of them says who a device is: a
//! device that changes its name stays the device it was.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    net::IpAddr,
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{mac::MacAddr, message::printable, text::is_harmless};

/// Most names that are kept of each source.
pub const MOST_NAMES: usize = 1 << 16;
/// Most characters of a text that are looked at for a name.
const MOST_READ: usize = 512;
/// Most bytes of a vendor in front of a name made of it.
const MOST_OF_VENDOR: usize = 20;

/// Who says what a device is called: the first of these that knows is believed.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum NameSource {
    /// The owner.
    Registered,
    /// A DHCP server's leases.
    Dhcp,
    /// `/etc/ethers`.
    Ethers,
    /// `/etc/hosts`.
    Hosts,
    /// The device, over multicast DNS.
    Mdns,
    /// The device, over LLMNR.
    Llmnr,
    /// The device, over NetBIOS.
    Netbios,
    /// The local resolver.
    Dns,
    /// Made of who built it and its MAC.
    Vendor,
    /// Nobody: it is called by its address.
    #[default]
    Address,
}

impl NameSource {
    /// As in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::Dhcp => "dhcp",
            Self::Ethers => "ethers",
            Self::Hosts => "hosts",
            Self::Mdns => "mdns",
            Self::Llmnr => "llmnr",
            Self::Netbios => "netbios",
            Self::Dns => "dns",
            Self::Vendor => "vendor",
            Self::Address => "address",
        }
    }

    /// Whether somebody is asked for one address at a time.
    fn is_asked(self) -> bool {
        matches!(self, Self::Mdns | Self::Llmnr | Self::Netbios | Self::Dns)
    }
}

/// A name that can be shown: 1 to 64 characters, at least one of them a letter, none of which does
/// anything but show itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(Arc<str>);

impl Name {
    /// The name of a host in the words of somebody else; `None` where nothing is left to show.
    ///
    /// Of a domain name it is the part before the first dot. What could be taken for an address is
    /// no name: a device must not be able to call itself by the address of another.
    pub fn of_host(text: &str) -> Option<Self> {
        let shown: String = text
            .chars()
            .take(MOST_READ)
            .filter(|&c| is_harmless(c) && !has_no_width(c))
            .collect();
        let whole = shown.trim().trim_end_matches('.');
        let host = match whole.split_once('.') {
            Some((host, _)) if !whole.contains(char::is_whitespace) => host,
            _ => whole,
        };
        let looks_like_an_address =
            |text: &str| text.parse::<IpAddr>().is_ok() || text.parse::<MacAddr>().is_ok();
        let is_none = looks_like_an_address(whole)
            || looks_like_an_address(host)
            || host.eq_ignore_ascii_case("localhost")
            || !host.contains(char::is_alphabetic);
        let name = printable(host);
        // Cutting it may leave nothing but what came before the letter.
        (!is_none && name.contains(char::is_alphabetic)).then(|| Self(name.into()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Characters that join or vary their neighbours: two names that differ only in them look the same.
fn has_no_width(c: char) -> bool {
    matches!(c,
        '\u{034f}'                  // combining grapheme joiner
        | '\u{17b4}' | '\u{17b5}'   // inherent vowels
        | '\u{180b}'..='\u{180f}'   // Mongolian variation selectors
        | '\u{200c}' | '\u{200d}'   // zero-width joiners
        | '\u{fe00}'..='\u{fe0f}'   // variation selectors
    )
}

/// Whose name it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Whose {
    /// That of all addresses of a MAC.
    Mac(MacAddr),
    /// That of one address.
    Address(IpAddr),
}

/// A name as a source has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Called {
    /// The name.
    pub name: Name,
    /// The MAC that has the address, as the same source says: a lease is not the next owner's of
    /// its address.
    pub mac: Option<MacAddr>,
}

/// A source says what somebody is called, or that it does not know any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameFact {
    /// Who says so.
    pub source: NameSource,
    /// Of whom.
    pub whose: Whose,
    /// What it is called.
    pub called: Option<Called>,
}

/// Tells who built what has a MAC.
pub type Vendors = fn(MacAddr) -> Option<&'static str>;

/// All names that are known.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    /// In the order in which they are believed.
    tables: BTreeMap<NameSource, HashMap<Whose, Called>>,
    vendors: Option<Vendors>,
}

impl Names {
    /// Takes in what a source says. Returns whether that is new.
    pub(super) fn learn(&mut self, fact: NameFact) -> bool {
        let table = self.tables.entry(fact.source).or_default();
        match fact.called {
            None => table.remove(&fact.whose).is_some(),
            Some(called) => {
                let is_new = table.get(&fact.whose) != Some(&called);
                let has_room = table.len() < MOST_NAMES || table.contains_key(&fact.whose);
                if is_new && has_room {
                    table.insert(fact.whose, called);
                }
                is_new && has_room
            }
        }
    }

    /// Forgets what was answered about an address: somebody else has it, or nobody. Returns whether
    /// there was anything.
    pub(super) fn forget_answers(&mut self, address: IpAddr) -> bool {
        let mut is_forgotten = false;
        for (source, table) in &mut self.tables {
            is_forgotten |= source.is_asked() && table.remove(&Whose::Address(address)).is_some();
        }
        is_forgotten
    }

    /// Forgets all that a source says.
    pub(super) fn forget_source(&mut self, source: NameSource) {
        self.tables.remove(&source);
    }

    /// Takes in who tells vendors, if anybody is to.
    pub(super) fn set_vendors(&mut self, vendors: Option<Vendors>) {
        self.vendors = vendors;
    }

    /// What the first source that knows calls a device with this MAC and these addresses.
    pub(super) fn best(
        &self,
        mac: Option<MacAddr>,
        addresses: &[IpAddr],
    ) -> Option<(NameSource, &Name)> {
        // Where the neighbour table knows better who has the address, the lease is another's.
        let is_of_it =
            |called: &&Called| called.mac.is_none_or(|of| mac.is_none_or(|mac| mac == of));
        self.tables.iter().find_map(|(source, table)| {
            let by_mac = mac.and_then(|mac| table.get(&Whose::Mac(mac)));
            let mut by_address = addresses
                .iter()
                .filter_map(|address| table.get(&Whose::Address(*address)).filter(is_of_it));
            let called = by_mac.or_else(|| by_address.next())?;
            Some((*source, &called.name))
        })
    }

    /// Who built what has this MAC; nobody, where the device made it up.
    pub(super) fn vendor(&self, mac: MacAddr) -> Option<&'static str> {
        let vendors = self.vendors.filter(|_| !mac.is_private())?;
        vendors(mac)
    }
}

/// A device of which no more is known than who built it: `Apple 00:4f:9e`. The second half is the
/// part of a MAC that its vendor gives, so two devices have the same name only where a vendor has
/// several first halves.
pub fn name_by_vendor(vendor: &str, mac: MacAddr) -> String {
    let [.., a, b, c] = mac.0;
    format!("{} {a:02x}:{b:02x}:{c:02x}", brand(vendor))
}

/// A company without what it says of its form: `Apple` of `Apple, Inc.`.
fn brand(vendor: &str) -> String {
    const FORMS: [&str; 22] = [
        "inc",
        "incorporated",
        "ltd",
        "ltda",
        "limited",
        "co",
        "corp",
        "corporation",
        "company",
        "llc",
        "gmbh",
        "ag",
        "ab",
        "as",
        "oy",
        "bv",
        "nv",
        "sa",
        "srl",
        "spa",
        "pte",
        "kg",
    ];
    let is_form = |word: &str| {
        let letters: String = word.chars().filter(|c| c.is_alphanumeric()).collect();
        letters.is_empty() || FORMS.contains(&letters.to_lowercase().as_str())
    };
    let mut brand = String::new();
    for word in vendor
        .split([' ', ',', '(', ')'])
        .filter(|word| !word.is_empty())
    {
        let is_too_long = brand.len() + word.len() > MOST_OF_VENDOR;
        if !brand.is_empty() && (is_too_long || is_form(word)) {
            break;
        }
        if !brand.is_empty() {
            brand.push(' ');
        }
        brand.push_str(word);
    }
    printable(&brand)
}

#[cfg(test)]
mod tests;
