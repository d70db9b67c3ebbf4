//! The two text formats that Prometheus and its relatives read: its own, version 0.0.4, and
//! OpenMetrics 1.0. They differ in how counters and facts are named, and in how the text ends.

use std::fmt::{Display, Write};

/// A text format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Prometheus' own.
    Prometheus,
    /// OpenMetrics.
    OpenMetrics,
}

/// What sort of number a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Only grows; its name ends in `_total`.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Is always 1, and says something by its labels; its name ends in `_info`.
    Info,
    /// How often something was how large.
    Histogram,
}

/// Metrics as they are written.
#[derive(Debug)]
pub(super) struct Exposition {
    format: Format,
    text: String,
}

impl Exposition {
    pub(super) fn new(format: Format) -> Self {
        Self {
            format,
            text: String::new(),
        }
    }

    /// Begins a metric; its samples follow.
    pub(super) fn metric(&mut self, name: &str, kind: Kind, help: &str) {
        let (name, kind) = match (self.format, kind) {
            (_, Kind::Gauge) => (name, "gauge"),
            (_, Kind::Histogram) => (name, "histogram"),
            (Format::Prometheus, Kind::Counter) => (name, "counter"),
            (Format::Prometheus, Kind::Info) => (name, "gauge"),
            (Format::OpenMetrics, Kind::Counter) => {
                (name.strip_suffix("_total").unwrap_or(name), "counter")
            }
            (Format::OpenMetrics, Kind::Info) => {
                (name.strip_suffix("_info").unwrap_or(name), "info")
            }
        };
        self.line(format_args!("# TYPE {name} {kind}"));
        self.line(format_args!("# HELP {name} {help}"));
    }

    /// Adds a sample of the metric that was begun last.
    pub(super) fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        self.text.push_str(name);
        for (number, (label, value)) in labels.iter().enumerate() {
            let before = if number == 0 { '{' } else { ',' };
            self.text.push(before);
            self.text.push_str(label);
            self.text.push_str("=\"");
            self.escape(value);
            self.text.push('"');
        }
        let after = if labels.is_empty() { " " } else { "} " };
        self.line(format_args!("{after}{value}"));
    }

    /// All of it.
    pub(super) fn finish(mut self) -> String {
        if self.format == Format::OpenMetrics {
            self.text.push_str("# EOF\n");
        }
        self.text
    }

    fn escape(&mut self, value: &str) {
        for character in value.chars() {
            match character {
                '\\' => self.text.push_str("\\\\"),
                '"' => self.text.push_str("\\\""),
                '\n' => self.text.push_str("\\n"),
                _ => self.text.push(character),
            }
        }
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a string never fails.
        writeln!(self.text, "{line}").ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(format: Format) -> String {
        let mut exposition = Exposition::new(format);
        exposition.metric("a_total", Kind::Counter, "Bytes.");
        exposition.sample("a_total", &[("name", "my \"TV\"\\\n"), ("b", "")], 12);
        exposition.metric("build_info", Kind::Info, "What it is.");
        exposition.sample("build_info", &[], 1);
        exposition.finish()
    }

    #[test]
    fn the_formats_differ_in_names_and_end() {
        insta::assert_snapshot!(written(Format::Prometheus), @r#"
        # TYPE a_total counter
        # HELP a_total Bytes.
        a_total{name="my \"TV\"\\\n",b=""} 12
        # TYPE build_info gauge
        # HELP build_info What it is.
        build_info 1
        "#);
        insta::assert_snapshot!(written(Format::OpenMetrics), @r#"
        # TYPE a counter
        # HELP a Bytes.
        a_total{name="my \"TV\"\\\n",b=""} 12
        # TYPE build info
        # HELP build What it is.
        build_info 1
        # EOF
        "#);
    }
}
