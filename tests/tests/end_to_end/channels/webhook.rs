//! Webhooks beyond the plain one, which `alerts.rs` has: signed, with headers and a body of the
//! owner's, and by TLS of a private authority.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use bwmon_tests::{Answer, Authority, Delivery, Receiver, run, wait_until};
use serde_json::json;

use super::{LAPTOP, STRANGER, Stage, TOLD, write};

/// A key, as Standard Webhooks writes it.
const KEY: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>
#[test]
fn a_signature_is_what_openssl_makes_of_id_time_and_body() {
    let mut receiver = None;
    let stage = Stage::new(|lan| {
        let receiver = receiver.insert(Receiver::start(&lan.router));
        receiver.set(Answer::Fail);
        format!(
            "{}name = \"signed\"\nsecret = \"{KEY}\"\n",
            receiver.channel()
        )
    });
    let receiver = receiver.expect("it was started");
    let _daemon = stage.setup.start();
    let fired = stage.fire(LAPTOP);
    wait_until("a second try", TOLD, || match receiver.attempts() {
        2.. => Ok(()),
        tries => Err(tries),
    });
    receiver.set(Answer::Accept);
    receiver.wait_for("the event", Duration::from_secs(60), |each| {
        each.is("volume", "firing")
    });
    for request in receiver.requests() {
        assert_eq!(request.header("webhook-id"), Some(fired.text("id")));
        assert_eq!(
            request.header("webhook-signature"),
            Some(&*signature(&stage, &request))
        );
        let timestamp: u64 = request
            .header("webhook-timestamp")
            .and_then(|timestamp| timestamp.parse().ok())
            .expect("a time in seconds");
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        // What is older than five minutes, receivers refuse.
        assert!(now.as_secs().abs_diff(timestamp) < 120, "{timestamp}");
    }
}

fn signature(stage: &Stage, request: &Delivery) -> String {
    let key = KEY
        .strip_prefix("whsec_")
        .and_then(|key| BASE64_STANDARD.decode(key).ok());
    let key: String = key
        .expect("a key")
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let part = |name| request.header(name).unwrap_or_default();
    let (id, timestamp) = (part("webhook-id"), part("webhook-timestamp"));
    let signed = write(
        &stage.setup,
        "signed",
        &format!("{id}.{timestamp}.{}", request.body),
    );
    let option = format!("hexkey:{key}");
    let words = [
        "dgst", "-sha256", "-mac", "HMAC", "-macopt", &option, "-r", &signed,
    ];
    let digest = run("openssl", words);
    let digits = digest.split(' ').next().unwrap_or_default();
    let bytes =
        (0..digits.len() / 2).map(|place| u8::from_str_radix(&digits[place * 2..][..2], 16));
    let bytes: Vec<u8> = bytes.map(|byte| byte.expect("two digits")).collect();
    format!("v1,{}", BASE64_STANDARD.encode(bytes))
}

#[test]
fn headers_and_body_are_the_owners_and_a_name_stays_text_in_it() {
    let mut receiver = None;
    let stage = Stage::new(|lan| {
        let receiver = receiver.insert(Receiver::start(&lan.router));
        format!(
            "{}name = \"own\"\nmethod = \"PUT\"\ntoken = \"tide-bearer\"\n\
             headers = {{ x-site = \"attic\" }}\n\
             template = '{{\"who\": {{{{ device.name }}}}, \"what\": {{{{ title }}}}, \"at\": [{{{{ observed }}}}]}}'\n",
            receiver.channel()
        )
    });
    let receiver = receiver.expect("it was started");
    let _daemon = stage.setup.start();
    let fired = stage.fire(STRANGER);
    let request = receiver.wait_for("the body", TOLD, |each| each.event["who"].is_string());
    assert_eq!(request.header(":method"), Some("PUT"));
    assert_eq!(request.header("x-site"), Some("attic"));
    assert_eq!(request.header("authorization"), Some("Bearer tide-bearer"));
    assert_eq!(request.event["who"], fired.event["device"]["name"]);
    assert_eq!(request.event["at"], json!([fired.event["observed"]]));
    assert_eq!(request.event.as_object().map(serde_json::Map::len), Some(3));
}

#[test]
fn a_private_authority_is_trusted_where_it_is_configured_and_nowhere_else() {
    let (authority, other) = (Authority::new(), Authority::new());
    let certificate = authority.for_loopback();
    let mut receivers = Vec::new();
    let stage = Stage::new(|lan| {
        let ca =
            |authority: &Authority| format!("ca_file = \"{}\"", authority.certificate().display());
        let rows = [
            ("told", ca(&authority)),
            ("mistaken", ca(&other)),
            ("trusting", String::new()),
        ];
        let channel = |(name, ca): (&str, String)| {
            let receiver = Receiver::start_tls(&Arc::clone(&lan.router), &certificate);
            let channel = format!("{}name = \"{name}\"\n{ca}\n", receiver.channel());
            receivers.push(receiver);
            channel
        };
        rows.map(channel).concat()
    });
    let daemon = stage.setup.start();
    let events = [stage.fire(LAPTOP), stage.resolve(&daemon)];
    for event in &events {
        receivers[0].wait_for("the event", TOLD, |each| each.event == event.event);
    }
    for name in ["mistaken", "trusting"] {
        daemon.wait_for_log(&[&format!("channel {name}"), "certificate"]);
    }
    let taken: Vec<usize> = receivers.iter().map(Receiver::attempts).collect();
    assert_eq!(taken, [2, 0, 0]);
}
