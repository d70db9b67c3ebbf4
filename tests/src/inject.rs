//! Sending frames as they are, through a packet socket.

use std::{
    fs::File,
    io::{self, Write},
    os::fd::AsRawFd,
};

use nix::{
    net::if_::if_nametoindex,
    sys::socket::{AddressFamily, LinkAddr, SockFlag, SockType, SockaddrLike, bind, socket},
};

use crate::{
    api::Counted,
    link::Link,
    wait::{SOON, wait_until},
};

/// What was sent.
pub type Sent = Counted;

/// Frames that may be under way at a time. A veth with an XDP program queues 256 and drops the rest.
const WINDOW: u64 = 64;

/// An interface opened for sending frames.
#[derive(Debug)]
pub struct Injector {
    socket: File,
    link: Link,
}

impl Injector {
    #[track_caller]
    pub(crate) fn open(link: &Link) -> Self {
        let opened = link.namespace.enter(|| -> io::Result<File> {
            let index = if_nametoindex(link.name.as_str())?;
            // Protocol 0: it sends, and receives nothing.
            let socket = socket(
                AddressFamily::Packet,
                SockType::Raw,
                SockFlag::SOCK_CLOEXEC,
                None,
            )?;
            bind(socket.as_raw_fd(), &link_address(index))?;
            Ok(File::from(socket))
        });
        match opened {
            Ok(socket) => Self {
                socket,
                link: link.clone(),
            },
            Err(error) => panic!("open {} for sending frames: {error}", link.name),
        }
    }

    /// Sends one frame.
    ///
    /// # Errors
    /// When the interface is down or gone, or the frame longer than it takes.
    pub fn send(&self, frame: &[u8]) -> io::Result<()> {
        (&self.socket).write_all(frame)
    }

    /// Sends frames no faster than the other end takes them, and waits until it has them all.
    ///
    /// # Panics
    /// When one gets lost.
    #[track_caller]
    pub fn send_all<F: AsRef<[u8]>>(
        &self,
        peer: &Link,
        frames: impl IntoIterator<Item = F>,
    ) -> Sent {
        let (own_start, start) = (self.link.counters(), peer.counters());
        let mut sent = Sent::default();
        let arrived = |sent: Sent| {
            wait_until("frames to arrive", SOON, || {
                let arrived = (peer.counters() - start).rx.packets;
                if arrived >= sent.packets {
                    Ok(())
                } else {
                    Err(format!("{arrived} of {} came", sent.packets))
                }
            });
        };
        for frame in frames {
            let frame = frame.as_ref();
            if let Err(error) = self.send(frame) {
                panic!(
                    "send {} bytes from {}: {error}",
                    frame.len(),
                    self.link.name
                );
            }
            sent += Sent {
                bytes: frame.len() as u64,
                packets: 1,
            };
            if sent.packets.is_multiple_of(WINDOW) {
                arrived(sent);
            }
        }
        arrived(sent);
        let lost = (self.link.counters() - own_start).tx_dropped;
        assert_eq!(lost, 0, "{} lost frames", self.link.name);
        sent
    }
}

pub(crate) fn link_address(index: u32) -> LinkAddr {
    let address = libc::sockaddr_ll {
        sll_family: libc::AF_PACKET as u16,
        sll_protocol: 0,
        sll_ifindex: i32::try_from(index).expect("an interface index is positive"),
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: 0,
        sll_addr: [0; 8],
    };
    // SAFETY: the pointer is to a whole sockaddr_ll, whose length is given, and it is only read.
    let address = unsafe {
        LinkAddr::from_raw(
            (&raw const address).cast(),
            Some(size_of_val(&address) as u32),
        )
    };
    address.expect("a sockaddr_ll is a link address")
}
