//! One watched interface: its kernel half, whose slots are whose, and how it stands.

use std::{net::IpAddr, path::PathBuf, time::Duration};

use bwmon_common::layout::{Row, SLOT_NON_IP, SLOT_OUTSIDE, SLOT_OVERFLOW};
use ipnet::IpNet;
use jiff::Timestamp;

use super::tables::{AttachPoint, Tables};
use crate::{
    chain::chain,
    config::{TcMode, XdpMode},
    core::{
        coverage,
        meter::{minus, plus},
        time::Monotonic,
        view::{Directions, InterfaceView},
    },
    kernel::{AttachError, Interface, LinkCounters, LoadError, TableError, program_name},
    sources::netlink::Link,
};

/// What every watch is made with.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) xdp_mode: XdpMode,
    pub(super) tc_mode: TcMode,
    pub(super) max_addresses: u32,
    pub(super) pin: Option<PathBuf>,
    pub(super) cpus: u32,
    pub(super) boot_id: String,
}

/// The local networks as they are to be told to the kernel half.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct LocalNetworks {
    pub(super) networks: Vec<IpNet>,
    /// Those of them that take no slots before they are seen, however large they are.
    pub(super) hashed: Vec<IpNet>,
    /// Count every address, in a local network or not.
    pub(super) count_all: bool,
}

impl LocalNetworks {
    /// Whether an address is counted under its own name.
    pub(super) fn counts(&self, address: IpAddr) -> bool {
        self.count_all || self.networks.iter().any(|net| net.contains(&address))
    }
}

/// A table as an earlier run left it.
#[derive(Clone, Debug)]
pub(super) struct SavedTable {
    pub(super) interface: String,
    pub(super) identity: String,
    pub(super) rows: Vec<(u32, Row)>,
}

/// Tables or programs can't be had.
#[derive(Debug, thiserror::Error)]
pub(super) enum WatchError {
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Attach(#[from] AttachError),
    #[error(transparent)]
    Table(#[from] TableError),
}

/// A watched interface. It goes on when the interface goes away, and takes it up again.
pub(super) struct Watch {
    /// What it is called in the configuration and in pins.
    pub(super) name: String,
    /// The interface, while there is one.
    pub(super) link: Option<Link>,
    tables: Option<Tables>,
    /// Counted, and not yet taken away.
    counted: Vec<(IpAddr, Row)>,
    /// Why it does not count, or not in the best mode.
    note: Option<String>,
    /// The interface that was last tried to attach to, and when.
    tried: Option<(u32, Monotonic)>,
    /// Its tables are pinned and new, so they may only count once they are in the database: a run
    /// that finds them there after a crash could not know whose counts they are.
    unrecorded: Option<Unrecorded>,
}

/// Pinned tables that nobody knows yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unrecorded {
    /// Of which nobody was told.
    New,
    /// That are being written down.
    Told,
}

/// How often an interface that could not be attached to is tried again.
pub(super) const RETRY_EVERY: Duration = Duration::from_secs(5);

impl Watch {
    pub(super) fn new(name: String) -> Self {
        let note = Some("there is no such interface yet".to_owned());
        Self {
            name,
            link: None,
            tables: None,
            counted: Vec::new(),
            note,
            tried: None,
            unrecorded: None,
        }
    }

    /// Whether new tables are to be written down before they count. Says it once.
    pub(super) fn take_unrecorded(&mut self) -> bool {
        let is_new = self.unrecorded == Some(Unrecorded::New);
        if is_new {
            self.unrecorded = Some(Unrecorded::Told);
        }
        is_new
    }

    /// Whether its tables wait to be written down.
    pub(super) fn is_unrecorded(&self) -> bool {
        self.unrecorded.is_some()
    }

    /// Its tables are written down, or can't be: they may count. Says whether they waited for it.
    pub(super) fn let_count(&mut self) -> bool {
        let has_waited = self.unrecorded.take_if(|state| *state == Unrecorded::Told);
        if has_waited.is_some() {
            self.tried = None;
        }
        has_waited.is_some()
    }

    /// Whether there is something that was read and not yet taken. What is saved would be ahead of
    /// what is known.
    pub(super) fn has_untaken(&self) -> bool {
        let tables = self.tables.as_ref();
        !self.counted.is_empty() || tables.is_some_and(|tables| tables.unowned != Row::default())
    }

    /// Whether programs count on it.
    pub(super) fn is_attached(&self) -> bool {
        self.tables
            .as_ref()
            .is_some_and(|tables| tables.counting.attached().is_some())
    }

    /// Whether to attach now: there is an interface, and it is another one than at the last try, or
    /// that was a while ago.
    pub(super) fn may_try(&mut self, now: Monotonic) -> bool {
        let Some(index) = self.link.as_ref().map(|link| link.index) else {
            return false;
        };
        let is_new = self
            .tried
            .is_none_or(|(tried, at)| tried != index || now.since(at) >= RETRY_EVERY);
        if self.is_attached() || !is_new || self.unrecorded.is_some() {
            return false;
        }
        self.tried = Some((index, now));
        true
    }

    /// Slots for addresses in its table.
    pub(super) fn slots(&self) -> u32 {
        self.tables
            .as_ref()
            .map_or(0, |tables| tables.counting.table().shape().slots)
    }

    /// Why it does not count, or not in the best mode.
    pub(super) fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// The interface is there: creates the tables if there are none and attaches the programs.
    pub(super) fn attach(
        &mut self,
        link: Link,
        networks: &LocalNetworks,
        settings: &Settings,
        saved: &mut Vec<SavedTable>,
        counters: impl FnOnce(&str) -> LinkCounters,
    ) {
        self.link = Some(link.clone());
        let before = self.note.take();
        match self.try_attach(&link, networks, settings, saved, counters) {
            Ok(()) => {}
            Err(error) => {
                self.note = Some(chain(&error));
            }
        }
        if self.note != before
            && let Some(note) = &self.note
        {
            log::warn!("{}: {note}", link.name);
        }
    }

    fn try_attach(
        &mut self,
        link: &Link,
        networks: &LocalNetworks,
        settings: &Settings,
        saved: &mut Vec<SavedTable>,
        counters: impl FnOnce(&str) -> LinkCounters,
    ) -> Result<(), WatchError> {
        let interface = Interface {
            name: link.name.clone(),
            index: link.index,
            link_layer: link.link_layer,
        };
        let is_other_kind = |tables: &Tables| tables.counting.link_layer() != link.link_layer;
        if self.tables.as_ref().is_some_and(is_other_kind) {
            self.fold();
            self.tables = None;
        }
        let tables = match self.tables.take() {
            Some(tables) => tables,
            None => {
                let tables = Tables::load(&self.name, &interface, networks, settings, saved)?;
                if settings.pin.is_some() && !tables.counting.is_resumed() {
                    self.tables = Some(tables);
                    self.unrecorded = Some(Unrecorded::New);
                    return Ok(());
                }
                tables
            }
        };
        let tables = self.tables.insert(tables);
        let attached = tables
            .counting
            .attach(&interface, settings.xdp_mode, settings.tc_mode)?;
        log::info!(
            "{}: counting, ingress {}, egress {}",
            link.name,
            attached.ingress,
            attached.egress
        );
        self.note = attached.note.clone();
        if tables.is_stranger {
            let left_out = "the pinned tables belong to no known state; what they counted before this start is left out";
            self.note = Some(match self.note.take() {
                Some(note) => format!("{note}; {left_out}"),
                None => left_out.to_owned(),
            });
        }
        if let (Some(note), Some(id)) = (&mut self.note, link.xdp_program) {
            let name = program_name(id).unwrap_or_else(|| "a program".to_owned());
            note.push_str(&format!(" by {name} (id {id})"));
            if name.starts_with("bwmon_") {
                note.push_str(", pinned by an earlier run: remove its pins, or set pin again");
            }
        }
        // What was counted before, by pinned programs, was not counted since.
        tables.fold(&mut self.counted);
        tables.since = AttachPoint {
            counted: tables.total,
            interface: counters(&link.name),
            reserved: tables.reserved,
        };
        Ok(())
    }

    /// The interface is gone: takes what was counted last and lets go of it.
    pub(super) fn detach(&mut self) {
        self.fold();
        if let Some(tables) = &mut self.tables {
            tables.counting.detach();
        }
        if let Some(link) = self.link.take() {
            log::warn!(
                "{}: the interface is gone; waiting for it to come back",
                link.name
            );
            self.note = Some("the interface is gone".to_owned());
        }
    }

    /// Lets go of the interface for good, or for another run where tables are pinned.
    pub(super) fn release(&mut self) {
        if let Some(tables) = &mut self.tables {
            tables.counting.detach();
        }
    }

    /// Reads the table and keeps what was counted for [`Self::take_counted`].
    pub(super) fn fold(&mut self) {
        if let Some(tables) = &mut self.tables {
            tables.fold(&mut self.counted);
        }
    }

    /// What the interface carried since the last call: what [`Self::take_counted`] will take, and
    /// what belongs to no address.
    pub(super) fn take_carried(&mut self) -> Row {
        let tables = self.tables.as_mut();
        let unowned = tables.map(|tables| std::mem::take(&mut tables.unowned));
        let counted = self.counted.iter().map(|(_, row)| *row);
        counted.chain(unowned).fold(Row::default(), plus)
    }

    /// What addresses counted since the last call, as far as it was read.
    pub(super) fn take_counted(&mut self) -> impl Iterator<Item = (IpAddr, Row)> {
        self.counted.drain(..)
    }

    /// Tells the kernel half of other local networks, without missing a packet.
    pub(super) fn configure(&mut self, networks: &LocalNetworks) {
        // What the old networks counted is theirs.
        self.fold();
        let Some(tables) = &mut self.tables else {
            return;
        };
        if tables.networks == *networks {
            return;
        }
        if let Err(error) = tables.configure(networks) {
            log::error!(
                "{}: the old local networks stay in force: {error}",
                self.name
            );
        }
    }

    /// Gives an address a slot before its first packet, so that a flood can't take it.
    pub(super) fn expect(&mut self, address: IpAddr) {
        let Some(tables) = &mut self.tables else {
            return;
        };
        if tables.slots.has(address) || !tables.networks.counts(address) {
            return;
        }
        match tables.counting.table_mut().assign(address) {
            Ok(Some(slot)) => {
                tables.owners.insert(slot, address);
            }
            Ok(None) => {}
            Err(error) => log::warn!("{}: no slot for {address}: {error}", self.name),
        }
    }

    /// Takes slots back from addresses that `is_idle` says nobody misses, when they run out.
    ///
    /// A slot is given away only once what its owner counted is in a checkpoint that is `durable`;
    /// else, after a crash, it would be taken for the next owner's.
    pub(super) fn reclaim(
        &mut self,
        now: Timestamp,
        durable: Timestamp,
        is_idle: impl Fn(IpAddr) -> bool,
    ) {
        let Some(tables) = &mut self.tables else {
            return;
        };
        if let Err(error) = tables.reclaim(now, durable, is_idle) {
            log::warn!("{}: slots are not taken back: {error}", self.name);
        }
    }

    /// Table and counters as they are to be kept for the next run.
    pub(super) fn saved(&self) -> Option<SavedTable> {
        let tables = self.tables.as_ref()?;
        Some(SavedTable {
            interface: self.name.clone(),
            identity: tables.identity.clone(),
            rows: tables.baseline.counted().collect(),
        })
    }

    /// How readers see it. `counters` are the interface's own, now.
    pub(super) fn view(&self, counters: Option<LinkCounters>) -> InterfaceView {
        let name = self
            .link
            .as_ref()
            .map_or(&self.name, |link| &link.name)
            .clone();
        let mut view = InterfaceView {
            name,
            attached: self.is_attached(),
            note: self.note.clone(),
            coverage: if self.is_attached() { 1.0 } else { 0.0 },
            ..InterfaceView::default()
        };
        let Some(tables) = &self.tables else {
            return view;
        };
        if let Some(attached) = tables.counting.attached() {
            view.ingress_mode = Some(attached.ingress.to_string());
            view.egress_mode = Some(attached.egress.to_string());
        }
        let counted = minus(tables.total, tables.since.counted);
        view.counted_bytes = Directions {
            sent: counted.sent.bytes,
            received: counted.received.bytes,
        };
        view.counted_packets = Directions {
            sent: counted.sent.packets,
            received: counted.received.packets,
        };
        if let Some(now) = counters {
            let since = tables.since.interface;
            view.interface_bytes = difference(now.bytes, since.bytes);
            view.interface_packets = difference(now.packets, since.packets);
        }
        let of_interface = view.interface_packets.total();
        if of_interface > 0 {
            let counted = view.counted_packets.total();
            view.coverage = (counted as f64 / of_interface as f64).min(1.0);
        }
        let reserved = |slot: u32| {
            let slot = slot as usize;
            let row = minus(tables.reserved[slot], tables.since.reserved[slot]);
            row.sent.bytes + row.received.bytes
        };
        view.non_ip_bytes = reserved(SLOT_NON_IP);
        view.outside_bytes = reserved(SLOT_OUTSIDE);
        view.overflow_bytes = reserved(SLOT_OVERFLOW);
        view.hint = coverage::hint(&view);
        view
    }
}

fn difference(now: Directions, since: Directions) -> Directions {
    Directions {
        sent: now.sent.saturating_sub(since.sent),
        received: now.received.saturating_sub(since.received),
    }
}
