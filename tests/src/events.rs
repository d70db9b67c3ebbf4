//! The live stream of the API, read event by event.

use std::{
    io::{self, BufRead, BufReader, Read},
    time::Duration,
};

use serde_json::Value;

/// Longer than any stream is silent.
pub(crate) const SILENCE: Duration = Duration::from_secs(20);

/// An open stream.
pub struct Events {
    stream: BufReader<Box<dyn Read + Send>>,
}

impl Events {
    /// Of a connection on which it was asked for in HTTP/1.0, so that the answer has no chunks.
    pub(crate) fn of(stream: Box<dyn Read + Send>) -> io::Result<Self> {
        let mut stream = BufReader::new(stream);
        let status = line(&mut stream)?;
        if status.split(' ').nth(1) != Some("200") {
            return Err(io::Error::other(status));
        }
        while !line(&mut stream)?.is_empty() {}
        Ok(Self { stream })
    }

    /// The data of the next event of that name which `has` what is looked for, within so many events.
    ///
    /// # Panics
    /// When none has it.
    #[track_caller]
    pub fn find(&mut self, wanted: &str, has: impl Fn(&Value) -> bool) -> Value {
        const PATIENCE: usize = 600;
        let mut last = None;
        for _ in 0..PATIENCE {
            let Some((name, data)) = self.next() else {
                break;
            };
            if name == wanted && has(&data) {
                return data;
            }
            last = Some(data);
        }
        panic!("no event {wanted} has it; the last event was {last:?}")
    }
}

/// The name and the data of each event, to the end of the stream. Panics when nothing comes.
impl Iterator for Events {
    type Item = (String, Value);

    fn next(&mut self) -> Option<Self::Item> {
        let mut name = None;
        loop {
            let mut text = String::new();
            match self.stream.read_line(&mut text) {
                Ok(0) => return None,
                Ok(_) => {}
                Err(error) => panic!("the stream is silent: {error}"),
            }
            let text = text.trim_end();
            if let Some(event) = text.strip_prefix("event: ") {
                name = Some(event.to_owned());
            } else if let (Some(data), Some(name)) = (text.strip_prefix("data: "), name.take()) {
                match serde_json::from_str(data) {
                    Ok(data) => return Some((name, data)),
                    Err(error) => panic!("{name}: {error} in {data}"),
                }
            }
        }
    }
}

fn line(stream: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end().to_owned())
}
