//! The receivers of other people's making take what they should and refuse what they should, as
//! other people's clients see it.
#![expect(
    clippy::expect_used,
    reason = "what a test stands on fails by panicking, with the reason"
)]

use std::{process::Command, sync::Arc};

use bwmon_tests::{
    Alertmanager, Authority, Broker, MailServer, Namespace, Receiver, SOON, wait_until,
};

#[test]
fn a_broker_takes_its_login_and_no_other_and_tls_of_its_authority() {
    let namespace = Arc::new(Namespace::new("broker"));
    let authority = Authority::new();
    let mut broker = Broker::start(&namespace, &authority.for_loopback());
    broker.subscribe("home/#");
    let publish = |more: &str, password: &str| {
        let user = Broker::USER;
        let words =
            format!("mosquitto_pub -h 127.0.0.1 -u {user} -P {password} -q 1 -t home/a {more}");
        succeeds(&namespace, &words.split(' ').collect::<Vec<_>>())
    };
    assert!(publish("-m plain", Broker::PASSWORD));
    assert!(!publish("-m stranger", "guessed"));
    let ca = authority.certificate().display().to_string();
    assert!(publish(
        &format!("-p 8883 --cafile {ca} -m tls"),
        Broker::PASSWORD
    ));
    let others = Authority::new().certificate().display().to_string();
    assert!(!publish(
        &format!("-p 8883 --cafile {others} -m other"),
        Broker::PASSWORD
    ));
    broker.wait_for("the message by TLS", SOON, |each| each.payload == "tls");
    let published = broker.published();
    let payloads: Vec<_> = published.iter().map(|each| &each.payload).collect();
    assert_eq!(payloads, ["plain", "tls"]);
    assert_eq!(
        (published[0].topic.as_str(), published[0].qos),
        ("home/a", 1)
    );
}

#[test]
fn a_mail_server_takes_mail_by_tls_and_after_a_login_only() {
    const SEND: &str = r#"
import smtplib, ssl, sys
port, password, ca = int(sys.argv[1]), sys.argv[2], sys.argv[3]
context = ssl.create_default_context(cafile=ca)
if port == 465:
    server = smtplib.SMTP_SSL("127.0.0.1", port, context=context)
else:
    server = smtplib.SMTP("127.0.0.1", port)
    if ca != "/dev/null":
        server.starttls(context=context)
if password:
    server.login("router@example.org", password)
mail = "From: a@example.org\r\nSubject: =?utf-8?q?caf=C3=A9?=\r\n\r\nover\r\n"
server.sendmail("a@example.org", ["b@example.org"], mail)
"#;
    let namespace = Arc::new(Namespace::new("mail"));
    let authority = Authority::new();
    let server = MailServer::start(&namespace, &authority.for_loopback());
    let ca = authority.certificate().display().to_string();
    let send = |port: u16, password: &str, ca: &str| {
        python(&namespace, SEND, &[&port.to_string(), password, ca])
    };
    for port in [server.starttls_port(), server.tls_port()] {
        assert!(send(port, MailServer::PASSWORD, &ca), "{port}");
        assert!(!send(port, "guessed", &ca), "{port}");
        assert!(!send(port, "", &ca), "{port}");
    }
    assert!(!send(
        server.starttls_port(),
        MailServer::PASSWORD,
        "/dev/null"
    ));
    let ports: Vec<u16> = server.inbox().iter().map(|mail| mail.port).collect();
    assert_eq!(ports, [server.starttls_port(), server.tls_port()]);
    let mail = &server.inbox()[0];
    assert_eq!((mail.header("subject"), mail.text.trim()), ("café", "over"));
    assert_eq!(mail.recipients, ["b@example.org"]);
}

#[test]
fn an_alertmanager_shows_an_alert_until_it_ends() {
    let namespace = Arc::new(Namespace::new("alerts"));
    let alertmanager = Alertmanager::start(&namespace);
    let end = |end: &str| {
        let alert = format!(r#"[{{"labels": {{"alertname": "a"}}, "endsAt": "{end}"}}]"#);
        let url = format!("{}/api/v2/alerts", alertmanager.url());
        assert!(posts(&namespace, &url, &alert, ""));
    };
    let shown = |expected: usize| {
        wait_until("the alert", SOON, || {
            let alerts = alertmanager.alerts()?;
            if alerts.len() == expected {
                Ok(())
            } else {
                Err(format!("{alerts:?}"))
            }
        });
    };
    shown(0);
    end("2099-01-01T00:00:00Z");
    shown(1);
    end("2001-01-01T00:00:00Z");
    shown(0);
}

#[test]
fn a_receiver_by_tls_shows_what_its_authority_vouches_for() {
    let namespace = Arc::new(Namespace::new("tls"));
    let authority = Authority::new();
    let receiver = Receiver::start_tls(&namespace, &authority.for_loopback());
    let post = |ca: &Authority| {
        let ca = ca.certificate().display().to_string();
        posts(&namespace, &receiver.url(), "{}", &ca)
    };
    assert!(!post(&Authority::new()));
    assert_eq!(receiver.attempts(), 0);
    assert!(post(&authority));
    assert_eq!(receiver.deliveries().len(), 1);
}

fn posts(namespace: &Namespace, url: &str, body: &str, ca: &str) -> bool {
    const POST: &str = r#"
import ssl, sys, urllib.request
url, body, ca = sys.argv[1:]
context = ssl.create_default_context(cafile=ca) if ca else None
request = urllib.request.Request(url, body.encode(), {"Content-Type": "application/json"})
urllib.request.urlopen(request, context=context)
"#;
    python(namespace, POST, &[url, body, ca])
}

/// Whether a script ends well.
fn python(namespace: &Namespace, script: &str, words: &[&str]) -> bool {
    let words = [&["/usr/bin/python3", "-c", script], words].concat();
    succeeds(namespace, &words)
}

fn succeeds(namespace: &Namespace, words: &[&str]) -> bool {
    namespace.enter(|| {
        let mut command = Command::new(words[0]);
        let output = command.args(&words[1..]).output().expect("a client");
        output.status.success()
    })
}
