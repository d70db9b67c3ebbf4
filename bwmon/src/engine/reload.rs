//! Takes in the configuration anew, or leaves everything as it is.

use super::{Engine, history_settings, service};
use crate::config::{self, Config};

impl Engine {
    /// Takes in the files anew. A mistake in them leaves everything as it is.
    pub(super) fn reload(&mut self) {
        service::reloading();
        match config::load(&self.overrides) {
            Ok(new) => self.adopt(new),
            Err(errors) => {
                log::error!("the configuration stays as it was: {errors}");
                self.passing.reload = Some(format!("the configuration was not reloaded: {errors}"));
            }
        }
        service::ready();
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
        self.ledger.apply(new.policy.clone());
        self.notifier.reconfigure(new.notify.clone());
        self.out.token.send_replace(new.http.token.clone());
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
        self.publish_configuration();
        log::info!("the configuration was reloaded");
    }
}
