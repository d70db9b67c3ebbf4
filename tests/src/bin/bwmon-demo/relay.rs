//! The way from the machine's loopback to the daemon's Unix socket, which works across namespaces.
//!
//! Who may open that socket may change everything, so the dashboard can acknowledge and rename without
//! a token. That is for the demo: what every program of this machine can reach here is a home that is
//! not there tomorrow. A web page of elsewhere can not, though: it can have its name resolve to
//! 127.0.0.1, but its name is then in the `Host` header, and such connections are refused. A browser
//! never sends requests of two sites by one connection, so the first request tells.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use anyhow::{Context, Result};

/// Connections at a time.
const MOST: usize = 64;
/// A request's head is no larger.
const HEAD: usize = 16 * 1024;
/// For a request to begin.
const PATIENCE: Duration = Duration::from_secs(10);
const REFUSAL: &[u8] =
    b"HTTP/1.1 403 Forbidden\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\n\
    the demo is at http://127.0.0.1 and http://localhost only\n";

/// Listens on the loopback of the machine.
pub(crate) struct Relay {
    listener: TcpListener,
    address: SocketAddr,
}

impl Relay {
    /// From now on, connections wait.
    ///
    /// # Errors
    /// When the port is somebody else's.
    pub(crate) fn bind(port: u16) -> Result<Self> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let bind = || format!("listen at {address}: name another port by --port");
        let listener = TcpListener::bind(address).with_context(bind)?;
        let address = listener.local_addr().with_context(bind)?;
        Ok(Self { listener, address })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on, they are passed on, until the process ends.
    pub(crate) fn start(&self, socket: &Path) -> Result<()> {
        let listener = self.listener.try_clone().context("share the listener")?;
        let socket: Arc<PathBuf> = Arc::new(socket.to_owned());
        let open = Arc::<AtomicUsize>::default();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if open.fetch_add(1, Ordering::AcqRel) >= MOST {
                    // Closed at once; whoever it is may try again.
                    open.fetch_sub(1, Ordering::AcqRel);
                    continue;
                }
                let (socket, open) = (Arc::clone(&socket), Arc::clone(&open));
                thread::spawn(move || {
                    // A connection that breaks is nothing to tell of.
                    pass(stream, &socket).ok();
                    open.fetch_sub(1, Ordering::AcqRel);
                });
            }
        });
        Ok(())
    }
}

fn pass(mut client: TcpStream, socket: &Path) -> io::Result<()> {
    client.set_read_timeout(Some(PATIENCE))?;
    let Some(head) = read_head(&mut client)? else {
        return client.write_all(REFUSAL);
    };
    client.set_read_timeout(None)?;
    client.set_nodelay(true)?;
    let mut daemon = UnixStream::connect(socket)?;
    daemon.write_all(&head)?;
    let (mut from_daemon, mut to_client) = (daemon.try_clone()?, client.try_clone()?);
    let back = thread::spawn(move || {
        io::copy(&mut from_daemon, &mut to_client).ok();
        // Nothing more can come, so nothing more need go.
        to_client.shutdown(Shutdown::Both).ok();
    });
    io::copy(&mut client, &mut daemon).ok();
    daemon.shutdown(Shutdown::Write).ok();
    back.join().ok();
    Ok(())
}

/// All that came of the first request up to the end of its head; `None` if it is not for here.
fn read_head(client: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut head = Vec::new();
    let mut piece = [0; 4096];
    while head.len() < HEAD {
        let read = client.read(&mut piece)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        head.extend_from_slice(&piece[..read]);
        if let Some(end) = head.windows(4).position(|end| end == b"\r\n\r\n") {
            let is_for_here = is_for_here(&String::from_utf8_lossy(&head[..end]));
            return Ok(is_for_here.then_some(head));
        }
    }
    Ok(None)
}

/// Whether it names this machine in one `Host` header, and as nobody else but this machine can.
fn is_for_here(head: &str) -> bool {
    let mut hosts = head.split("\r\n").skip(1).filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("host").then(|| value.trim())
    });
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return false;
    };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    name == "127.0.0.1" || name.eq_ignore_ascii_case("localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_names_this_machine_gets_through() {
        for (lines, expected) in [
            ("Host: 127.0.0.1:4040", true),
            ("host:localhost:4040\r\naccept: */*", true),
            ("Host: LocalHost", true),
            ("Host: evil.example:4040", false),
            ("Host: 127.0.0.1.evil.example:4040", false),
            ("Host: 127.0.0.1:4040.evil.example", false),
            ("Host: 127.0.0.1\r\nHost: evil.example", false),
            ("Accept: Host: localhost", false),
            ("Host:", false),
        ] {
            let request = format!("GET / HTTP/1.1\r\n{lines}\r\n\r\nrest");
            let head = read_head(&mut request.as_bytes()).unwrap();
            let through = head.is_some_and(|head| head == request.as_bytes());
            assert_eq!(through, expected, "{lines}");
        }
    }

    #[test]
    fn a_head_without_end_is_refused() {
        let endless = [b'a'; 2 * HEAD];
        assert_eq!(read_head(&mut endless.as_slice()).unwrap(), None);
        assert!(read_head(&mut "GET / HTTP/1.1\r\n".as_bytes()).is_err());
    }
}
