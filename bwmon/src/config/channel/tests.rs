//! What channels are read as, and what is said about mistakes in them.

use std::{fs, path::Path};

use super::*;
use crate::config::{file, source::Source};

fn read(text: &str) -> Result<Vec<Channel>, String> {
    let source = Source::new(Path::new("/nowhere/bwmon.toml"), text.into()).unwrap();
    let parsed = file::parse(&source).map_err(|error| error.to_string())?;
    Ok(parsed.config.notify)
}

fn one(table: &str) -> Channel {
    let channels = read(&format!("[[notify]]\n{table}")).unwrap_or_else(|error| panic!("{error}"));
    channels.into_iter().next().unwrap()
}

/// A table of each kind with nothing that may be left out.
const LEAST: [(&str, &str, &str); 13] = [
    ("webhook", "url = \"https://example.org/x\"", "example.org"),
    ("ntfy", "url = \"https://ntfy.sh/x\"", "ntfy.sh"),
    (
        "slack",
        "url = \"https://hooks.slack.com/x\"",
        "hooks.slack.com",
    ),
    ("discord", "url = \"https://discord.com/x\"", "discord.com"),
    ("telegram", "token = \"1:a\"\nchat = -100", "telegram"),
    ("teams", "url = \"https://example.org/x\"", "example.org"),
    (
        "matrix",
        "url = \"https://m.org\"\ntoken = \"t\"\nroom = \"!a:m.org\"",
        "m.org",
    ),
    ("gotify", "url = \"http://gotify\"\ntoken = \"t\"", "gotify"),
    ("pushover", "token = \"t\"\nuser = \"u\"", "pushover"),
    ("alertmanager", "url = \"http://am:9093\"", "am"),
    (
        "email",
        "server = \"mx\"\nfrom = \"a@b.c\"\nto = \"d@e.f\"",
        "mx",
    ),
    ("mqtt", "url = \"mqtt://broker\"\ntopic = \"a/b\"", "broker"),
    ("exec", "command = [\"/bin/tell\"]", "tell"),
];

#[test]
fn each_kind_needs_little() {
    for (kind, keys, name) in LEAST {
        let channel = one(&format!("type = \"{kind}\"\n{keys}"));
        assert_eq!(channel.target.kind(), kind);
        assert_eq!(channel.name, name);
        assert_eq!(channel.routing, Routing::default());
        assert_eq!(channel.quiet_hours, None);
        assert_eq!(channel.timeout, DEFAULT_TIMEOUT);
        assert_eq!(channel.max_age, DEFAULT_MAX_AGE);
    }
}

#[test]
fn every_key_of_a_kind_is_needed_for_it() {
    for (kind, keys, _) in LEAST {
        for key in keys.lines() {
            let others: Vec<_> = keys.lines().filter(|line| line != &key).collect();
            let text = format!("[[notify]]\ntype = \"{kind}\"\n{}", others.join("\n"));
            let error = read(&text).unwrap_err();
            let name = key.split(' ').next().unwrap();
            let expected = format!("/nowhere/bwmon.toml:1:1: notify.{name} is missing; ");
            assert!(error.starts_with(&expected), "{text}: {error}");
        }
    }
}

#[test]
fn routing_is_read() {
    let channel = one(
        "type = \"slack\"\nurl = \"http://a\"\nmin_severity = \"critical\"\n\
         rules = [\"surge\", \"quota\"]\ngroups = \"kids\"\nresolved = false\nreminders = false\n\
         quiet_hours = [\"22:00-07:00\", \"Sat,Sun\"]\nmax_age = \"1d\"\ntimeout = 5\nname = \"chat\"",
    );
    use crate::core::event::{RuleKind, Severity};
    let expected = Routing {
        min_severity: Severity::Critical,
        rules: Some(vec![RuleKind::Surge, RuleKind::Quota]),
        groups: Some(vec!["kids".to_owned()]),
        resolved: false,
        reminders: false,
    };
    assert_eq!(channel.routing, expected);
    assert_eq!(channel.quiet_hours.unwrap().0.len(), 2);
    assert_eq!(channel.name, "chat");
    assert_eq!(channel.timeout, Duration::from_secs(5));
    assert_eq!(channel.max_age, Duration::from_secs(86_400));
}

#[test]
fn a_webhook_may_have_a_shape_of_its_own() {
    let channel = one(
        "type = \"webhook\"\nurl = \"http://a\"\nmethod = \"PUT\"\nsecret = \"whsec_YQ==\"\n\
         headers = { \"X-Key\" = \"env:CARGO_PKG_NAME\" }\ntemplate = '{\"text\": {{ title }}}'",
    );
    let Target::Http(HttpReceiver {
        shape: Shape::Webhook(webhook),
        ..
    }) = channel.target
    else {
        panic!()
    };
    assert_eq!(webhook.method, Method::Put);
    assert_eq!(webhook.key.as_ref().unwrap().reveal(), b"a");
    assert_eq!(webhook.headers[0].0, "x-key");
    assert_eq!(webhook.headers[0].1.reveal(), "bwmon");
    assert_eq!(
        webhook.body.as_ref().unwrap().content_type(),
        "application/json"
    );
    let shown = format!("{webhook:?}");
    assert!(
        !shown.contains("bwmon") && !shown.contains("whsec"),
        "{shown}"
    );
}

#[test]
fn files_start_from_the_directory_of_the_configuration() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("body"), "{{ title }}").unwrap();
    fs::write(directory.path().join("token"), "b34r3r\n").unwrap();
    let key = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    fs::write(directory.path().join("ca.pem"), key.cert.pem()).unwrap();
    let text = "[[notify]]\ntype = \"webhook\"\nurl = \"https://a\"\ntemplate_file = \"body\"\n\
                token_file = \"token\"\nca_file = \"ca.pem\"";
    let source = Source::new(&directory.path().join("bwmon.toml"), text.into()).unwrap();
    let channel = file::parse(&source)
        .map(|parsed| parsed.config.notify)
        .unwrap()
        .remove(0);
    let Target::Http(HttpReceiver {
        ca,
        shape: Shape::Webhook(webhook),
        ..
    }) = channel.target
    else {
        panic!()
    };
    assert_eq!(ca.unwrap().certificates().len(), 1);
    assert_eq!(webhook.token.unwrap().reveal(), "b34r3r");
    assert!(webhook.body.is_some());
}

/// Each table, and what is said about it.
fn said(tables: &[&str]) -> String {
    let mut said = String::new();
    for table in tables {
        let error = read(&format!("[[notify]]\n{table}")).unwrap_err();
        assert!(!error.contains("hunter2"), "{error}");
        let error = error.replace("/nowhere/bwmon.toml:", "");
        said += &format!("{}\n    {error}\n", table.replace('\n', " ⏎ "));
    }
    said
}

#[test]
fn mistakes_are_told_with_their_place() {
    let shown = said(&[
        "type = \"telegrm\"",
        "type = 5",
        "type = [\"slack\"]",
        "type = \"slack\"\nurl = \"http://a\"\ntoken = \"hunter2\"",
        "type = \"exec\"\ncommand = [\"/bin/true\"]\nurl = \"http://a\"",
        "type = \"slack\"\nurl = \"http://a\"\nmin_severity = \"bad\"",
        "type = \"slack\"\nurl = \"http://a\"\nrules = [\"volume\", \"surges\"]",
        "type = \"slack\"\nurl = \"http://a\"\nrules = []",
        "type = \"slack\"\nurl = \"http://a\"\nquiet_hours = \"at night\"",
        "type = \"slack\"\nurl = \"http://a\"\nquiet_hours = [\"22:00-06:00\", \"25:00-06:00\"]",
        "type = \"slack\"\nurl = \"http://a\"\nmax_age = \"1s\"",
        "type = \"slack\"\nurl = \"http://a\"\nresolved = \"no\"",
        "type = \"webhook\"\nurl = \"http://a\"\nmethod = \"GET\"",
        "type = \"webhook\"\nurl = \"http://a\"\nsecret = \"whsec_hunter2!\"",
        "type = \"webhook\"\nurl = \"http://a\"\ntoken = \"hunter2\"\ntoken_file = \"f\"",
        "type = \"webhook\"\nurl = \"http://a\"\nheaders = \"X-Key: hunter2\"",
        "type = \"webhook\"\nurl = \"http://a\"\nheaders = { \"X Key\" = \"hunter2\" }",
        "type = \"webhook\"\nurl = \"http://a\"\nheaders = { \"Webhook-Id\" = \"hunter2\" }",
        "type = \"webhook\"\nurl = \"http://a\"\nheaders = { \"X-Key\" = \"hunter2\\ntwo\" }",
        "type = \"webhook\"\nurl = \"http://a\"\ntemplate = \"{{ titel }}\"",
        "type = \"webhook\"\nurl = \"http://a\"\ntemplate = '{\"a\": \"{{ title }}\"}'",
        "type = \"webhook\"\nurl = \"http://a\"\ntemplate = \"{% if %}\"",
        "type = \"webhook\"\nurl = \"http://a\"\ncontent_type = \"text/plain\"",
        "type = \"webhook\"\nurl = \"http://a\"\nca_file = \"/dev/null\"",
        "type = \"webhook\"\nurl = \"http://a\"\nca_file = \"no-such-file\"",
        "type = \"webhook\"\nurl = \"credential:hook\"",
        "type = \"email\"\nserver = \"mx\"\nfrom = \"bwmon\"\nto = \"a@b.c\"",
        "type = \"email\"\nserver = \"mx\"\nfrom = \"a@b.c\"\nto = \"a@b.c\\r\\nBcc: x@y.z\"",
        "type = \"email\"\nserver = \"http://mx\"\nfrom = \"a@b.c\"\nto = \"a@b.c\"",
        "type = \"email\"\nserver = \"mx\"\nfrom = \"a@b.c\"\nto = \"a@b.c\"\nusername = \"u\"\npassword = \"hunter2\"\nsecurity = \"none\"",
        "type = \"email\"\nserver = \"mx\"\nfrom = \"a@b.c\"\nto = \"a@b.c\"\nusername = \"u\"",
        "type = \"email\"\nserver = \"mx\"\nport = 70000\nfrom = \"a@b.c\"\nto = \"a@b.c\"",
        "type = \"mqtt\"\nurl = \"mqtt://u:hunter2@broker\"\ntopic = \"a\"",
        "type = \"mqtt\"\nurl = \"mqtt://broker\"\ntopic = \"a/#\"",
        "type = \"mqtt\"\nurl = \"mqtt://broker\"\ntopic = \"a\"\nusername = \"u\"\npassword = \"hunter2\"",
        "type = \"exec\"\ncommand = \"tell --loud\"",
        "type = \"exec\"\ncommand = []",
        "type = \"alertmanager\"\nurl = \"http://a\"\ngenerator_url = \"javascript:x\"",
    ]);
    insta::assert_snapshot!(shown, @r#"
    type = "telegrm"
        2:8: notify.type: "telegrm" is not allowed; did you mean "telegram"?
    type = 5
        2:8: notify.type: must be "webhook", "ntfy", "slack", "discord", "telegram", "teams", "matrix", "gotify", "pushover", "alertmanager", "email", "mqtt" or "exec", not 5
    type = ["slack"]
        2:8: notify.type: must be "webhook", "ntfy", "slack", "discord", "telegram", "teams", "matrix", "gotify", "pushover", "alertmanager", "email", "mqtt" or "exec", not a list
    type = "slack" ⏎ url = "http://a" ⏎ token = "hunter2"
        4:1: unknown key "token"; allowed here: "type", "name", "timeout", "max_age", "url", "url_file", "ca_file", "min_severity", "rules", "groups", "resolved", "reminders", "quiet_hours"
    type = "exec" ⏎ command = ["/bin/true"] ⏎ url = "http://a"
        4:1: unknown key "url"; allowed here: "type", "name", "timeout", "max_age", "command", "min_severity", "rules", "groups", "resolved", "reminders", "quiet_hours"
    type = "slack" ⏎ url = "http://a" ⏎ min_severity = "bad"
        4:16: notify.min_severity: "bad" is not allowed; allowed here: "info", "warning", "critical"
    type = "slack" ⏎ url = "http://a" ⏎ rules = ["volume", "surges"]
        4:20: notify.rules: "surges" is not allowed; did you mean "surge"?
    type = "slack" ⏎ url = "http://a" ⏎ rules = []
        4:9: notify.rules: the list is empty; leave the key out, or put something in
    type = "slack" ⏎ url = "http://a" ⏎ quiet_hours = "at night"
        4:15: notify.quiet_hours: "at night": "at night" is no day; write "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" or "Sun"
    type = "slack" ⏎ url = "http://a" ⏎ quiet_hours = ["22:00-06:00", "25:00-06:00"]
        4:31: notify.quiet_hours: "25:00-06:00": "25:00-06:00" are no hours; write them as in "08:00-18:00" or "22:00-06:00", up to 24:00
    type = "slack" ⏎ url = "http://a" ⏎ max_age = "1s"
        4:11: notify.max_age: must be a duration from 1min to 30d, not "1s"
    type = "slack" ⏎ url = "http://a" ⏎ resolved = "no"
        4:12: notify.resolved: must be true or false, not "no"
    type = "webhook" ⏎ url = "http://a" ⏎ method = "GET"
        4:10: notify.method: "GET" is not allowed; allowed here: "POST", "PUT"
    type = "webhook" ⏎ url = "http://a" ⏎ secret = "whsec_hunter2!"
        4:10: notify.secret: what follows "whsec_" is no base64; copy the secret from the receiver once more
    type = "webhook" ⏎ url = "http://a" ⏎ token = "hunter2" ⏎ token_file = "f"
        5:14: notify.token_file: token says it already; keep one of token and token_file
    type = "webhook" ⏎ url = "http://a" ⏎ headers = "X-Key: hunter2"
        4:11: notify.headers: must be a table such as { "X-Key" = "env:NAME" }
    type = "webhook" ⏎ url = "http://a" ⏎ headers = { "X Key" = "hunter2" }
        4:13: notify.headers: "X Key" can't be a header here; choose another name
    type = "webhook" ⏎ url = "http://a" ⏎ headers = { "Webhook-Id" = "hunter2" }
        4:13: notify.headers: "Webhook-Id" can't be a header here; choose another name
    type = "webhook" ⏎ url = "http://a" ⏎ headers = { "X-Key" = "hunter2\ntwo" }
        4:23: notify.headers: the value is not one line of plain text; a secret has only printable ASCII characters, and but for passwords and headers no spaces
    type = "webhook" ⏎ url = "http://a" ⏎ template = "{{ titel }}"
        4:12: notify.template: line 1: undefined value
    type = "webhook" ⏎ url = "http://a" ⏎ template = '{"a": "{{ title }}"}'
        4:12: notify.template: what comes out is no JSON: expected `,` or `}` at line 1 column 9; write {{ name }} without quotes around it, or set content_type
    type = "webhook" ⏎ url = "http://a" ⏎ template = "{% if %}"
        4:12: notify.template: line 1: syntax error: unexpected end of block
    type = "webhook" ⏎ url = "http://a" ⏎ content_type = "text/plain"
        1:1: notify.template is missing; it must be there when content_type is, as the event itself is JSON
    type = "webhook" ⏎ url = "http://a" ⏎ ca_file = "/dev/null"
        4:11: notify.ca_file: must be a file with certificates of authorities in PEM, and nothing else
    type = "webhook" ⏎ url = "http://a" ⏎ ca_file = "no-such-file"
        4:11: notify.ca_file: /nowhere/no-such-file: cannot be read: No such file or directory (os error 2)
    type = "webhook" ⏎ url = "credential:hook"
        3:7: notify.url: there is no credential "hook"; name it in LoadCredential= of the unit, and start bwmon by systemd
    type = "email" ⏎ server = "mx" ⏎ from = "bwmon" ⏎ to = "a@b.c"
        4:8: notify.from: "bwmon" is no address for mail; write "name@example.org" or "Name <name@example.org>"
    type = "email" ⏎ server = "mx" ⏎ from = "a@b.c" ⏎ to = "a@b.c\r\nBcc: x@y.z"
        5:6: notify.to: must be an address for mail such as "name@example.org", not "a@b.c\r\nBcc: x@y.z"
    type = "email" ⏎ server = "http://mx" ⏎ from = "a@b.c" ⏎ to = "a@b.c"
        3:10: notify.server: must be the name or address of a mail server such as "smtp.example.org", not "http://mx"
    type = "email" ⏎ server = "mx" ⏎ from = "a@b.c" ⏎ to = "a@b.c" ⏎ username = "u" ⏎ password = "hunter2" ⏎ security = "none"
        6:12: notify.username: a password needs a protected connection; use starttls, tls or mqtts, or leave it out
    type = "email" ⏎ server = "mx" ⏎ from = "a@b.c" ⏎ to = "a@b.c" ⏎ username = "u"
        1:1: notify.password is missing; it must be that of username, or password_file a file with it
    type = "email" ⏎ server = "mx" ⏎ port = 70000 ⏎ from = "a@b.c" ⏎ to = "a@b.c"
        4:8: notify.port: must be a port from 1 to 65535, not 70000
    type = "mqtt" ⏎ url = "mqtt://u:hunter2@broker" ⏎ topic = "a"
        3:7: notify.url: must be an address such as "mqtts://example.org:8883"; name and password are keys of their own
    type = "mqtt" ⏎ url = "mqtt://broker" ⏎ topic = "a/#"
        4:9: notify.topic: must be a topic such as "bwmon/events", without '+' and '#'
    type = "mqtt" ⏎ url = "mqtt://broker" ⏎ topic = "a" ⏎ username = "u" ⏎ password = "hunter2"
        5:12: notify.username: a password needs a protected connection; use starttls, tls or mqtts, or leave it out
    type = "exec" ⏎ command = "tell --loud"
        3:11: notify.command: "tell --loud" is no absolute path; write one such as "/usr/local/bin/tell"
    type = "exec" ⏎ command = []
        3:11: notify.command: the list is empty; leave the key out, or put something in
    type = "alertmanager" ⏎ url = "http://a" ⏎ generator_url = "javascript:x"
        4:17: notify.generator_url: must be an address that starts with https:// or http://
    "#);
}

#[test]
fn the_examples_of_the_docs_are_right() {
    let docs = include_str!("../../../../docs/channels.md");
    let directory = tempfile::tempdir().unwrap();
    let key = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    fs::write(directory.path().join("ca.pem"), key.cert.pem()).unwrap();
    let mut kinds = Vec::new();
    for block in docs.split("```toml\n").skip(1) {
        let block = block.split("```").next().unwrap();
        // Secrets of others are not here.
        let text: Vec<String> = block.lines().map(here).collect();
        let text = text.join("\n");
        let source = Source::new(&directory.path().join("bwmon.toml"), text.clone().into());
        let parsed = file::parse(&source.unwrap());
        let parsed = parsed.unwrap_or_else(|error| panic!("{error}\n{text}"));
        kinds.extend(
            parsed
                .config
                .notify
                .iter()
                .map(|channel| channel.target.kind()),
        );
    }
    for (kind, _, _) in LEAST {
        assert!(kinds.contains(&kind), "{kind} has no example");
    }
}

/// A line of an example with a secret that is there.
fn here(line: &str) -> String {
    match line.split_once(" = ") {
        Some(("url_file", path)) => {
            let host = path.trim_matches('"').rsplit('/').next().unwrap();
            format!("url = \"https://{host}/\"")
        }
        Some(("url", value)) if value.starts_with("\"credential:") => {
            "url = \"https://example.net/\"".to_owned()
        }
        Some(("ca_file", _)) => "ca_file = \"ca.pem\"".to_owned(),
        Some(("headers", _)) => "headers = { \"X-Key\" = \"env:CARGO_PKG_NAME\" }".to_owned(),
        Some((key, value)) if key.ends_with("_file") || value.starts_with("\"env:") => {
            format!("{key} = \"env:CARGO_PKG_NAME\"")
        }
        _ => line.to_owned(),
    }
}
