//! Secrets of channels show nowhere, even when the receiver says them back.

use bwmon_tests::{Answer, Receiver, SOON, wait_until};

use super::{LAPTOP, Stage, TOLD, write};

/// Every secret has this in it.
const MARK: &str = "tide-";

/// The same in base64: of the key of a signature, and of a name and password.
const ENCODED: [&str; 2] = ["d2hpdGUgdGlkZS1zaWc", "dGlkZS1uYW1lOnRpZGUtcGFzc3dvcmQxMQ"];

#[test]
fn no_secret_is_in_the_log_the_status_a_check_or_a_test() {
    let mut receiver = None;
    let stage = Stage::new(|lan| {
        let receiver = receiver.insert(Receiver::start(&lan.router));
        receiver.set(Answer::Echo);
        String::new()
    })
    .loud();
    let receiver = receiver.expect("it was started");
    let base = receiver.base();
    let file = write(&stage.setup, "token", "tide-token3\n");
    let rows = [
        ("slack", format!("url = \"{base}/services/tide-url1\"")),
        ("discord", format!("url = \"{base}/api/webhooks/1/tide-url2?wait=tide-query\"")),
        ("teams", format!("url = \"{base}/workflows?sig=tide-url2\"")),
        ("ntfy", format!("url = \"{base}/topic\"\ntoken_file = \"{file}\"")),
        ("telegram", format!("url = \"{base}\"\ntoken = \"1:tide-bot4\"\nchat = 1")),
        ("matrix", format!("url = \"{base}\"\ntoken = \"tide-room5\"\nroom = \"!a:b\"")),
        ("gotify", format!("url = \"{base}\"\ntoken = \"tide-key6\"")),
        (
            "pushover",
            format!("url = \"{base}\"\ntoken = \"tide-app7\"\nuser = \"tide-user8\""),
        ),
        (
            "webhook",
            format!(
                "url = \"{}\"\ntoken = \"tide-bearer9\"\nheaders = {{ x-a = \"tide-header10\" }}\n\
                 secret = \"whsec_d2hpdGUgdGlkZS1zaWc=\"",
                base.replace("http://", "http://tide-name:tide-password11@")
            ),
        ),
        ("alertmanager", format!("url = \"{base}\"\ntoken = \"tide-token12\"")),
        (
            "email",
            "server = \"127.0.0.1\"\nport = 1\nusername = \"me\"\npassword = \"tide-mail13\"\n\
             from = \"a@example.org\"\nto = \"b@example.org\""
                .to_owned(),
        ),
        (
            "mqtt",
            "url = \"mqtt://127.0.0.1:1\"\ntopic = \"a\"\nusername = \"me\"\npassword = \"tide-mqtt14\""
                .to_owned(),
        ),
    ];
    let channel = |(kind, keys): &(&str, String)| {
        format!("[[notify]]\ntype = \"{kind}\"\nname = \"{kind}\"\n{keys}\n")
    };
    let channels: String = rows.iter().map(channel).collect();
    stage.configure("", &channels);
    let daemon = stage.setup.start();
    stage.fire(LAPTOP);
    for (kind, _) in &rows {
        wait_until(&format!("{kind} to fail"), TOLD, || {
            let log = daemon.log();
            let failed = log.lines().any(|line| {
                line.contains(&format!("channel {kind}")) && line.contains("cannot deliver")
            });
            if failed {
                Ok(())
            } else {
                Err("it does not say so")
            }
        });
    }
    // What the receiver said is shown, but for the secrets.
    assert!(daemon.log().contains("content-type"), "{}", daemon.log());

    let status = wait_until("the status", SOON, || daemon.api.json("/api/v1/status"));
    let mut places = vec![
        ("the log".to_owned(), daemon.log()),
        ("the API".to_owned(), status.to_string()),
    ];
    for words in [
        &["status"][..],
        &["status", "--json"],
        &["check"],
        &["notify-test"],
        &["notify-test", "--verbose", "--verbose"],
    ] {
        let output = stage.setup.command(words);
        let text = [output.stdout, output.stderr].concat();
        places.push((words.join(" "), String::from_utf8_lossy(&text).into_owned()));
    }
    // And where the configuration has a mistake beside them.
    let mistaken = channels.replace("chat = 1", "chat = []");
    stage.configure("", &mistaken);
    let output = stage.setup.command(["check"]);
    let text = [output.stdout, output.stderr].concat();
    places.push((
        "a mistake".to_owned(),
        String::from_utf8_lossy(&text).into_owned(),
    ));
    for (place, text) in places {
        assert!(
            text.contains("telegram") || place != "notify-test",
            "{place}: {text}"
        );
        for secret in [&[MARK][..], &ENCODED].concat() {
            let line = text.lines().find(|line| line.contains(secret));
            assert_eq!(line, None, "{place} shows a secret");
        }
    }
}
