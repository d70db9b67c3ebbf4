//! Rates over time as bars.

use ratatui::{buffer::Buffer, layout::Rect, text::Line};

use super::look::{Look, Tone};
use crate::tui::{model::Step, units::Units};

/// A sparkline that nothing fills: 100 kbit/s, so that noise looks like noise.
const FLOOR: f32 = 12_500.0;

/// What a chart is about.
pub(super) struct Chart<'a> {
    pub(super) title: Line<'a>,
    pub(super) tone: Tone,
    /// Bytes per second, one a column, oldest first; `None`: not known.
    pub(super) rates: Vec<Option<f32>>,
    /// Below its ends.
    pub(super) ends: Option<(String, String)>,
}

/// Of a line, so that one does not touch the next.
const LINE: usize = 7;

/// One line of bars, as high as its own highest.
pub(super) fn sparkline(rates: impl Iterator<Item = Option<f32>>, look: Look) -> String {
    let rates: Vec<_> = rates.collect();
    let top = top(&rates);
    rates
        .into_iter()
        .map(|rate| look.level(eighths(rate, top, LINE)))
        .collect()
}

impl Chart<'_> {
    /// A title with the highest rate, and bars below it.
    pub(super) fn draw(self, area: Rect, look: Look, units: Units, buffer: &mut Buffer) {
        if area.height < 2 || area.width < 4 {
            return;
        }
        buffer.set_line(area.x, area.y, &self.title, area.width);
        let highest = self.rates.iter().flatten().copied().fold(0.0, f32::max);
        let peak = format!("peak {}", units.rate(f64::from(highest)));
        let room = usize::from(area.width).saturating_sub(self.title.width() + 2);
        if highest > 0.0 && peak.len() <= room {
            let x = area.right() - peak.len() as u16;
            buffer.set_string(x, area.y, peak, look.style(Tone::Quiet));
        }
        let axis = u16::from(self.ends.is_some() && area.height >= 4);
        let height = area.height - 1 - axis;
        let (top, style) = (top(&self.rates), look.style(self.tone));
        for (x, rate) in (area.x..area.right()).zip(&self.rates) {
            let filled = eighths(*rate, top, 8 * usize::from(height));
            for line in 0..height {
                let eighths = filled.saturating_sub(8 * usize::from(line)).min(8);
                // Where the time goes on, there is at least a line of dots.
                let sign = match (line, rate, eighths) {
                    (0, None, _) => continue,
                    (0, Some(_), 0) => look.level(1),
                    (_, _, 0) => continue,
                    (_, _, eighths) => look.level(eighths),
                };
                let is_idle = filled == 0;
                let style = if is_idle {
                    look.style(Tone::Quiet)
                } else {
                    style
                };
                let y = area.y + height - line;
                if let Some(cell) = buffer.cell_mut((x, y)) {
                    cell.set_char(sign).set_style(style);
                }
            }
        }
        if let (1, Some((from, to))) = (axis, self.ends) {
            let y = area.bottom() - 1;
            let quiet = look.style(Tone::Quiet);
            buffer.set_stringn(area.x, y, &from, usize::from(area.width), quiet);
            if from.len() + to.len() + 2 <= usize::from(area.width) {
                buffer.set_string(area.right() - to.len() as u16, y, &to, quiet);
            }
        }
    }
}

/// The rates of one direction, in so many columns, each the mean of its time.
pub(super) fn columns(steps: &[Step], bytes: fn(&Step) -> u64, columns: u16) -> Vec<Option<f32>> {
    let columns = usize::from(columns).max(1);
    let total: f64 = steps.iter().map(|step| step.seconds.max(0.0)).sum();
    if total <= 0.0 {
        return Vec::new();
    }
    let width = total / columns as f64;
    let mut sums = vec![0.0; columns];
    let mut begin = 0.0;
    for step in steps {
        let seconds = step.seconds.max(0.0);
        let end = begin + seconds;
        let rate = bytes(step) as f64 / seconds.max(f64::MIN_POSITIVE);
        let first = (begin / width) as usize;
        for (column, sum) in sums.iter_mut().enumerate().skip(first) {
            let from = begin.max(column as f64 * width);
            let until = end.min((column + 1) as f64 * width);
            if until <= from {
                break;
            }
            *sum += rate * (until - from);
        }
        begin = end;
    }
    sums.into_iter()
        .map(|sum| Some((sum / width) as f32))
        .collect()
}

/// What the highest bar stands for.
fn top(rates: &[Option<f32>]) -> f32 {
    rates.iter().flatten().copied().fold(FLOOR, f32::max)
}

/// Of `all` for what is as high as `top`. What is more than nothing has at least one.
fn eighths(rate: Option<f32>, top: f32, all: usize) -> usize {
    match rate {
        Some(rate) if rate > 0.0 => ((rate / top * all as f32).round() as usize).clamp(1, all),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Glyphs;

    fn look(glyphs: Glyphs) -> Look {
        Look {
            colours: false,
            glyphs,
        }
    }

    #[test]
    fn a_sparkline_is_as_high_as_its_highest() {
        let rates = || [None, Some(0.0), Some(1.0), Some(5e5), Some(1e6)].into_iter();
        assert_eq!(sparkline(rates(), look(Glyphs::Blocks)), "  ▁▄▇");
        assert_eq!(sparkline(rates(), look(Glyphs::Ascii)), "  _-*");
        let noise = [Some(100.0), Some(900.0)].into_iter();
        assert_eq!(sparkline(noise, look(Glyphs::Blocks)), "▁▁");
    }

    #[test]
    fn a_column_is_the_mean_of_its_time() {
        let step = |seconds, received| Step {
            seconds,
            received,
            sent: 0,
        };
        let steps = [step(10.0, 100), step(10.0, 300), step(20.0, 0)];
        let received = |step: &Step| step.received;
        assert_eq!(
            columns(&steps, received, 4),
            [10.0, 30.0, 0.0, 0.0].map(Some)
        );
        assert_eq!(columns(&steps, received, 2), [20.0, 0.0].map(Some));
        let finer = columns(&steps, received, 8);
        assert_eq!(finer[..4], [10.0, 10.0, 30.0, 30.0].map(Some));
        assert!(columns(&[], received, 8).is_empty());
        assert!(columns(&[step(0.0, 5)], received, 8).is_empty());
    }
}
