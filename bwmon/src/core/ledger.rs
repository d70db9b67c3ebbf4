//! The state from sample to alert: every address, every device, every alert.
//!
//! One [`Ledger`] is owned by the loop. It takes what each address counted since the last sample,
//! and facts about who has which address; it returns the alerts that somebody is to be told of, and
//! shows itself as views. Work is done for addresses and devices that move, not for all there are.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::IpAddr,
    sync::Arc,
    time::Duration,
};

use bwmon_common::layout::Row;
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};

use super::{
    activity::{Activity, Moment},
    alerts::{AlertRecord, Alerts, Mute, Transition},
    cycle::Cycle,
    device::Device,
    history::{History, Sample},
    identity::{Identity, Learned},
    known::Known,
    mac::MacAddr,
    message,
    meter::{Rates, plus},
    names::Names,
    policy::{Policy, Scope, Selector},
    shown::Shown,
    time::{Now, rfc3339},
    total::{Total, Totals},
    usage::{DayUsage, LocalDay},
    view::{AddressView, AlertView, DeviceView, MuteView, TotalView},
};

pub use super::identity::Heard;
pub use changes::{Changes, SavedHistory};
pub use commands::{Command, CommandError, Done, MuteEnd, NewMute};
pub use memory::{Memory, Occasion, Remembered};

pub use super::known::Arrival;

/// An address or device that was not seen for so long is forgotten, unless it is registered.
const FORGET_AFTER: SignedDuration = SignedDuration::from_hours(7 * 24);

/// An address may have been silent for so long before its slot is given to another.
const IDLE: SignedDuration = SignedDuration::from_mins(10);
/// The same for one whose MAC is known.
const KNOWN_IDLE: SignedDuration = SignedDuration::from_mins(60);
/// A wall clock that is ahead of the monotonic one by so much has jumped.
const JUMP: Duration = Duration::from_secs(3600);

/// All addresses, devices and alerts.
pub struct Ledger {
    policy: Policy,
    /// How the owner's bill is counted.
    cycle: Cycle,
    scope: Scope,
    zone: TimeZone,
    day: LocalDay,
    today: Date,
    /// The wall clock at the last sample.
    sampled_at: Timestamp,
    identity: Identity,
    names: Names,
    /// Addresses whose owner is new, since they were last asked for, and whether another had it.
    unasked: Vec<(IpAddr, bool)>,
    /// Goes up with what is known of the network, so that addresses are placed anew.
    network: u32,
    addresses: BTreeMap<IpAddr, AddressEntry>,
    devices: BTreeMap<String, Device>,
    /// The device that lists an address: always the one, and every address listed is in here.
    listed: HashMap<IpAddr, String>,
    alerts: Alerts,
    totals: Totals,
    known: Known,
    history: History,
    /// What interfaces carried since the last sample.
    carried: Vec<(String, Row)>,
    /// Ids of totals and devices that are not kept any more: what fires of them is over.
    gone: Vec<String>,
    /// What to forget of devices that are.
    forgotten: Vec<Memory>,
    /// How much of the time that was watched is saved.
    watched_saved: Duration,
    /// What is muted, as it is saved.
    mutes_saved: Vec<Mute>,
    /// Those with traffic or a rate that is not yet silence.
    busy_addresses: BTreeSet<IpAddr>,
    /// Those with traffic, a rate, an open alert, or a change to look at.
    busy_devices: BTreeSet<String>,
    /// Devices that turned out to be others, since the last sample and since the last checkpoint.
    joined: Vec<(String, String)>,
    renamed: Vec<(String, String)>,
    /// Days that ended since the last checkpoint.
    finished: Vec<(String, DayUsage)>,
    /// Days that had begun too early and are not kept.
    undated: Vec<(String, Date)>,
    views: Views,
}

/// An address and what it moved.
#[derive(Clone, Debug)]
struct AddressEntry {
    device: Option<String>,
    total: Row,
    pending: Row,
    rates: Rates,
    first_seen: Timestamp,
    last_seen: Timestamp,
    is_unsaved: bool,
    /// The state of the network that it was placed by.
    placed: u32,
    view: Shown<AddressView>,
}

/// What readers were last shown, which is shared as far as nothing changed.
#[derive(Default)]
struct Views {
    addresses: Shown<[Arc<AddressView>]>,
    devices: Shown<[Arc<DeviceView>]>,
    alerts: Shown<[Arc<AlertView>]>,
    closed_alerts: Option<Vec<Arc<AlertView>>>,
    mutes: Option<ShownMutes>,
}

/// Mutes, and how they are shown.
struct ShownMutes {
    mutes: Vec<Mute>,
    views: Arc<[Arc<MuteView>]>,
}

/// An address as it is kept across restarts.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedAddress {
    /// The address.
    pub address: IpAddr,
    /// Its MAC, where known.
    pub mac: Option<MacAddr>,
    /// The id of its device; the address itself where no device can have it.
    pub device: String,
    /// Counted since the tables were created.
    pub total: Row,
    /// When it first counted something.
    pub first_seen: Timestamp,
    /// When it last did.
    pub last_seen: Timestamp,
}

/// A device as it is kept across restarts.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedDevice {
    /// Its id.
    pub id: String,
    /// Its MAC, where known.
    pub mac: Option<MacAddr>,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    /// When it was first seen.
    pub first_seen: Timestamp,
    /// When it was last seen.
    pub last_seen: Timestamp,
}

/// All that an earlier run left.
#[derive(Clone, Debug, Default)]
pub struct Saved {
    /// Devices.
    pub devices: Vec<SavedDevice>,
    /// What devices used on the latest day.
    pub usage: Vec<(String, DayUsage)>,
    /// The same of days before it, oldest first.
    pub finished: Vec<(String, DayUsage)>,
    /// Addresses.
    pub addresses: Vec<SavedAddress>,
    /// Alerts.
    pub alerts: Vec<AlertRecord>,
    /// What else is remembered, of whom.
    pub memory: Vec<(String, Remembered)>,
    /// When all this was written down.
    pub at: Option<Timestamp>,
}

impl Ledger {
    /// Nothing seen yet.
    pub fn new(policy: Policy, scope: Scope, zone: TimeZone, now: &Now) -> Self {
        let today = now.day(&zone);
        let mut ledger = Self {
            policy: Policy::default(),
            cycle: Cycle::default(),
            scope,
            zone,
            day: LocalDay::new(today),
            today,
            sampled_at: now.wall,
            identity: Identity::default(),
            names: Names::default(),
            unasked: Vec::new(),
            network: 0,
            addresses: BTreeMap::new(),
            devices: BTreeMap::new(),
            listed: HashMap::new(),
            alerts: Alerts::default(),
            totals: Totals::default(),
            known: Known::default(),
            history: History::default(),
            carried: Vec::new(),
            gone: Vec::new(),
            forgotten: Vec::new(),
            watched_saved: Duration::ZERO,
            mutes_saved: Vec::new(),
            busy_addresses: BTreeSet::new(),
            busy_devices: BTreeSet::new(),
            joined: Vec::new(),
            renamed: Vec::new(),
            finished: Vec::new(),
            undated: Vec::new(),
            views: Views::default(),
        };
        ledger.apply(policy);
        ledger
    }

    /// The local day that usage is dated by.
    pub fn today(&self) -> Date {
        self.today
    }

    /// How many addresses are remembered.
    pub fn address_count(&self) -> usize {
        self.addresses.len()
    }

    /// Takes in another policy. Every device is judged by it at the next sample.
    pub fn apply(&mut self, policy: Policy) {
        self.identity.register(&policy);
        self.policy = policy;
        self.cycle = self.policy.billing_cycle();
        self.gone
            .extend(self.totals.apply(&self.policy, self.today));
        self.place_all();
        for device in self.devices.values_mut() {
            device.apply(&self.policy);
            self.busy_devices.insert(device.id.clone());
        }
        self.add_registered();
        self.views.devices.expire();
    }

    /// Takes in what an interface carried since the last sample; to be called before that is taken.
    pub fn carried(&mut self, interface: &str, row: Row) {
        if let Some(total) = self.totals.interface(interface) {
            total.activity.count(row);
        }
        self.carried.push((interface.to_owned(), row));
    }

    /// What moved in each of the latest samples, oldest first.
    pub fn recent(&self) -> Arc<[Arc<Sample>]> {
        self.history.recent()
    }

    /// How the owner's bill is counted.
    pub fn billing_cycle(&self) -> Cycle {
        self.cycle
    }

    /// Takes in which traffic rules look at.
    pub fn set_scope(&mut self, scope: Scope) {
        self.scope = scope;
    }

    /// Whether nobody would miss the slot of an address: it is not registered and was silent for a
    /// while, a longer one where the neighbour table knows it.
    pub fn is_idle(&self, address: IpAddr, now: Timestamp) -> bool {
        let patience = match self.identity.mac(address) {
            Some(_) => KNOWN_IDLE,
            None => IDLE,
        };
        let is_silent = |entry: &AddressEntry| now.duration_since(entry.last_seen) > patience;
        !self.identity.is_registered(address) && self.addresses.get(&address).is_none_or(is_silent)
    }

    /// Takes in what addresses counted in the time `elapsed` since the last sample, and returns the
    /// alerts that somebody is to be told of. `new_id` gives ids to alerts and events.
    pub fn sample(
        &mut self,
        now: &Now,
        elapsed: Duration,
        counted: impl IntoIterator<Item = (IpAddr, Row)>,
        new_id: &mut dyn FnMut() -> String,
    ) -> Vec<Transition> {
        let day = self.day.follow(now, &self.zone);
        let is_new_day = day != self.today;
        self.today = day;
        // A clock that jumped says nothing of how long ago anything was.
        let passed = now.wall.duration_since(self.sampled_at).unsigned_abs();
        let has_jumped = passed > elapsed + JUMP;
        self.sampled_at = now.wall;
        if is_new_day && !has_jumped {
            self.forget_old(now.wall);
        }
        // A day that had begun too early is taken back from all, at rest or not, and what was muted
        // may be there to be told.
        let is_unmuted = self.alerts.expire_mutes(now);
        if is_new_day || is_unmuted {
            self.busy_devices.extend(self.devices.keys().cloned());
        }
        for (address, row) in counted {
            self.count(now, address, row);
        }
        self.settle_addresses(now, elapsed);
        self.known.watch(elapsed);
        let mut told = self.join_alerts(now, new_id);
        let moment = Moment {
            now: *now,
            local: now.local(&self.zone),
            day,
            elapsed,
            scope: self.scope,
        };
        told.extend(self.settle_devices(&moment, new_id));
        told.extend(self.settle_totals(&moment, new_id));
        for (interface, row) in self.carried.drain(..) {
            self.history.interface(&interface, row, elapsed);
        }
        self.history.end_sample(now, elapsed);
        if !told.is_empty() {
            self.views.closed_alerts = None;
        }
        told
    }

    fn count(&mut self, now: &Now, address: IpAddr, row: Row) {
        let entry = self
            .addresses
            .entry(address)
            .or_insert_with(|| AddressEntry {
                device: None,
                total: Row::default(),
                pending: Row::default(),
                rates: Rates::default(),
                first_seen: now.wall,
                last_seen: now.wall,
                is_unsaved: true,
                placed: self.network,
                view: Shown::default(),
            });
        let is_to_be_placed = entry.total == Row::default() || entry.placed != self.network;
        entry.total = plus(entry.total, row);
        entry.pending = plus(entry.pending, row);
        self.busy_addresses.insert(address);
        if is_to_be_placed {
            self.place(address);
        }
        let device = self
            .addresses
            .get(&address)
            .and_then(|entry| entry.device.as_ref());
        let Some(device) = device.and_then(|id| self.devices.get_mut(id)) else {
            return;
        };
        device.activity.count(row);
        if let Some(total) = device.group().and_then(|name| self.totals.group(name)) {
            total.activity.count(row);
        }
        if !self.busy_devices.contains(&device.id) {
            self.busy_devices.insert(device.id.clone());
        }
    }
}

mod belonging;
mod changes;
mod commands;
mod memory;
mod naming;
mod saved;
mod settle;
mod shown;
#[cfg(test)]
mod tests;
