//! What keys do, and what signs mean.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    symbols::border,
    text::{Line, Span},
    widgets::{Block, BorderType, Clear, Widget},
};

use super::look::{Look, Tone};
use crate::cli::Glyphs;

const WIDTH: u16 = 72;

const ASCII_FRAME: border::Set<'static> = border::Set {
    top_left: "+",
    top_right: "+",
    bottom_left: "+",
    bottom_right: "+",
    vertical_left: "|",
    vertical_right: "|",
    horizontal_top: "-",
    horizontal_bottom: "-",
};

/// Draws it over everything else.
pub(super) fn draw(look: Look, area: Rect, buffer: &mut Buffer) {
    let signs = look.signs();
    let both = [signs.up_down, "j k"].join("  ");
    let marks = [
        (signs.firing, "an alert is firing"),
        (signs.pending, "one may, if this goes on"),
        (signs.known, "one is, but is taken care of, or muted"),
    ];
    let keys = [
        (
            both.as_str(),
            "move the cursor, which stays with its device",
        ),
        (
            "PgUp PgDn Home End",
            "the same, further; the wheel does, too",
        ),
        (signs.enter, "the page of a device; again, or esc: back"),
        ("t", "on that page: minutes, a day, a week, a month"),
        ("/", "only those with some text in name, address, MAC"),
        ("esc", "let go of the cursor, then of the filter"),
        ("s  < >", "sort by another column; or click on its title"),
        ("r", "sort the other way round"),
        ("p  space", "pause, and go on"),
        ("u", "bits or bytes per second"),
        ("q  Ctrl-C", "quit"),
    ];
    let mut lines = vec![Line::default()];
    for (key, does) in keys.into_iter().chain(marks) {
        lines.push(Line::from(vec![
            Span::styled(format!("  {key:<20}"), look.style(Tone::Strong)),
            Span::raw(does),
        ]));
    }
    lines.push(Line::default());
    for text in [
        "  MINUTE: both directions, each line up to its own highest.",
        "  LIMIT: how much of the bandwidth threshold of a day is used",
        "  up; on a router, traffic between local devices is not.",
    ] {
        lines.push(Line::styled(text, look.style(Tone::Quiet)));
    }
    let height = (lines.len() as u16 + 2).min(area.height);
    let width = WIDTH.min(area.width);
    let place = Rect {
        x: area.x + (area.width - width) / 2,
        y: area.y + (area.height - height) / 2,
        width,
        height,
    };
    Clear.render(place, buffer);
    let mut frame = Block::bordered()
        .title(" Help ")
        .border_style(look.style(Tone::Quiet));
    frame = match look.glyphs {
        Glyphs::Blocks => frame.border_type(BorderType::Rounded),
        Glyphs::Ascii => frame.border_set(ASCII_FRAME),
    };
    let inner = frame.inner(place);
    frame.render(place, buffer);
    if lines.len() > usize::from(inner.height) {
        // The first is but air.
        lines.remove(0);
    }
    if lines.len() > usize::from(inner.height) && inner.height > 0 {
        lines.truncate(usize::from(inner.height) - 1);
        lines.push(Line::styled(
            "  more: in a larger window",
            look.style(Tone::Quiet),
        ));
    }
    for (line, y) in lines.iter().zip(inner.y..inner.bottom()) {
        buffer.set_line(inner.x, y, line, inner.width);
    }
}
