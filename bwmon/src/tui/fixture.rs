//! A household as the model is fed with it, for tests.

use std::sync::Arc;

use super::{
    input::{Input, Key},
    model::{Chart, Model, Past, Step},
    units::Units,
};
use crate::{
    core::{
        event::RuleKind,
        names::NameSource,
        view::{AlertState, AlertView, DeviceView, Status, TodayView},
    },
    http::fixture,
    live::LiveSnapshot,
};

/// Someone at work, a TV with an alert, a guest whose name is an attack, and one who sleeps.
pub(super) fn household(second: u8) -> LiveSnapshot {
    let now = u64::from(second);
    let mut laptop = device("02:00:00:00:00:05", "Anna's laptop", (1_537_500, 117_500));
    laptop.sent_rate += now * 1_000;
    laptop.today.received = 450_000_000;
    laptop.thresholds.bandwidth_threshold = Some(5_000_000_000);
    laptop.vendor = Some("Framework Computer Inc.".to_owned());
    laptop.group = Some("Family".to_owned());

    let streams = if now % 20 < 12 { 2_600_000 } else { 0 };
    let mut tv = device("02:00:00:00:00:06", "Living room TV", (22_000, streams));
    tv.today.received = 4_600_000_000;
    tv.thresholds.bandwidth_threshold = Some(5_000_000_000);
    tv.thresholds.max_active_time = Some(18_000);
    tv.thresholds.rate_threshold = Some(6_250_000);

    let mut guest = device(
        "02:00:00:00:00:07",
        "\x1b[31m居間のテレビと録画機",
        (0, 700),
    );
    guest.today.received = 90_000;
    guest.private_mac = true;
    guest.name_source = NameSource::Dhcp;

    let mut printer = device("192.168.1.9", "Printer", (0, 0));
    printer.mac = None;
    printer.first_seen = None;
    printer.last_seen = None;
    printer.today = TodayView::default();

    let mut interface = fixture::interface("br-lan");
    interface.coverage = 1.0;
    LiveSnapshot {
        at: Some(format!("2026-03-08T14:02:{second:02}+01:00")),
        full: second == 0,
        status: status(now + 1),
        interfaces: vec![interface],
        devices: [laptop, tv, guest, printer].map(Arc::new).into(),
        alerts: (second == 0).then(|| vec![Arc::new(tv_alert("a1", AlertState::Firing))]),
        ..LiveSnapshot::default()
    }
}

/// An alert about the TV.
pub(super) fn tv_alert(id: &str, state: AlertState) -> AlertView {
    let mut alert = fixture::alert(id, state, RuleKind::Volume);
    "02:00:00:00:00:06".clone_into(&mut alert.device.id);
    "Living room TV (192.168.1.6) has used 4.6 GB today, over its threshold of 4.5 GB. \
     Sent: 12 MB. Received: 4.6 GB."
        .clone_into(&mut alert.description);
    alert
}

/// That is called so, and sends and receives so much.
pub(super) fn device(id: &str, name: &str, (sent, received): (u64, u64)) -> DeviceView {
    let last = id.rsplit(':').next().unwrap_or_default();
    let last = last.trim_start_matches('0');
    let mut device = fixture::device(
        id,
        &[&format!("192.168.1.{}", last.parse::<u8>().unwrap_or(9))],
    );
    name.clone_into(&mut device.name);
    device.name_source = NameSource::Registered;
    device.sent_rate = sent;
    device.received_rate = received;
    device.today.sent = 12_000_000;
    device.today.active_seconds = 9_060;
    device
}

/// After so many samples.
pub(super) fn status(samples: u64) -> Status {
    let mut status = Status::default();
    status.poll.interval_seconds = 1.0;
    status.poll.samples = samples;
    status
}

/// A model that has followed the household for a minute.
pub(super) fn model(size: (u16, u16)) -> Model {
    let mut model = Model::new(size, Units::default());
    model.name_host("router".to_owned());
    for second in 0..60 {
        model.apply(household(second));
    }
    model
}

/// Presses keys, `⏎`, `⎋`, `↓` and `↑` among them.
pub(super) fn press(model: &mut Model, keys: &str) {
    for c in keys.chars() {
        let key = match c {
            '⏎' => Key::Enter,
            '⎋' => Key::Esc,
            '↓' => Key::Down,
            '↑' => Key::Up,
            c => Key::Char(c),
        };
        model.on(Input::Key(key));
    }
}

/// Ten minutes in which more and more was received.
pub(super) fn past() -> Past {
    let step = |number: u64| Step {
        seconds: 1.0,
        sent: 3_000,
        received: number * 1_000,
    };
    Past::Known(Chart {
        from: "2026-03-08T13:52:59+01:00".to_owned(),
        to: "2026-03-08T14:02:59+01:00".to_owned(),
        steps: (0..600).map(step).collect(),
    })
}
