//! Screens, as people see them.

use ratatui::{
    Terminal,
    backend::TestBackend,
    buffer::Buffer,
    style::{Color, Modifier},
};

use super::*;
use crate::{
    cli::Glyphs,
    core::view::AlertState,
    tui::{
        fixture::{household, model, past, press, tv_alert},
        model::Model,
    },
};

const LOOK: Look = Look {
    colours: true,
    glyphs: Glyphs::Blocks,
};
const PLAIN: Look = Look {
    colours: false,
    glyphs: Glyphs::Ascii,
};

fn drawn(model: &Model, look: Look, (width, height): (u16, u16)) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    let frame = terminal
        .draw(|frame| draw(model, look, frame.area(), frame.buffer_mut()))
        .unwrap();
    frame.buffer.clone()
}

fn text(buffer: &Buffer) -> String {
    let lines = buffer.content.chunks(usize::from(buffer.area.width));
    lines
        .map(|cells| {
            let mut line = String::new();
            let mut skip = 0;
            for cell in cells {
                if skip > 0 {
                    skip -= 1;
                    continue;
                }
                line.push_str(cell.symbol());
                skip = unicode_width::UnicodeWidthStr::width(cell.symbol()).saturating_sub(1);
            }
            line.trim_end().to_owned() + "\n"
        })
        .collect()
}

fn screen(model: &Model, look: Look, size: (u16, u16)) -> String {
    text(&drawn(model, look, size))
}

#[test]
fn the_screen_at_80x24() {
    insta::assert_snapshot!(screen(&model((80, 24)), LOOK, (80, 24)), @"
    bwmon router   br-lan 100 %                                           14:02:59
    ↓ 946 kbit/s  ▇▇▇▁▁▇▇▇▁▁▇▇▇▁▁  ↑ 12.9 Mbit/s ▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇         ▲ 1 alert

      DEVICE               RECEIVED         SENT  MINUTE▾       TODAY     OF LIMIT
      Anna's laptop      940 kbit/s  12.8 Mbit/s  ▇▇▇▇▇▇▇▇▇▇   462 MB  ━───    9 %
    ▲ Living room TV              ·   176 kbit/s  ▇▇▁▇▇▇▇▇▇▁  4.61 GB  ━━━─   92 %
      �[31m居間のテレ…  5.60 kbit/s            ·  ▁▁▁▁▁▁▁▁▁▁  12.1 MB
      Printer                     ·            ·                    ·















    q quit  ? help  ↑↓ select  ⏎ device  / filter  s sort  r reverse  p pause
    ");
}

#[test]
fn the_screen_at_120x40_has_charts() {
    insta::assert_snapshot!(screen(&model((120, 40)), LOOK, (120, 40)), @"
    bwmon router   br-lan 100 %                                                                                   14:02:59
    3 of 4 devices active  ▲ 1 alert

    ↓ received 946 kbit/s                     peak 21.7 Mbit/s  ↑ sent 12.9 Mbit/s                        peak 12.9 Mbit/s
    ████████████        ███████████        ████████████         ▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇█████████████████████████
    ████████████        ███████████        ████████████         ██████████████████████████████████████████████████████████
    ████████████        ███████████        ████████████         ██████████████████████████████████████████████████████████
    ████████████▁▁▁▁▁▁▁▁███████████▁▁▁▁▁▁▁▁████████████▁▁▁▁▁▁▁  ██████████████████████████████████████████████████████████

      DEVICE                         RECEIVED         SENT  LAST MINUTE▾                            TODAY         OF LIMIT
      Anna's laptop                940 kbit/s  12.8 Mbit/s  ▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇   462 MB  ━───────    9 %
    ▲ Living room TV                        ·   176 kbit/s  ▇▇▇▇▇▇▇▇▁▁▁▁▇▇▇▇▇▇▇▇▁▁▁▁▇▇▇▇▇▇▇▇▁▁▁▁  4.61 GB  ━━━━━━━─   92 %
      �[31m居間のテレビと録画機   5.60 kbit/s            ·  ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁  12.1 MB
      Printer                               ·            ·                                              ·

























    q quit  ? help  ↑↓ select  ⏎ device  / filter  s sort  r reverse  p pause  u units
    ");
}

#[test]
fn the_screen_at_40x12_has_what_matters_most() {
    insta::assert_snapshot!(screen(&model((40, 12)), LOOK, (40, 12)), @"
    bwmon router   br-lan 100 %   14:02:59
    ↓ 946 kbit/s  ↑ 12.9 Mbit/s        ▲ 1

      DEVICE         RECEIVED         SENT
      Anna's la…   940 kbit/s  12.8 Mbit/s
    ▲ Living ro…            ·   176 kbit/s
      �[31m居間…  5.60 kbit/s            ·
      Printer               ·            ·



    q quit  ? help  ↑↓ select  ⏎ device
    ");
}

#[test]
fn the_screen_where_there_is_only_ascii() {
    let text = screen(&model((80, 12)), PLAIN, (80, 12));
    assert!(text.is_ascii(), "{text}");
    insta::assert_snapshot!(text, @"
    bwmon router   br-lan 100 %                                           14:02:59
    v 946 kbit/s  ***__***__***__  ^ 12.9 Mbit/s ***************         ! 1 alert

      DEVICE               RECEIVED         SENT  MINUTEv       TODAY     OF LIMIT
      Anna's laptop      940 kbit/s  12.8 Mbit/s  **********   462 MB  =...    9 %
    ! Living room TV              -   176 kbit/s  **_******_  4.61 GB  ===.   92 %
      ?[31m??????????   5.60 kbit/s            -  __________  12.1 MB
      Printer                     -            -                    -



    q quit  ? help  up/down select  enter device  / filter  s sort  r reverse
    ");
}

#[test]
fn the_page_of_a_device() {
    let mut model = model((80, 24));
    press(&mut model, "/tv⏎⏎");
    let want = model.wants().unwrap();
    model.remember(&want, past());
    insta::assert_snapshot!(screen(&model, LOOK, (80, 24)), @"
    bwmon router   br-lan 100 %                                           14:02:59
    ↓ 946 kbit/s  ▇▇▇▁▁▇▇▇▁▁▇▇▇▁▁  ↑ 12.9 Mbit/s ▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇         ▲ 1 alert

    Living room TV
    addresses  192.168.1.6                  now        ↓ 0 bit/s     ↑ 176 kbit/s
    mac        02:00:00:00:00:06            today      ↓ 4.60 GB     ↑ 12.0 MB
    named by   you                          day limit  ━━━━━━─   92 %  of 5 GB
    first seen 2026-03-01 08:00             active     ━━━━───   50 %  of 5 h
    last seen  2026-03-08 14:03             rate limit 50.0 Mbit/s

    ▲ volume since 2026-03-08 14:02
      Living room TV (192.168.1.6) has used 4.6 GB today, over its threshold of
      4.5 GB. Sent: 12 MB. Received: 4.6 GB.

    ↓ 180 MB in the last 10 minutes         ↑ 1.80 MB in the last 10 minutes
                                    ▁▂▄▅▇█
                               ▁▃▄▆▇██████
                          ▂▃▅▆████████████
                    ▁▂▄▅▇█████████████████
               ▁▃▄▆▇██████████████████████
          ▂▃▅▆████████████████████████████  ▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅
    ▁▂▄▅▇█████████████████████████████████  ██████████████████████████████████████
    2026-03-08 13:52      2026-03-08 14:02  2026-03-08 13:52      2026-03-08 14:02
    q quit  ? help  esc back  ↑↓ next  t time  p pause  u units
    ");
}

#[test]
fn the_page_of_a_device_on_a_narrow_screen() {
    let mut model = model((40, 16));
    press(&mut model, "↓⏎");
    insta::assert_snapshot!(screen(&model, LOOK, (40, 16)), @"
    bwmon router   br-lan 100 %   14:02:59
    ↓ 946 kbit/s  ↑ 12.9 Mbit/s        ▲ 1

    Anna's laptop
    now        ↓ 940 kbit/s  ↑ 12.8 Mbit/s
    today      ↓ 450 MB      ↑ 12.0 MB
    day limit  ━──────    9 %  of 5 GB
    active     2 h 31 min
    addresses  192.168.1.5
    mac        02:00:00:00:00:05
    vendor     Framework Computer Inc.
    named by   you
    group      Family
    first seen 2026-03-01 08:00
    last seen  2026-03-08 14:03
    q quit  ? help  esc back  ↑↓ next
    ");
}

#[test]
fn the_page_of_a_device_that_is_gone() {
    let mut model = model((60, 12));
    press(&mut model, "⏎");
    let mut sample = household(59);
    sample.gone = vec!["02:00:00:00:00:05".to_owned()];
    sample.devices.clear();
    model.apply(sample);
    let text = screen(&model, LOOK, (60, 12));
    assert!(
        text.contains("02:00:00:00:00:05 is not there any more"),
        "{text}"
    );
}

#[test]
fn help_covers_the_rest() {
    let mut model = model((80, 24));
    press(&mut model, "?");
    insta::assert_snapshot!(screen(&model, LOOK, (80, 24)), @"
    bwmon router   br-lan 100 %                                           14:02:59
    ↓ 9╭ Help ────────────────────────────────────────────────────────────────╮ert
       │                                                                      │
      D│  ↑↓  j k             move the cursor, which stays with its device    │MIT
      A│  PgUp PgDn Home End  the same, further; the wheel does, too          │9 %
    ▲ L│  ⏎                   the page of a device; again, or esc: back       │2 %
      �│  t                   on that page: minutes, a day, a week, a month   │
      P│  /                   only those with some text in name, address, MAC │
       │  esc                 let go of the cursor, then of the filter        │
       │  s  < >              sort by another column; or click on its title   │
       │  r                   sort the other way round                        │
       │  p  space            pause, and go on                                │
       │  u                   bits or bytes per second                        │
       │  q  Ctrl-C           quit                                            │
       │  ▲                   an alert is firing                              │
       │  △                   one may, if this goes on                        │
       │  ✓                   one is, but is taken care of, or muted          │
       │                                                                      │
       │  MINUTE: both directions, each line up to its own highest.           │
       │  LIMIT: how much of the bandwidth threshold of a day is used         │
       │  up; on a router, traffic between local devices is not.              │
       ╰──────────────────────────────────────────────────────────────────────╯

    q quit  ? help  ↑↓ select  ⏎ device  / filter  s sort  r reverse  p pause
    ");
    let small = screen(&model, LOOK, (60, 10));
    assert!(small.contains("more: in a larger window"), "{small}");
}

#[test]
fn the_filter_is_seen_as_it_is_written() {
    let mut model = model((80, 12));
    press(&mut model, "/fam");
    insta::assert_snapshot!(screen(&model, LOOK, (80, 12)), @"
    bwmon router   br-lan 100 %                                           14:02:59
    ↓ 946 kbit/s  ▇▇▇▁▁▇▇▇▁▁▇▇▇▁▁  ↑ 12.9 Mbit/s ▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇         ▲ 1 alert

      DEVICE               RECEIVED         SENT  MINUTE▾       TODAY     OF LIMIT
      Anna's laptop      940 kbit/s  12.8 Mbit/s  ▇▇▇▇▇▇▇▇▇▇   462 MB  ━───    9 %






    /fam▏                                                        ⏎ keep  esc clear
    ");
    press(&mut model, "ine");
    let text = screen(&model, LOOK, (80, 12));
    assert!(text.contains("no device has that in its name"), "{text}");
}

#[test]
fn what_is_wrong_is_said_and_since_when() {
    let mut model = model((80, 12));
    model.lose("bwmon has ended".to_owned());
    let line = |model: &Model, index| {
        let text = screen(model, LOOK, (80, 12));
        text.lines().nth(index).unwrap_or_default().to_owned()
    };
    assert_eq!(
        line(&model, 2),
        " no news since 14:02:59: bwmon has ended; trying again"
    );
    let mut sample = household(60 - 1);
    sample.at = Some("2026-03-08T14:03:00+01:00".to_owned());
    sample.interfaces[0].coverage = 0.7;
    sample.interfaces[0].hint = Some("switch hardware offload off".to_owned());
    sample.status.warnings = vec!["the disk is full".to_owned()];
    model.apply(sample);
    assert_eq!(
        line(&model, 2),
        " br-lan: switch hardware offload off  (+1: bwmon status)"
    );
    assert!(line(&model, 0).contains("br-lan ▲ 70.00 %"));
    press(&mut model, "p");
    assert!(line(&model, 0).ends_with("PAUSED 14:03:00"));
}

#[test]
fn before_the_first_sample_it_says_what_it_waits_for() {
    let mut model = Model::new((60, 8), Default::default());
    let text = screen(&model, LOOK, (60, 8));
    assert!(text.contains("waiting for the first sample"), "{text}");
    model.lose("it is not there".to_owned());
    let text = screen(&model, LOOK, (60, 12));
    assert!(
        text.contains("waiting for bwmon: it is not there"),
        "{text}"
    );
}

#[test]
fn alerts_of_each_kind_have_a_sign_of_their_own() {
    for (look, signs) in [(LOOK, ["▲", "△", "✓"]), (PLAIN, ["!", "?", "+"])] {
        let mut model = model((80, 24));
        let mut sign = |state, is_known: bool| {
            let mut alert = tv_alert("a1", state);
            alert.acknowledged_at = is_known.then(|| alert.started_at.clone());
            model.alert(alert.into());
            let text = screen(&model, look, (80, 24));
            let line = text.lines().find(|line| line.contains("Living room"));
            line.unwrap().chars().nth(1).unwrap().to_string()
        };
        assert_eq!(sign(AlertState::Firing, false), signs[0]);
        assert_eq!(sign(AlertState::Pending, false), signs[1]);
        assert_eq!(sign(AlertState::Firing, true), signs[2]);
        assert_eq!(sign(AlertState::Resolved, false), " ");
    }
}

#[test]
fn colours_are_of_the_terminal_and_its_ground_stays() {
    let mut model = model((120, 40));
    press(&mut model, "G");
    let (coloured, plain) = (
        drawn(&model, LOOK, (120, 40)),
        drawn(
            &model,
            Look {
                colours: false,
                ..LOOK
            },
            (120, 40),
        ),
    );
    assert_eq!(
        text(&coloured),
        text(&plain),
        "colours add nothing but colour"
    );
    let mut colours: Vec<String> = Vec::new();
    for cell in &coloured.content {
        assert_eq!(cell.bg, Color::Reset);
        if !colours.contains(&cell.fg.to_string()) {
            colours.push(cell.fg.to_string());
        }
    }
    colours.sort_unstable();
    assert_eq!(
        colours,
        ["Cyan", "Green", "Magenta", "Red", "Reset", "Yellow"]
    );
    for cell in &plain.content {
        assert_eq!((cell.fg, cell.bg), (Color::Reset, Color::Reset));
    }
    let is_cursor = |cell: &&ratatui::buffer::Cell| cell.modifier.contains(Modifier::REVERSED);
    assert_eq!(
        plain.content.iter().filter(is_cursor).count(),
        120,
        "one line"
    );
}

#[test]
fn only_what_is_on_the_screen_is_drawn() {
    use crate::tui::fixture::device;
    let mut model = model((80, 24));
    let mut sample = household(0);
    sample.devices = (0..1000)
        .map(|number| {
            let id = format!("{number:04}");
            device(&id, &id, (number, 1)).into()
        })
        .collect();
    model.apply(sample);
    let text = screen(&model, LOOK, (80, 24));
    assert_eq!(model.visible().count(), 19);
    assert!(text.contains("0999") && !text.contains("0980"), "{text}");
    assert!(text.contains("1-19 of 1000"), "{text}");
    press(&mut model, "G");
    let text = screen(&model, LOOK, (80, 24));
    assert!(text.contains("982-1000 of 1000"), "{text}");
}
