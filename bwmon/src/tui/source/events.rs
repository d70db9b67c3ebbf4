//! Server-sent events, put together from the pieces that they come in.

/// What one event may have at most: 65,536 devices of 1 kB, twice.
const MOST: usize = 128 * 1024 * 1024;

/// An event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) name: String,
    pub(super) data: String,
}

/// The stream is not one of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum EventError {
    /// It would fill the memory.
    #[error("the stream has an event of more than {MOST} bytes")]
    TooLong,
    /// Events are UTF-8.
    #[error("the stream is not text")]
    NotText,
}

/// Reads them.
#[derive(Debug, Default)]
pub(super) struct Events {
    /// The beginning of a line.
    line: Vec<u8>,
    event: Event,
}

impl Events {
    /// Takes in a piece, and gives out the events that are whole by then.
    pub(super) fn feed(&mut self, piece: &[u8]) -> Result<Vec<Event>, EventError> {
        let mut whole = Vec::new();
        for part in piece.split_inclusive(|byte| *byte == b'\n') {
            if self.line.len() + self.event.data.len() + part.len() > MOST {
                return Err(EventError::TooLong);
            }
            self.line.extend_from_slice(part);
            if self.line.ends_with(b"\n") {
                whole.extend(self.end_line()?);
            }
        }
        Ok(whole)
    }

    fn end_line(&mut self) -> Result<Option<Event>, EventError> {
        let line = std::mem::take(&mut self.line);
        let line = str::from_utf8(&line).map_err(|_| EventError::NotText)?;
        let line = line.trim_end_matches(['\r', '\n']);
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            // Only comments came.
            return Ok((!event.data.is_empty()).then_some(event));
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.event.name),
            "data" => {
                if !self.event.data.is_empty() {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(value);
            }
            _ => {}
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STREAM: &str = ":\n\nevent: snapshot\ndata: {\"a\":1}\n\n: still here\n\n\
        event: alert\r\ndata:x\r\ndata: y\r\nid: 7\r\n\r\ndata: zö\n\nevent: cut";

    fn expected() -> Vec<Event> {
        let event = |name: &str, data: &str| Event {
            name: name.to_owned(),
            data: data.to_owned(),
        };
        vec![
            event("snapshot", "{\"a\":1}"),
            event("alert", "x\ny"),
            event("", "zö"),
        ]
    }

    #[test]
    fn what_is_no_text_is_refused() {
        let mut events = Events::default();
        assert_eq!(events.feed(b"data: \xff\n"), Err(EventError::NotText));
    }

    proptest! {
        #[test]
        fn pieces_make_the_same_events(cuts in prop::collection::vec(0..STREAM.len(), 0..20)) {
            let mut cuts = cuts;
            cuts.sort_unstable();
            let mut events = Events::default();
            let mut read = Vec::new();
            let mut begin = 0;
            for end in cuts.into_iter().chain([STREAM.len()]) {
                read.extend(events.feed(&STREAM.as_bytes()[begin..end]).unwrap());
                begin = end;
            }
            prop_assert_eq!(read, expected());
        }
    }
}
