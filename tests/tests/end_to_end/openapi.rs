//! The description of the API, held against a daemon at work by schemathesis: it asks what the
//! description allows and what it does not, and judges whether the answers are those described.
#![expect(
    clippy::expect_used,
    reason = "what a test stands on fails by panicking, with the reason"
)]

use std::{
    env, fs,
    net::SocketAddr,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use bwmon_tests::{
    Api, Daemon, LOCAL_NETWORK, Lan, Receiver, SOON, Setup, Stage, ip, project, wait_until,
};
use serde_json::Value;

const TOKEN: &str = "open-sesame";
const ADDRESS: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 4000);
const DEVICES: &str = r##"{
    "192.0.2.7": { "name": "Laptop", "bandwidth_threshold": 100000, "quota": "1 GB", "group": "Kids" },
    "192.0.2.8": { "name": "=Tablet \"1\", red", "group": "Kids", "max_active_time": "5h" },
    "192.0.2.200": { "name": "Printer" }
}"##;

/// What it says at its end when all is well.
const SUMMARY: &str = "No issues found";

#[test]
fn schemathesis_finds_nothing_that_is_not_as_described() {
    let stage = household();
    let daemon = stage.setup.start();
    live(&stage, &daemon);

    let asked = wait_until("the description", SOON, || {
        daemon.api.json("/api/openapi.json")
    });
    let operations = asked["paths"].as_object().expect("paths").values();
    let operations: usize = operations
        .map(|item| item.as_object().map_or(0, serde_json::Map::len))
        .sum();

    let directory = tempfile::tempdir().expect("make a directory for schemathesis");
    let mut command = Command::new(python().join("bin/st"));
    command
        .arg("--config-file")
        .arg(settings().join("schemathesis.toml"))
        .args(["run", "--no-color"])
        // All: left to itself, it leaves out the path that it has the description from.
        .args(["--include-path-regex", "/"])
        // Its answer has no end; `stream.rs` reads it.
        .args(["--exclude-operation-id", "stream"])
        // What has names that only the page knows.
        .args(["--exclude-operation-id", "asset"])
        .arg(format!("http://{ADDRESS}/api/openapi.json"))
        .args(["--header", &format!("Authorization: Bearer {TOKEN}")])
        .env("BWMON_TOKEN", TOKEN)
        .env("SCHEMATHESIS_HOOKS", settings().join("hooks.py"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("COLUMNS", "150")
        .current_dir(directory.path());
    let output = stage
        .lan
        .router
        .enter(|| command.output())
        .expect("start schemathesis");
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{}\n{said}\n{errors}",
        output.status
    );
    assert!(said.contains(SUMMARY), "{said}\n{errors}");
    let tested = format!("Selected: {}/{operations}", operations - 2);
    assert!(
        said.contains(&tested),
        "not all {operations} were tried:\n{said}"
    );
    println!("{said}");

    // Whatever was asked, it goes on counting.
    daemon.wait_for_samples(3);
    daemon.terminate();
}

#[test]
fn nothing_that_is_described_is_to_be_had_without_the_token_but_health_and_the_empty_page() {
    let stage = household();
    let daemon = stage.setup.start();
    let document = wait_until("the description", SOON, || {
        daemon.api.json("/api/openapi.json")
    });
    let stranger = Api::tcp(&stage.lan.router, ADDRESS);
    let paths = document["paths"].as_object().expect("paths");
    for path in paths.keys() {
        let response = stranger.get(&path.replace("{id}", "a").replace("{name}", "a"));
        let response = response.expect("an answer");
        let expected = match path.as_str() {
            "/healthz" | "/" => 200,
            "/assets/{name}" => 404,
            _ => 401,
        };
        assert_eq!(response.status, expected, "{path}");
    }
}

#[test]
fn what_is_polled_is_sent_again_only_when_it_changed() {
    let stage = household();
    let daemon = stage.setup.start();
    live(&stage, &daemon);
    for path in ["/api/v1/mutes", "/api/v1/alerts", "/api/openapi.json"] {
        wait_until(path, SOON, || {
            let first = daemon.api.get(path).map_err(|error| error.to_string())?;
            let tag = first.header("etag").ok_or("no tag")?.to_owned();
            // A sample in between may change it.
            let again = daemon.api.get_with(path, &[("if-none-match", &tag)]);
            let again = again.map_err(|error| error.to_string())?;
            match (again.status, again.body.as_str()) {
                (304, "") => {
                    for absent in ["content-length", "transfer-encoding", "content-type"] {
                        assert_eq!(again.header(absent), None, "{path}: {absent}");
                    }
                    Ok(())
                }
                (status, body) => Err(format!("{status} {body}")),
            }
        });
    }
    let tag = daemon.api.get("/usage_report").expect("an answer");
    let tag = tag.header("etag").expect("a tag").to_owned();
    stage.upload("192.0.2.8", 5);
    wait_until("the report to change", SOON, || {
        let response = daemon
            .api
            .get_with("/usage_report", &[("if-none-match", &tag)]);
        match response.map(|response| response.status) {
            Ok(200) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
}

#[test]
fn a_table_of_devices_has_their_names_as_text() {
    let stage = household();
    let daemon = stage.setup.start();
    live(&stage, &daemon);
    let accept = [("accept", "text/csv")];
    let response = daemon.api.get_with("/api/v1/devices", &accept);
    let response = response.expect("an answer");
    let kind = response.header("content-type");
    assert_eq!(kind, Some("text/csv; charset=utf-8; header=present"));
    assert_eq!(response.header("x-total-count"), Some("4"));
    let tablet = "\"'=Tablet \"\"1\"\", red\"";
    assert!(response.body.contains(tablet), "{}", response.body);
    let lines = response.body.split_terminator("\r\n").count();
    assert_eq!(lines, 5, "{}", response.body);
}

/// Two devices with traffic, one of them with an alert, one that nobody registered, one that was
/// never seen; reached over TCP, with a token.
fn household() -> Stage {
    let lan = Lan::new();
    let receiver = Receiver::start(&lan.router);
    let setup = Setup::new(&lan.router, &["lan0"]);
    let token = setup.directory().join("token");
    fs::write(&token, TOKEN).expect("write the token");
    let owners = fs::Permissions::from_mode(0o600);
    fs::set_permissions(&token, owners).expect("close the token's file");
    let api = Api::tcp(&lan.router, ADDRESS).with_token(TOKEN);
    let setup = setup
        .config(&format!(
            "{LOCAL_NETWORK}{}\n[http]\nlisten = \"{ADDRESS}\"\ntoken_file = \"token\"\n",
            receiver.channel()
        ))
        .reached_at(api)
        .devices(DEVICES);
    Stage {
        setup,
        receiver,
        lan,
    }
}

/// Has them send and receive, and waits for the alert; mutes somebody.
fn live(stage: &Stage, daemon: &Daemon) {
    stage.upload("192.0.2.7", 120);
    stage.download("192.0.2.7", 20);
    stage.upload("192.0.2.8", 10);
    stage.upload("192.0.2.99", 10);
    wait_until("the alert and the stranger", SOON, || {
        daemon.api.device(ip("192.0.2.99"))?;
        match daemon.api.json("/api/v1/alerts?state=firing")? {
            Value::Array(alerts) if alerts.is_empty() => Err("nothing fires yet".to_owned()),
            alerts => Ok(alerts),
        }
    });
    let muted = stage
        .setup
        .command(["alerts", "mute", "--device", "192.0.2.8", "--for", "2h"]);
    assert!(muted.status.success(), "{muted:?}");
}

/// The environment that xtask made: in `BWMON_PYTHON`, else in the target directory.
fn python() -> PathBuf {
    let python =
        env::var_os("BWMON_PYTHON").map_or_else(|| project().join("target/python"), PathBuf::from);
    let is_there = python.join("bin/st").is_file();
    assert!(
        is_there,
        "there is no schemathesis: `cargo xtask setup` installs it"
    );
    python
}

fn settings() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("schemathesis")
}
