//! When what is known is written down, and what follows from that.

use super::*;

impl Engine {
    pub(super) fn checkpoint(&mut self, now: &Now, occasion: Occasion) -> Checkpoint {
        let changes = self.ledger.take_changes(occasion);
        let tables = self
            .settings
            .pin
            .is_some()
            .then(|| self.watches.iter().filter_map(Watch::saved).collect());
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
                self.passing.store = None;
                self.release(durable);
            }
            Outcome::Failed(error) => {
                let message = format!("history is not written, and will be tried again: {error}");
                if self.passing.store.is_none() {
                    log::error!("{message}");
                }
                self.release_anyway(&error.to_string());
                self.answers.failed(&error.to_string());
                self.passing.store = Some(message);
            }
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
            Err(error) => self.answers.failed(&error.to_string()),
        }
        closed?;
        log::info!("stopped");
        Ok(())
    }
}
