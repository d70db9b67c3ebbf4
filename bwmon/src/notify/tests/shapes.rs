//! What each kind of receiver gets: the request that its documentation asks for.

use serde_json::Value;

use super::*;
use crate::config::{Alertmanager, BodyTemplate, Method, SigningKey};

/// A name that would do harm in each markup.
const NAME: &str = "<b>*Küche*</b> @everyone\r\nX: [y](http://evil.example)";

fn hostile(state: EventState, severity: Severity) -> Arc<Event> {
    let mut event = Event::clone(&event("e1"));
    event.device.name = NAME.to_owned();
    event.event_description =
        format!("{NAME} has used 512 MB today, over its threshold of 500 MB.");
    event.state = state;
    event.severity = severity;
    if state == EventState::Resolved {
        event.ended_at = Some("2026-03-08T15:00:00+01:00".to_owned());
    }
    Arc::new(event)
}

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

/// Sends `events` to a receiver with a path, and shows what it gets but for what differs each time.
async fn sent(path: &str, shape: Shape, events: &[Arc<Event>]) -> String {
    let mut receiver = Receiver::new(vec![Reply::Answer("200 OK", "ok")]);
    let channel = channel("phone", receiver.url(path), shape);
    let answer = Sender::new(&channel).try_once(events).await.unwrap();
    assert_eq!(answer.to_string(), "200 OK: ok");
    let request = receiver.request().await;
    let mut shown = request.head.lines().next().unwrap().to_owned() + "\n";
    for line in request.head.lines().skip(1).filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(": ").unwrap();
        match name.to_ascii_lowercase().as_str() {
            "host" | "user-agent" | "accept" | "content-length" => {}
            "webhook-timestamp" => assert!(value.parse::<i64>().unwrap() > 1_700_000_000),
            name => shown += &format!("{name}: {value}\n"),
        }
    }
    let body = String::from_utf8(request.body).unwrap();
    let body = match serde_json::from_str::<Value>(&body) {
        Ok(json) => serde_json::to_string_pretty(&json).unwrap(),
        Err(_) => body,
    };
    shown + "\n" + &body
}

async fn one(path: &str, shape: Shape) -> String {
    sent(
        path,
        shape,
        &[hostile(EventState::Firing, Severity::Critical)],
    )
    .await
}

#[tokio::test]
async fn ntfy_gets_text_and_headers() {
    let token = Some(secret("tk_1"));
    insta::assert_snapshot!(one("/alerts", Shape::Ntfy { token }).await, @"
    POST /alerts HTTP/1.1
    content-type: text/plain; charset=utf-8
    title: =?UTF-8?B?PGI+KkvDvGNoZSo84oiVYj4g77ygZXZlcnlvbmVYOiBbeeKApjogNTEyIE1C?= =?UTF-8?B?IHRvZGF5LCBvdmVyIDUwMCBNQg==?=
    priority: 5
    tags: rotating_light
    authorization: Bearer tk_1

    <b>*Küche*<∕b> ＠everyone X: [y](http꞉∕∕evil․example) has used 512 MB today, over its threshold of 500 MB.
    Severity: critical
    Subject: <b>*Küche*<∕b> ＠everyoneX: [y](http꞉∕∕evil․example)
    Addresses: 192.123.4.5
    Rule: daily volume
    Observed: 512 MB
    Threshold: 500 MB
    Since: 2026-03-08T14:03:11+01:00
    Peak: 10 Mbit/s
    Sent today: 12 MB
    Received today: 500 MB
    Told by: router
    ");
}

#[tokio::test]
async fn slack_gets_a_block() {
    insta::assert_snapshot!(one("/services/T/B/X", Shape::Slack).await, @r#"
    POST /services/T/B/X HTTP/1.1
    content-type: application/json

    {
      "blocks": [
        {
          "text": {
            "text": "*&lt;b&gt;∗Küche∗&lt;∕b&gt; ＠everyoneX: [y…: 512 MB today, over 500 MB*\n&lt;b&gt;∗Küche∗&lt;∕b&gt; ＠everyone X: [y](http꞉∕∕evil․example) has used 512 MB today, over its threshold of 500 MB.\nSeverity: critical\nSubject: &lt;b&gt;∗Küche∗&lt;∕b&gt; ＠everyoneX: [y](http꞉∕∕evil․example)\nAddresses: 192.123.4.5\nRule: daily volume\nObserved: 512 MB\nThreshold: 500 MB\nSince: 2026-03-08T14:03:11+01:00\nPeak: 10 Mbit/s\nSent today: 12 MB\nReceived today: 500 MB\nTold by: router",
            "type": "mrkdwn",
            "verbatim": true
          },
          "type": "section"
        }
      ],
      "text": "&lt;b&gt;∗Küche∗&lt;∕b&gt; ＠everyoneX: [y…: 512 MB today, over 500 MB",
      "unfurl_links": false,
      "unfurl_media": false
    }
    "#);
}

#[tokio::test]
async fn discord_gets_markdown_that_mentions_nobody() {
    insta::assert_snapshot!(one("/api/webhooks/1/x", Shape::Discord).await, @r#"
    POST /api/webhooks/1/x HTTP/1.1
    content-type: application/json

    {
      "allowed_mentions": {
        "parse": []
      },
      "content": "**\\<b\\>\\*Küche\\*\\<∕b\\> ＠everyoneX\\: \\[y…\\: 512 MB today\\, over 500 MB**\n\\<b\\>\\*Küche\\*\\<∕b\\> ＠everyone X\\: \\[y\\]\\(http꞉∕∕evil․example\\) has used 512 MB today\\, over its threshold of 500 MB\\.\nSeverity: critical\nSubject: \\<b\\>\\*Küche\\*\\<∕b\\> ＠everyoneX\\: \\[y\\]\\(http꞉∕∕evil․example\\)\nAddresses: 192\\.123\\.4\\.5\nRule: daily volume\nObserved: 512 MB\nThreshold: 500 MB\nSince: 2026\\-03\\-08T14\\:03\\:11\\+01\\:00\nPeak: 10 Mbit\\/s\nSent today: 12 MB\nReceived today: 500 MB\nTold by: router"
    }
    "#);
}

#[tokio::test]
async fn telegram_gets_html() {
    let shape = Shape::Telegram {
        token: secret("123:ABC"),
        chat: "-1001".to_owned(),
    };
    insta::assert_snapshot!(one("/", shape).await, @r#"
    POST /bot123:ABC/sendMessage HTTP/1.1
    content-type: application/json

    {
      "chat_id": "-1001",
      "disable_notification": false,
      "link_preview_options": {
        "is_disabled": true
      },
      "parse_mode": "HTML",
      "text": "<b>&lt;b&gt;*Küche*&lt;∕b&gt; ＠everyoneX: [y…: 512 MB today, over 500 MB</b>\n&lt;b&gt;*Küche*&lt;∕b&gt; ＠everyone X: [y](http꞉∕∕evil․example) has used 512 MB today, over its threshold of 500 MB.\nSeverity: critical\nSubject: &lt;b&gt;*Küche*&lt;∕b&gt; ＠everyoneX: [y](http꞉∕∕evil․example)\nAddresses: 192.123.4.5\nRule: daily volume\nObserved: 512 MB\nThreshold: 500 MB\nSince: 2026-03-08T14:03:11+01:00\nPeak: 10 Mbit/s\nSent today: 12 MB\nReceived today: 500 MB\nTold by: router"
    }
    "#);
}

#[tokio::test]
async fn teams_gets_a_card() {
    insta::assert_snapshot!(one("/workflows/1?sig=x", Shape::Teams).await, @r#"
    POST /workflows/1?sig=x HTTP/1.1
    content-type: application/json

    {
      "attachments": [
        {
          "content": {
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "body": [
              {
                "inlines": [
                  {
                    "color": "Attention",
                    "size": "Medium",
                    "text": "<b>*Küche*<∕b> ＠everyoneX: [y…: 512 MB today, over 500 MB",
                    "type": "TextRun",
                    "weight": "Bolder"
                  }
                ],
                "type": "RichTextBlock"
              },
              {
                "inlines": [
                  {
                    "text": "<b>*Küche*<∕b> ＠everyone X: [y](http꞉∕∕evil․example) has used 512 MB today, over its threshold of 500 MB.",
                    "type": "TextRun"
                  }
                ],
                "type": "RichTextBlock"
              },
              {
                "inlines": [
                  {
                    "text": "Severity: critical",
                    "type": "TextRun"
                  }
                ],
                "type": "RichTextBlock"
              },
              {
                "inlines": [
                  {
                    "text": "Subject: <b>*Küche*<∕b> ＠everyoneX: [y](http꞉∕∕evil․example)",
                    "type": "TextRun"
                  }
                ],
                "type": "RichTextBlock"
              },
              {
                "inlines": [
                  {
                    "text": "Addresses: 192.123.4.5",
                    "type": "TextRun"
                  }
                ],
                "type": "RichTextBlock"
              },
              {
                "inlines": [
                  {
                    "text": "Rule: daily volume",
                    "type": "TextRun"
                  }
                ],
                "type": "RichTextBlock"
              },
              {
                "inlines": [
                  {
                    "text": "Observed: 512 MB",
                    "type": "TextRun"
                  }
                ],
                "type": "RichTextBlock"
              },
              {
                "inlines": [
                  {
                    "text": "Threshold: 500 MB",
                    "type": "TextRun"
                  }
                ],
                "type": "RichTextBlock"
              },
              {
                "inlines": [
                  {
                    "text": "Since: 2026-03-08T14:03:11+01:00",
                    "type": "TextRun"
                  }
                ],
                "type": "RichTextBlock"
              },
              {
                "inlines": [
                  {
                    "text": "Peak: 10 Mbit/s",
                    "type": "TextRun"
                  }
                ],
                "type": "RichTextBlock"
              },
              {
                "inlines": [
                  {
                    "text": "Sent today: 12 MB",
                    "type": "TextRun"
                  }
                ],
                "type": "RichTextBlock"
              },
              {
                "inlines": [
                  {
                    "text": "Received today: 500 MB",
                    "type": "TextRun"
                  }
                ],
                "type": "RichTextBlock"
              },
              {
                "inlines": [
                  {
                    "text": "Told by: router",
                    "type": "TextRun"
                  }
                ],
                "type": "RichTextBlock"
              }
            ],
            "type": "AdaptiveCard",
            "version": "1.4"
          },
          "contentType": "application/vnd.microsoft.card.adaptive"
        }
      ],
      "type": "message"
    }
    "#);
}

#[tokio::test]
async fn matrix_gets_text_and_html_in_a_transaction() {
    let shape = Shape::Matrix {
        token: secret("syt_1"),
        room: "!a/b:example.org".to_owned(),
    };
    insta::assert_snapshot!(one("", shape).await, @r#"
    PUT /_matrix/client/v3/rooms/!a%2Fb:example.org/send/m.room.message/e1 HTTP/1.1
    content-type: application/json
    authorization: Bearer syt_1

    {
      "body": "<b>*Küche*<∕b> ＠everyoneX: [y…: 512 MB today, over 500 MB\n<b>*Küche*<∕b> ＠everyone X: [y](http꞉∕∕evil․example) has used 512 MB today, over its threshold of 500 MB.\nSeverity: critical\nSubject: <b>*Küche*<∕b> ＠everyoneX: [y](http꞉∕∕evil․example)\nAddresses: 192.123.4.5\nRule: daily volume\nObserved: 512 MB\nThreshold: 500 MB\nSince: 2026-03-08T14:03:11+01:00\nPeak: 10 Mbit/s\nSent today: 12 MB\nReceived today: 500 MB\nTold by: router",
      "format": "org.matrix.custom.html",
      "formatted_body": "<b>&lt;b&gt;*Küche*&lt;∕b&gt; ＠everyoneX: [y…: 512 MB today, over 500 MB</b><br>&lt;b&gt;*Küche*&lt;∕b&gt; ＠everyone X: [y](http꞉∕∕evil․example) has used 512 MB today, over its threshold of 500 MB.<br>Severity: critical<br>Subject: &lt;b&gt;*Küche*&lt;∕b&gt; ＠everyoneX: [y](http꞉∕∕evil․example)<br>Addresses: 192.123.4.5<br>Rule: daily volume<br>Observed: 512 MB<br>Threshold: 500 MB<br>Since: 2026-03-08T14:03:11+01:00<br>Peak: 10 Mbit/s<br>Sent today: 12 MB<br>Received today: 500 MB<br>Told by: router",
      "m.mentions": {},
      "msgtype": "m.text"
    }
    "#);
}

#[tokio::test]
async fn gotify_gets_text_with_a_priority() {
    let shape = Shape::Gotify {
        token: secret("A1"),
    };
    insta::assert_snapshot!(one("/gotify/", shape).await, @r#"
    POST /gotify/message HTTP/1.1
    content-type: application/json
    x-gotify-key: A1

    {
      "extras": {
        "client::display": {
          "contentType": "text/plain"
        }
      },
      "message": "<b>*Küche*<∕b> ＠everyone X: [y](http꞉∕∕evil․example) has used 512 MB today, over its threshold of 500 MB.\nSeverity: critical\nSubject: <b>*Küche*<∕b> ＠everyoneX: [y](http꞉∕∕evil․example)\nAddresses: 192.123.4.5\nRule: daily volume\nObserved: 512 MB\nThreshold: 500 MB\nSince: 2026-03-08T14:03:11+01:00\nPeak: 10 Mbit/s\nSent today: 12 MB\nReceived today: 500 MB\nTold by: router",
      "priority": 8,
      "title": "<b>*Küche*<∕b> ＠everyoneX: [y…: 512 MB today, over 500 MB"
    }
    "#);
}

#[tokio::test]
async fn pushover_gets_a_form() {
    let shape = Shape::Pushover {
        token: secret("t1"),
        user: secret("u1"),
    };
    insta::assert_snapshot!(one("", shape).await, @"
    POST /1/messages.json HTTP/1.1
    content-type: application/x-www-form-urlencoded

    token=t1&user=u1&title=%3Cb%3E*K%C3%BCche*%3C%E2%88%95b%3E+%EF%BC%A0everyoneX%3A+%5By%E2%80%A6%3A+512+MB+today%2C+over+500+MB&message=%3Cb%3E*K%C3%BCche*%3C%E2%88%95b%3E+%EF%BC%A0everyone+X%3A+%5By%5D%28http%EA%9E%89%E2%88%95%E2%88%95evil%E2%80%A4example%29+has+used+512+MB+today%2C+over+its+threshold+of+500+MB.%0ASeverity%3A+critical%0ASubject%3A+%3Cb%3E*K%C3%BCche*%3C%E2%88%95b%3E+%EF%BC%A0everyoneX%3A+%5By%5D%28http%EA%9E%89%E2%88%95%E2%88%95evil%E2%80%A4example%29%0AAddresses%3A+192.123.4.5%0ARule%3A+daily+volume%0AObserved%3A+512+MB%0AThreshold%3A+500+MB%0ASince%3A+2026-03-08T14%3A03%3A11%2B01%3A00%0APeak%3A+10+Mbit%2Fs%0ASent+today%3A+12+MB%0AReceived+today%3A+500+MB%0ATold+by%3A+router&priority=1
    ");
}

#[tokio::test]
async fn alertmanager_gets_an_alert_that_ends() {
    let shape = Shape::Alertmanager(Alertmanager {
        token: Some(secret("b34r3r")),
        generator_url: Some("http://router:4000/".to_owned()),
    });
    let event = hostile(EventState::Resolved, Severity::Warning);
    insta::assert_snapshot!(sent("", shape, &[event]).await, @r#"
    POST /api/v2/alerts HTTP/1.1
    content-type: application/json
    authorization: Bearer b34r3r

    [
      {
        "annotations": {
          "description": "<b>*Küche*<∕b> ＠everyone X: [y](http꞉∕∕evil․example) has used 512 MB today, over its threshold of 500 MB.",
          "device": "192.123.4.5",
          "name": "<b>*Küche*<∕b> ＠everyone X: [y](http꞉∕∕evil․example)",
          "summary": "<b>*Küche*<∕b> ＠everyoneX: [y…: daily volume alert is over"
        },
        "endsAt": "2026-03-08T15:00:00+01:00",
        "generatorURL": "http://router:4000/",
        "labels": {
          "alert": "alert",
          "alertname": "bwmon_volume",
          "direction": "total",
          "instance": "router",
          "rule": "volume",
          "severity": "warning"
        },
        "startsAt": "2026-03-08T14:03:11+01:00"
      }
    ]
    "#);
}

#[tokio::test]
async fn alertmanager_keeps_what_still_fires() {
    for state in [EventState::Firing, EventState::Reminder] {
        let mut receiver = Receiver::new(vec![Reply::OK]);
        let shape = Shape::Alertmanager(Alertmanager::default());
        let channel = channel("am", receiver.url("/prefix/api/v2/alerts"), shape);
        try_once(&channel, &hostile(state, Severity::Warning))
            .await
            .unwrap();
        let request = receiver.request().await;
        assert!(request.head.starts_with("POST /prefix/api/v2/alerts HTTP"));
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let ends_at: Timestamp = body[0]["endsAt"].as_str().unwrap().parse().unwrap();
        assert!(ends_at > Timestamp::now());
    }
}

#[tokio::test]
async fn alertmanager_keeps_a_quota_for_its_cycle() {
    let now = Timestamp::now();
    let today = now.to_zoned(TimeZone::UTC).date();
    let until = today.checked_add(jiff::Span::new().days(20)).unwrap();
    let mut event = Event::clone(&event("e1"));
    event.rule = RuleKind::Quota;
    event.detail = Detail::Quota {
        percent: 50,
        limit: 1_000,
        from: today,
        until,
        forecast: None,
    };
    let shown = sent(
        "",
        Shape::Alertmanager(Alertmanager::default()),
        &[Arc::new(event)],
    )
    .await;
    let (_, ends_at) = shown.split_once("\"endsAt\": \"").unwrap();
    let ends_at: Timestamp = ends_at.split_once('"').unwrap().0.parse().unwrap();
    let kept = ends_at.duration_since(now).as_hours() / 24;
    assert!((20..=21).contains(&kept), "{kept}");
}

#[tokio::test]
async fn a_webhook_is_signed_and_shaped_as_its_owner_wants() {
    let key = SigningKey::new(secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")).unwrap();
    let template = "{\"text\": {{ title }}, \"at\": {{ device.name | upper }}}".to_owned();
    let webhook = Webhook {
        method: Method::Put,
        token: Some(secret("b34r3r")),
        key: Some(key),
        headers: vec![("x-key".parse().unwrap(), secret("k1"))],
        body: Some(BodyTemplate::new(template, "application/json".to_owned()).unwrap()),
    };
    let shown = sent("/hook", Shape::Webhook(webhook), &[event("e1")]).await;
    let (before, after) = shown.split_once("webhook-signature: v1,").unwrap();
    let shown = format!("{before}{}", after.split_once('\n').unwrap().1);
    insta::assert_snapshot!(shown, @r#"
    PUT /hook HTTP/1.1
    content-type: application/json
    webhook-id: e1
    authorization: Bearer b34r3r
    x-key: k1

    {
      "at": "LAPTOP",
      "text": "Laptop: 512 MB today, over 500 MB"
    }
    "#);
}

#[tokio::test]
async fn a_signature_is_that_of_what_is_sent() {
    let mut receiver = Receiver::new(vec![Reply::OK]);
    let webhook = Webhook {
        key: SigningKey::new(secret("k3y")),
        ..Webhook::default()
    };
    let channel = channel("phone", receiver.url("/"), Shape::Webhook(webhook));
    try_once(&channel, &event("e1")).await.unwrap();
    let request = receiver.request().await;
    let head = |name| request.header(name).unwrap();
    let timestamp = head("webhook-timestamp").parse().unwrap();
    let key = SigningKey::new(secret("k3y")).unwrap();
    let expected = super::super::sign::signature(&key, "e1", timestamp, &request.body);
    assert_eq!(head("webhook-signature"), expected);
}

#[tokio::test]
async fn people_get_several_events_as_one_message() {
    let events: Vec<_> = (0..300)
        .map(|_| hostile(EventState::Firing, Severity::Warning))
        .collect();
    let text = |secret: &str| Secret::new(secret.to_owned());
    let (token, room) = (text("t"), "!a:b".to_owned());
    for (shape, most) in [
        (Shape::Ntfy { token: None }, 4096),
        (Shape::Slack, 4096),
        (Shape::Discord, 4096),
        (
            Shape::Telegram {
                token: token.clone(),
                chat: "1".to_owned(),
            },
            4500,
        ),
        (Shape::Teams, 28 << 10),
        (
            Shape::Matrix {
                token: token.clone(),
                room,
            },
            65_000,
        ),
        (
            Shape::Gotify {
                token: token.clone(),
            },
            20_000,
        ),
        (
            Shape::Pushover {
                token: token.clone(),
                user: token,
            },
            4096,
        ),
    ] {
        let mut receiver = Receiver::new(vec![Reply::OK]);
        let sender = Sender::new(&channel("phone", receiver.url("/"), shape));
        assert!(sender.digests());
        sender.send(&events).await.unwrap();
        let body = String::from_utf8(receiver.request().await.body).unwrap();
        assert!(body.len() <= most, "{}: {body}", body.len());
        assert!(
            body.contains("more+lines") || body.contains("more lines"),
            "{body}"
        );
    }
    for shape in [
        Shape::Webhook(Webhook::default()),
        Shape::Alertmanager(Alertmanager::default()),
    ] {
        let sender = Sender::new(&channel("phone", "http://127.0.0.1:9/".to_owned(), shape));
        assert!(!sender.digests());
        assert!(sender.send(&events).await.unwrap_err().is_permanent());
    }
}

#[tokio::test]
async fn no_answer_shows_a_secret() {
    let (t, u) = (secret("t0k3n"), secret("us3r"));
    for shape in [
        Shape::Ntfy {
            token: Some(t.clone()),
        },
        Shape::Telegram {
            token: t.clone(),
            chat: "1".to_owned(),
        },
        Shape::Matrix {
            token: t.clone(),
            room: "!a:b".to_owned(),
        },
        Shape::Gotify { token: t.clone() },
        Shape::Pushover {
            token: t.clone(),
            user: u,
        },
        Shape::Alertmanager(Alertmanager {
            token: Some(t.clone()),
            generator_url: None,
        }),
        Shape::Webhook(Webhook {
            key: SigningKey::new(t.clone()),
            headers: vec![("x-key".parse().unwrap(), secret("us3r"))],
            ..Webhook::default()
        }),
    ] {
        let said = "bad t0k3n of us3r at p4th";
        let receiver = Receiver::new(vec![Reply::Answer("403 Forbidden", said)]);
        let channel = channel("phone", receiver.url("/p4th"), shape);
        let sender = Sender::new(&channel);
        let error = sender.send(&[event("e1")]).await.unwrap_err();
        let shown = format!(
            "{error} {error:?} {sender:?} {channel:?} {}",
            sender.label()
        );
        for secret in ["t0k3n", "p4th"] {
            assert!(!shown.contains(secret), "{shown}");
        }
        assert!(shown.contains("bad … of "), "{shown}");
    }
}
