//! What passed an interface, as the kernel shows it to a packet socket: an oracle that knows who has
//! which address from the frames themselves.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    os::fd::{AsRawFd, OwnedFd},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

use nix::{
    errno::Errno,
    net::if_::if_nametoindex,
    sys::{
        socket::{
            AddressFamily, LinkAddr, SockFlag, SockProtocol, SockType, bind, recvfrom, setsockopt,
            socket, sockopt::ReceiveTimeout,
        },
        time::TimeVal,
    },
};

use crate::{api::Directions, frame::Mac, inject::link_address, link::Link};

/// `PACKET_OUTGOING`: the interface sent it.
const OUTGOING: u8 = 4;
/// How soon the thread sees that it is to stop.
const PATIENCE: TimeVal = TimeVal::new(0, 100_000);

/// An IP packet that passed, seen from the devices.
#[derive(Clone, Copy, Debug)]
pub struct Passed {
    /// A device sent it; else it was for one.
    pub is_sent: bool,
    /// The device's.
    pub mac: Mac,
    /// The device's, or of a device behind it.
    pub address: IpAddr,
    /// Of the frame.
    pub bytes: u64,
}

/// Looks at an interface until it is dropped.
#[derive(Debug)]
pub struct Sniffer {
    passed: Arc<Mutex<Vec<Passed>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Sniffer {
    /// Begins to look at the router's end of a link.
    ///
    /// # Panics
    /// When it is gone.
    #[track_caller]
    pub fn start(link: &Link) -> Self {
        let socket = link.namespace.enter(|| {
            let index = if_nametoindex(link.name.as_str())?;
            let (packets, raw) = (AddressFamily::Packet, SockType::Raw);
            let all = SockProtocol::EthAll;
            let socket = socket(packets, raw, SockFlag::SOCK_CLOEXEC, all)?;
            bind(socket.as_raw_fd(), &link_address(index))?;
            setsockopt(&socket, ReceiveTimeout, &PATIENCE)?;
            Ok::<_, Errno>(socket)
        });
        let socket = match socket {
            Ok(socket) => socket,
            Err(error) => panic!("look at {}: {error}", link.name),
        };
        let passed = Arc::<Mutex<Vec<Passed>>>::default();
        let stop = Arc::<AtomicBool>::default();
        let thread = thread::spawn({
            let (passed, stop) = (Arc::clone(&passed), Arc::clone(&stop));
            move || listen(&socket, &passed, &stop)
        });
        Self {
            passed,
            stop,
            thread: Some(thread),
        }
    }

    /// Bytes of those that passed.
    pub fn bytes(&self, which: impl Fn(&Passed) -> bool) -> Directions {
        let passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        let sum = |is_sent| {
            let packets = passed.iter().filter(|passed| passed.is_sent == is_sent);
            packets
                .filter(|passed| which(passed))
                .map(|passed| passed.bytes)
                .sum()
        };
        Directions {
            sent: sum(true),
            received: sum(false),
        }
    }
}

impl Drop for Sniffer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

fn listen(socket: &OwnedFd, passed: &Mutex<Vec<Passed>>, stop: &AtomicBool) {
    let mut frame = [0; 65_536];
    while !stop.load(Ordering::Acquire) {
        match recvfrom::<LinkAddr>(socket.as_raw_fd(), &mut frame) {
            Ok((length, from)) => {
                let is_sent = from.is_none_or(|from| from.pkttype() != OUTGOING);
                if let Some(packet) = read(&frame[..length], is_sent) {
                    let mut passed = passed.lock().unwrap_or_else(PoisonError::into_inner);
                    passed.push(packet);
                }
            }
            Err(Errno::EAGAIN | Errno::EINTR) => {}
            // The interface is gone, and nothing passes any more.
            Err(_) => return,
        }
    }
}

fn read(frame: &[u8], is_sent: bool) -> Option<Passed> {
    let (to, from) = (frame.get(..6)?, frame.get(6..12)?);
    let mac = if is_sent { from } else { to };
    let address = match frame.get(12..14)? {
        [0x08, 0x00] => {
            let start = if is_sent { 26 } else { 30 };
            let octets: [u8; 4] = frame.get(start..start + 4)?.try_into().ok()?;
            IpAddr::from(Ipv4Addr::from(octets))
        }
        [0x86, 0xdd] => {
            let start = if is_sent { 22 } else { 38 };
            let octets: [u8; 16] = frame.get(start..start + 16)?.try_into().ok()?;
            IpAddr::from(Ipv6Addr::from(octets))
        }
        _ => return None,
    };
    Some(Passed {
        is_sent,
        mac: Mac(mac.try_into().ok()?),
        address,
        bytes: frame.len() as u64,
    })
}
