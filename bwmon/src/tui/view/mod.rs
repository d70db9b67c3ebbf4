//! Draws the model. It decides nothing and remembers nothing: the same model is the same screen.

mod chart;
mod device;
mod header;
mod help;
mod look;
mod table;
#[cfg(test)]
mod tests;

use ratatui::{buffer::Buffer, layout::Rect, text::Line};

pub(crate) use self::look::Look;
use self::look::Tone;
use super::{
    layout::{self, MARGIN},
    model::Model,
};

/// Draws everything.
pub(super) fn draw(model: &Model, look: Look, area: Rect, buffer: &mut Buffer) {
    let lines = layout::lines(area.height);
    let is_device = model.device_page().is_some();
    let line = |y: u16| Rect {
        y: area.y + y,
        height: 1,
        ..area
    };
    if let Some(y) = lines.title {
        header::title(model, look, line(y), buffer);
    }
    if let Some(y) = lines.totals {
        match lines.charts.filter(|_| !is_device) {
            Some(_) => header::numbers(model, look, line(y), buffer),
            None => header::totals(model, look, line(y), buffer),
        }
    }
    if let Some(y) = lines.notice {
        header::notice(model, look, line(y), buffer);
    }
    if let Some(y) = lines.footer {
        header::footer(model, look, line(y), buffer);
    }
    let block = |block: layout::Block| Rect {
        y: area.y + block.y,
        height: block.height,
        ..area
    };
    if is_device {
        // It has charts of its own.
        let top = lines.notice.or(lines.totals).or(lines.title);
        let y = top.map_or(0, |y| y + 1);
        let bottom = lines.footer.unwrap_or(area.height);
        let page = layout::Block {
            y,
            height: bottom.saturating_sub(y),
        };
        device::draw(model, look, block(page), buffer);
    } else {
        if let Some(charts) = lines.charts {
            header::charts(model, look, block(charts), buffer);
        }
        if let Some(y) = lines.heading {
            table::heading(model, look, line(y), buffer);
        }
        let body = block(lines.body);
        if model.found() == 0 {
            nobody(model, look, body, buffer);
        } else {
            table::rows(model, look, body, buffer);
        }
    }
    if model.is_helping() {
        help::draw(look, area, buffer);
    }
}

/// Why there is no device.
fn nobody(model: &Model, look: Look, area: Rect, buffer: &mut Buffer) {
    let data = model.data();
    let text = match (data.at.is_some(), data.devices.is_empty()) {
        (false, _) => "waiting for the first sample",
        (true, true) => "no device has been seen yet",
        (true, false) => "no device has that in its name, address, MAC, vendor or group",
    };
    let line = Line::styled(
        look.fit(text, area.width.saturating_sub(2 * MARGIN + 2)),
        look.style(Tone::Quiet),
    );
    let y = area.y + u16::from(area.height > 2);
    if area.height > 0 && area.width > MARGIN + 2 {
        buffer.set_line(area.x + MARGIN + 2, y, &line, area.width);
    }
}
