//! What an owner does about alerts from the command line is in force at once, outlives a crash, and
//! is for nobody else to do.

use std::{fs, net::SocketAddr, ops::Deref, process::Output, time::Duration};

use bwmon_tests::{Api, Daemon, LOCAL_NETWORK, Lan, Receiver, SOON, Setup, Stage, wait_until};
use nix::sys::signal::Signal;
use serde_json::Value;

const LAPTOP: &str = "192.0.2.7";
const TABLET: &str = "192.0.2.8";

const LOW: &str = r#"{
    "192.0.2.7": { "name": "Laptop", "bandwidth_threshold": 50000 },
    "192.0.2.8": { "name": "Tablet", "bandwidth_threshold": 50000 }
}"#;
const HIGH: &str = r#"{
    "192.0.2.7": { "name": "Laptop", "bandwidth_threshold": 50000000 },
    "192.0.2.8": { "name": "Tablet", "bandwidth_threshold": 50000 }
}"#;

/// As in the alerts' own tests: an interval is promised, and machines that run tests are slow.
const TOLD: Duration = Duration::from_secs(5);
/// A minute, which is the shortest time between reminders, and some more.
const REMINDED: Duration = Duration::from_secs(75);

#[test]
fn an_acknowledged_alert_stays_so_over_a_crash_and_its_end_is_told() {
    let stage = Owner::new();
    let daemon = stage.setup.start();
    let id = stage.fire(LAPTOP, "Laptop");

    let said = stage.does(&["alerts", "ack", &id[..8], "--by", "Ann"]);
    assert!(said.starts_with("Ann takes care: Laptop"), "{said}");
    let alert = show(&daemon, &format!("/api/v1/alerts/{id}"));
    assert_eq!(alert["acknowledged_by"], "Ann");
    assert!(stage.does(&["alerts"]).contains("✓ firing"));

    // At once: whoever was answered is on the safe side.
    daemon.kill();
    let daemon = stage.setup.start();
    let after = show(&daemon, &format!("/api/v1/alerts/{id}"));
    assert_eq!(after["acknowledged_by"], "Ann");
    assert_eq!(after["acknowledged_at"], alert["acknowledged_at"]);

    let said = stage.does(&["alerts", "ack", &id, "--undo"]);
    assert!(said.starts_with("nobody takes care any more"), "{said}");
    stage.does(&["alerts", "ack", &id]);

    stage.setup.write_devices(HIGH);
    daemon.signal(Signal::SIGHUP);
    let end = stage
        .receiver
        .wait_for("the end", TOLD, |each| each.is("volume", "resolved"));
    assert_eq!(end.text("alert"), id);
    let said = stage.fails(&["alerts", "ack", &id]);
    assert!(said.contains("409") && said.contains("is over"), "{said}");
}

#[test]
fn of_an_acknowledged_alert_there_is_no_reminder() {
    let stage = Owner::new();
    stage.setup.write_devices(
        r#"{
            "192.0.2.7": {
                "name": "Laptop",
                "bandwidth_threshold": { "total": 50000, "repeat": "1min" }
            },
            "192.0.2.8": {
                "name": "Tablet",
                "bandwidth_threshold": { "total": 50000, "repeat": "1min" }
            }
        }"#,
    );
    let _daemon = stage.setup.start();
    let id = stage.fire(LAPTOP, "Laptop");
    stage.does(&["alerts", "ack", &id]);
    // The tablet's is the later one, and so would be its reminder.
    stage.fire(TABLET, "Tablet");
    let reminder = stage
        .receiver
        .wait_for("a reminder", REMINDED, |each| each.is("volume", "reminder"));
    assert_eq!(reminder.event["device"]["name"], "Tablet");
    assert_eq!(stage.receiver.deliveries().len(), 3);
}

#[test]
fn a_muted_device_is_not_told_of_until_it_is_unmuted_also_after_a_crash() {
    let stage = Owner::new();
    let daemon = stage.setup.start();
    stage.upload(LAPTOP, 10);
    wait_until("the device", SOON, || {
        daemon.api.device(bwmon_tests::ip(LAPTOP))
    });
    let said = stage.does(&[
        "alerts", "mute", "--device", LAPTOP, "--for", "2h", "--reason", "film",
    ]);
    assert!(said.contains("muted until"), "{said}");
    daemon.kill();

    let daemon = stage.setup.start();
    let mutes = show(&daemon, "/api/v1/mutes");
    assert_eq!(mutes[0]["reason"], "film", "{mutes}");
    assert_eq!(
        mutes[0]["device"],
        show(&daemon, &format!("/api/v1/devices/{LAPTOP}"))["id"]
    );
    assert_eq!(show(&daemon, "/api/v1/status")["mutes"], 1);
    let listed = stage.does(&["alerts", "mutes"]);
    assert!(
        listed.contains("Laptop") && listed.contains("film"),
        "{listed}"
    );

    stage.upload(LAPTOP, 120);
    daemon.wait_for_samples(3);
    // Events come in order: when the tablet's is here, there is none of the laptop's on the way.
    stage.fire(TABLET, "Tablet");
    assert_eq!(stage.receiver.deliveries().len(), 1);

    let id = mutes[0]["id"].as_str().unwrap_or_default();
    stage.does(&["alerts", "unmute", &id[..8]]);
    stage.receiver.wait_for("the laptop's alert", TOLD, |each| {
        each.event["device"]["name"] == "Laptop" && each.is("volume", "firing")
    });
    assert_eq!(show(&daemon, "/api/v1/mutes"), Value::Array(Vec::new()));
    let said = stage.fails(&["alerts", "unmute", id]);
    assert!(said.contains("there is no mute"), "{said}");
}

#[test]
fn over_tcp_nothing_is_changed_without_a_token() {
    let stage = Owner::listening(|_| String::new());
    let daemon = stage.setup.start();
    let said = stage.fails(&["alerts", "mute", "--all"]);
    assert!(
        said.contains("403") && said.contains("http.token_file"),
        "{said}"
    );
    assert_eq!(show(&daemon, "/api/v1/mutes"), Value::Array(Vec::new()));
}

#[test]
fn over_tcp_the_token_lets_its_owner_change_things() {
    let stage = Owner::listening(|setup| {
        let write = |name: &str, token: &str| {
            fs::write(setup.directory().join(name), token).expect("write a token");
        };
        write("token", "open-sesame\n");
        write("other", "open-barley\n");
        "token_file = \"token\"\n".to_owned()
    });
    let daemon = stage.setup.start();
    let other = stage.setup.directory().join("other");
    let other = other.display().to_string();
    let said = stage.fails(&["alerts", "mute", "--all", "--token-file", &other]);
    assert!(said.contains("this is not the token"), "{said}");
    assert_eq!(show(&daemon, "/api/v1/mutes"), Value::Array(Vec::new()));

    // The token of the configuration.
    stage.does(&["alerts", "mute", "--rule", "surge"]);
    assert_eq!(show(&daemon, "/api/v1/mutes")[0]["rule"], "surge");
}

/// Somebody at the command line of the router.
struct Owner(Stage);

impl Deref for Owner {
    type Target = Stage;

    fn deref(&self) -> &Stage {
        &self.0
    }
}

impl Owner {
    /// Reached over a Unix socket.
    fn new() -> Self {
        Self(Stage::new("", LOW))
    }

    /// Reached on loopback, with these further lines in its `[http]`.
    fn listening(lines: impl FnOnce(&Setup) -> String) -> Self {
        let lan = Lan::new();
        let receiver = Receiver::start(&lan.router);
        let setup = Setup::new(&lan.router, &["lan0"]);
        let lines = lines(&setup);
        let address = SocketAddr::from(([127, 0, 0, 1], 4000));
        let api = Api::tcp(&lan.router, address).with_token("open-sesame");
        let setup = setup
            .config(&format!(
                "{LOCAL_NETWORK}[http]\nlisten = \"{address}\"\n{lines}"
            ))
            .reached_at(api)
            .devices(LOW);
        Self(Stage {
            setup,
            receiver,
            lan,
        })
    }

    /// The id of an alert about a device, of which somebody is told.
    #[track_caller]
    fn fire(&self, address: &str, name: &str) -> String {
        self.upload(address, 120);
        let fired = self.receiver.wait_for("the alert", TOLD, |each| {
            each.event["device"]["name"] == name && each.is("volume", "firing")
        });
        fired.text("alert").to_owned()
    }

    /// What a command prints that can be done.
    #[track_caller]
    fn does(&self, args: &[&str]) -> String {
        let output = self.setup.command(args);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{args:?}: {}",
            errors(&output)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// What a command says that can't.
    #[track_caller]
    fn fails(&self, args: &[&str]) -> String {
        let output = self.setup.command(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {output:?}");
        errors(&output)
    }
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[track_caller]
fn show(daemon: &Daemon, path: &str) -> Value {
    wait_until(path, SOON, || daemon.api.json(path))
}
