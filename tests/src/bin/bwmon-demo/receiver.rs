//! Who is told: takes each event that bwmon posts, and prints it in a line.

use std::{
    io::{self, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    thread,
    time::Duration,
};

use anyhow::{Context, Result};
use bwmon::core::text::is_harmless;
use bwmon_tests::read_request;
use serde::Deserialize;

use crate::{home::Home, say};

/// No request of bwmon's is larger.
const MOST: u64 = 256 * 1024;
const PATIENCE: Duration = Duration::from_secs(10);

/// Listens on the loopback of the router.
pub(crate) struct Receiver {
    listener: TcpListener,
    address: SocketAddr,
}

/// What is printed of an event.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    timestamp: String,
    state: String,
    event_description: String,
}

impl Receiver {
    /// From now on, requests wait.
    ///
    /// # Errors
    /// When it can't listen.
    pub(crate) fn bind(home: &Home) -> Result<Self> {
        let router = home.router()?;
        let listener = router.enter(|| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
        let listener = listener.context("listen for events in the router")?;
        let address = listener.local_addr().context("find where events go")?;
        Ok(Self { listener, address })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on, they are answered, one after the other, until the process ends.
    pub(crate) fn start(self) {
        thread::spawn(move || {
            for stream in self.listener.incoming().flatten() {
                if let Err(error) = take(&stream) {
                    eprintln!("an event could not be read: {error}");
                }
            }
        });
    }
}

fn take(mut stream: &TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let request = read_request(&mut BufReader::new(stream.take(MOST)))?;
    let event: Event = serde_json::from_str(&request.body)?;
    say(&line(&event));
    stream.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")
}

/// The time of day, the state, and what happened. Somebody may have given a device a name that does
/// something to a terminal.
fn line(event: &Event) -> String {
    let time = event.timestamp.get(11..19).unwrap_or_default();
    let Event {
        state,
        event_description,
        ..
    } = event;
    let line = format!("{time}  {state:<8}  {event_description}");
    let shown = |c| match is_harmless(c) {
        true => c,
        false => char::REPLACEMENT_CHARACTER,
    };
    line.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_a_line_that_does_nothing_to_a_terminal() {
        let body = r#"{"timestamp": "2026-03-08T14:03:11+01:00", "state": "firing", "rule": "rate",
            "eventDescription": "\u001b[2JDoor camera (192.168.2.30) sends 31 Mbit/s."}"#;
        let event: Event = serde_json::from_str(body).unwrap();
        assert_eq!(
            line(&event),
            "14:03:11  firing    \u{fffd}[2JDoor camera (192.168.2.30) sends 31 Mbit/s."
        );
    }
}
