//! Takes in the configuration anew, or leaves everything as it is.

use tokio::sync::mpsc;

use super::{Engine, history_settings, service};
use crate::{
    config::{self, Config, ConfigErrors},
    http::Reload,
    kernel,
};

impl Engine {
    /// Takes in the files anew. A mistake in them leaves everything as it is.
    pub(super) fn reload(&mut self) -> Result<(), ConfigErrors> {
        service::reloading();
        let loaded = config::load(&self.overrides);
        self.reloads += 1;
        let done = match loaded {
            Ok(new) => {
                self.adopt(new);
                Ok(())
            }
            Err(errors) => {
                log::error!("the configuration stays as it was: {errors}");
                self.passing.reload = Some(format!("the configuration was not reloaded: {errors}"));
                Err(errors)
            }
        };
        // Whoever sees that it was reloaded sees what came of it.
        self.publish(&kernel::now());
        self.publish_configuration();
        service::ready();
        done
    }

    /// The same, for those who changed a file. They are answered once it shows.
    pub(super) fn reload_for(&mut self, first: Reload, others: &mut mpsc::Receiver<Reload>) {
        let waiting: Vec<_> = std::iter::once(first)
            .chain(std::iter::from_fn(|| others.try_recv().ok()))
            .collect();
        let done = self.reload().map_err(|errors| errors.to_string());
        for reply in waiting {
            if reply.send(done.clone()).is_err() {
                log::debug!("who asked has gone");
            }
        }
    }

    pub(super) fn adopt(&mut self, new: Config) {
        let waiting = config::restart_needed(&self.config, &new);
        self.passing.reload = (!waiting.is_empty()).then(|| {
            format!(
                "changed, and in force only after a restart: {}",
                waiting.join(", ")
            )
        });
        if let Some(warning) = &self.passing.reload {
            log::warn!("{warning}");
        }
        self.sample_before_change();
        self.ledger.apply(new.policy.clone());
        self.notifier.reconfigure(new.notify.clone());
        self.out.token.send_replace(new.http.token.clone());
        self.out.max_metrics.send_replace(new.metrics.max_devices);
        self.out.devices_file.send_replace(new.devices_file.clone());
        // What only a restart changes stays what it is.
        self.config = Config {
            interfaces: self.config.interfaces.clone(),
            xdp_mode: self.config.xdp_mode,
            tc_mode: self.config.tc_mode,
            max_addresses: self.config.max_addresses,
            poll_interval: self.config.poll_interval,
            state_dir: self.config.state_dir.clone(),
            pin: self.config.pin.clone(),
            timezone: self.config.timezone.clone(),
            http: config::Http {
                listen: self.config.http.listen.clone(),
                ..new.http
            },
            ..new
        };
        self.store.keep_history(history_settings(&self.config));
        self.apply_names();
        self.follow_links();
        self.expect_registered();
        log::info!("the configuration was reloaded");
    }
}
