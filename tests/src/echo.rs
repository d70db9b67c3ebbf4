//! UDP that is answered, by the kernels of two namespaces: whoever answers has to find out who asked.

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use nix::net::if_::if_nametoindex;

use crate::{
    link::Link,
    namespace::Namespace,
    wait::{SOON, wait_until},
};

const PORT: u16 = 9999;
const PATIENCE: Duration = Duration::from_millis(100);

/// Sends back what comes, until it is dropped.
#[derive(Debug)]
pub struct Echo {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Echo {
    /// On every address of a namespace.
    ///
    /// # Panics
    /// When somebody else is there.
    #[track_caller]
    pub fn start(namespace: &Namespace) -> Self {
        let socket = namespace.enter(|| UdpSocket::bind((Ipv6Addr::UNSPECIFIED, PORT)));
        let socket = socket.expect("listen for what to send back");
        socket
            .set_read_timeout(Some(PATIENCE))
            .expect("wait for a while only");
        let stop = Arc::<AtomicBool>::default();
        let thread = thread::spawn({
            let stop = Arc::clone(&stop);
            move || {
                let mut packet = [0; 2048];
                while !stop.load(Ordering::Acquire) {
                    if let Ok((length, from)) = socket.recv_from(&mut packet) {
                        // Who does not hear it asks again.
                        socket.send_to(&packet[..length], from).ok();
                    }
                }
            }
        });
        Self {
            stop,
            thread: Some(thread),
        }
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

/// Sends `count` packets from an address of an interface to an [`Echo`], and waits for each answer. A
/// packet that is lost while the kernels look for each other is sent again.
///
/// # Panics
/// When nobody answers.
#[track_caller]
pub fn exchange(link: &Link, from: IpAddr, to: IpAddr, count: usize) {
    link.namespace.enter(|| {
        let index = if_nametoindex(link.name.as_str()).expect("the interface is there");
        let at = |address, port| match address {
            IpAddr::V6(address) if address.is_unicast_link_local() => {
                SocketAddr::V6(SocketAddrV6::new(address, port, 0, index))
            }
            address => SocketAddr::new(address, port),
        };
        let socket = UdpSocket::bind(at(from, 0)).expect("an address of the interface");
        socket
            .set_read_timeout(Some(PATIENCE))
            .expect("wait for a while only");
        let mut answer = [0; 2048];
        for number in 0..count {
            wait_until("an answer", SOON, || {
                let question = [number as u8; 500];
                socket.send_to(&question, at(to, PORT))?;
                socket.recv_from(&mut answer)
            });
        }
    });
}
