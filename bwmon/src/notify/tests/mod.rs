//! Channels against a receiver on loopback.

mod certificates;
mod delivery;
mod peers;
mod programs;
mod queueing;
mod receiver;
mod shapes;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{ChannelStats, DeliveryError, Notifier, Sender, pace::Pace, queue::CAPACITY};
use crate::{
    config::{Channel, HttpReceiver, Routing, Secret, Shape, Target, Webhook},
    core::event::{
        Detail, Direction, Event, EventDevice, EventState, RuleKind, Severity, SubjectKind, Unit,
    },
};
use receiver::{Receiver, Reply, next};

/// As in real life, but quicker.
const QUICK: Pace = Pace {
    first: Duration::from_millis(5),
    longest: Duration::from_millis(20),
    longest_asked_for: Duration::from_secs(1),
    patience: Duration::from_secs(3600),
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
    Notifier::with_pace(channels.into_iter().collect(), QUICK)
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
