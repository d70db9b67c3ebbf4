//! What people are told: a title, one line for each event, and the details of a single one.

use std::sync::Arc;

use super::escape::{Markup, defused};
use crate::core::{
    event::{Event, EventState, Severity},
    words,
};

/// Most characters of a title.
const TITLE: usize = 120;
/// Most characters of the sentence of an event.
const SENTENCE: usize = 500;
/// Most characters of a detail.
const DETAIL: usize = 200;

/// A message for people. All of it is defused, and fit for one line each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    /// Who and what.
    pub(super) title: String,
    /// A sentence for each event.
    pub(super) lines: Vec<String>,
    /// With a label each; none for several events.
    pub(super) details: Vec<(&'static str, String)>,
    /// The worst.
    pub(super) severity: Severity,
    /// `Resolved` if all are.
    pub(super) state: EventState,
}

impl Message {
    /// Tells of one event, or of several at once.
    pub(super) fn of(events: &[Arc<Event>]) -> Self {
        let lines = events.iter().map(|event| {
            let sentence = defused(&event.event_description, SENTENCE);
            match (events.len(), event.state) {
                (1, _) => sentence,
                // A digest comes late, so each line says when it was.
                _ => format!("{}: {sentence}", moment(&event.timestamp)),
            }
        });
        let title = match events {
            [event] => words::title(event),
            [first, ..] => format!("{} events on {}", events.len(), first.host),
            [] => String::new(),
        };
        let details = match events {
            [event] => words::details(event),
            _ => Vec::new(),
        };
        let all_resolved = events
            .iter()
            .all(|event| event.state == EventState::Resolved);
        let state = match events {
            [event] => event.state,
            _ if all_resolved => EventState::Resolved,
            _ => EventState::Firing,
        };
        Self {
            title: defused(&title, TITLE),
            lines: lines.collect(),
            details: details
                .into_iter()
                .map(|(label, value)| (label, defused(&value, DETAIL)))
                .collect(),
            severity: events
                .iter()
                .map(|event| event.severity)
                .max()
                .unwrap_or_default(),
            state,
        }
    }

    /// Everything but the title, a line each, in `markup`, in at most so many bytes. What has no room
    /// is counted.
    pub(super) fn body(&self, markup: Markup, most: usize) -> String {
        let details = self
            .details
            .iter()
            .map(|(label, value)| format!("{label}: {}", markup.escape(value)));
        let lines = self.lines.iter().map(|line| markup.escape(line));
        let lines: Vec<String> = lines.chain(details).collect();
        joined(&lines, most)
    }

    /// The title and everything else.
    pub(super) fn whole(&self, markup: Markup, most: usize) -> String {
        let title = markup.bold(&markup.escape(&self.title));
        let room = most.saturating_sub(title.len() + 1);
        format!("{title}\n{}", self.body(markup, room))
    }
}

/// Lines as long as there is room, and how many there is none for.
fn joined(lines: &[String], most: usize) -> String {
    /// Bytes of "… and 1000 more lines", with something to spare.
    const REST: usize = 32;
    let mut text = String::new();
    for (place, line) in lines.iter().enumerate() {
        let is_last = place + 1 == lines.len();
        let reserve = if is_last { 0 } else { REST };
        if text.len() + 1 + line.len() + reserve > most {
            text.push_str(&format!("… and {} more lines\n", lines.len() - place));
            break;
        }
        text.push_str(line);
        text.push('\n');
    }
    text.pop();
    text
}

/// `2026-03-08T14:03:11+01:00` to the minute.
fn moment(rfc3339: &str) -> String {
    let moment = rfc3339
        .split_at_checked("2026-03-08T14:03".len())
        .map_or(rfc3339, |(to, _)| to);
    defused(&moment.replace('T', " "), DETAIL)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::core::trial;

    fn events(texts: &[String]) -> Vec<Arc<Event>> {
        let event = |text: &String| {
            let mut event = trial::event("e", "2026-03-08T14:03:11+01:00", "router");
            event.event_description.clone_from(text);
            Arc::new(event)
        };
        texts.iter().map(event).collect()
    }

    #[test]
    fn several_events_are_a_line_each_with_its_time() {
        let mut events = events(&["one".to_owned(), "two".to_owned()]);
        Arc::make_mut(&mut events[1]).severity = Severity::Critical;
        let message = Message::of(&events);
        assert_eq!(message.title, "2 events on router");
        assert_eq!(message.severity, Severity::Critical);
        assert_eq!(
            message.body(Markup::Plain, 1000),
            "2026-03-08 14:03: one\n2026-03-08 14:03: two"
        );
    }

    proptest! {
        #[test]
        fn a_message_fits(
            texts in prop::collection::vec(r"\PC{0,80}", 1..20),
            most in 300_usize..2000,
            markup in prop::sample::select(vec![
                Markup::Plain, Markup::Mrkdwn, Markup::Markdown, Markup::Html,
            ]),
        ) {
            let message = Message::of(&events(&texts));
            let whole = message.whole(markup, most);
            prop_assert!(whole.len() <= most, "{}: {whole}", whole.len());
            let more = whole.lines().last().unwrap().strip_prefix("… and ");
            let missing = more.and_then(|rest| rest.strip_suffix(" more lines"));
            let missing: usize = missing.map_or(0, |count| count.parse().unwrap());
            let shown = whole.lines().count() - 1 - usize::from(missing > 0);
            prop_assert_eq!(shown + missing, message.lines.len() + message.details.len());
        }
    }
}
