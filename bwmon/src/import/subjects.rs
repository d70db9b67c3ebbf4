//! Whose history is it? From what a file calls somebody to the id that bwmon keeps history under.

use std::{collections::BTreeMap, net::IpAddr};

use jiff::tz::TimeZone;

use super::{Entry, Named, When, local_minute, spread};
use crate::{
    core::{
        history::interface_id,
        mac::MacAddr,
        policy::{Registration, Selector},
    },
    store::{ImportedBucket, KnownDevice, Tier},
};

/// What an interface faces, and so what its bytes are to the devices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Faces {
    /// The devices: what comes in they sent
    #[default]
    Lan,
    /// The internet: what comes in they received
    Wan,
}

/// Who is who.
#[derive(Clone, Copy, Debug)]
pub struct Book<'a> {
    /// Devices that bwmon has seen.
    pub devices: &'a [KnownDevice],
    /// Devices that the owner named.
    pub registered: &'a [Registration],
    /// What the owner says of this import: how the file calls somebody, and whose it is.
    pub given: &'a [(String, String)],
    /// What interfaces face.
    pub faces: Faces,
}

impl Book<'_> {
    /// The id that somebody has here.
    pub fn id(&self, who: &Named) -> String {
        if let Some(given) = self.given(who) {
            return given;
        }
        match who {
            Named::Interface(name) => interface_id(name),
            Named::Device { mac, address, name } => {
                let known = mac.map(|mac| self.by_mac(mac, *address));
                let known = known.or_else(|| self.by_name(name.as_deref()?));
                let known = known.or_else(|| Some(self.by_address((*address)?)));
                // The name is text from elsewhere, and must not be the id of anything else.
                known.unwrap_or_else(|| format!("name:{}", name.as_deref().unwrap_or_default()))
            }
        }
    }

    /// Buckets of what a file says. Of what meets under one id, the sums.
    pub fn buckets(&self, entries: &[Entry], zone: &TimeZone) -> Vec<ImportedBucket> {
        let mut buckets: BTreeMap<(String, i64), ImportedBucket> = BTreeMap::new();
        for entry in entries {
            let mut sides = [entry.sent, entry.received];
            if matches!(entry.who, Named::Interface(_)) && self.faces == Faces::Wan {
                sides.reverse();
            }
            let [sent, received] = sides;
            let bucket = ImportedBucket {
                subject: self.id(&entry.who),
                name: entry.who.name(),
                tier: Tier::Day,
                start: 0,
                sent,
                received,
                active: entry.active,
                is_spread: false,
            };
            let mut add = |bucket: ImportedBucket| {
                let place = (bucket.subject.clone(), bucket.start);
                match buckets.get_mut(&place) {
                    None => {
                        buckets.insert(place, bucket);
                    }
                    Some(known) => known.add(&bucket),
                }
            };
            match entry.when {
                When::Bucket(tier, start) => add(ImportedBucket {
                    tier,
                    start,
                    ..bucket
                }),
                When::Days(period) => {
                    let days: Vec<_> = period.days().collect();
                    let sent = spread(bucket.sent, days.len());
                    let shares = sent.zip(spread(bucket.received, days.len()));
                    for (day, (sent, received)) in days.iter().zip(shares) {
                        let Some(start) = local_minute(*day, 0, 0, zone) else {
                            continue;
                        };
                        add(ImportedBucket {
                            start: Tier::Day.start(start, zone),
                            sent,
                            received,
                            is_spread: days.len() > 1,
                            ..bucket.clone()
                        });
                    }
                }
            }
        }
        buckets.into_values().collect()
    }

    fn given(&self, who: &Named) -> Option<String> {
        let called: Vec<String> = match who {
            Named::Interface(name) => vec![name.clone()],
            Named::Device { mac, address, name } => [
                mac.map(|mac| mac.to_string()),
                address.map(|address| address.to_string()),
                name.clone(),
            ]
            .into_iter()
            .flatten()
            .collect(),
        };
        let mut given = self.given.iter();
        let (_, id) = given.find(|(from, _)| called.contains(from))?;
        Some(match who {
            Named::Interface(_) => interface_id(id),
            Named::Device { .. } => self.written(id),
        })
    }

    /// A device as the owner writes it: an id, an address, or a name.
    fn written(&self, text: &str) -> String {
        if let Ok(mac) = text.parse::<MacAddr>() {
            return mac.to_string();
        }
        if let Ok(address) = text.parse() {
            return self.by_address(address);
        }
        self.by_name(text).unwrap_or_else(|| text.to_owned())
    }

    /// Of several registered addresses that share a MAC, each is a device.
    fn by_mac(&self, mac: MacAddr, address: Option<IpAddr>) -> String {
        let alone = address.map(|address| address.to_string());
        let alone = alone.filter(|id| self.devices.iter().any(|device| device.id == *id));
        alone.unwrap_or_else(|| mac.to_string())
    }

    fn by_address(&self, address: IpAddr) -> String {
        let mut devices = self.devices.iter();
        let known = devices.find(|device| device.addresses.contains(&address));
        known.map_or_else(|| address.to_string(), |device| device.id.clone())
    }

    /// The one that the owner calls so.
    fn by_name(&self, name: &str) -> Option<String> {
        let mut called = self.registered.iter().filter(|entry| {
            let other = entry.name.as_deref();
            other.is_some_and(|other| other.eq_ignore_ascii_case(name))
        });
        let entry = called.next()?;
        if called.next().is_some() {
            return None;
        }
        match entry.selector {
            Selector::Mac(mac) => Some(mac.to_string()),
            Selector::Address(address) => Some(self.by_address(address)),
            Selector::Prefix(_) => None,
        }
    }
}

impl Named {
    fn name(&self) -> Option<String> {
        match self {
            Self::Device { name, .. } => name.clone(),
            Self::Interface(_) => None,
        }
    }
}

impl ImportedBucket {
    fn add(&mut self, other: &Self) {
        for (sum, more) in [
            (&mut self.sent, other.sent),
            (&mut self.received, other.received),
        ] {
            sum.bytes = sum.bytes.saturating_add(more.bytes);
            sum.packets = sum.packets.saturating_add(more.packets);
        }
        self.active = self.active.max(other.active);
        self.is_spread |= other.is_spread;
        self.tier = self.tier.max(other.tier);
    }
}
