//! The table of devices.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Modifier, Style},
    text::{Line, Span},
};

use super::{
    chart::sparkline,
    look::{Look, Tone},
};
use crate::tui::{
    layout::{Column, PERCENT_WIDTH, Slot, columns},
    model::{Data, Device, Mark, Model},
    units::{Units, percent, size},
};

/// What each column is called.
pub(super) fn heading(model: &Model, look: Look, area: Rect, buffer: &mut Buffer) {
    let sort = model.sort();
    for slot in columns(area.width) {
        let signs = look.signs();
        let title = match slot.column {
            Column::Mark => "",
            Column::Name => "DEVICE",
            Column::Address => "ADDRESS",
            Column::Vendor => "VENDOR",
            Column::Received => "RECEIVED",
            Column::Sent => "SENT",
            Column::Minute if slot.width > 12 => "LAST MINUTE",
            Column::Minute => "MINUTE",
            Column::Today => "TODAY",
            Column::Limit if slot.width > PERCENT_WIDTH => "OF LIMIT",
            Column::Limit => "LIMIT",
        };
        let is_sorted = sort.column == slot.column;
        let sign = match (is_sorted, sort.is_ascending()) {
            (false, _) => "",
            (true, true) => signs.ascending,
            (true, false) => signs.descending,
        };
        // The sign is at the side where the title may grow.
        let text = match is_right(slot.column) {
            true => format!("{sign}{title}"),
            false => format!("{title}{sign}"),
        };
        let style = match is_sorted {
            true => look.style(Tone::Strong),
            false => look.style(Tone::Quiet),
        };
        put(buffer, area.y, slot, Line::styled(text, style));
    }
}

/// The devices on the screen.
pub(super) fn rows(model: &Model, look: Look, area: Rect, buffer: &mut Buffer) {
    let columns = columns(area.width);
    for ((device, is_selected), y) in model.visible().zip(area.y..area.bottom()) {
        for slot in &columns {
            let line = cell(*slot, device, model.data(), model.units(), look);
            put(buffer, y, *slot, line);
        }
        if is_selected {
            // One piece, whatever the colours of its parts.
            let line = Rect {
                y,
                height: 1,
                ..area
            };
            let reversed = Style::reset().add_modifier(Modifier::REVERSED);
            buffer.set_style(line, reversed);
        }
    }
}

fn cell<'a>(slot: Slot, device: &'a Device, data: &Data, units: Units, look: Look) -> Line<'a> {
    let view = &device.view;
    let text = |text: &str, tone| Line::styled(look.fit(text, slot.width), look.style(tone));
    match slot.column {
        Column::Mark => Line::from(mark(device.mark, look)),
        Column::Name => {
            let tone = match (device.mark.firing, device.rate()) {
                (1.., _) => Tone::Strong,
                (0, 0) => Tone::Quiet,
                (0, _) => Tone::Plain,
            };
            text(&view.name, tone)
        }
        Column::Address => match view.addresses.first() {
            Some(address) => text(&address.to_string(), Tone::Quiet),
            None => Line::default(),
        },
        Column::Vendor => match &view.vendor {
            Some(vendor) => text(vendor, Tone::Quiet),
            None if view.private_mac => text("private MAC", Tone::Quiet),
            None => Line::default(),
        },
        Column::Received => rate(view.received_rate, units, look),
        Column::Sent => rate(view.sent_rate, units, look),
        Column::Minute => {
            let bars = device.minute.columns(data.second, usize::from(slot.width));
            Line::styled(sparkline(bars, look), look.style(Tone::Received))
        }
        Column::Today => match device.today() {
            0 => nothing(look),
            today => Line::raw(size(today)),
        },
        Column::Limit => match view.thresholds.bandwidth_threshold {
            None => Line::default(),
            Some(limit) => bar(data.counted_today(view), limit, slot.width, look),
        },
    }
}

/// How much of `whole` is used up.
pub(super) fn bar(part: u64, whole: u64, width: u16, look: Look) -> Line<'static> {
    let share = part as f64 / whole.max(1) as f64;
    let tone = match share {
        1.0.. => Tone::Alarm,
        0.8.. => Tone::Warning,
        _ => Tone::Good,
    };
    let text = percent(part, whole);
    let Some(room) = width
        .checked_sub(PERCENT_WIDTH + 1)
        .filter(|room| *room > 0)
    else {
        let style = match tone {
            Tone::Good => Style::new(),
            tone => look.style(tone),
        };
        return Line::styled(text, style);
    };
    let filled = (share.min(1.0) * f64::from(room)).round() as usize;
    // Anything at all is seen, and only what is full looks full.
    let most = usize::from(room) - usize::from(share < 1.0);
    let filled = filled.clamp(usize::from(part > 0), most.max(usize::from(part > 0)));
    let signs = look.signs();
    let percent_width = usize::from(PERCENT_WIDTH) + 1;
    Line::from(vec![
        Span::styled(signs.full.repeat(filled), look.style(tone)),
        Span::styled(
            signs.empty.repeat(usize::from(room) - filled),
            look.style(Tone::Quiet),
        ),
        Span::raw(format!("{text:>percent_width$}")),
    ])
}

/// Open alerts: the worst of them, and how many there are of its kind.
fn mark(mark: Mark, look: Look) -> Span<'static> {
    let signs = look.signs();
    let Mark {
        firing,
        known,
        pending,
    } = mark;
    match (firing, pending, known) {
        (1.., _, _) => Span::styled(signs.firing, look.style(Tone::Alarm)),
        (0, 1.., _) => Span::styled(signs.pending, look.style(Tone::Warning)),
        (0, 0, 1..) => Span::styled(signs.known, look.style(Tone::Good)),
        (0, 0, 0) => Span::raw(""),
    }
}

fn rate(rate: u64, units: Units, look: Look) -> Line<'static> {
    match rate {
        0 => nothing(look),
        rate => Line::raw(units.rate(rate as f64)),
    }
}

fn nothing(look: Look) -> Line<'static> {
    Line::styled(look.signs().nothing, look.style(Tone::Quiet))
}

fn is_right(column: Column) -> bool {
    match column {
        Column::Received | Column::Sent | Column::Today | Column::Limit => true,
        Column::Mark | Column::Name | Column::Address | Column::Vendor | Column::Minute => false,
    }
}

/// Puts a text to its side of a column.
fn put(buffer: &mut Buffer, y: u16, slot: Slot, line: Line<'_>) {
    let width = (line.width() as u16).min(slot.width);
    let x = match is_right(slot.column) {
        true => slot.x + slot.width - width,
        false => slot.x,
    };
    buffer.set_line(x, y, &line, width);
}
