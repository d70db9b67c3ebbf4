//! A real HTTP server that events are posted to, and that can misbehave.

use std::{
    io::{self, BufReader, Read, Write},
    net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use serde_json::Value;

use crate::{
    http::{Request, header, read_request},
    namespace::Namespace,
    peers::Certificate,
    wait::wait_until,
};

/// What the receiver does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Takes it: 204.
    Accept,
    /// Takes it: 200, with this JSON.
    Say(&'static str),
    /// Reads it and says 500.
    Fail,
    /// Reads it and says 500, with this text.
    Refuse(&'static str),
    /// Reads it and says 500, with all that it was told.
    Echo,
    /// Reads it and says nothing, for ever.
    Hang,
    /// Reads it and closes the connection.
    Close,
    /// Reads it and closes the connection within the answer.
    Half,
    /// Reads it and sends it on to a server there: 307.
    Redirect(SocketAddr),
}

/// A request.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// When it was complete.
    pub at: Instant,
    /// Header lines, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
    /// The body as JSON; null where it is none.
    pub event: Value,
    /// Whether it was taken.
    pub is_taken: bool,
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
    tls: Option<Arc<ServerConfig>>,
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
    requests: Vec<Delivery>,
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
        Self::listen(namespace, Ipv4Addr::LOCALHOST.into(), None)
    }

    /// As [`Receiver::start`], at another address of the namespace.
    #[track_caller]
    pub fn start_at(namespace: &Arc<Namespace>, address: IpAddr) -> Self {
        Self::listen(namespace, address, None)
    }

    /// As [`Receiver::start`], by TLS.
    #[track_caller]
    pub fn start_tls(namespace: &Arc<Namespace>, certificate: &Certificate) -> Self {
        let Certificate { certificate, key } = certificate;
        let chain = vec![CertificateDer::from_pem_file(certificate).expect("read a certificate")];
        let key = PrivateKeyDer::from_pem_file(key).expect("read a private key");
        let tls = ServerConfig::builder_with_provider(ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .expect("ring knows the usual versions of TLS")
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .expect("key and certificate belong together");
        Self::listen(namespace, Ipv4Addr::LOCALHOST.into(), Some(tls.into()))
    }

    #[track_caller]
    fn listen(namespace: &Arc<Namespace>, address: IpAddr, tls: Option<Arc<ServerConfig>>) -> Self {
        let state = State {
            answer: Answer::Accept,
            is_open: false,
            requests: Vec::new(),
            hanging: Vec::new(),
        };
        let mut receiver = Self {
            namespace: Arc::clone(namespace),
            address: SocketAddr::from((address, 0)),
            tls,
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
        format!("{}/events", self.base())
    }

    /// Its address without a path.
    pub fn base(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
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
            let (tls, shared) = (self.tls.clone(), Arc::clone(&self.shared));
            move || serve(&listener, tls.as_ref(), &shared)
        });
        self.server = Some(Server { listener, thread });
    }

    /// Requests that came, whatever the answer.
    pub fn attempts(&self) -> usize {
        self.shared.state().requests.len()
    }

    /// Requests that came, whatever the answer, in order.
    pub fn requests(&self) -> Vec<Delivery> {
        self.shared.state().requests.clone()
    }

    /// Requests that were taken, in order.
    pub fn deliveries(&self) -> Vec<Delivery> {
        let mut requests = self.requests();
        requests.retain(|request| request.is_taken);
        requests
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

fn serve(listener: &TcpListener, tls: Option<&Arc<ServerConfig>>, shared: &Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept() {
        if !shared.state().is_open {
            return;
        }
        let (tls, shared) = (tls.cloned(), Arc::clone(shared));
        // It ends with the connection, which carries one request.
        thread::spawn(move || handle(&stream, tls, &shared).ok());
    }
}

fn handle(tcp: &TcpStream, tls: Option<Arc<ServerConfig>>, shared: &Shared) -> io::Result<()> {
    let Some(tls) = tls else {
        return answer(tcp, tcp, shared);
    };
    let connection = ServerConnection::new(tls).map_err(io::Error::other)?;
    let mut stream = StreamOwned::new(connection, tcp);
    answer(&mut stream, tcp, shared)?;
    stream.conn.send_close_notify();
    stream.flush()
}

fn answer(stream: impl Read + Write, tcp: &TcpStream, shared: &Shared) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let request = read_request(&mut stream)?;
    let mut state = shared.state();
    let answer = state.answer;
    let is_taken = matches!(answer, Answer::Accept | Answer::Say(_));
    state.requests.push(delivery(&request, is_taken));
    if answer == Answer::Hang {
        state.hanging.push(tcp.try_clone()?);
        return Ok(());
    }
    drop(state);
    let mut say = |status: &str, headers: &str, body: &str| {
        let length = body.len();
        write!(
            stream.get_mut(),
            "HTTP/1.1 {status}\r\n{headers}connection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        )
    };
    match answer {
        Answer::Accept => stream
            .get_mut()
            .write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n"),
        Answer::Say(json) => say("200 OK", "content-type: application/json\r\n", json),
        Answer::Fail => say("500 Internal Server Error", "", ""),
        Answer::Refuse(text) => say("500 Internal Server Error", "", text),
        Answer::Echo => {
            let Request {
                method,
                path,
                headers,
                body,
            } = &request;
            let text = format!("{method} {path} {headers:?} {body}");
            say("500 Internal Server Error", "", &text)
        }
        Answer::Redirect(address) => {
            let location = format!("location: http://{address}/elsewhere\r\n");
            say("307 Temporary Redirect", &location, "")
        }
        Answer::Half => {
            stream
                .get_mut()
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-le")?;
            stream.get_mut().flush()?;
            tcp.shutdown(Shutdown::Both)
        }
        Answer::Close => tcp.shutdown(Shutdown::Both),
        Answer::Hang => Ok(()),
    }
}

fn delivery(request: &Request, is_taken: bool) -> Delivery {
    let mut headers = request.headers.clone();
    // Pseudo-headers, as HTTP/2 calls them.
    headers.push((":method".to_owned(), request.method.clone()));
    headers.push((":path".to_owned(), request.path.clone()));
    Delivery {
        at: Instant::now(),
        headers,
        event: serde_json::from_str(&request.body).unwrap_or_default(),
        body: request.body.clone(),
        is_taken,
    }
}
