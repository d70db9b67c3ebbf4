//! Services that show a message: each gets the request that its documentation asks for, and a device
//! that calls itself markup shows as text.

use std::sync::Arc;

use bwmon_tests::{Answer, Delivery, Receiver};
use serde_json::Value;

use super::{LAPTOP, STRANGER, Stage, TOLD};

/// A service, and what its documentation says.
struct Service {
    /// Its name as the type of a channel.
    kind: &'static str,
    /// Below the address of the receiver.
    path: &'static str,
    /// Its keys besides type and url.
    keys: &'static str,
    /// What it answers.
    answer: Answer,
    /// Reads what it would show, and checks everything else.
    read: fn(&Delivery) -> Shown,
}

/// What a service would show.
struct Shown {
    /// Where it is a message's own.
    title: String,
    text: String,
}

const SERVICES: [Service; 8] = [
    Service {
        kind: "ntfy",
        path: "/home-alerts",
        keys: "token = \"tk_tide1\"",
        answer: Answer::Say(r#"{"id": "x", "event": "message", "topic": "home-alerts"}"#),
        // https://docs.ntfy.sh/publish/
        read: |request| {
            line(request, "POST", "/home-alerts");
            assert_eq!(request.header("authorization"), Some("Bearer tk_tide1"));
            let priority = request.header("priority").expect("a priority");
            assert!(["1", "2", "3", "4", "5"].contains(&priority), "{priority}");
            Shown {
                title: request.header("title").expect("a title").to_owned(),
                text: request.body.clone(),
            }
        },
    },
    Service {
        kind: "slack",
        path: "/services/T0/B0/tide2",
        keys: "",
        answer: Answer::Accept,
        // https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
        read: |request| {
            line(request, "POST", "/services/T0/B0/tide2");
            let body = json(request);
            assert!(body["text"].as_str().is_some_and(|text| !text.is_empty()));
            let block = &body["blocks"][0];
            assert_eq!(
                (&block["type"], &block["text"]["type"]),
                (&"section".into(), &"mrkdwn".into())
            );
            let text = text(&block["text"]["text"]);
            assert!(text.chars().count() <= 3000);
            // Commands and links of Slack.
            assert!(!text.contains(['<', '>']), "{text}");
            Shown {
                title: String::new(),
                text,
            }
        },
    },
    Service {
        kind: "discord",
        path: "/api/webhooks/1/tide3",
        keys: "",
        answer: Answer::Accept,
        // https://discord.com/developers/docs/resources/webhook#execute-webhook
        read: |request| {
            line(request, "POST", "/api/webhooks/1/tide3");
            let body = json(request);
            assert_eq!(body["allowed_mentions"]["parse"], serde_json::json!([]));
            let text = text(&body["content"]);
            assert!(text.chars().count() <= 2000);
            // A backslash takes the meaning from what follows it.
            Shown {
                title: String::new(),
                text: text.replace('\\', ""),
            }
        },
    },
    Service {
        kind: "telegram",
        path: "",
        keys: "token = \"123:tide4\"\nchat = -100123",
        answer: Answer::Say(r#"{"ok": true, "result": {"message_id": 1}}"#),
        // https://core.telegram.org/bots/api#sendmessage
        read: |request| {
            line(request, "POST", "/bot123:tide4/sendMessage");
            let body = json(request);
            assert!([Value::from("-100123"), Value::from(-100_123)].contains(&body["chat_id"]));
            assert_eq!(body["parse_mode"], "HTML");
            let text = text(&body["text"]);
            assert!((1..=4096).contains(&text.chars().count()));
            Shown {
                title: String::new(),
                text: without_tags(&text),
            }
        },
    },
    Service {
        kind: "teams",
        path: "/workflows/tide5",
        keys: "",
        answer: Answer::Accept,
        // https://learn.microsoft.com/en-us/connectors/teams/#microsoft-teams-webhook
        read: |request| {
            line(request, "POST", "/workflows/tide5");
            let body = json(request);
            assert_eq!(body["type"], "message");
            let attachment = &body["attachments"][0];
            assert_eq!(
                attachment["contentType"],
                "application/vnd.microsoft.card.adaptive"
            );
            let card = &attachment["content"];
            assert_eq!(
                (&card["type"], &card["version"]),
                (&"AdaptiveCard".into(), &"1.4".into())
            );
            let mut text = String::new();
            texts(&card["body"], &mut text);
            Shown {
                title: String::new(),
                text,
            }
        },
    },
    Service {
        kind: "matrix",
        path: "",
        keys: "token = \"syt_tide6\"\nroom = \"!home:example.org\"",
        answer: Answer::Say(r#"{"event_id": "$x"}"#),
        // https://spec.matrix.org/latest/client-server-api/#put_matrixclientv3roomsroomidsendeventtypetxnid
        read: |request| {
            let path = request.header(":path").expect("a path");
            let (room, transaction) = path
                .strip_prefix("/_matrix/client/v3/rooms/")
                .and_then(|rest| rest.split_once("/send/m.room.message/"))
                .expect("the path of a message");
            assert_eq!(decoded(room, ' '), "!home:example.org");
            assert!(
                !transaction.is_empty() && !transaction.contains('/'),
                "{path}"
            );
            line(request, "PUT", path);
            assert_eq!(request.header("authorization"), Some("Bearer syt_tide6"));
            let body = json(request);
            assert!(["m.text", "m.notice"].contains(&&*text(&body["msgtype"])));
            assert_eq!(body["format"], "org.matrix.custom.html");
            let html = text(&body["formatted_body"]);
            assert!(
                !html.contains("<b>@") && !html.contains("<b>\u{ff20}"),
                "{html}"
            );
            Shown {
                title: String::new(),
                text: text(&body["body"]),
            }
        },
    },
    Service {
        kind: "gotify",
        path: "",
        keys: "token = \"Atide7\"",
        answer: Answer::Say(r#"{"id": 1, "appid": 1, "message": "x"}"#),
        // https://gotify.net/api-docs#/message/createMessage
        read: |request| {
            line(request, "POST", "/message");
            assert_eq!(request.header("x-gotify-key"), Some("Atide7"));
            let body = json(request);
            assert!(
                body["priority"]
                    .as_u64()
                    .is_some_and(|priority| priority <= 10)
            );
            Shown {
                title: text(&body["title"]),
                text: text(&body["message"]),
            }
        },
    },
    Service {
        kind: "pushover",
        path: "",
        keys: "token = \"atide8\"\nuser = \"utide8\"",
        answer: Answer::Say(r#"{"status": 1, "request": "x"}"#),
        // https://pushover.net/api
        read: |request| {
            line(request, "POST", "/1/messages.json");
            let kind = request.header("content-type");
            assert_eq!(kind, Some("application/x-www-form-urlencoded"));
            let field = |name: &str| {
                let mut fields = request
                    .body
                    .split('&')
                    .filter_map(|pair| pair.split_once('='));
                let value = fields.find(|(key, _)| *key == name).map(|(_, value)| value);
                decoded(value.unwrap_or_default(), '+')
            };
            assert_eq!((&*field("token"), &*field("user")), ("atide8", "utide8"));
            // 2 asks for more fields, and rings until somebody says stop.
            assert!(["-2", "-1", "0", "1"].contains(&&*field("priority")));
            let (title, text) = (field("title"), field("message"));
            assert!(title.chars().count() <= 250 && text.chars().count() <= 1024);
            assert_eq!(field("html"), "");
            Shown { title, text }
        },
    },
];

#[test]
fn each_service_gets_the_request_that_it_documents_and_a_name_shows_as_text() {
    let mut receivers = Vec::new();
    let stage = Stage::new(|lan| {
        let mut config = String::new();
        for Service {
            kind,
            path,
            keys,
            answer,
            ..
        } in SERVICES
        {
            let receiver = Receiver::start(&Arc::clone(&lan.router));
            receiver.set(answer);
            let url = format!("{}{path}", receiver.base());
            config += &format!(
                "[[notify]]\ntype = \"{kind}\"\nname = \"{kind}\"\nurl = \"{url}\"\n{keys}\n"
            );
            receivers.push(receiver);
        }
        config
    });
    let daemon = stage.setup.start();
    // One after the other, so that the second request is the end, and the third the stranger's.
    let fired = stage.fire(LAPTOP);
    let firing = told(&receivers, 1);
    let ended = stage.resolve(&daemon);
    let resolved = told(&receivers, 2);
    stage.fire(STRANGER);
    let hostile = told(&receivers, 3);

    for (place, Service { kind, .. }) in SERVICES.iter().enumerate() {
        for (shown, event) in [(&firing[place], &fired), (&resolved[place], &ended)] {
            let Shown { title, text } = shown;
            let whole = format!("{title}\n{text}");
            assert!(whole.contains("Laptop"), "{kind}: {whole}");
            let sentence = event.text("eventDescription");
            assert!(text.contains(sentence), "{kind}: {text} is not {sentence}");
        }
        assert_ne!(firing[place].text, resolved[place].text, "{kind}");
        let Shown { title, text } = &hostile[place];
        let whole = format!("{title}\n{text}");
        // Mentions and links are made of plain text by the services themselves.
        assert!(!whole.contains("@everyone"), "{kind}: {whole}");
        assert!(!whole.contains("http://evil.example"), "{kind}: {whole}");
        assert!(whole.contains("everyone"), "{kind}: {whole}");
    }
}

/// What the services got: each exactly so many messages, of which this is the last.
#[track_caller]
fn told(receivers: &[Receiver], count: usize) -> Vec<Shown> {
    let read = |(receiver, service): (&Receiver, &Service)| {
        let what = format!("message {count} to {}", service.kind);
        bwmon_tests::wait_until(&what, TOLD, || {
            let requests = receiver.requests();
            if requests.len() == count {
                Ok((service.read)(&requests[count - 1]))
            } else {
                Err(format!("{requests:#?}"))
            }
        })
    };
    receivers.iter().zip(&SERVICES).map(read).collect()
}

#[track_caller]
fn line(request: &Delivery, method: &str, path: &str) {
    let is = (request.header(":method"), request.header(":path"));
    assert_eq!(is, (Some(method), Some(path)));
}

#[track_caller]
fn json(request: &Delivery) -> Value {
    let kind = request.header("content-type").unwrap_or_default();
    assert!(kind.starts_with("application/json"), "{request:?}");
    assert!(request.event.is_object(), "{request:?}");
    request.event.clone()
}

#[track_caller]
fn text(value: &Value) -> String {
    match value.as_str() {
        Some(text) => text.to_owned(),
        None => panic!("{value} is no text"),
    }
}

/// All texts of a card.
fn texts(value: &Value, all: &mut String) {
    match value {
        Value::Array(list) => list.iter().for_each(|item| texts(item, all)),
        Value::Object(fields) => {
            if let Some(text) = fields.get("text").and_then(Value::as_str) {
                all.push_str(text);
                all.push('\n');
            }
            fields.values().for_each(|field| texts(field, all));
        }
        _ => {}
    }
}

/// HTML of Telegram as it shows. It has the tags of its own making only, which say no name.
#[track_caller]
fn without_tags(html: &str) -> String {
    let bare = html.replacen("<b>", "", 1).replacen("</b>", "", 1);
    assert!(!bare.contains(['<', '>']), "{html}");
    [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&amp;", "&"),
    ]
    .into_iter()
    .fold(bare, |text, (entity, character)| {
        text.replace(entity, character)
    })
}

/// Text of a path or a form, with `%20` and so on.
fn decoded(text: &str, space: char) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16));
        bytes.push(match byte {
            b'%' => digit()
                .zip(digit())
                .map_or(b'?', |(high, low)| (high * 16 + low) as u8),
            byte if char::from(byte) == space => b' ',
            byte => byte,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
