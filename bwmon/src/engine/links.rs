//! Keeps watches and local networks in line with the interfaces and addresses there are.

use std::collections::HashSet;

use jiff::Timestamp;

use super::{Engine, EngineError, MAX_INTERFACES, local::Local, watch::Watch};
use crate::{config, core::policy::Scope, kernel, sources::routing, store::Outlives};

impl Engine {
    /// Brings what is watched in line with the interfaces there are.
    pub(super) fn follow_watched(&mut self) {
        // First what is watched, by index, so that one with a new name is not taken for a new one.
        for watch in &mut self.watches {
            let Some(index) = watch.link.as_ref().map(|link| link.index) else {
                continue;
            };
            match self.network.link(index) {
                Some(link) => watch.link = Some(link.clone()),
                None => watch.detach(),
            }
        }
        self.find_interfaces();
        for watch in self.watches.iter_mut().filter(|watch| watch.link.is_none()) {
            watch.link = self
                .network
                .links()
                .find(|link| link.name == watch.name)
                .cloned();
        }
        self.follow_on_link();
    }

    /// The indices of the interfaces that are watched and there.
    pub(super) fn watched(&self) -> HashSet<u32> {
        self.watches
            .iter()
            .filter_map(|watch| Some(watch.link.as_ref()?.index))
            .collect()
    }

    /// Brings watches and local networks in line with the interfaces, addresses and routes there are.
    pub(super) fn follow_links(&mut self) {
        self.follow_watched();
        let watched = self.watched();
        let doubled = self
            .watches
            .iter()
            .filter_map(|watch| watch.link.as_ref())
            .find(|link| link.lower.is_some_and(|lower| watched.contains(&lower)));
        if let Some(link) = doubled {
            self.passing.interfaces = Some(format!(
                "{} is a part of an interface that is watched too: what passes it is counted twice; \
                 watch only one of them",
                link.name
            ));
        }
        let names = self
            .watches
            .iter()
            .filter_map(|watch| Some(watch.link.as_ref()?.name.as_str()));
        // Without any interface nothing is known of what this machine does, so it stays as it was.
        let routes = match watched.is_empty() {
            true => !self.local.count_all,
            false => routing::routes(names),
        };
        let local = Local::find(
            &self.network,
            &self.config.local_networks,
            &watched,
            routes,
            &self.config.policy,
        );
        self.passing.networks.clone_from(&local.warning);
        let mut is_changed = local.networks != self.local;
        if is_changed {
            self.set_local(local);
        }
        let counters = |name: &str| {
            kernel::link_counters()
                .ok()
                .and_then(|mut all| all.remove(name))
                .unwrap_or_default()
        };
        let now = kernel::now().monotonic;
        for watch in &mut self.watches {
            if let Some(link) = watch.link.clone()
                && watch.may_try(now)
            {
                is_changed = true;
                watch.attach(
                    link,
                    &self.local,
                    &self.settings,
                    &mut self.saved_tables,
                    counters,
                );
            }
        }
        if is_changed {
            self.expect_registered();
        }
        self.reach_names();
        let mut is_unrecorded = false;
        for watch in &mut self.watches {
            is_unrecorded |= watch.take_unrecorded();
        }
        if is_unrecorded {
            let now = kernel::now();
            self.recording = now.wall;
            self.write_checkpoint(&now, Outlives::Crash);
        }
    }

    /// New tables are written down up to those of this time, so they may count. A clock that was set
    /// back holds up nobody.
    pub(super) fn attach_recorded(&mut self, up_to: Timestamp) {
        if up_to < self.recording && self.recording <= kernel::now().wall {
            return;
        }
        let mut has_waited = false;
        for watch in &mut self.watches {
            has_waited |= watch.let_count();
        }
        if has_waited {
            self.follow_links();
        }
    }

    pub(super) fn set_local(&mut self, local: Local) {
        log::info!("local networks: {}", local.list());
        for net in &local.elsewhere {
            log::info!(
                "{net} is registered, and not counted: packets to it leave by no watched interface"
            );
        }
        let local = local.networks;
        if local.count_all && !self.local.count_all {
            log::info!("this machine does not route: every remote address is counted");
        }
        for watch in &mut self.watches {
            watch.configure(&local);
        }
        self.ledger.set_scope(if local.count_all {
            Scope::All
        } else {
            Scope::Internet
        });
        self.local = local;
    }

    /// Adds watches for interfaces that the configuration names, or that are found automatically.
    pub(super) fn find_interfaces(&mut self) {
        let mut names: Vec<String> = Vec::new();
        for pattern in &self.config.interfaces {
            if pattern.contains(['*', '?']) {
                let found = self.network.links();
                let found = found.filter(|link| config::interface::matches(pattern, &link.name));
                let whole = self.network.without_parts(found.collect());
                names.extend(whole.iter().map(|link| link.name.clone()));
            } else {
                names.push(pattern.clone());
            }
        }
        self.passing.interfaces = None;
        if self.config.interfaces.is_empty() && self.watches.is_empty() {
            let routes = routing::routes([]);
            match self
                .network
                .choose(routing::default_route().as_deref(), routes)
            {
                Some(choice) => {
                    log::info!("watching {}: {}", choice.names.join(", "), choice.why);
                    names = choice.names;
                }
                None => {
                    let hint =
                        "no interface to watch was found; name one with --iface or interfaces";
                    self.passing.interfaces = Some(hint.to_owned());
                }
            }
        }
        for name in names {
            let is_watched = |watch: &Watch| {
                watch.name == name || watch.link.as_ref().is_some_and(|link| link.name == name)
            };
            if !self.watches.iter().any(is_watched) && self.watches.len() < MAX_INTERFACES {
                self.watches.push(Watch::new(name));
            }
        }
    }

    /// At the start, an interface that is there but can't be counted on is the owner's to mend.
    pub(super) fn require_an_interface(&self) -> Result<(), EngineError> {
        let is_fine = |watch: &Watch| watch.is_attached() || watch.link.is_none();
        if self.watches.is_empty() || self.watches.iter().any(is_fine) {
            return Ok(());
        }
        let watch = &self.watches[0];
        let reason = watch.note().unwrap_or("cannot be counted on").to_owned();
        Err(EngineError::Attach {
            interface: watch.name.clone(),
            reason,
        })
    }
}
