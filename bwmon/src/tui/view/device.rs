//! The page of one device: who it is, what it may, what it does, what is wrong with it.

use std::{sync::Arc, time::Duration};

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

use super::{
    chart::{self, Chart},
    header::{clock, halves},
    look::{Look, Tone},
    table::bar,
};
use crate::{
    core::{
        event::Direction,
        human,
        names::NameSource,
        policy::Scope,
        view::{AlertState, AlertView, CycleView, DeviceView},
    },
    past::Amounts,
    tui::{
        layout::MARGIN,
        model::{Data, Device, Model, Past, Step},
        units::{Units, size},
    },
};

/// Columns of what a fact is called.
const LABEL: u16 = 11;
/// Below that, facts are below each other.
const TWO_COLUMNS: u16 = 76;
/// Lines that charts take at most.
const MOST_CHART: u16 = 12;
const LEAST_CHART: u16 = 4;
/// Lines that one alert takes, with a free one above.
const LEAST_ALERT: u16 = 5;

/// Draws it.
pub(super) fn draw(model: &Model, look: Look, area: Rect, buffer: &mut Buffer) {
    let Some(page) = model.device_page() else {
        return;
    };
    let mut area = Rect {
        x: area.x + MARGIN,
        width: area.width.saturating_sub(2 * MARGIN),
        ..area
    };
    let Some(device) = page.device else {
        let text = look.fit(&format!("{} is not there any more", page.id), area.width);
        put(&mut area, Line::raw(text), buffer);
        return;
    };
    let data = model.data();
    let name = look.fit(&device.view.name, area.width);
    put(
        &mut area,
        Line::styled(name, look.style(Tone::Strong)),
        buffer,
    );

    let facts = Facts {
        device,
        data,
        look,
        units: model.units(),
    };
    let is_wide = area.width >= TWO_COLUMNS;
    if is_wide {
        let width = (area.width - 2) / 2;
        let (left, right) = (facts.identity(width), facts.usage(width));
        let height = left.len().max(right.len());
        for index in 0..height {
            let half = Rect {
                x: area.x + width + 2,
                width,
                ..area
            };
            if let Some(line) = right.get(index) {
                put(&mut half.clone(), line.clone(), buffer);
            }
            let line = left.get(index).cloned().unwrap_or_default();
            put(&mut area, line, buffer);
        }
    } else {
        for line in facts.usage(area.width) {
            put(&mut area, line, buffer);
        }
    }

    // What is wrong comes before the charts, which are content with what is left.
    let alerts = data.alerts.iter();
    let alerts: Vec<_> = alerts
        .filter(|alert| alert.device.id == device.view.id)
        .collect();
    let mut block = Rect {
        height: (area.height / 2).max(LEAST_ALERT).min(area.height),
        ..area
    };
    let top = block.y;
    list(&alerts, look, &mut block, buffer);
    area.height -= block.y - top;
    area.y = block.y;

    if !is_wide {
        for line in facts.identity(area.width) {
            put(&mut area, line, buffer);
        }
    }
    if area.height > LEAST_CHART {
        let charts = Rect {
            x: area.x - MARGIN,
            y: area.y + 1,
            width: area.width + 2 * MARGIN,
            height: (area.height - 1).min(MOST_CHART),
        };
        past(model, look, charts, buffer);
    }
}

/// The charts.
fn past(model: &Model, look: Look, area: Rect, buffer: &mut Buffer) {
    let Some(page) = model.device_page() else {
        return;
    };
    let (signs, span) = (look.signs(), page.span.as_str());
    type Bytes = fn(&Step) -> u64;
    let directions: [(_, _, Bytes); 2] = [
        (signs.received, Tone::Received, |step| step.received),
        (signs.sent, Tone::Sent, |step| step.sent),
    ];
    let chart = match page.past {
        Some(Past::Known(chart)) => Ok(chart),
        Some(Past::Failed(reason)) => {
            let text = format!("{span}: {reason}");
            let text = look.fit(&text, area.width.saturating_sub(2 * MARGIN));
            Err(Line::styled(text, look.style(Tone::Warning)))
        }
        None => Err(Line::styled(span, look.style(Tone::Quiet))),
    };
    let chart = match chart {
        Ok(chart) => chart,
        Err(line) => {
            let mut area = Rect {
                x: area.x + MARGIN,
                ..area
            };
            put(&mut area, line, buffer);
            return;
        }
    };
    for ((sign, tone, bytes), half) in directions.into_iter().zip(halves(area)) {
        let all = chart.steps.iter().map(bytes).fold(0, u64::saturating_add);
        let drawn = Chart {
            title: Line::from(vec![
                Span::styled(format!("{sign} "), look.style(tone)),
                Span::styled(size(all), look.style(Tone::Strong)),
                Span::styled(format!(" in the {span}"), look.style(Tone::Quiet)),
            ]),
            tone,
            rates: chart::columns(&chart.steps, bytes, half.width),
            ends: Some((moment(&chart.from), moment(&chart.to))),
        };
        drawn.draw(half, look, model.units(), buffer);
    }
}

/// Open alerts, as many as there is room for.
fn list(alerts: &[&Arc<AlertView>], look: Look, area: &mut Rect, buffer: &mut Buffer) {
    if alerts.is_empty() || area.height < 2 {
        return;
    }
    put(area, Line::default(), buffer);
    for (index, alert) in alerts.iter().enumerate() {
        let lines = told(alert, look, area.width);
        let is_last = index + 1 == alerts.len();
        // A line is to say that there are more.
        let room = usize::from(area.height) - usize::from(!is_last);
        if lines.len() > room {
            let text = format!("and {} more: bwmon alerts", alerts.len() - index);
            put(area, Line::styled(text, look.style(Tone::Quiet)), buffer);
            return;
        }
        for line in lines {
            put(area, line, buffer);
        }
        if area.height == 0 {
            return;
        }
    }
}

/// What there is to say of an alert.
fn told(alert: &AlertView, look: Look, width: u16) -> Vec<Line<'static>> {
    let signs = look.signs();
    let is_known = alert.acknowledged_at.is_some() || alert.muted;
    let (sign, tone) = match (alert.state, is_known) {
        (AlertState::Firing, false) => (signs.firing, Tone::Alarm),
        (AlertState::Firing, true) => (signs.known, Tone::Good),
        (AlertState::Pending | AlertState::Resolved, _) => (signs.pending, Tone::Warning),
    };
    let known = match (&alert.acknowledged_by, alert.acknowledged_at.is_some()) {
        (Some(who), true) => format!(" ({} takes care)", look.fit(who, 20)),
        (None, true) => " (acknowledged)".to_owned(),
        (_, false) if alert.muted => " (muted)".to_owned(),
        (_, false) => String::new(),
    };
    let text = format!("{}{known}", alert.description);
    let texts = look.wrap(&text, width.saturating_sub(2));
    let first = Line::from(vec![
        Span::styled(format!("{sign} "), look.style(tone)),
        Span::styled(
            format!(
                "{} since {}",
                alert.rule.as_str(),
                moment(&alert.started_at)
            ),
            look.style(Tone::Strong),
        ),
    ]);
    let rest = texts.into_iter().map(|text| Line::raw(format!("  {text}")));
    std::iter::once(first).chain(rest).collect()
}

/// What is known of a device, as lines.
struct Facts<'a> {
    device: &'a Device,
    data: &'a Data,
    look: Look,
    units: Units,
}

impl Facts<'_> {
    /// Who it is.
    fn identity(&self, width: u16) -> Vec<Line<'static>> {
        let view = &*self.device.view;
        let fact = |label, value: &str| self.fact(label, value, width);
        let mut lines = vec![fact("addresses", &self.addresses(width))];
        let mac = match view.mac {
            None => "not known".to_owned(),
            Some(mac) if view.private_mac => format!("{mac}, private"),
            Some(mac) => mac.to_string(),
        };
        lines.push(fact("mac", &mac));
        if let Some(vendor) = &view.vendor {
            lines.push(fact("vendor", vendor));
        }
        let source = match view.name_source {
            NameSource::Registered => "you".to_owned(),
            source => source.as_str().to_owned(),
        };
        lines.push(fact("named by", &source));
        if let Some(group) = &view.group {
            lines.push(fact("group", group));
        }
        let seen = |at: &Option<String>| at.as_deref().map_or("never".to_owned(), moment);
        lines.push(fact("first seen", &seen(&view.first_seen)));
        lines.push(fact("last seen", &seen(&view.last_seen)));
        lines
    }

    /// As many as fit, and how many there are besides.
    fn addresses(&self, width: u16) -> String {
        let addresses = &self.device.view.addresses;
        let room = usize::from(width.saturating_sub(LABEL));
        let mut text = String::new();
        for (index, address) in addresses.iter().enumerate() {
            let address = address.to_string();
            let left = addresses.len() - index;
            // So that it can be said that there are more.
            let more = if left > 1 { 8 } else { 0 };
            if index > 0 && text.len() + 2 + address.len() + more > room {
                text.push_str(&format!(" +{left}"));
                return text;
            }
            if index > 0 {
                text.push_str(", ");
            }
            text.push_str(&address);
        }
        match text.is_empty() {
            true => "none yet".to_owned(),
            false => text,
        }
    }

    /// What it does, and what it may.
    fn usage(&self, width: u16) -> Vec<Line<'static>> {
        let view: &DeviceView = &self.device.view;
        let signs = self.look.signs();
        let pair = |received: String, sent: String| {
            format!("{} {received:<11} {} {sent}", signs.received, signs.sent)
        };
        let rate = |rate: u64| self.units.rate(rate as f64);
        let today = &view.today;
        let mut lines = vec![
            self.fact(
                "now",
                &pair(rate(view.received_rate), rate(view.sent_rate)),
                width,
            ),
            self.fact(
                "today",
                &pair(size(today.received), size(today.sent)),
                width,
            ),
        ];
        let limits = &view.thresholds;
        if let Some(limit) = limits.bandwidth_threshold {
            let used = self.data.counted_today(view);
            lines.push(self.limit("day limit", used, limit, &human::bytes(limit), width));
        }
        let active = today.active_seconds;
        match limits.max_active_time {
            Some(limit) => {
                lines.push(self.limit("active", active, limit, &time(limit), width));
            }
            None => lines.push(self.fact("active", &time(active), width)),
        }
        if let Some(limit) = limits.rate_threshold {
            lines.push(self.fact("rate limit", &self.units.rate(limit as f64), width));
        }
        if let Some(cycle) = &view.cycle {
            let used = self.used_in_cycle(cycle);
            lines.push(match cycle.quota {
                Some(quota) => self.limit("cycle", used, quota, &human::bytes(quota), width),
                None => self.fact("cycle", &human::bytes(used), width),
            });
        }
        lines
    }

    /// Bytes that count for the quota.
    fn used_in_cycle(&self, cycle: &CycleView) -> u64 {
        let usual = match self.data.status.counts_every_address {
            true => Scope::All,
            false => Scope::Internet,
        };
        let amounts = Amounts {
            sent: cycle.sent,
            received: cycle.received,
            sent_local: cycle.sent_local,
            received_local: cycle.received_local,
            ..Amounts::default()
        };
        let (sent, received) = amounts.each(cycle.scope.unwrap_or(usual));
        match cycle.direction {
            Direction::Total => sent.saturating_add(received),
            Direction::Sent => sent,
            Direction::Received => received,
        }
    }

    /// How much of a limit is used up.
    fn limit(&self, label: &str, used: u64, limit: u64, shown: &str, width: u16) -> Line<'static> {
        let of = format!("  of {shown:<8}");
        let room = width.saturating_sub(LABEL + of.len() as u16);
        let mut line = self.fact(label, "", width);
        line.extend(bar(used, limit, room.min(24), self.look));
        line.push_span(Span::raw(of));
        line
    }

    fn fact(&self, label: &str, value: &str, width: u16) -> Line<'static> {
        let label = format!("{label:<width$}", width = usize::from(LABEL));
        Line::from(vec![
            Span::styled(label, self.look.style(Tone::Quiet)),
            Span::raw(self.look.fit(value, width.saturating_sub(LABEL))),
        ])
    }
}

fn time(seconds: u64) -> String {
    human::duration(Duration::from_secs(seconds))
}

/// A time with offset as its clock shows it, to the minute.
fn moment(at: &str) -> String {
    match (at.get(..10), clock(at)) {
        (Some(day), Some(time)) => format!("{day} {}", &time[..5]),
        _ => String::new(),
    }
}

/// Puts a line on top of what is free.
fn put(area: &mut Rect, line: Line<'_>, buffer: &mut Buffer) {
    if area.height == 0 {
        return;
    }
    buffer.set_line(area.x, area.y, &line, area.width);
    area.y += 1;
    area.height -= 1;
}
