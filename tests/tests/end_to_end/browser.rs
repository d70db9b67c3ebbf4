//! The dashboard in a real browser, Debian's Chromium, with a daemon that counts real traffic. What is
//! looked at is in `bwmon/web/tests/browser.mjs`; here is what happens in the network meanwhile.
#![expect(
    clippy::expect_used,
    reason = "what a test stands on fails by panicking, with the reason"
)]

use std::path::Path;

use bwmon_tests::{Daemon, HOME_ADDRESS, HOME_TOKEN, Home, SOON, drive, missing, project};

/// Weeks before, so that charts have something to show.
const DAYS: i64 = 40;

#[test]
fn the_dashboard_does_what_it_is_for() {
    if !Path::new("/usr/bin/chromium").is_file() {
        return missing("chromium");
    }
    let home = Home::new();
    home.setup.start().terminate();
    home.remember(DAYS);
    let mut daemon = Some(home.setup.start());
    let living = home.live();
    let screenshots = project().join("target/screenshots");
    let status = drive(
        &home.lan.router,
        "tests/browser.mjs",
        &[
            &format!("http://{HOME_ADDRESS}/"),
            HOME_TOKEN,
            &screenshots.to_string_lossy(),
        ],
        |asked| act(&home, &mut daemon, asked),
    );
    drop(living);
    assert!(status.success(), "the script ended with {status}");
}

/// What the script asks for, and the reply.
fn act(home: &Home, daemon: &mut Option<Daemon>, asked: &str) -> String {
    let words: Vec<&str> = asked.split(' ').collect();
    match words[..] {
        ["upload", address, frames] => {
            let frames = frames.parse().expect("a number of frames");
            home.upload(address, frames).bytes.to_string()
        }
        ["crowd", number] => home
            .crowd(number.parse().expect("a number of devices"))
            .packets
            .to_string(),
        ["told", rule, state, ref name @ ..] => {
            let name = name.join(" ");
            let told = home.receiver.wait_for(asked, SOON, |delivery| {
                delivery.is(rule, state) && delivery.event["device"]["name"] == *name
            });
            told.text("alert").to_owned()
        }
        ["stop"] => {
            if let Some(daemon) = daemon.take() {
                daemon.terminate();
            }
            "stopped".to_owned()
        }
        ["start"] => {
            *daemon = Some(home.setup.start());
            "started".to_owned()
        }
        ["open"] => {
            home.open();
            "open".to_owned()
        }
        _ => panic!("the script asks for {asked:?}"),
    }
}
