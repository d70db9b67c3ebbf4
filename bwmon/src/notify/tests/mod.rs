//! Channels against a receiver on loopback.

mod certificates;
mod delivery;
mod durability;
mod order;
mod peers;
mod programs;
mod queueing;
mod quiet;
mod receiver;
mod shapes;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::{Timestamp, tz::TimeZone};

use super::{
    ChannelStats, DeliveryError, Entry, Fate, Notifier, Restored, Sender, Settled,
    clock::Clock,
    pace::Pace,
    queue::{MOST_BYTES, MOST_EVENTS},
};
use crate::{
    config::{Channel, HttpReceiver, Routing, Secret, Shape, Target, Webhook},
    core::{
        event::{
            Detail, Direction, Event, EventDevice, EventState, RuleKind, Severity, SubjectKind,
            Unit,
        },
        schedule::Schedule,
    },
};
use receiver::{Receiver, Reply, next};

/// As in real life, but quicker.
const QUICK: Pace = Pace {
    first: Duration::from_millis(5),
    longest: Duration::from_millis(20),
    longest_asked_for: Duration::from_secs(1),
    look: Duration::from_millis(5),
    farewell: Duration::from_millis(300),
};

fn event(id: impl ToString) -> Arc<Event> {
    Arc::new(Event {
        timestamp: "2026-03-08T14:03:11+01:00".to_owned(),
        event_description: "Laptop (192.123.4.5) has used 512 MB today.".to_owned(),
        source: "Bandwidth".to_owned(),
        id: id.to_string(),
        alert: "alert".to_owned(),
        state: EventState::Firing,
        rule: RuleKind::Volume,
        device: EventDevice {
            id: "192.123.4.5".to_owned(),
            name: "Laptop".to_owned(),
            kind: SubjectKind::Device,
            group: None,
            mac: None,
            addresses: vec!["192.123.4.5".parse().unwrap()],
        },
        severity: Severity::Warning,
        direction: Direction::Total,
        observed: 512_000_000,
        threshold: 500_000_000,
        expected: None,
        unit: Unit::Bytes,
        detail: Detail::None,
        peak_rate: 1_250_000,
        sent: 12_000_000,
        received: 500_000_000,
        started_at: "2026-03-08T14:03:11+01:00".to_owned(),
        ended_at: None,
        host: "router".to_owned(),
    })
}

/// One that tells of another change of another alert.
fn event_of(id: impl ToString, alert: impl ToString, state: EventState) -> Arc<Event> {
    Arc::new(Event {
        alert: alert.to_string(),
        state,
        ..Event::clone(&event(id))
    })
}

fn webhook(name: &str, url: String) -> Channel {
    channel(name, url, Shape::Webhook(Webhook::default()))
}

fn channel(name: &str, url: String, shape: Shape) -> Channel {
    Channel {
        name: name.to_owned(),
        target: Target::Http(HttpReceiver {
            url: Secret::new(url),
            ca: None,
            shape,
        }),
        routing: Routing::default(),
        quiet_hours: None,
        timeout: Duration::from_secs(10),
        max_age: Duration::from_secs(24 * 3600),
    }
}

/// The same with a token.
fn with_token(channel: &Channel, token: &str) -> Channel {
    let mut channel = channel.clone();
    if let Target::Http(HttpReceiver {
        shape: Shape::Webhook(webhook),
        ..
    }) = &mut channel.target
    {
        webhook.token = Some(Secret::new(token.to_owned()));
    }
    channel
}

async fn try_once(channel: &Channel, event: &Arc<Event>) -> Result<(), DeliveryError> {
    Sender::new(channel).send(std::slice::from_ref(event)).await
}

fn notifier(channels: impl IntoIterator<Item = Channel>) -> Notifier {
    with_pace(channels.into_iter().collect(), QUICK)
}

fn with_pace(channels: Vec<Channel>, pace: Pace) -> Notifier {
    let clock = Clock::new(Duration::ZERO, now);
    Notifier::with(channels, Restored::default(), TimeZone::UTC, clock, pace)
}

/// A Sunday at noon.
fn now() -> Timestamp {
    "2026-03-08T12:00:00Z".parse().unwrap()
}

/// Tells an event as soon as it is there.
fn tell(notifier: &Notifier, event: &Arc<Event>) -> Vec<Entry> {
    let entries = notifier.push(event, now());
    notifier.release_all();
    entries
}

/// Waits until the statistics of the only channel are as wanted.
async fn until(notifier: &Notifier, is_wanted: impl Fn(&ChannelStats) -> bool) -> ChannelStats {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let stats = notifier.stats().remove(0);
        if is_wanted(&stats) {
            return stats;
        }
        assert!(Instant::now() < deadline, "still {stats:?}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

async fn settled(notifier: &Notifier) -> ChannelStats {
    until(notifier, |stats| stats.waiting == 0).await
}
