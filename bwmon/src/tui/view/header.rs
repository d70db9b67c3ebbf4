//! Above and below: who is watched, how well, how much moves in all, what is wrong, what keys do.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

use super::{
    chart::{Chart, sparkline},
    look::{Look, Tone},
};
use crate::{
    core::view::InterfaceView,
    tui::{
        layout::MARGIN,
        minute,
        model::{Model, Total},
        units::share,
    },
};

/// What of an interface's packets may be missing before it is worth a word.
const COVERED: f64 = 0.999;
/// Interfaces that are named; the others are counted.
const MOST_INTERFACES: usize = 4;
/// Columns of a small chart.
const SPARK: usize = 15;

/// Host, interfaces, time.
pub(super) fn title(model: &Model, look: Look, area: Rect, buffer: &mut Buffer) {
    let data = model.data();
    let mut left = vec![vec![Span::styled("bwmon", look.style(Tone::Strong))]];
    if !model.host().is_empty() {
        let host = format!(" {}", look.fit(model.host(), 24));
        left.push(vec![Span::raw(host)]);
    }
    for interface in data.interfaces.iter().take(MOST_INTERFACES) {
        left.push(covered(interface, look));
    }
    let more = data.interfaces.len().saturating_sub(MOST_INTERFACES);
    if more > 0 {
        let worse = data.interfaces.iter().skip(MOST_INTERFACES);
        let tone = match worse.filter(|interface| !is_covered(interface)).count() {
            0 => Tone::Quiet,
            _ => Tone::Warning,
        };
        left.push(vec![Span::styled(format!("   +{more}"), look.style(tone))]);
    }
    let mut right = Vec::new();
    if model.is_paused() {
        right.push(Span::styled("PAUSED ", look.style(Tone::Warning)));
    }
    let time = data.at.as_deref().and_then(clock).unwrap_or_default();
    let tone = match model.lost() {
        Some(_) => Tone::Warning,
        None => Tone::Plain,
    };
    right.push(Span::styled(time, look.style(tone)));
    // Whether this is now comes before where it is.
    let room = usize::from(area.width.saturating_sub(2 * MARGIN + 2));
    let is_too_long = |left: &[Vec<Span<'_>>]| {
        let used: usize = left.iter().map(|part| width(part)).sum();
        used + width(&right) > room
    };
    while left.len() > 1 && is_too_long(&left) {
        left.pop();
    }
    let left = left.into_iter().flatten().collect();
    both(left, right, area, buffer);
}

/// What all devices do together, in short.
pub(super) fn totals(model: &Model, look: Look, area: Rect, buffer: &mut Buffer) {
    let data = model.data();
    let (signs, units) = (look.signs(), model.units());
    let mut left = Vec::new();
    let is_wide = area.width >= 70;
    for (sign, total, tone) in [
        (signs.received, &data.received, Tone::Received),
        (signs.sent, &data.sent, Tone::Sent),
    ] {
        let rate = units.rate(total.rate as f64);
        left.push(Span::styled(format!("{sign} "), look.style(tone)));
        left.push(Span::styled(
            format!("{rate:<11} "),
            look.style(Tone::Strong),
        ));
        if is_wide {
            let bars = total.minute.columns(data.second, SPARK);
            left.push(Span::styled(sparkline(bars, look), look.style(tone)));
            left.push(Span::raw("  "));
        }
    }
    let alerts = alerts(model, look);
    let mut all = vec![counts(model)];
    all.extend(alerts.clone());
    // Alerts are told before everything else.
    let few = match data.firing() {
        0 => Vec::new(),
        firing => vec![Span::styled(
            format!("{} {firing}", signs.firing),
            look.style(Tone::Alarm),
        )],
    };
    let room = usize::from(area.width.saturating_sub(2 * MARGIN + 2));
    let fits = |right: &Vec<Span<'_>>| width(&left) + width(right) <= room;
    let right = [all, alerts].into_iter().find(fits).unwrap_or(few);
    both(left, right, area, buffer);
}

/// The same without what the charts say.
pub(super) fn numbers(model: &Model, look: Look, area: Rect, buffer: &mut Buffer) {
    let mut left = vec![counts(model)];
    left.extend(alerts(model, look));
    both(left, Vec::new(), area, buffer);
}

/// The last minute of all devices together, side by side.
pub(super) fn charts(model: &Model, look: Look, area: Rect, buffer: &mut Buffer) {
    let data = model.data();
    let (signs, units) = (look.signs(), model.units());
    let directions = [
        (signs.received, "received", &data.received, Tone::Received),
        (signs.sent, "sent", &data.sent, Tone::Sent),
    ];
    for ((sign, what, total, tone), half) in directions.into_iter().zip(halves(area)) {
        let rate = units.rate(total.rate as f64);
        let chart = Chart {
            title: Line::from(vec![
                Span::styled(format!("{sign} {what} "), look.style(tone)),
                Span::styled(rate, look.style(Tone::Strong)),
            ]),
            tone,
            rates: stretched(total, data.second, usize::from(half.width)),
            ends: None,
        };
        chart.draw(half, look, units, buffer);
    }
}

/// Two places side by side.
pub(super) fn halves(area: Rect) -> [Rect; 2] {
    let width = area.width.saturating_sub(2 * MARGIN + 2) / 2;
    [0, 1].map(|half| Rect {
        x: area.x + MARGIN + half * (width + 2),
        width,
        ..area
    })
}

/// What is wrong, the worst first.
pub(super) fn notice(model: &Model, look: Look, area: Rect, buffer: &mut Buffer) {
    let data = model.data();
    let mut notices = Vec::new();
    if let Some(reason) = model.lost() {
        let since = match data.at.as_deref().and_then(clock) {
            Some(at) => format!("no news since {at}: {reason}; trying again"),
            None => format!("waiting for bwmon: {reason}"),
        };
        notices.push((since, Tone::Alarm));
    }
    let troubled = data.interfaces.iter().filter(|one| !is_covered(one));
    for interface in troubled {
        let hint = interface.hint.as_deref().or(interface.note.as_deref());
        if let Some(hint) = hint {
            notices.push((format!("{}: {hint}", interface.name), Tone::Warning));
        }
    }
    let warnings = data.status.warnings.iter();
    notices.extend(warnings.map(|warning| (warning.clone(), Tone::Warning)));
    let Some((text, tone)) = notices.first() else {
        return;
    };
    let more = match notices.len() - 1 {
        0 => String::new(),
        more => format!("  (+{more}: bwmon status)"),
    };
    let room = area.width.saturating_sub(2 * MARGIN + more.len() as u16);
    let line = Line::from(vec![
        Span::styled(look.fit(text, room), look.style(*tone)),
        Span::styled(more, look.style(Tone::Quiet)),
    ]);
    buffer.set_line(
        area.x + MARGIN,
        area.y,
        &line,
        area.width.saturating_sub(MARGIN),
    );
}

/// What keys do, as many as there is room for; or the filter as it is written.
pub(super) fn footer(model: &Model, look: Look, area: Rect, buffer: &mut Buffer) {
    let signs = look.signs();
    let (filter, is_written) = model.filter();
    if is_written {
        let room = area.width.saturating_sub(30);
        let left = vec![
            Span::styled("/", look.style(Tone::Strong)),
            Span::raw(look.fit(filter, room)),
            Span::raw(signs.cursor),
        ];
        let right = keys(&[(signs.enter, "keep"), ("esc", "clear")], look);
        both(left, right, area, buffer);
        return;
    }
    let is_device = model.device_page().is_some();
    let pause = match model.is_paused() {
        true => "go on",
        false => "pause",
    };
    let all: &[(&str, &str)] = if is_device {
        &[
            ("q", "quit"),
            ("?", "help"),
            ("esc", "back"),
            (signs.up_down, "next"),
            ("t", "time"),
            ("p", pause),
            ("u", "units"),
        ]
    } else {
        &[
            ("q", "quit"),
            ("?", "help"),
            (signs.up_down, "select"),
            (signs.enter, "device"),
            ("/", "filter"),
            ("s", "sort"),
            ("r", "reverse"),
            ("p", pause),
            ("u", "units"),
        ]
    };
    let (above, below) = model.beyond();
    let right = match (is_device, above, below) {
        (true, _, _) | (false, 0, 0) => Vec::new(),
        (false, above, below) => {
            let last = above + model.found() - above - below;
            let text = format!("{}-{last} of {}", above + 1, model.found());
            vec![Span::styled(text, look.style(Tone::Quiet))]
        }
    };
    let used = right.iter().map(Span::width).sum::<usize>() + 4;
    let room = usize::from(area.width).saturating_sub(used);
    let fit = (1..=all.len())
        .rev()
        .find(|count| width(&keys(&all[..*count], look)) <= room);
    both(keys(&all[..fit.unwrap_or(0)], look), right, area, buffer);
}

/// The time of day of a time with offset, as its clock shows it.
pub(super) fn clock(at: &str) -> Option<String> {
    let time = at.get(11..19)?;
    let is_time = time.chars().all(|c| c.is_ascii_digit() || c == ':');
    is_time.then(|| time.to_owned())
}

/// How many devices there are.
fn counts(model: &Model) -> Span<'static> {
    let data = model.data();
    let all = plural(data.devices.len(), "device");
    Span::raw(match model.filter() {
        ("", _) => format!("{} of {all} active", data.active()),
        (_, _) => format!("{} of {all} shown", model.found()),
    })
}

/// How many alerts are firing, if any.
fn alerts(model: &Model, look: Look) -> Vec<Span<'static>> {
    match model.data().firing() {
        0 => Vec::new(),
        firing => {
            let sign = look.signs().firing;
            let text = format!("  {sign} {}", plural(firing, "alert"));
            vec![Span::styled(text, look.style(Tone::Alarm))]
        }
    }
}

fn plural(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    }
}

fn covered(interface: &InterfaceView, look: Look) -> Vec<Span<'static>> {
    let name = look.fit(&interface.name, 16);
    if !interface.attached {
        let text = format!("   {name} not attached");
        return vec![Span::styled(text, look.style(Tone::Warning))];
    }
    let (text, tone) = match is_covered(interface) {
        true => (share(interface.coverage), Tone::Quiet),
        false => (
            format!("{} {}", look.signs().firing, share(interface.coverage)),
            Tone::Warning,
        ),
    };
    vec![
        Span::raw(format!("   {name} ")),
        Span::styled(text, look.style(tone)),
    ]
}

fn is_covered(interface: &InterfaceView) -> bool {
    interface.attached && interface.coverage >= COVERED
}

/// The last minute in so many columns, though it has only sixty seconds.
fn stretched(total: &Total, until: i64, width: usize) -> Vec<Option<f32>> {
    let seconds: Vec<_> = total.minute.columns(until, width).collect();
    if width <= minute::SECONDS {
        return seconds;
    }
    (0..width)
        .map(|column| seconds[column * minute::SECONDS / width])
        .collect()
}

fn keys<'a>(keys: &[(&'a str, &'a str)], look: Look) -> Vec<Span<'a>> {
    let mut spans = Vec::new();
    for (index, (key, does)) in keys.iter().enumerate() {
        if index > 0 {
            spans.push(Span::raw("  "));
        }
        spans.push(Span::styled(*key, look.style(Tone::Strong)));
        spans.push(Span::styled(format!(" {does}"), look.style(Tone::Quiet)));
    }
    spans
}

/// A text at each side of a line. The right one gives way when there is no room for both.
fn both(left: Vec<Span<'_>>, right: Vec<Span<'_>>, area: Rect, buffer: &mut Buffer) {
    let room = area.width.saturating_sub(2 * MARGIN);
    let used = width(&left);
    buffer.set_line(area.x + MARGIN, area.y, &Line::from(left), room);
    let right = Line::from(right);
    let wanted = right.width();
    if wanted > 0 && used + wanted + 2 <= usize::from(room) {
        let x = area.x + MARGIN + room - wanted as u16;
        buffer.set_line(x, area.y, &right, wanted as u16);
    }
}

fn width(spans: &[Span<'_>]) -> usize {
    spans.iter().map(Span::width).sum()
}
