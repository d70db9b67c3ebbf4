//! The pictures of the dashboard in `docs/images`, of a made-up home with real traffic.
//!
//! `bwmon-pictures [MINUTES]` lets a home live for so many minutes (11 if it is not said) under the
//! daemon that `BWMON_BIN` names, and has a browser take the pictures. Takes root, Chromium,
//! `pngquant`, and the packages of `bwmon/web`.
#![expect(
    clippy::expect_used,
    reason = "a chore fails by panicking, with the reason"
)]

use bwmon_tests::{HOME_ADDRESS, HOME_TOKEN, Home, drive, project};

/// More than a year, for its chart.
const DAYS: i64 = 400;
/// As long as the chart of the overview is, and a little more.
const MINUTES: u32 = 11;

/// Rules that such a home may have, so that there is something to see.
const DEVICES: &str = r##"{
    "unknown": { "bandwidth_threshold": "10 GB" },
    "192.168.1.20": { "name": "Ann's laptop", "group": "family", "bandwidth_threshold": "1.5 GB",
                      "rate_threshold": { "total": "15.5 Mbit/s", "for": "5s", "clear_for": "10s" } },
    "192.168.1.21": { "name": "Smart TV", "group": "living room", "bandwidth_threshold": "650 MB",
                      "rate_threshold": { "total": "10.5 Mbit/s", "for": "2s", "clear_for": "5s" } },
    "192.168.1.22": { "name": "Ben's phone", "group": "family", "bandwidth_threshold": "2 GB" },
    "192.168.1.23": { "name": "Backup server", "bandwidth_threshold": "40 GB",
                      "rate_threshold": { "sent": "7 Mbit/s", "for": "5s", "clear_for": "10s", "severity": "critical" } },
    "192.168.1.24": { "name": "Game console", "group": "living room", "max_active_time": "3h",
                      "rate_threshold": { "total": "6.5 Mbit/s", "for": "3s", "clear_for": "10s" } },
    "192.168.1.25": { "name": "Weather station", "bandwidth_threshold": "100 MB" }
}"##;

fn main() {
    let minutes = std::env::args().nth(1);
    let minutes = minutes.map_or(MINUTES, |minutes| {
        minutes.parse().expect("MINUTES is a number")
    });
    let home = Home::new();
    home.setup.write_devices(DEVICES);
    home.setup.start().terminate();
    home.remember(DAYS);
    let daemon = home.setup.start();
    let living = home.live();
    let status = drive(
        &home.lan.router,
        "tests/pictures.mjs",
        &[
            &format!("http://{HOME_ADDRESS}/"),
            HOME_TOKEN,
            &project().join("docs/images").to_string_lossy(),
            &minutes.to_string(),
        ],
        |asked| panic!("the script asks for {asked:?}"),
    );
    drop(living);
    daemon.terminate();
    assert!(status.success(), "the script ended with {status}");
}
