//! Listens to what devices say of themselves over multicast DNS (RFC 6762). Nothing is sent here.

use std::{
    collections::{HashMap, HashSet},
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::{Duration, Instant},
};

use socket2::{Domain, InterfaceIndexOrAddress, Protocol, Socket, Type};
use tokio::net::UdpSocket;

use super::{MDNS_PORT, Reach, wire};
use crate::{
    config,
    core::names::{Called, Name, NameFact, NameSource, Whose},
};

const GROUP_V4: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);
const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xfb);
/// The largest message (RFC 6762, 17).
const MOST_BYTES: usize = 9000;
/// Addresses whose name is remembered, so that it is not told each time.
const MOST_HEARD: usize = 4096;
/// The address may have had another owner in between, of whom nothing was heard.
const TOLD_AGAIN_AFTER: Duration = Duration::from_secs(60);

/// Listens on the interfaces that face the devices.
pub(super) struct Listener {
    v4: Option<UdpSocket>,
    v6: Option<UdpSocket>,
    joined: HashSet<u32>,
    heard: HashMap<IpAddr, (Name, Instant)>,
    v4_bytes: Vec<u8>,
    v6_bytes: Vec<u8>,
}

impl Listener {
    /// One that hears nothing where the configuration does not want it to.
    pub(super) fn new(settings: &config::Names, reach: &Reach) -> Self {
        let open = |group: IpAddr| {
            let socket = open(group).inspect_err(|error| {
                log::warn!("cannot listen to multicast DNS at {group}: {error}");
            });
            socket.ok()
        };
        let is_wanted = settings.mdns;
        let mut listener = Self {
            v4: is_wanted.then(|| open(GROUP_V4.into())).flatten(),
            v6: is_wanted.then(|| open(GROUP_V6.into())).flatten(),
            joined: HashSet::new(),
            heard: HashMap::new(),
            v4_bytes: vec![0; if is_wanted { MOST_BYTES } else { 0 }],
            v6_bytes: vec![0; if is_wanted { MOST_BYTES } else { 0 }],
        };
        listener.join(reach);
        listener
    }

    /// Listens on these interfaces too. One that is gone has left by itself.
    pub(super) fn join(&mut self, reach: &Reach) {
        self.joined.retain(|index| reach.interfaces.contains(index));
        for &index in &reach.interfaces {
            if !self.joined.insert(index) {
                continue;
            }
            let v4 = self.v4.as_ref().map(|socket| {
                let interface = InterfaceIndexOrAddress::Index(index);
                socket2::SockRef::from(socket).join_multicast_v4_n(&GROUP_V4, &interface)
            });
            let v6 = self
                .v6
                .as_ref()
                .map(|socket| socket.join_multicast_v6(&GROUP_V6, index));
            for error in [v4, v6].into_iter().flatten().filter_map(Result::err) {
                log::debug!("interface {index} does not carry multicast DNS: {error}");
            }
        }
    }

    /// Waits until a device of the local networks tells a name that was not heard of it lately.
    pub(super) async fn heard(&mut self, reach: &Reach) -> NameFact {
        loop {
            let (sender, name) = {
                let Self {
                    v4,
                    v6,
                    v4_bytes,
                    v6_bytes,
                    ..
                } = self;
                tokio::select! {
                    heard = receive(v4.as_ref(), v4_bytes) => heard,
                    heard = receive(v6.as_ref(), v6_bytes) => heard,
                }
            };
            let is_link_local =
                matches!(sender, IpAddr::V6(address) if address.is_unicast_link_local());
            // Only what comes to the group on a joined interface is received at all.
            if (is_link_local || reach.includes(sender)) && self.is_news(sender, &name) {
                let called = Some(Called { name, mac: None });
                return NameFact {
                    source: NameSource::Mdns,
                    whose: Whose::Address(sender),
                    called,
                };
            }
        }
    }

    fn is_news(&mut self, sender: IpAddr, name: &Name) -> bool {
        let known = self.heard.get(&sender);
        let has_room = known.is_some() || self.heard.len() < MOST_HEARD;
        let is_told =
            known.is_some_and(|(told, at)| told == name && at.elapsed() < TOLD_AGAIN_AFTER);
        if has_room && !is_told {
            self.heard.insert(sender, (name.clone(), Instant::now()));
        }
        has_room && !is_told
    }
}

/// Waits for a message in which the sender tells its name.
async fn receive(socket: Option<&UdpSocket>, bytes: &mut [u8]) -> (IpAddr, Name) {
    let Some(socket) = socket else {
        return std::future::pending().await;
    };
    loop {
        match socket.recv_from(bytes).await {
            Ok((length, sender)) => {
                // Questions from other ports are of programs that ask once.
                let name = wire::heard(&bytes[..length], sender.ip());
                if let Some(name) = name.filter(|_| sender.port() == MDNS_PORT) {
                    return (sender.ip(), name);
                }
            }
            Err(error) => {
                log::debug!("cannot receive multicast DNS: {error}");
                tokio::time::sleep(super::DEVICE_ANSWERS).await;
            }
        }
    }
}

/// A socket at the group's address, not at all of this machine's: a responder that runs here as well
/// would not get the questions that are sent to it alone any more.
fn open(group: IpAddr) -> io::Result<UdpSocket> {
    let address = SocketAddr::new(group, MDNS_PORT);
    let socket = Socket::new(
        Domain::for_address(address),
        Type::DGRAM,
        Some(Protocol::UDP),
    )?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    match group {
        IpAddr::V4(_) => socket.set_multicast_all_v4(false)?,
        IpAddr::V6(_) => {
            socket.set_only_v6(true)?;
            socket.set_multicast_all_v6(false)?;
        }
    }
    socket.bind(&address.into())?;
    UdpSocket::from_std(socket.into())
}
