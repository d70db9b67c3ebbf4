//! Quiet hours.

use std::sync::Mutex;

use jiff::civil::time;

use super::*;
use crate::core::schedule::{Days, Window};

const NIGHT: &str = "2026-03-08T23:00:00Z";
const MORNING: &str = "2026-03-09T06:00:00Z";

/// A channel that is left alone from 22 to 6 o'clock.
fn channel(receiver: &Receiver) -> Channel {
    let hour = |hour| time(hour, 0, 0, 0);
    let window = Window {
        days: Days::ALL,
        from: hour(22),
        to: hour(6),
    };
    Channel {
        quiet_hours: Some(Schedule(vec![window])),
        ..webhook("phone", receiver.url("/"))
    }
}

/// A notifier with that channel, and its clock.
fn at_night(receiver: &Receiver) -> (Notifier, Arc<Mutex<Timestamp>>) {
    let time = Arc::new(Mutex::new(NIGHT.parse().unwrap()));
    let wall = Arc::clone(&time);
    let clock = Clock::new(Duration::ZERO, move || *wall.lock().unwrap());
    let restored = Restored::default();
    let notifier = Notifier::with(
        vec![channel(receiver)],
        restored,
        TimeZone::UTC,
        clock,
        QUICK,
    );
    (notifier, time)
}

fn tell_at_night(notifier: &Notifier, event: &Arc<Event>) {
    notifier.push(event, NIGHT.parse().unwrap());
    notifier.release_all();
}

fn critical(event: &Arc<Event>) -> Arc<Event> {
    Arc::new(Event {
        severity: Severity::Critical,
        ..Event::clone(event)
    })
}

#[tokio::test]
async fn all_but_critical_events_wait_for_the_morning() {
    let mut receiver = Receiver::new((0..4).map(|_| Reply::OK).collect());
    let (notifier, time) = at_night(&receiver);
    tell_at_night(&notifier, &event_of("one", "a", EventState::Firing));
    tell_at_night(&notifier, &event_of("two", "a", EventState::Resolved));
    tell_at_night(
        &notifier,
        &critical(&event_of("three", "b", EventState::Firing)),
    );
    assert_eq!(receiver.ids(1).await, ["three"]);
    let stats = until(&notifier, |stats| stats.delivered == 1).await;
    assert_eq!((stats.waiting, stats.held), (2, 2));

    *time.lock().unwrap() = MORNING.parse().unwrap();
    assert_eq!(receiver.ids(2).await, ["one", "two"]);
    assert_eq!(settled(&notifier).await.held, 0);
}

#[tokio::test]
async fn the_end_of_an_alert_does_not_pass_its_beginning() {
    let mut receiver = Receiver::new(vec![Reply::OK, Reply::OK]);
    let (notifier, _time) = at_night(&receiver);
    tell_at_night(&notifier, &event_of("other", "b", EventState::Firing));
    tell_at_night(&notifier, &event_of("begin", "a", EventState::Firing));
    tell_at_night(
        &notifier,
        &critical(&event_of("end", "a", EventState::Resolved)),
    );
    assert_eq!(receiver.ids(2).await, ["begin", "end"]);
    let stats = until(&notifier, |stats| stats.delivered == 2).await;
    assert_eq!((stats.waiting, stats.held), (1, 1));
}

/// Two hours ago an event of the time `at` was told to a channel that is down, and has an hour.
async fn given_up(at: &str) -> u64 {
    let receiver = Receiver::new(vec![]);
    let hour = Duration::from_secs(3600);
    let channel = Channel {
        max_age: hour,
        ..channel(&receiver)
    };
    let entries = notifier([channel.clone()]).push(&event("one"), at.parse().unwrap());
    let restored = Restored {
        waiting: entries,
        last_seq: 1,
        ..Restored::default()
    };
    let clock = Clock::new(2 * hour, now);
    let notifier = Notifier::with(vec![channel], restored, TimeZone::UTC, clock, QUICK);
    until(&notifier, |stats| stats.failed > 0).await.given_up
}

#[tokio::test]
async fn no_event_gets_too_old_while_it_has_to_wait() {
    assert_eq!(given_up(NIGHT).await, 0);
    assert_eq!(given_up("2026-03-08T10:00:00Z").await, 1);
}

#[tokio::test]
async fn a_shutdown_does_not_wake_anybody() {
    let receiver = Receiver::new(vec![Reply::OK]);
    let (notifier, _time) = at_night(&receiver);
    tell_at_night(&notifier, &event("one"));
    notifier.shutdown().await;
    let stats = notifier.stats().remove(0);
    assert_eq!((stats.delivered, stats.held), (0, 1));
}
