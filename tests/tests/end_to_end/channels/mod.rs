//! An alert of real traffic reaches each kind of channel: its beginning, and then its end. Where a
//! peer of other people's making can be had it is the judge; else a receiver is, which holds what
//! comes against what the service documents.
#![expect(
    clippy::expect_used,
    reason = "what a test stands on fails by panicking, with the reason"
)]

mod alertmanager;
mod broker;
mod mail;
mod messages;
mod program;
mod routing;
mod secrets;
mod trial;
mod webhook;

use std::time::Duration;

use bwmon_tests::{Daemon, Delivery, Lan, Receiver, Setup};
use nix::sys::signal::Signal;

const LAPTOP: &str = "192.0.2.7";
const STRANGER: &str = "192.0.2.8";
const PEER: &str = "198.51.100.1";

/// What a device may call itself: markup, a mention and a link of each kind.
const HOSTILE: &str = "<b>@everyone</b> *x* _y_ [z](http://evil.example) &lt;";

/// Slow machines and a first try that comes too early included.
const TOLD: Duration = Duration::from_secs(15);

/// A LAN of a laptop and a stranger, whose volume is limited, and the daemon's files. One webhook
/// says what the others are to be told.
struct Stage {
    lan: Lan,
    setup: Setup,
    control: Receiver,
}

impl Stage {
    /// With channels that are made once there is a namespace to reach them in.
    fn new(channels: impl FnOnce(&Lan) -> String) -> Self {
        let lan = Lan::new();
        let control = Receiver::start(&lan.router);
        let setup = Setup::new(&lan.router, &["lan0"]);
        let stage = Self {
            setup,
            control,
            lan,
        };
        let channels = channels(&stage.lan);
        stage.configure("", &channels);
        stage.limit(50_000);
        stage
    }

    /// With a log of everything, in which a secret would show if it showed anywhere.
    fn loud(self) -> Self {
        Self {
            setup: self.setup.wrapped(["env", "RUST_LOG=trace"]),
            ..self
        }
    }

    /// Writes a configuration of these keys and channels.
    fn configure(&self, keys: &str, channels: &str) {
        let control = self.control.channel();
        self.setup.write_config(&format!(
            "local_networks = [\"192.0.2.0/24\"]\n{keys}\n{control}name = \"control\"\n{channels}"
        ));
    }

    /// Limits the laptop to so many bytes a day.
    fn limit(&self, bytes: u64) {
        let stranger = serde_json::json!(HOSTILE);
        self.setup.write_devices(&format!(
            r#"{{
                "{LAPTOP}": {{ "name": "Laptop", "bandwidth_threshold": {bytes} }},
                "{STRANGER}": {{ "name": {stranger}, "bandwidth_threshold": 50000 }}
            }}"#
        ));
    }

    /// Has a device break its limit, and says what is to be told.
    fn fire(&self, device: &str) -> Delivery {
        let frame = Lan::packet(device, PEER).length(1000).build();
        // Enough for its minute to be an active one, too.
        self.lan.upload((0..80).map(|_| &frame));
        self.control.wait_for("the alert", TOLD, |each| {
            let addresses = &each.event["device"]["addresses"];
            each.is("volume", "firing") && addresses[0] == device
        })
    }

    /// Has the laptop be within its limit again, and says what is to be told.
    fn resolve(&self, daemon: &Daemon) -> Delivery {
        self.limit(5_000_000);
        daemon.signal(Signal::SIGHUP);
        self.control
            .wait_for("the end", TOLD, |each| each.is("volume", "resolved"))
    }
}

/// A file of the test's own that goes with the daemon's.
fn write(setup: &Setup, name: &str, text: &str) -> String {
    let path = setup.directory().join(name);
    std::fs::write(&path, text).expect("write a file");
    path.display().to_string()
}
