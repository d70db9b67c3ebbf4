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
async fn to_send_never_waits_and_no_event_is_uncounted() {
    let (mut receiver, channel) = hanging(vec![]);
    let notifier = notifier([channel]);
    notifier.send(event("first"));
    assert_eq!(receiver.ids(1).await, ["first"]);

    // No other task runs meanwhile, as nothing here is awaited.
    let begin = Instant::now();
    for number in 0..100_000 {
        notifier.send(event(number));
    }
    assert!(
        begin.elapsed() < Duration::from_secs(10),
        "{:?}",
        begin.elapsed()
    );
    let stats = notifier.stats().remove(0);
    assert_eq!(stats.waiting, CAPACITY + 1);
    assert_eq!(stats.dropped, 100_000 - CAPACITY as u64);
}

#[tokio::test]
async fn a_full_queue_drops_the_oldest() {
    let (mut receiver, channel) = hanging((0..=CAPACITY).map(|_| Reply::OK).collect());
    let notifier = notifier([channel.clone()]);
    notifier.send(event("first"));
    assert_eq!(receiver.ids(1).await, ["first"]);
    for number in 0..CAPACITY + 10 {
        notifier.send(event(number));
    }
    // Other settings end the first try.
    notifier.reconfigure(vec![with_token(&channel, "b34r3r")]);
    let expected: Vec<_> = (10..CAPACITY + 10)
        .map(|number| number.to_string())
        .collect();
    assert_eq!(receiver.ids(1).await, ["first"]);
    assert_eq!(receiver.ids(CAPACITY).await, expected);
    let stats = settled(&notifier).await;
    assert_eq!((stats.delivered, stats.dropped), (CAPACITY as u64 + 1, 10));
}

#[tokio::test]
async fn one_channel_does_not_hold_up_another() {
    let (_hanging, slow) = hanging(vec![]);
    let mut receiver = Receiver::new(vec![Reply::OK, Reply::OK]);
    let notifier = notifier([slow, webhook("mail", receiver.url("/"))]);
    notifier.send(event("one"));
    notifier.send(event("two"));
    assert_eq!(receiver.ids(2).await, ["one", "two"]);
}

#[tokio::test]
async fn what_waits_outlives_new_settings() {
    let (mut old, channel) = hanging(vec![]);
    let notifier = notifier([channel.clone()]);
    notifier.send(event("one"));
    notifier.send(event("two"));
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
    notifier.send(event("one"));
    assert_eq!(receiver.ids(1).await, ["one"]);
    let counts = notifier.stats();

    // One of the same name doesn't take its place either.
    let (mut other, namesake) = hanging(vec![]);
    notifier.reconfigure([namesake, channel.clone()].to_vec());
    assert_eq!(notifier.stats()[1], counts[0]);
    notifier.send(event("two"));
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
    notifier.send(event("one"));
    assert_eq!(notifier.stats(), []);
}

#[tokio::test]
async fn a_shutdown_delivers_what_waits() {
    let mut receiver = Receiver::new((0..5).map(|_| Reply::OK).collect());
    let notifier = notifier([webhook("phone", receiver.url("/"))]);
    for number in 0..5 {
        notifier.send(event(number));
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
    let notifier = Notifier::with_pace(vec![channel], pace);
    notifier.send(event("one"));
    until(&notifier, |stats| stats.failed == 1).await;
    notifier.shutdown().await;
    assert_eq!(notifier.stats()[0].delivered, 1);
}

#[tokio::test]
async fn a_shutdown_does_not_wait_for_ever() {
    let (mut receiver, channel) = hanging(vec![]);
    let (mut other, second) = hanging(vec![]);
    let notifier = notifier([channel, second]);
    notifier.send(event("one"));
    notifier.send(event("two"));
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
