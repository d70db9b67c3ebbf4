//! When what is known is written down, and what follows from that.

use super::*;
use crate::{
    core::view::{StoreState, StoreStatus},
    store::Outlives,
};

/// How long new tables wait at the start until they are in the database.
const RECORDED_WITHIN: Duration = Duration::from_secs(5);

impl Engine {
    /// Writes down what is known, at a time that is not that of a sample.
    pub(super) fn write_checkpoint(&mut self, now: &Now, outlives: Outlives) {
        // What was read for another reason is to be known, too.
        if self.watches.iter().any(Watch::has_untaken) {
            self.sample(now);
        }
        let checkpoint = Checkpoint {
            outlives,
            ..self.checkpoint(now, Occasion::Checkpoint)
        };
        self.store.write(checkpoint);
    }

    /// At the start: waits until new tables are in the database, and lets them count.
    pub(super) async fn record_tables(&mut self) {
        while self.watches.iter().any(Watch::is_unrecorded) {
            match time::timeout(RECORDED_WITHIN, self.store.outcome()).await {
                Ok(outcome) => self.written(outcome),
                Err(_) => self.attach_recorded(Timestamp::MAX),
            }
        }
    }

    pub(super) fn checkpoint(&mut self, now: &Now, occasion: Occasion) -> Checkpoint {
        let changes = self.ledger.take_changes(occasion);
        let tables = self.settings.pin.is_some().then(|| {
            let watched = self.watches.iter().filter_map(Watch::saved);
            // Those of interfaces that are not there yet wait for them.
            let boot_id = self.settings.boot_id.as_str();
            let waiting = self.saved_tables.iter().cloned();
            let waiting = waiting.filter(|table| table.identity.starts_with(boot_id));
            watched.chain(waiting).collect()
        });
        let is_fresh = |saved: Monotonic| now.monotonic.since(saved) < ALERTS_EVERY;
        let mut alerts = self.ledger.alert_records(now);
        if occasion == Occasion::Checkpoint
            && changes.renamed.is_empty()
            && self.alerts_saved.is_some_and(is_fresh)
        {
            // These are gone from the database with each checkpoint.
            alerts.retain(|record| record.alert.state == AlertState::Pending);
        } else {
            self.alerts_saved = Some(now.monotonic);
        }
        Checkpoint {
            events: std::mem::take(&mut self.events),
            settled: self.take_settled(),
            ran: self.notifier.ran(),
            ..checkpoint::checkpoint(changes, &alerts, tables, now.wall)
        }
    }

    pub(super) fn written(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Durable(durable) => {
                self.durable = durable.at;
                self.answers.durable(durable.at);
                if self.passing.store.take().is_some() {
                    log::info!("history is written again, with all that waited");
                }
                self.waiting_since = None;
                self.release(durable);
                if let Some(why) = self.store.take_anew() {
                    self.begin_anew(why);
                }
                self.attach_recorded(durable.at);
            }
            Outcome::Failed(error) => {
                let message = format!(
                    "history is not written but kept in memory, and is tried again each minute: {error}"
                );
                // Once, and again when it is another reason.
                if self.passing.store.as_ref() != Some(&message) {
                    log::error!("{message}");
                }
                self.waiting_since.get_or_insert_with(|| kernel::now().wall);
                self.release_anyway(&error.to_string());
                self.answers.failed(&error.to_string());
                self.passing.store = Some(message);
                self.attach_recorded(Timestamp::MAX);
            }
        }
    }

    /// The database knows nothing yet: tells it everything.
    fn begin_anew(&mut self, why: String) {
        log::error!("{why}");
        self.warnings.push(why);
        let now = kernel::now();
        if self.watches.iter().any(Watch::has_untaken) {
            self.sample(&now);
        }
        let everything = self.checkpoint(&now, Occasion::Anew);
        self.store.write(everything);
    }

    /// How keeping goes, as readers are shown it.
    pub(super) fn store_status(&self) -> StoreStatus {
        let time = |at| rfc3339(at, &self.config.timezone);
        StoreStatus {
            state: match self.waiting_since {
                Some(_) => StoreState::Waiting,
                None => StoreState::Ok,
            },
            since: self.waiting_since.map(time),
            reason: self.passing.store.clone(),
            waiting_records: self.store.waiting(),
            written_at: Some(self.durable)
                .filter(|at| *at > Timestamp::UNIX_EPOCH && self.store.keeps())
                .map(time),
            database_bytes: self.store.bytes(),
        }
    }

    /// Takes the last sample, lets go of the interfaces, and writes everything down.
    pub(super) async fn stop(mut self) -> Result<(), EngineError> {
        let now = kernel::now();
        // Detached first, so that the last sample has everything.
        for watch in &mut self.watches {
            watch.release();
        }
        self.sample(&now);
        let last = self.checkpoint(&now, Occasion::End);
        self.watches.clear();
        self.store.write(last);
        self.tell_the_last().await;
        let closed = self.store.close().await;
        match &closed {
            Ok(()) => self.answers.durable(Timestamp::MAX),
            Err(error) => {
                let since = self.waiting_since.map(|at| {
                    let since = rfc3339(at, &self.config.timezone);
                    format!(", and nothing was since {since}")
                });
                log::error!(
                    "the last of what was counted is not written{}",
                    since.unwrap_or_default()
                );
                self.answers.failed(&error.to_string());
            }
        }
        closed?;
        log::info!("stopped");
        Ok(())
    }
}
