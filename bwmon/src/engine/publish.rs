//! What readers are shown after each sample.

use std::sync::Arc;

use serde_json::json;

use super::{Engine, Passing};
use crate::{
    config::Config,
    core::{
        time::{Now, rfc3339},
        view::{Snapshot, Status, Versions},
    },
};

impl Engine {
    pub(super) fn publish(&mut self, now: &Now) {
        let interfaces = self
            .watches
            .iter()
            .map(|watch| {
                let name = watch.link.as_ref().map(|link| &link.name);
                watch.view(name.and_then(|name| self.counters.get(name)).copied())
            })
            .collect();
        let mutes = self.ledger.mute_views();
        let status = Status {
            sampled_at: self
                .sampled
                .map(|at| rfc3339(at.wall, &self.config.timezone)),
            day: self.ledger.today().to_string(),
            poll: self.poll.clone(),
            local_networks: self
                .local
                .networks
                .iter()
                .map(ToString::to_string)
                .collect(),
            counts_every_address: self.local.count_all,
            mutes: mutes.len(),
            store: self.store_status(),
            warnings: self.current_warnings(),
        };
        log::trace!("published at {:?}", now.monotonic);
        let snapshot = Snapshot {
            status,
            interfaces,
            addresses: self.ledger.address_views(),
            devices: self.ledger.device_views(),
            alerts: self.ledger.alert_views(),
            mutes,
            channels: self.channel_views(),
            recent: self.ledger.recent(),
            totals: self.ledger.total_views(),
            cycle: self.ledger.billing_cycle(),
            versions: Versions::default(),
        };
        self.out
            .snapshot
            .send_modify(|shown| *shown = Arc::new(snapshot.following(shown)));
    }

    pub(super) fn current_warnings(&self) -> Vec<String> {
        let Passing {
            networks,
            store,
            reload,
            interfaces,
            addresses,
        } = &self.passing;
        self.config
            .warnings
            .iter()
            .chain(&self.warnings)
            .cloned()
            .chain(
                [networks, store, reload, interfaces, addresses]
                    .into_iter()
                    .flatten()
                    .cloned(),
            )
            .chain(self.channel_warnings())
            .collect()
    }

    /// Shows the configuration in force.
    pub(super) fn publish_configuration(&self) {
        self.out
            .configuration
            .send_replace(Arc::new(self.in_force()));
    }

    /// The configuration as `status` shows it.
    fn in_force(&self) -> serde_json::Value {
        let Config { http, notify, .. } = &self.config;
        let channels: Vec<&str> = notify.iter().map(|channel| channel.name.as_str()).collect();
        json!({
            "files": self.config.sources,
            "interfaces": self.config.interfaces,
            "xdp_mode": self.config.xdp_mode.as_str(),
            "tc_mode": self.config.tc_mode.as_str(),
            "max_addresses": self.config.max_addresses,
            "poll_interval_seconds": self.config.poll_interval.as_secs_f64(),
            "state_dir": self.config.state_dir,
            "pin": self.config.pin,
            "listen": http.listen.to_string(),
            "token": http.token.is_some(),
            "notify": channels,
            "registered_devices": self.config.policy.registered.len(),
            "devices_file": self.config.devices_file,
            "reloads": self.reloads,
        })
    }
}
