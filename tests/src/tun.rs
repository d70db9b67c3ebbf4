//! An interface without a link layer: packets begin with their IP header.

use std::{
    fs::File,
    io::{self, Write},
    os::fd::AsRawFd,
    sync::Arc,
};

use crate::{
    api::Counted,
    frame::{Frame, Mac},
    inject::Sent,
    link::Link,
    namespace::Namespace,
    wait::{SOON, wait_until},
};

/// A TUN interface and its other end, which is a file.
#[derive(Debug)]
pub struct Tun {
    /// The interface, up.
    pub link: Link,
    device: File,
}

const ETHERNET_LEN: usize = 14;

impl Tun {
    /// Makes one.
    ///
    /// # Panics
    /// When the kernel refuses.
    #[track_caller]
    pub fn new(namespace: &Arc<Namespace>, name: &str) -> Self {
        let device = match namespace.enter(|| open(name)) {
            Ok(device) => device,
            Err(error) => panic!("make {name}: {error}"),
        };
        let link = Link {
            namespace: Arc::clone(namespace),
            name: name.to_owned(),
            mac: Mac([0; 6]),
        };
        link.set("addrgenmode none");
        link.set("up");
        link.wait_up();
        Self { link, device }
    }

    /// Sends the packets in these frames in on the interface.
    ///
    /// # Panics
    /// When one gets lost.
    #[track_caller]
    pub fn upload(&self, frames: impl IntoIterator<Item = Frame>) -> Sent {
        let before = self.link.counters();
        let mut sent = Sent::default();
        for frame in frames {
            let packet = &frame.build()[ETHERNET_LEN..];
            (&self.device)
                .write_all(packet)
                .expect("send a packet in on the interface");
            sent += Counted {
                bytes: packet.len() as u64,
                packets: 1,
            };
        }
        wait_until("packets to arrive", SOON, || {
            let arrived = (self.link.counters() - before).rx;
            if arrived == sent {
                Ok(())
            } else {
                Err(format!("{arrived:?} of {sent:?}"))
            }
        });
        sent
    }
}

fn open(name: &str) -> io::Result<File> {
    let device = File::options()
        .read(true)
        .write(true)
        .open("/dev/net/tun")?;
    let mut request = Request {
        name: [0; libc::IFNAMSIZ],
        flags: 0,
        padding: [0; 22],
    };
    for (byte, letter) in request.name.iter_mut().zip(name.bytes()) {
        *byte = letter;
    }
    request.flags = (libc::IFF_TUN | libc::IFF_NO_PI) as u16;
    // SAFETY: the request is a whole ifreq, which the kernel reads and writes.
    let result = unsafe { libc::ioctl(device.as_raw_fd(), libc::TUNSETIFF, &raw mut request) };
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(device)
    }
}

/// `struct ifreq`, with the member of its union that TUNSETIFF takes.
#[repr(C)]
struct Request {
    name: [u8; libc::IFNAMSIZ],
    flags: u16,
    padding: [u8; 22],
}
