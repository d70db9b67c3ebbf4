//! One reading of all tables, and what the ledger makes of it.

use super::*;

impl Engine {
    /// Reads every table, steps the ledger, and tells of what happened. Returns how much that was.
    pub(super) fn sample(&mut self, now: &Now) -> usize {
        let interval = self.config.poll_interval;
        let elapsed = match self.sampled {
            Some(sampled) => {
                let elapsed = now.monotonic.since(sampled.monotonic);
                let intervals = elapsed.as_secs_f64() / interval.as_secs_f64();
                self.poll.missed += (intervals.round() as u64).saturating_sub(1);
                elapsed
            }
            None => first_elapsed(self.counted_since, now.wall, interval),
        };
        self.poll.samples += 1;
        self.sampled = Some(*now);
        // Before the tables: what passes in between is counted then, and does not look as if it was not.
        self.counters = kernel::link_counters().unwrap_or_default();
        for watch in &mut self.watches {
            watch.fold();
            let carried = watch.take_carried();
            self.ledger.carried(&watch.name, carried);
        }
        let counted = self.watches.iter_mut().flat_map(Watch::take_counted);
        let mut new_id = || uuid::Uuid::new_v4().to_string();
        let told = self.ledger.sample(now, elapsed, counted, &mut new_id);
        for transition in &told {
            self.tell(transition);
            self.alerts_saved = None;
        }
        told.len()
    }
}

/// The time that the first sample is about. Programs that were pinned counted while nobody read, and
/// that is not to look as if it all came within one interval.
///
/// Only the wall clock knows for how long, and may have jumped; hence the bound.
fn first_elapsed(since: Option<Timestamp>, now: Timestamp, interval: Duration) -> Duration {
    since
        .and_then(|since| Duration::try_from(now.duration_since(since)).ok())
        .map_or(interval, |elapsed| elapsed.min(LONGEST_FIRST).max(interval))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_sample_is_about_all_the_time_since_the_tables_were_read() {
        let now = Timestamp::from_second(1_772_928_000).unwrap();
        for (ago, expected) in [
            (None, 1),
            (Some(-60), 1),
            (Some(0), 1),
            (Some(90), 90),
            (Some(86_400), 3_600),
        ] {
            let since = ago.map(|ago| now - jiff::SignedDuration::from_secs(ago));
            let elapsed = first_elapsed(since, now, Duration::from_secs(1));
            assert_eq!(elapsed, Duration::from_secs(expected), "{ago:?}");
        }
    }
}
