//! What is posted, and what follows from the answer.

use std::net::TcpListener;

use tokio::sync::mpsc::unbounded_channel;

use super::*;

#[tokio::test]
async fn an_event_is_posted_as_json() {
    let mut receiver = Receiver::new(vec![Reply::Answer("204 No Content", "")]);
    let notifier = notifier([with_token(
        &webhook("phone", receiver.url("/hook?key=1")),
        "b34r3r",
    )]);
    tell(&notifier, &event("one"));

    let request = receiver.request().await;
    assert!(
        request.head.starts_with("POST /hook?key=1 HTTP/1.1\r\n"),
        "{}",
        request.head
    );
    assert_eq!(request.event(), *event("one"));
    for (name, expected) in [
        ("content-type", "application/json"),
        ("user-agent", concat!("bwmon/", env!("CARGO_PKG_VERSION"))),
        ("authorization", "Bearer b34r3r"),
        ("webhook-id", "one"),
    ] {
        assert_eq!(request.header(name), Some(expected), "{name}");
    }
    let timestamp: i64 = request
        .header("webhook-timestamp")
        .unwrap()
        .parse()
        .unwrap();
    assert!((Timestamp::now().as_second() - timestamp).abs() < 60);
    let expected = ChannelStats {
        name: "phone".to_owned(),
        delivered: 1,
        failed: 0,
        given_up: 0,
        shed: 0,
        waiting: 0,
        held: 0,
        oldest: None,
        last_error: None,
    };
    assert_eq!(settled(&notifier).await, expected);
}

/// The first event meets `reply`, which is an error that says `error`.
async fn fails(reply: Reply, error: &str) -> String {
    let receiver = Receiver::new(vec![reply]);
    let timeout = Duration::from_millis(200);
    let channel = Channel {
        timeout,
        ..webhook("phone", receiver.url("/api/T0K3N?key=hunter2"))
    };
    let found = try_once(&channel, &event("one")).await.unwrap_err();
    let found = found.to_string();
    assert!(found.contains(error), "{found}");
    assert!(
        !found.contains("T0K3N") && !found.contains("hunter2"),
        "{found}"
    );
    found
}

#[tokio::test]
async fn an_error_says_what_happened_and_keeps_the_secret() {
    fails(Reply::Hang, "no answer within 200ms").await;
    fails(Reply::HangUp, "got no answer: connection closed").await;
    fails(
        Reply::Echo("404 Not Found"),
        "answered 404 Not Found: Cannot POST …",
    )
    .await;
    fails(
        Reply::Answer("500 Internal Server Error", ""),
        "answered 500 Internal Server Error",
    )
    .await;
    fails(
        Reply::Answer("302 Found\r\nlocation: /x", ""),
        "302 Found, a redirect",
    )
    .await;
    fails(Reply::Answer("no status", ""), "got no answer: ").await;
    let long: &str = "x".repeat(9000).leak();
    let found = fails(Reply::Answer("500 Internal Server Error", long), ": xxx").await;
    assert_eq!(found.matches('x').count(), 200);
}

#[tokio::test]
async fn a_receiver_that_is_not_there_is_an_error() {
    let port = free_port();
    for (url, error) in [
        (
            format!("http://127.0.0.1:{port}/T0K3N"),
            "cannot connect: Connection refused",
        ),
        (format!("http://[::1]:{port}/T0K3N"), "cannot connect: "),
        (
            "http://nowhere.invalid/T0K3N".to_owned(),
            "cannot connect: ",
        ),
        ("T0K3N".to_owned(), "http:// or https://"),
        ("ftp://example.org/T0K3N".to_owned(), "http:// or https://"),
    ] {
        let channel = webhook("phone", url);
        let found = try_once(&channel, &event("one"))
            .await
            .unwrap_err()
            .to_string();
        assert!(found.contains(error) && !found.contains("T0K3N"), "{found}");
    }
}

/// The first of two events meets `reply`; both arrive in the end, in order.
async fn comes_again(reply: Reply) {
    let mut receiver = Receiver::new(vec![reply, Reply::OK, Reply::OK]);
    let timeout = Duration::from_millis(200);
    let notifier = notifier([Channel {
        timeout,
        ..webhook("phone", receiver.url("/"))
    }]);
    tell(&notifier, &event("one"));
    tell(&notifier, &event("two"));
    assert_eq!(receiver.ids(3).await, ["one", "one", "two"]);
    let stats = settled(&notifier).await;
    assert_eq!((stats.delivered, stats.failed, stats.given_up), (2, 1, 0));
    assert_eq!(stats.last_error, None);
}

#[tokio::test]
async fn an_event_that_failed_comes_again_before_the_next() {
    comes_again(Reply::FAILED).await;
    comes_again(Reply::Hang).await;
    comes_again(Reply::HangUp).await;
    for status in [
        "400 Bad Request",
        "401 Unauthorized",
        "404 Not Found",
        "410 Gone",
        "408 Request Timeout",
        "425 Too Early",
        "429 Too Many Requests",
        "307 Temporary Redirect",
    ] {
        comes_again(Reply::Answer(status, "")).await;
    }
}

#[tokio::test]
async fn an_event_waits_for_a_receiver_to_come_back() {
    let port = free_port();
    let notifier = notifier([webhook("phone", format!("http://127.0.0.1:{port}/T0K3N"))]);
    tell(&notifier, &event("one"));
    let stats = until(&notifier, |stats| stats.failed > 2).await;
    let error = stats.last_error.unwrap();
    assert!(
        error.contains("Connection refused") && !error.contains("T0K3N"),
        "{error}"
    );

    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let mut receiver = Receiver::on(listener, vec![Reply::OK]);
    assert_eq!(receiver.ids(1).await, ["one"]);
    assert_eq!(settled(&notifier).await.delivered, 1);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let to = format!(
        "302 Found\r\nlocation: http://{}/",
        elsewhere.local_addr().unwrap()
    );
    let mut receiver = Receiver::new(vec![Reply::Answer(to.leak(), ""), Reply::OK]);
    let notifier = notifier([webhook("phone", receiver.url("/"))]);
    tell(&notifier, &event("one"));
    assert_eq!(receiver.ids(2).await, ["one", "one"]);
    assert_eq!(settled(&notifier).await.delivered, 1);
    assert_eq!(
        elsewhere.accept().unwrap_err().kind(),
        std::io::ErrorKind::WouldBlock
    );
}

/// What a receiver asks for is a second, and so is the most that it may ask for.
async fn is_left_alone(head: &'static str) {
    let mut receiver = Receiver::new(vec![Reply::Answer(head, ""), Reply::OK]);
    let notifier = notifier([webhook("phone", receiver.url("/"))]);
    tell(&notifier, &event("one"));
    let first = receiver.request().await;
    let pause = receiver.request().await.at - first.at;
    assert!(pause >= QUICK.longest_asked_for, "{pause:?}");
    assert!(pause < 10 * QUICK.longest_asked_for, "{pause:?}");
}

#[tokio::test]
async fn a_receiver_may_ask_for_a_pause() {
    is_left_alone("429 Too Many Requests\r\nretry-after: 1").await;
    is_left_alone("503 Service Unavailable\r\nretry-after: 86400").await;
    is_left_alone("503 Service Unavailable\r\nretry-after: Tue, 31 Dec 2999 23:59:59 GMT").await;
}

#[tokio::test]
async fn an_event_is_given_up_when_it_is_old() {
    let mut receiver = Receiver::new(vec![Reply::Echo("410 Gone"), Reply::OK]);
    let notifier = notifier([Channel {
        max_age: Duration::ZERO,
        ..webhook("phone", receiver.url("/T0K3N"))
    }]);
    tell(&notifier, &event("one"));
    assert_eq!(receiver.ids(1).await, ["one"]);
    let stats = settled(&notifier).await;
    assert_eq!((stats.delivered, stats.failed, stats.given_up), (0, 1, 1));
    let error = "answered 410 Gone: Cannot POST …".to_owned();
    assert_eq!(stats.last_error.as_ref(), Some(&error));
    let [failed] = &notifier.failed()[..] else {
        panic!()
    };
    assert_eq!(
        (failed.channel.as_str(), &failed.event),
        ("phone", &event("one"))
    );
    assert_eq!(failed.error, error);
    let fate = Fate::Failed { at: now(), error };
    assert_eq!(notifier.take_settled(), [Settled { seq: 1, fate }]);

    tell(&notifier, &event("two"));
    assert_eq!(receiver.ids(1).await, ["two"]);
    assert_eq!(settled(&notifier).await.last_error, None);
}

#[tokio::test]
async fn an_event_that_fits_into_no_request_is_given_up_at_once() {
    let mut receiver = Receiver::new(vec![Reply::OK]);
    let notifier = notifier([webhook("phone", receiver.url("/"))]);
    // No header can hold this.
    tell(&notifier, &event("one\n"));
    tell(&notifier, &event("two"));
    assert_eq!(receiver.ids(1).await, ["two"]);
    let stats = settled(&notifier).await;
    assert_eq!((stats.delivered, stats.failed, stats.given_up), (1, 1, 1));
}

#[tokio::test]
async fn of_an_endless_answer_only_the_start_is_taken() {
    for (status, delivered) in [("200 OK", 1), ("400 Bad Request", 0)] {
        let (sender, mut taken) = unbounded_channel();
        let receiver = Receiver::new(vec![Reply::Endless(status, sender)]);
        let notifier = notifier([Channel {
            max_age: Duration::ZERO,
            ..webhook("phone", receiver.url("/"))
        }]);
        tell(&notifier, &event("one"));
        assert_eq!(settled(&notifier).await.delivered, delivered);
        // More than was read fits into the buffers of two sockets, but not without bounds.
        let taken = next(&mut taken).await;
        assert!(taken < 64 * 1024 * 1024, "{taken}");
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}
