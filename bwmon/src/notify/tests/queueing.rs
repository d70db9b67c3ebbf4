//! What waits, and for how long.

use super::*;

/// A channel whose first event is on the way for ever.
fn hanging(replies: Vec<Reply>) -> (Receiver, Channel) {
    let receiver = Receiver::new([vec![Reply::Hang], replies].into_iter().flatten().collect());
    let channel = Channel {
        timeout: Duration::from_secs(600),
        ..webhook("phone", receiver.url("/"))
    };
    (receiver, channel)
}

#[tokio::test]
async fn to_tell_never_waits_and_no_event_is_uncounted() {
    let (mut receiver, channel) = hanging(vec![]);
    let notifier = notifier([channel]);
    tell(&notifier, &event("first"));
    assert_eq!(receiver.ids(1).await, ["first"]);

    // No other task runs meanwhile, as nothing here is awaited.
    let begin = Instant::now();
    for number in 0..20_000 {
        tell(&notifier, &event_of(number, number, EventState::Reminder));
    }
    assert!(
        begin.elapsed() < Duration::from_secs(20),
        "{:?}",
        begin.elapsed()
    );
    let stats = notifier.stats().remove(0);
    assert_eq!(stats.waiting as u64 + stats.shed, 20_001);
    assert!(stats.waiting <= MOST_EVENTS, "{}", stats.waiting);
    let shed = notifier.take_settled();
    assert_eq!(shed.len() as u64, stats.shed);
    assert!(shed.iter().all(|settled| settled.fate == Fate::Shed));
}

#[tokio::test]
async fn one_channel_does_not_hold_up_another() {
    let (_hanging, slow) = hanging(vec![]);
    let mut receiver = Receiver::new(vec![Reply::OK, Reply::OK]);
    let notifier = notifier([slow, webhook("mail", receiver.url("/"))]);
    tell(&notifier, &event("one"));
    tell(&notifier, &event("two"));
    assert_eq!(receiver.ids(2).await, ["one", "two"]);
}

#[tokio::test]
async fn what_waits_outlives_new_settings() {
    let (mut old, channel) = hanging(vec![]);
    let notifier = notifier([channel.clone()]);
    tell(&notifier, &event("one"));
    tell(&notifier, &event("two"));
    assert_eq!(old.ids(1).await, ["one"]);

    let mut new = Receiver::new(vec![Reply::OK, Reply::OK]);
    let other = webhook("other", new.url("/other"));
    let changed = webhook(&channel.name, new.url("/"));
    notifier.reconfigure([other, changed].to_vec());
    assert_eq!(new.ids(2).await, ["one", "two"]);
    let names: Vec<_> = notifier
        .stats()
        .into_iter()
        .map(|stats| stats.name)
        .collect();
    assert_eq!(names, ["other", "phone"]);
}

#[tokio::test]
async fn a_channel_that_stays_as_it_is_is_left_alone() {
    let (mut receiver, channel) = hanging(vec![Reply::OK]);
    let notifier = notifier([channel.clone()]);
    tell(&notifier, &event("one"));
    assert_eq!(receiver.ids(1).await, ["one"]);
    let counts = notifier.stats();

    // One of the same name doesn't take its place either.
    let (mut other, namesake) = hanging(vec![]);
    notifier.reconfigure([namesake, channel.clone()].to_vec());
    assert_eq!(notifier.stats()[1], counts[0]);
    tell(&notifier, &event("two"));
    assert_eq!(other.ids(1).await, ["two"]);
    notifier.reconfigure(vec![channel]);
    let [stats] = &notifier.stats()[..] else {
        panic!()
    };
    assert_eq!((stats.waiting, stats.failed), (2, 0));
}

#[tokio::test]
async fn a_channel_that_is_gone_gets_nothing_more() {
    let receiver = Receiver::new(vec![Reply::OK]);
    let notifier = notifier([webhook("phone", receiver.url("/"))]);
    notifier.reconfigure(vec![]);
    tell(&notifier, &event("one"));
    assert_eq!(notifier.stats(), []);
}

#[tokio::test]
async fn what_waits_for_a_channel_that_is_gone_is_given_up() {
    let (mut receiver, channel) = hanging(vec![]);
    let notifier = notifier([channel]);
    tell(&notifier, &event("one"));
    tell(&notifier, &event("two"));
    assert_eq!(receiver.ids(1).await, ["one"]);
    notifier.reconfigure(vec![]);
    let removed = [1, 2].map(|seq| Settled {
        seq,
        fate: Fate::Removed,
    });
    assert_eq!(notifier.take_settled(), removed);
}

#[tokio::test]
async fn an_event_goes_where_it_is_meant_to_go() {
    let receiver = Receiver::new(vec![Reply::OK]);
    let routing = Routing {
        min_severity: Severity::Critical,
        ..Routing::default()
    };
    let notifier = notifier([
        Channel {
            routing,
            ..webhook("pager", receiver.url("/"))
        },
        webhook("phone", receiver.url("/")),
    ]);
    let entries = notifier.push(&event("one"), now());
    let channels: Vec<_> = entries.iter().map(|entry| entry.channel.as_str()).collect();
    assert_eq!(channels, ["phone"]);
}

#[tokio::test]
async fn a_shutdown_delivers_what_waits() {
    let mut receiver = Receiver::new((0..5).map(|_| Reply::OK).collect());
    let notifier = notifier([webhook("phone", receiver.url("/"))]);
    for number in 0..5 {
        tell(&notifier, &event(number));
    }
    notifier.shutdown().await;
    assert_eq!(receiver.ids(5).await, ["0", "1", "2", "3", "4"]);
    assert_eq!(notifier.stats()[0].delivered, 5);
}

#[tokio::test]
async fn a_shutdown_tries_once_more_what_failed() {
    let receiver = Receiver::new(vec![Reply::FAILED, Reply::OK]);
    let channel = webhook("phone", receiver.url("/"));
    let day = Duration::from_secs(86_400);
    let pace = Pace {
        first: day,
        longest: day,
        ..QUICK
    };
    let notifier = with_pace(vec![channel], pace);
    tell(&notifier, &event("one"));
    until(&notifier, |stats| stats.failed == 1).await;
    notifier.shutdown().await;
    assert_eq!(notifier.stats()[0].delivered, 1);
}

#[tokio::test]
async fn a_shutdown_does_not_wait_for_ever() {
    let (mut receiver, channel) = hanging(vec![]);
    let (mut other, second) = hanging(vec![]);
    let notifier = notifier([channel, second]);
    tell(&notifier, &event("one"));
    tell(&notifier, &event("two"));
    assert_eq!(
        (receiver.ids(1).await, other.ids(1).await),
        (vec!["one".to_owned()], vec!["one".to_owned()])
    );
    let begin = Instant::now();
    notifier.shutdown().await;
    assert!(
        begin.elapsed() < Duration::from_secs(10),
        "{:?}",
        begin.elapsed()
    );
    assert_eq!(notifier.stats()[0].waiting, 2);
}
