//! The server on real sockets: what a client can and can't do to it.

use std::{
    convert::Infallible,
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    os::unix::net::UnixStream,
    time::Instant,
};

use axum::{body::Body, routing::get};
use futures_util::stream;
use tokio::task::JoinHandle;

use super::*;
use crate::{config::Listen, http::bind};

/// Far more than anything here takes, so that only a failure waits for it.
const DEADLINE: Duration = Duration::from_secs(20);
const PATIENT: Limits = Limits {
    connections: 8,
    head: Duration::from_secs(60),
    stall: Duration::from_secs(60),
    grace: Duration::from_millis(100),
};
const REQUEST: &str = "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n";

struct Server {
    address: SocketAddr,
    shutdown: CancellationToken,
    task: JoinHandle<Result<(), HttpError>>,
}

impl Server {
    fn start(limits: Limits) -> Self {
        let bound = bind(&Listen::Tcp("127.0.0.1:0".parse().unwrap())).unwrap();
        let Bound::Tcp { address, .. } = bound else {
            panic!("{bound} is not TCP")
        };
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(run(bound, router(), limits, shutdown.clone()));
        Self {
            address,
            shutdown,
            task,
        }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream
    }
}

/// One answer that is short, one that is long, one that never ends.
fn router() -> Router {
    let long = || stream::repeat(Ok::<_, Infallible>(vec![b'x'; 64 * 1024]));
    Router::new()
        .route("/hello", get(|| async { "hello" }))
        .route(
            "/long",
            get(move || async move { Body::from_stream(long()) }),
        )
        .route("/never", get(std::future::pending::<&str>))
}

/// Reads until the answer is there.
fn hello(stream: &mut impl Read) -> bool {
    let mut answer = Vec::new();
    let mut buffer = [0; 1024];
    while !answer.ends_with(b"hello") {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return false,
            Ok(length) => answer.extend_from_slice(&buffer[..length]),
        }
    }
    answer.starts_with(b"HTTP/1.1 200")
}

/// Reads until the server hangs up.
fn read_out(stream: &mut TcpStream) -> Vec<u8> {
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Ok(_) => {}
        Err(err) if err.kind() == io::ErrorKind::ConnectionReset => {}
        Err(err) => panic!("the server did not hang up: {err}"),
    }
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_serves_several_requests() {
    let server = Server::start(PATIENT);
    let mut client = server.connect();
    for _ in 0..3 {
        client.write_all(REQUEST.as_bytes()).unwrap();
        assert!(hello(&mut client));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_does_not_finish_its_request_is_dropped() {
    let server = Server::start(Limits {
        head: Duration::from_millis(50),
        ..PATIENT
    });
    let mut silent = server.connect();
    let mut slow = server.connect();
    slow.write_all(b"GET /hello HTTP/1.1\r\nHost: local")
        .unwrap();
    let mut idle = server.connect();
    idle.write_all(REQUEST.as_bytes()).unwrap();
    assert!(hello(&mut idle));
    for client in [&mut silent, &mut slow, &mut idle] {
        read_out(client);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_that_never_ends_is_refused() {
    let server = Server::start(PATIENT);
    let mut client = server.connect();
    client
        .write_all(b"GET /hello HTTP/1.1\r\nHost: localhost\r\nX: ")
        .unwrap();
    // The server may hang up while we are still writing.
    client.write_all(&vec![b'x'; 2 * BUFFER]).ok();
    let answer = read_out(&mut client);
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 431"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_does_not_read_frees_its_place() {
    let limits = Limits {
        connections: 1,
        stall: Duration::from_millis(50),
        ..PATIENT
    };
    let server = Server::start(limits);
    let mut greedy = server.connect();
    greedy
        .write_all(b"GET /long HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .unwrap();
    let mut next = server.connect();
    next.write_all(REQUEST.as_bytes()).unwrap();
    assert!(hello(&mut next));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_too_many_waits_for_a_place() {
    let server = Server::start(Limits {
        connections: 2,
        ..PATIENT
    });
    let mut holders = [server.connect(), server.connect()];
    for holder in &mut holders {
        holder.write_all(REQUEST.as_bytes()).unwrap();
        assert!(hello(holder));
    }
    let mut waiting = server.connect();
    waiting.write_all(REQUEST.as_bytes()).unwrap();
    waiting
        .set_read_timeout(Some(Duration::from_millis(100)))
        .unwrap();
    assert!(
        !hello(&mut waiting),
        "there was no place, and still an answer"
    );

    drop(holders);
    waiting.set_read_timeout(Some(DEADLINE)).unwrap();
    assert!(hello(&mut waiting));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shutdown_waits_for_nobody_longer_than_the_grace() {
    let server = Server::start(PATIENT);
    let _silent = server.connect();
    let mut idle = server.connect();
    idle.write_all(REQUEST.as_bytes()).unwrap();
    assert!(hello(&mut idle));
    let mut hanging = server.connect();
    hanging
        .write_all(b"GET /never HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .unwrap();

    let asked = Instant::now();
    server.shutdown.cancel();
    timeout(DEADLINE, server.task)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert!(asked.elapsed() < DEADLINE / 4, "{:?}", asked.elapsed());
    assert!(read_out(&mut idle).is_empty());
    TcpStream::connect(server.address).unwrap_err();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_unix_socket_serves_until_shutdown_and_is_gone_after() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bwmon.sock");
    let bound = bind(&Listen::Unix(path.clone())).unwrap();
    let shutdown = CancellationToken::new();
    let task = tokio::spawn(run(bound, router(), PATIENT, shutdown.clone()));

    let mut client = UnixStream::connect(&path).unwrap();
    client.set_read_timeout(Some(DEADLINE)).unwrap();
    client
        .write_all(b"GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .unwrap();
    assert!(hello(&mut client));

    shutdown.cancel();
    timeout(DEADLINE, task).await.unwrap().unwrap().unwrap();
    assert!(!path.exists());
}
