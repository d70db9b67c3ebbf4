//! What keys and mouse do.

use super::*;
use crate::tui::{
    fixture::{household, model, press},
    input::{Input, Key},
    layout::Column,
};

fn names(model: &Model) -> Vec<&str> {
    let devices = model.visible().map(|(device, _)| device.view.name.as_str());
    devices
        .map(|name| name.split(' ').next().unwrap_or_default())
        .collect()
}

fn selected(model: &Model) -> Option<&str> {
    let mut devices = model.visible();
    let (device, _) = devices.find(|(_, is_selected)| *is_selected)?;
    device.view.name.split(' ').next()
}

fn click(model: &mut Model, column: u16, row: u16) {
    model.on(Input::Click { column, row });
}

/// The household, most of which the guest's name is not to be in.
fn small() -> Model {
    let mut model = model((80, 24));
    let mut sample = household(35);
    sample.gone = vec!["02:00:00:00:00:07".to_owned()];
    sample
        .devices
        .retain(|device| device.id != "02:00:00:00:00:07");
    model.apply(sample);
    model
}

#[test]
fn the_busiest_is_on_top_and_keys_sort_by_others() {
    let mut model = small();
    assert_eq!(names(&model), ["Anna's", "Living", "Printer"]);
    press(&mut model, "r");
    assert_eq!(names(&model), ["Printer", "Living", "Anna's"]);
    press(&mut model, "s");
    assert_eq!(model.sort().column, Column::Today);
    assert_eq!(names(&model), ["Living", "Anna's", "Printer"]);
    press(&mut model, "<<<");
    assert_eq!(model.sort().column, Column::Received);
    assert!(!model.sort().is_reversed);
    press(&mut model, ">>>>>>");
    assert_eq!(
        model.sort().column,
        Column::Name,
        "after the last comes the first but the mark"
    );
    assert_eq!(names(&model), ["Anna's", "Living", "Printer"]);
}

#[test]
fn a_click_on_a_title_sorts_and_on_a_row_selects() {
    let mut model = small();
    let lines = layout::lines(24);
    let columns = layout::columns(80);
    let today = columns
        .iter()
        .find(|slot| slot.column == Column::Today)
        .unwrap();
    click(&mut model, today.x, lines.heading.unwrap());
    assert_eq!(names(&model), ["Living", "Anna's", "Printer"]);
    click(&mut model, today.x - 1, lines.heading.unwrap());
    assert_eq!(names(&model), ["Printer", "Anna's", "Living"]);
    click(&mut model, 5, lines.body.y + 1);
    assert_eq!(selected(&model), Some("Anna's"));
    click(&mut model, 5, lines.body.y + 9);
    assert_eq!(selected(&model), Some("Anna's"), "there is nobody");
    click(&mut model, 5, lines.body.y + 1);
    assert_eq!(model.device_page().unwrap().id, "02:00:00:00:00:05");
}

#[test]
fn the_cursor_stays_with_its_device() {
    let mut model = small();
    press(&mut model, "jj");
    assert_eq!(selected(&model), Some("Living"));
    press(&mut model, "r");
    assert_eq!(selected(&model), Some("Living"));
    let mut sample = household(36);
    let busy = Arc::make_mut(&mut sample.devices[1]);
    busy.received_rate = u64::MAX;
    model.apply(sample);
    assert_eq!(selected(&model), Some("Living"));
    press(&mut model, "⎋");
    assert_eq!(selected(&model), None);
}

#[test]
fn what_is_written_filters_at_once() {
    let mut model = small();
    press(&mut model, "/FAM");
    assert_eq!(names(&model), ["Anna's"], "by its group");
    assert_eq!(model.filter(), ("FAM", true));
    press(&mut model, "⏎");
    assert_eq!(model.filter(), ("FAM", false));
    press(&mut model, "/⎋");
    assert_eq!(model.found(), 3);
    press(&mut model, "/1.6⏎q");
    assert_eq!(names(&model), ["Living"], "by its address");
    press(&mut model, "⎋⎋");
    assert_eq!(model.filter(), ("", false));
}

#[test]
fn a_filter_has_an_end() {
    let mut model = small();
    press(&mut model, "/");
    press(&mut model, &"x".repeat(1000));
    assert_eq!(model.filter().0.len(), LONGEST_FILTER);
}

#[test]
fn a_pause_shows_what_was_then() {
    let mut model = small();
    press(&mut model, "p");
    let before = model.data().at.clone();
    model.apply(household(45));
    assert_eq!(model.data().at, before);
    assert!(model.is_paused());
    press(&mut model, " ");
    assert_ne!(model.data().at, before);
    assert_eq!(model.found(), 4, "nothing was missed");
}

#[test]
fn a_page_wants_its_past_and_nobody_elses() {
    let mut model = small();
    press(&mut model, "j⏎");
    let want = model.wants().unwrap();
    assert_eq!(
        (want.device.as_str(), want.span),
        ("02:00:00:00:00:05", Span::Minutes)
    );
    press(&mut model, "j");
    model.remember(&want, Past::Failed("too late".to_owned()));
    assert!(model.device_page().unwrap().past.is_none());
    press(&mut model, "t");
    let want = model.wants().unwrap();
    assert_eq!(
        (want.device.as_str(), want.span),
        ("02:00:00:00:00:06", Span::Day)
    );
    model.remember(&want, Past::Failed("why".to_owned()));
    assert!(model.device_page().unwrap().past.is_some());
    press(&mut model, "⎋");
    assert!(model.wants().is_none());
}

#[test]
fn keys_end_it() {
    for key in [Key::Char('q'), Key::Ctrl('c')] {
        assert_eq!(small().on(Input::Key(key)), Flow::Quit);
    }
    let mut model = small();
    press(&mut model, "?");
    assert!(model.is_helping());
    press(&mut model, "x");
    assert!(!model.is_helping());
    assert_eq!(model.on(Input::Key(Key::Ctrl('z'))), Flow::Suspend);
    press(&mut model, "/");
    assert_eq!(
        model.on(Input::Key(Key::Char('q'))),
        Flow::GoOn,
        "it is written"
    );
    assert_eq!(model.on(Input::Key(Key::Ctrl('c'))), Flow::Quit);
}

#[test]
fn the_wheel_scrolls_and_the_screen_stays_full() {
    let mut model = model((80, 7));
    assert_eq!(model.visible().count(), 4);
    model.on(Input::Resize {
        width: 80,
        height: 5,
    });
    assert_eq!(model.beyond(), (0, 1));
    model.on(Input::Wheel(1));
    assert_eq!(model.beyond(), (1, 0));
    model.on(Input::Wheel(-1));
    assert_eq!(model.beyond(), (0, 1));
}
