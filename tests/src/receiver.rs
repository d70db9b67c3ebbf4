//! A real HTTP server that events are posted to, and that can misbehave.

use std::{
    io::{self, BufReader, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    http::{Request, header, read_request},
    namespace::Namespace,
    wait::wait_until,
};

/// What the receiver does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Takes it: 204.
    Accept,
    /// Reads it and says 500.
    Fail,
    /// Reads it and says nothing, for ever.
    Hang,
    /// Reads it and closes the connection.
    Close,
}

/// A request that was taken.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// When it was complete.
    pub at: Instant,
    /// Header lines, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub event: Value,
}

impl Delivery {
    /// A field of the event that is text.
    ///
    /// # Panics
    /// When it is not text.
    #[track_caller]
    pub fn text(&self, field: &str) -> &str {
        match self.event[field].as_str() {
            Some(text) => text,
            None => panic!("{field} is no text in {}", self.event),
        }
    }

    /// Whether it is about a rule and state, by their names.
    pub fn is(&self, rule: &str, state: &str) -> bool {
        self.event["rule"] == rule && self.event["state"] == state
    }

    /// The first header of a name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }
}

/// The server. It listens inside a namespace and is gone when dropped.
#[derive(Debug)]
pub struct Receiver {
    namespace: Arc<Namespace>,
    address: SocketAddr,
    shared: Arc<Shared>,
    server: Option<Server>,
}

#[derive(Debug)]
struct Server {
    listener: TcpListener,
    thread: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    answer: Answer,
    is_open: bool,
    attempts: usize,
    deliveries: Vec<Delivery>,
    /// Connections that get no answer.
    hanging: Vec<TcpStream>,
}

impl Receiver {
    /// Starts to listen on the namespace's loopback, and takes everything.
    ///
    /// # Panics
    /// When it can't.
    #[track_caller]
    pub fn start(namespace: &Arc<Namespace>) -> Self {
        let state = State {
            answer: Answer::Accept,
            is_open: false,
            attempts: 0,
            deliveries: Vec::new(),
            hanging: Vec::new(),
        };
        let mut receiver = Self {
            namespace: Arc::clone(namespace),
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            shared: Arc::new(Shared {
                state: Mutex::new(state),
            }),
            server: None,
        };
        receiver.open();
        receiver
    }

    /// Where events are to be posted.
    pub fn url(&self) -> String {
        format!("http://{}/events", self.address)
    }

    /// The part of a configuration that makes it a channel.
    pub fn channel(&self) -> String {
        format!("[[notify]]\ntype = \"webhook\"\nurl = \"{}\"\n", self.url())
    }

    /// From now on, does this with each request. Those that hang are closed.
    pub fn set(&self, answer: Answer) {
        let mut state = self.shared.state();
        state.answer = answer;
        state.hanging.clear();
    }

    /// Stops listening: connections are refused.
    pub fn close(&mut self) {
        self.shared.state().is_open = false;
        if let Some(server) = self.server.take() {
            // Ends a blocked accept; the thread then sees that it is to end.
            nix::sys::socket::shutdown(
                std::os::fd::AsRawFd::as_raw_fd(&server.listener),
                nix::sys::socket::Shutdown::Both,
            )
            .ok();
            server.thread.join().ok();
        }
    }

    /// Listens again, where it did.
    ///
    /// # Panics
    /// When somebody else does.
    #[track_caller]
    pub fn open(&mut self) {
        let listener = self
            .namespace
            .enter(|| TcpListener::bind(self.address))
            .expect("listen for events on the namespace's loopback");
        self.address = listener.local_addr().expect("the listener has an address");
        self.shared.state().is_open = true;
        let thread = thread::spawn({
            let listener = listener.try_clone().expect("share the listener");
            let shared = Arc::clone(&self.shared);
            move || serve(&listener, &shared)
        });
        self.server = Some(Server { listener, thread });
    }

    /// Requests that came, whatever the answer.
    pub fn attempts(&self) -> usize {
        self.shared.state().attempts
    }

    /// Requests that were taken, in order.
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.shared.state().deliveries.clone()
    }

    /// Waits for an event.
    ///
    /// # Panics
    /// When it does not come, with those that did.
    #[track_caller]
    pub fn wait_for(
        &self,
        what: &str,
        deadline: Duration,
        matches: impl Fn(&Delivery) -> bool,
    ) -> Delivery {
        wait_until(what, deadline, || {
            let deliveries = self.deliveries();
            let found = deliveries
                .iter()
                .find(|delivery| matches(delivery))
                .cloned();
            found.ok_or_else(|| {
                let events: Vec<_> = deliveries
                    .iter()
                    .map(|each| each.event.to_string())
                    .collect();
                format!("{} tries; taken: {events:#?}", self.attempts())
            })
        })
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.close();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no thread of the receiver panics")
    }
}

fn serve(listener: &TcpListener, shared: &Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept() {
        if !shared.state().is_open {
            return;
        }
        let shared = Arc::clone(shared);
        // It ends with the connection, which carries one request.
        thread::spawn(move || handle(stream, &shared).ok());
    }
}

fn handle(stream: TcpStream, shared: &Shared) -> io::Result<()> {
    let mut reader = BufReader::new(&stream);
    let request = read_request(&mut reader)?;
    let mut state = shared.state();
    state.attempts += 1;
    match state.answer {
        Answer::Accept => {
            state.deliveries.push(delivery(&request)?);
            drop(state);
            (&stream).write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")
        }
        Answer::Fail => {
            drop(state);
            (&stream).write_all(
                b"HTTP/1.1 500 Internal Server Error\r\n\
                  connection: close\r\ncontent-length: 0\r\n\r\n",
            )
        }
        Answer::Hang => {
            state.hanging.push(stream.try_clone()?);
            Ok(())
        }
        Answer::Close => stream.shutdown(Shutdown::Both),
    }
}

fn delivery(request: &Request) -> io::Result<Delivery> {
    let event = serde_json::from_str(&request.body)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    let mut headers = request.headers.clone();
    // Pseudo-headers, as HTTP/2 calls them.
    headers.push((":method".to_owned(), request.method.clone()));
    headers.push((":path".to_owned(), request.path.clone()));
    Ok(Delivery {
        at: Instant::now(),
        headers,
        event,
    })
}
