//! A receiver that answers as it is told, one connection after the other.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    thread,
    time::{Duration, Instant},
};

use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::timeout,
};

use crate::core::event::Event;

/// What it does with a request.
pub(super) enum Reply {
    /// Status line and headers, and a body.
    Answer(&'static str, &'static str),
    /// Status line, and a body with the path that was asked for.
    Echo(&'static str),
    /// Status line, and a body without an end. What was taken of it is sent here.
    Endless(&'static str, UnboundedSender<u64>),
    /// Nothing, for as long as the receiver lives.
    Hang,
    /// Ends the connection.
    HangUp,
}

impl Reply {
    pub(super) const OK: Self = Self::Answer("200 OK", "");
    pub(super) const FAILED: Self = Self::Answer("500 Internal Server Error", "");
}

pub(super) struct Receiver {
    pub(super) address: SocketAddr,
    requests: UnboundedReceiver<Request>,
    /// Connections stay open as long as they are in here.
    _held: UnboundedReceiver<TcpStream>,
}

pub(super) struct Request {
    /// Request line and headers.
    pub(super) head: String,
    pub(super) body: Vec<u8>,
    pub(super) at: Instant,
}

impl Receiver {
    /// Answers as many requests as there are `replies`, and refuses connections afterwards.
    pub(super) fn new(replies: Vec<Reply>) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").unwrap(), replies)
    }

    pub(super) fn on(listener: TcpListener, replies: Vec<Reply>) -> Self {
        let address = listener.local_addr().unwrap();
        let (sender, requests) = unbounded_channel();
        let (hanging, held) = unbounded_channel();
        thread::spawn(move || {
            for reply in replies {
                let (stream, _) = listener.accept().unwrap();
                let Some(request) = read(&stream) else { return };
                let path = request.head.split(' ').nth(1).unwrap().to_owned();
                if let Reply::Hang = reply {
                    hanging.send(stream.try_clone().unwrap()).ok();
                }
                // The test may have seen enough.
                sender.send(request).ok();
                answer(stream, reply, &path);
            }
        });
        Self {
            address,
            requests,
            _held: held,
        }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The next request; waits for it.
    pub(super) async fn request(&mut self) -> Request {
        next(&mut self.requests).await
    }

    /// The ids of the events in the next requests.
    pub(super) async fn ids(&mut self, count: usize) -> Vec<String> {
        let mut ids = Vec::new();
        while ids.len() < count {
            ids.push(self.request().await.event().id);
        }
        ids
    }
}

/// Waits for what the receiver has to tell.
pub(super) async fn next<T>(told: &mut UnboundedReceiver<T>) -> T {
    timeout(Duration::from_secs(20), told.recv())
        .await
        .unwrap()
        .unwrap()
}

impl Request {
    /// As webhooks have it.
    pub(super) fn event(&self) -> Event {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let lines = self
            .head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(": "));
        let mut lines = lines.filter(|(key, _)| key.eq_ignore_ascii_case(name));
        lines.next().map(|(_, value)| value)
    }
}

fn read(stream: &TcpStream) -> Option<Request> {
    let at = Instant::now();
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    let mut length = lines.filter(|(key, _)| key.eq_ignore_ascii_case("content-length"));
    let length: usize = length.next().unwrap().1.parse().unwrap();
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request { head, body, at })
}

fn answer(mut stream: TcpStream, reply: Reply, path: &str) {
    let mut say = |status: &str, body: &str| {
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        // Some don't wait for it.
        stream.write_all(answer.as_bytes()).ok();
    };
    match reply {
        Reply::Answer(status, body) => say(status, body),
        Reply::Echo(status) => say(status, &format!("Cannot POST {path}")),
        Reply::Endless(status, taken) => {
            write!(stream, "HTTP/1.1 {status}\r\nconnection: close\r\n\r\n").ok();
            let chunk = [b'x'; 64 * 1024];
            let written = (0..)
                .take_while(|_| stream.write_all(&chunk).is_ok())
                .count();
            taken.send(written as u64 * 64 * 1024).ok();
        }
        Reply::Hang | Reply::HangUp => {}
    }
}
