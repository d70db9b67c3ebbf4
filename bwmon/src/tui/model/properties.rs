//! What holds for any samples and whatever somebody does.

use std::sync::Arc;

use proptest::prelude::*;
use ratatui::{buffer::Buffer, layout::Rect};

use super::*;
use crate::{
    cli::Glyphs,
    core::{
        event::RuleKind,
        view::{AlertState, DeviceView},
    },
    http::fixture,
    tui::{
        fixture::{past, status},
        input::{Input, Key},
        view::{self, Look},
    },
};

/// What happens.
#[derive(Clone, Debug)]
enum Step {
    Sample(Box<LiveSnapshot>),
    Alert(Box<AlertView>),
    Input(Input),
    Lost(String),
    Past(bool),
}

fn device() -> impl Strategy<Value = DeviceView> {
    (
        0_u8..12,
        any::<String>(),
        any::<(u64, u64)>(),
        any::<(u64, u64, u64)>(),
        prop::option::of(any::<u64>()),
        prop::collection::vec(any::<std::net::IpAddr>(), 0..4),
    )
        .prop_map(|(id, name, rates, today, limit, addresses)| {
            let mut device = fixture::device(&format!("{id:02}"), &[]);
            device.name = name;
            (device.sent_rate, device.received_rate) = rates;
            (
                device.today.sent,
                device.today.received,
                device.today.sent_local,
            ) = today;
            device.thresholds.bandwidth_threshold = limit;
            device.thresholds.max_active_time = limit;
            device.addresses = addresses;
            device
        })
}

fn alert() -> impl Strategy<Value = AlertView> {
    (0_u8..4, 0_u8..12, 0_u8..3, any::<String>()).prop_map(|(id, device, state, text)| {
        let state = match state {
            0 => AlertState::Pending,
            1 => AlertState::Firing,
            _ => AlertState::Resolved,
        };
        let mut alert = fixture::alert(&format!("a{id}"), state, RuleKind::Volume);
        alert.device.id = format!("{device:02}");
        alert.description = text;
        alert
    })
}

fn sample() -> impl Strategy<Value = LiveSnapshot> {
    (
        any::<bool>(),
        prop::option::of(-100_i64..2_000_000_000),
        prop::collection::vec(device(), 0..8),
        prop::collection::vec(0_u8..12, 0..3),
        prop::collection::vec((any::<String>(), 0.0..1.0_f64), 0..7),
        prop::option::of(prop::collection::vec(alert(), 0..4)),
        0.0..100.0_f64,
    )
        .prop_map(|(full, at, devices, gone, interfaces, alerts, interval)| {
            let mut status = status(2);
            status.poll.interval_seconds = interval;
            let interface = |(name, coverage): (String, f64)| {
                let mut interface = fixture::interface(&name);
                interface.coverage = coverage;
                interface.hint = Some(name);
                interface
            };
            LiveSnapshot {
                at: at.map(|at| jiff::Timestamp::from_second(at).unwrap().to_string()),
                full,
                status,
                interfaces: interfaces.into_iter().map(interface).collect(),
                alerts: alerts.map(|alerts| alerts.into_iter().map(Arc::new).collect()),
                gone: gone.iter().map(|id| format!("{id:02}")).collect(),
                devices: devices.into_iter().map(Arc::new).collect(),
                ..LiveSnapshot::default()
            }
        })
}

fn input() -> impl Strategy<Value = Input> {
    let keys = "jkgGsr<>upt/?h q".chars().map(Key::Char).chain([
        Key::Ctrl('l'),
        Key::Ctrl('u'),
        Key::Ctrl('w'),
        Key::Enter,
        Key::Esc,
        Key::Backspace,
        Key::Up,
        Key::Down,
        Key::Left,
        Key::Right,
        Key::PageUp,
        Key::PageDown,
        Key::Home,
        Key::End,
    ]);
    prop_oneof![
        6 => prop::sample::select(keys.collect::<Vec<_>>()).prop_map(Input::Key),
        1 => any::<char>().prop_map(|c| Input::Key(Key::Char(c))),
        1 => any::<i8>().prop_map(Input::Wheel),
        2 => (0_u16..130, 0_u16..50).prop_map(|(column, row)| Input::Click { column, row }),
        2 => (0_u16..130, 0_u16..50)
            .prop_map(|(width, height)| Input::Resize { width, height }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => sample().prop_map(|sample| Step::Sample(Box::new(sample))),
        1 => alert().prop_map(|alert| Step::Alert(Box::new(alert))),
        8 => input().prop_map(Step::Input),
        1 => any::<String>().prop_map(Step::Lost),
        1 => any::<bool>().prop_map(Step::Past),
    ]
}

/// The device under the cursor.
fn cursor(model: &Model) -> Option<String> {
    model.place()?;
    model.selected.clone()
}

proptest! {
    // Each case is a film.
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_happens_there_is_a_screen(
        steps in prop::collection::vec(step(), 0..40),
        colours in any::<bool>(),
        ascii in any::<bool>(),
    ) {
        let look = Look {
            colours,
            glyphs: if ascii { Glyphs::Ascii } else { Glyphs::Blocks },
        };
        let mut size = (80, 24);
        let mut model = Model::new(size, Units::default());
        for step in steps {
            let before = cursor(&model);
            match step {
                Step::Sample(sample) => {
                    let is_gone = |id: &String| {
                        let is_there = sample.devices.iter().any(|device| device.id == *id);
                        sample.gone.contains(id) || (sample.full && !is_there)
                    };
                    let stays = before.clone().filter(|id| !is_gone(id));
                    model.apply(*sample);
                    let is_filtered = !model.filter.is_empty();
                    if let (Some(id), false) = (stays, is_filtered) {
                        prop_assert_eq!(cursor(&model), Some(id), "the cursor stays with its device");
                    }
                }
                Step::Alert(alert) => model.alert(Arc::from(alert)),
                Step::Input(input) => {
                    if let Input::Resize { width, height } = input {
                        size = (width, height);
                    }
                    model.on(input);
                }
                Step::Lost(reason) => model.lose(reason),
                Step::Past(is_known) => {
                    if let Some(want) = model.wants() {
                        let past = match is_known {
                            true => past(),
                            false => Past::Failed("no".to_owned()),
                        };
                        model.remember(&want, past);
                    }
                }
            }
            let area = Rect::new(0, 0, size.0, size.1);
            let mut buffer = Buffer::empty(area);
            view::draw(&model, look, area, &mut buffer);
            let (above, below) = model.beyond();
            prop_assert_eq!(above + model.visible().count() + below, model.found());
            if cursor(&model).is_some() && model.room() > 0 {
                let selected = model.visible().filter(|(_, is_selected)| *is_selected).count();
                prop_assert_eq!(selected, 1, "the cursor is on the screen");
            }
            if ascii {
                prop_assert!(buffer.content.iter().all(|cell| cell.symbol().is_ascii()));
            }
        }
    }

    #[test]
    fn devices_are_in_order(sample in sample(), column in 0_usize..9, is_reversed in any::<bool>()) {
        let mut model = Model::new((200, 60), Units::default());
        let columns = layout::columns(200);
        model.sort = Sort { column: columns[column].column, is_reversed };
        model.apply(LiveSnapshot { full: true, ..sample });
        let devices: Vec<&Device> = model.visible().map(|(device, _)| device).collect();
        prop_assert_eq!(devices.len(), model.data().devices.len());
        let key = |device: &Device| match model.sort.column {
            layout::Column::Received => Some(device.view.received_rate),
            layout::Column::Sent => Some(device.view.sent_rate),
            layout::Column::Minute => Some(device.rate()),
            layout::Column::Today => Some(device.today()),
            _ => None,
        };
        let keys: Vec<u64> = devices.into_iter().filter_map(key).collect();
        match is_reversed {
            true => prop_assert!(keys.is_sorted()),
            false => prop_assert!(keys.iter().rev().is_sorted()),
        }
    }
}
