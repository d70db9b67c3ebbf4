//! Between the notifier and the outbox in the store: an event is safe before it goes.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::{SignedDuration, tz::TimeZone};
use tokio::time::{Instant, timeout_at};

use super::{Engine, checkpoint};
use crate::{
    config::Channel,
    core::{
        alerts::Transition,
        event::{Event, EventState},
        message,
        time::Now,
        view::ChannelView,
    },
    notify::{self, Entry, Failed, Notifier, Restored},
    store::{self, Durable, FailedRecord, Loaded, OutboxRecord, Outcome, Store},
};

/// How long an event waits for a disk that takes its time. Better told than safe.
const SAFE_WITHIN: Duration = Duration::from_secs(10);
/// The same at the end.
const LAST_SAFE_WITHIN: Duration = Duration::from_secs(2);
/// How long the owner is reminded of events that were given up.
const GIVEN_UP_SHOWN: SignedDuration = SignedDuration::from_hours(24);

/// Starts the channels, with what an earlier run left for them.
pub(super) fn start(
    channels: Vec<Channel>,
    loaded: &mut Loaded,
    store: &mut Store,
    zone: &TimeZone,
) -> Notifier {
    let waiting = std::mem::take(&mut loaded.outbox);
    let failed = std::mem::take(&mut loaded.failed);
    let seqs = waiting
        .iter()
        .chain(failed.iter().map(|failed| &failed.waited));
    let last_seq = seqs.map(|record| record.seq).max().unwrap_or_default();
    let mut unreadable = Vec::new();
    let waiting = waiting.into_iter().filter_map(|record| {
        let seq = record.seq;
        let entry = entry(record);
        if entry.is_none() {
            unreadable.push(store::Settled {
                seq,
                fate: store::Fate::Gone,
            });
        }
        entry
    });
    let restored = Restored {
        waiting: waiting.collect(),
        failed: failed.into_iter().filter_map(failure).collect(),
        last_seq,
        ran: loaded.ran,
    };
    store.settle(unreadable);
    Notifier::new(channels, restored, zone.clone())
}

impl Engine {
    /// Logs what happened, and has it told once that is safe.
    pub(super) fn tell(&mut self, transition: &Transition) {
        let event = message::event(transition, &self.host, &self.config.timezone);
        log::warn!("alert: {}", event.event_description);
        let entries = self.notifier.push(&Arc::new(event), transition.at);
        self.events.extend(entries.into_iter().map(record));
    }

    /// Lets events go that are safe by now.
    pub(super) fn release(&mut self, durable: Durable) {
        self.notifier.release(durable.event);
        self.unsafe_since = None;
    }

    /// Lets all events go, although a crash may make bwmon forget that it told them.
    pub(super) fn release_anyway(&mut self, why: &str) {
        if self.notifier.awaits_release() {
            log::warn!(
                "events are told before they are safe on disk, so a crash may repeat them: {why}"
            );
            self.notifier.release_all();
        }
        self.unsafe_since = None;
    }

    /// To be called now and then: lets events go when nothing was written for too long.
    pub(super) fn release_overdue(&mut self, now: &Now) {
        if !self.notifier.awaits_release() {
            return;
        }
        let since = *self.unsafe_since.get_or_insert(now.monotonic);
        if now.monotonic.since(since) >= SAFE_WITHIN {
            self.release_anyway("the disk is slow");
        }
    }

    /// Writes down what became of events.
    pub(super) fn keep_settled(&mut self) {
        let settled = self.take_settled();
        self.store.settle(settled);
    }

    pub(super) fn take_settled(&self) -> Vec<store::Settled> {
        self.notifier
            .take_settled()
            .into_iter()
            .map(settled)
            .collect()
    }

    /// What each channel did.
    pub(super) fn channel_views(&self) -> Vec<ChannelView> {
        let channels = self.notifier.stats().into_iter();
        channels
            .map(|stats| ChannelView {
                name: stats.name,
                delivered: stats.delivered,
                failed: stats.failed,
                given_up: stats.given_up,
                shed: stats.shed,
                waiting: stats.waiting,
            })
            .collect()
    }

    /// What the owner should know of the channels at the time of a sample.
    pub(super) fn channel_warnings(&self) -> Vec<String> {
        let failing = self.notifier.stats().into_iter().filter_map(|channel| {
            let error = channel.last_error?;
            Some(format!(
                "channel {}: {} events wait: {error}",
                channel.name, channel.waiting
            ))
        });
        let now = self.sampled.map(|at| at.wall).unwrap_or_default();
        let mut given_up: BTreeMap<String, (usize, String)> = BTreeMap::new();
        for failed in self.notifier.failed() {
            if now.duration_since(failed.at) < GIVEN_UP_SHOWN {
                // The first one is the latest.
                let (count, _) = given_up.entry(failed.channel).or_insert((0, failed.error));
                *count += 1;
            }
        }
        let given_up = given_up.into_iter().map(|(channel, (count, error))| {
            format!("channel {channel}: {count} events were given up within a day: {error}")
        });
        failing.chain(given_up).collect()
    }

    /// Tells what can be told in a moment, once it is safe. The rest waits for the next run.
    pub(super) async fn tell_the_last(&mut self) {
        let deadline = Instant::now() + LAST_SAFE_WITHIN;
        while self.notifier.awaits_release() {
            match timeout_at(deadline, self.store.outcome()).await {
                Ok(Outcome::Durable(durable)) => self.release(durable),
                Ok(Outcome::Failed(error)) => self.release_anyway(&error.to_string()),
                Err(_) => self.release_anyway("the disk is slow"),
            }
        }
        self.notifier.shutdown().await;
        self.keep_settled();
    }
}

fn record(entry: Entry) -> OutboxRecord {
    let Entry {
        seq,
        channel,
        event,
        body,
        at,
        ran,
    } = entry;
    OutboxRecord {
        seq,
        channel,
        event: event.id.clone(),
        state: match event.state {
            EventState::Firing => "firing",
            EventState::Reminder => "reminder",
            EventState::Resolved => "resolved",
        }
        .to_owned(),
        severity: event.severity.as_str().to_owned(),
        at,
        ran,
        body,
    }
}

fn entry(record: OutboxRecord) -> Option<Entry> {
    let event: Event = checkpoint::read("event", &record.body)?;
    Some(Entry {
        seq: record.seq,
        channel: record.channel,
        event: Arc::new(event),
        body: record.body,
        at: record.at,
        ran: record.ran,
    })
}

fn failure(record: FailedRecord) -> Option<Failed> {
    let FailedRecord { waited, at, error } = record;
    let Entry { channel, event, .. } = entry(waited)?;
    Some(Failed {
        channel,
        event,
        at,
        error,
    })
}

fn settled(settled: notify::Settled) -> store::Settled {
    let notify::Settled { seq, fate } = settled;
    let fate = match fate {
        notify::Fate::Delivered | notify::Fate::Shed | notify::Fate::Removed => store::Fate::Gone,
        notify::Fate::Failed { at, error } => store::Fate::Failed { at, error },
    };
    store::Settled { seq, fate }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn kept(body: &str) -> OutboxRecord {
        OutboxRecord {
            seq: 3,
            channel: "phone".to_owned(),
            event: "1".to_owned(),
            state: "resolved".to_owned(),
            severity: "critical".to_owned(),
            at: Timestamp::UNIX_EPOCH,
            ran: Duration::from_secs(60),
            body: body.into(),
        }
    }

    const BODY: &str = r#"{"timestamp":"","eventDescription":"","source":"Bandwidth","id":"1","alert":"2","state":"resolved","rule":"rate","severity":"critical","device":{"id":"3","name":"Laptop","kind":"device","group":null,"mac":null,"addresses":[]},"direction":"sent","observed":4,"threshold":5,"expected":null,"unit":"bytes_per_second","detail":{"kind":"none"},"peak_rate":6,"sent":7,"received":8,"started_at":"","ended_at":null,"host":"router"}"#;

    #[test]
    fn what_was_kept_waits_as_it_did() {
        assert_eq!(entry(kept(BODY)).map(record), Some(kept(BODY)));
    }

    #[test]
    fn what_is_not_an_event_is_left_out() {
        assert_eq!(entry(kept("{}")), None);
    }
}
