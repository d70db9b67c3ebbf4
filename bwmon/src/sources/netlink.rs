//! Links, addresses and neighbours by rtnetlink: all of them at the start, then each change.
//!
//! A change that the socket had no room for is made up for by asking for everything again, once a
//! minute.

use std::{io, net::IpAddr, time::Duration};

use futures_util::{Stream, StreamExt, TryStreamExt};
use ipnet::IpNet;
use netlink_packet_route::{
    RouteNetlinkMessage,
    address::{AddressAttribute, AddressMessage},
    link::{InfoKind, LinkAttribute, LinkFlags, LinkInfo, LinkLayerType, LinkMessage, LinkXdp},
    neighbour::{NeighbourAddress, NeighbourAttribute, NeighbourMessage, NeighbourState},
};
use rtnetlink::{
    Handle, MulticastGroup, new_multicast_connection,
    packet_core::{NetlinkMessage, NetlinkPayload},
};
use tokio::{sync::mpsc, time};
use tokio_util::sync::CancellationToken;

use super::routes::{self, Routes};
use crate::{core::mac::MacAddr, kernel::LinkLayer};

/// How often everything is asked for again.
const RESYNC: Duration = Duration::from_secs(60);
/// Changes that may wait for the loop; beyond that the socket holds them.
const CHANGES: usize = 256;

/// An interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its index.
    pub index: u32,
    /// Its name now.
    pub name: String,
    /// What its frames start with.
    pub link_layer: LinkLayer,
    /// It is the loopback interface.
    pub is_loopback: bool,
    /// It is switched on.
    pub is_up: bool,
    /// The id of the XDP program on it.
    pub xdp_program: Option<u32>,
    /// The interface whose frames it has a part of, as a VLAN or a macvlan has.
    pub lower: Option<u32>,
}

/// An address of this machine and its prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OwnAddress {
    /// The interface it is on.
    pub index: u32,
    /// The address with the length of its prefix.
    pub net: IpNet,
}

/// Who has an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neighbour {
    /// The interface it is reached through.
    pub index: u32,
    /// Its address.
    pub address: IpAddr,
    /// Its MAC.
    pub mac: MacAddr,
    /// It was heard of lately; else it may have left since.
    pub is_confirmed: bool,
}

/// Everything at one moment.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// All interfaces.
    pub links: Vec<Link>,
    /// All addresses of this machine.
    pub addresses: Vec<OwnAddress>,
    /// All neighbours whose MAC is known.
    pub neighbours: Vec<Neighbour>,
}

/// Everything at the start, and where changes come from.
#[derive(Debug)]
pub struct Followed {
    /// Links, addresses and neighbours.
    pub state: State,
    /// Routes.
    pub routes: Routes,
    /// What changes from now on.
    pub changes: mpsc::Receiver<Change>,
}

/// Something changed.
#[derive(Clone, Debug)]
pub enum Change {
    /// An interface is new or different.
    Link(Link),
    /// An interface is gone.
    LinkGone(u32),
    /// This machine has another address.
    Address(OwnAddress),
    /// This machine lost an address.
    AddressGone(OwnAddress),
    /// A neighbour's MAC is known or has changed.
    Neighbour(Neighbour),
    /// Everything but routes, in place of all that was known.
    State(State),
    /// All routes, in place of those that were known.
    Routes(Routes),
}

/// rtnetlink can't be asked.
#[derive(Debug, thiserror::Error)]
pub enum NetlinkError {
    /// The socket.
    #[error("cannot open an rtnetlink socket (is AF_NETLINK allowed?): {0}")]
    Socket(#[from] io::Error),
    /// A question.
    #[error("cannot ask rtnetlink for {what}: {source}")]
    Ask {
        /// What was asked for.
        what: &'static str,
        /// Why not.
        source: rtnetlink::Error,
    },
}

/// Everything now, and from now on each change, until `shutdown`.
pub async fn follow(shutdown: CancellationToken) -> Result<Followed, NetlinkError> {
    let (connection, handle, messages) = new_multicast_connection(&[
        MulticastGroup::Link,
        MulticastGroup::Ipv4Ifaddr,
        MulticastGroup::Ipv6Ifaddr,
        MulticastGroup::Neigh,
    ])?;
    tokio::spawn(connection);
    // Asked for after the subscription, so that nothing falls between.
    let state = everything(&handle).await?;
    let (sender, changes) = mpsc::channel(CHANGES);
    let routes = routes::follow(sender.clone(), shutdown.clone()).await;
    let routes = routes.unwrap_or_else(|error| {
        log::warn!("{error}; networks behind other routers are not found");
        None
    });
    let messages = messages.map(|(message, _)| message);
    tokio::spawn(async move {
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = pass_on(handle, messages, sender) => {}
        }
    });
    Ok(Followed {
        state,
        routes,
        changes,
    })
}

async fn pass_on(
    handle: Handle,
    mut messages: impl Stream<Item = NetlinkMessage<RouteNetlinkMessage>> + Unpin,
    changes: mpsc::Sender<Change>,
) {
    let mut resync = time::interval_at(time::Instant::now() + RESYNC, RESYNC);
    resync.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
    loop {
        let change = tokio::select! {
            message = messages.next() => match message {
                Some(message) => change(message),
                // The connection ended; without it there is nothing to follow.
                None => {
                    log::error!("rtnetlink ended: interfaces and addresses are not followed any more; restart bwmon");
                    return;
                }
            },
            _ = resync.tick() => match everything(&handle).await {
                Ok(state) => Some(Change::State(state)),
                Err(error) => {
                    log::warn!("{error}");
                    None
                }
            },
        };
        if let Some(change) = change
            && changes.send(change).await.is_err()
        {
            return;
        }
    }
}

async fn everything(handle: &Handle) -> Result<State, NetlinkError> {
    let ask = |what| move |source| NetlinkError::Ask { what, source };
    let links: Vec<LinkMessage> = handle
        .link()
        .get()
        .execute()
        .try_collect()
        .await
        .map_err(ask("links"))?;
    let addresses: Vec<AddressMessage> = handle
        .address()
        .get()
        .execute()
        .try_collect()
        .await
        .map_err(ask("addresses"))?;
    let neighbours: Vec<NeighbourMessage> = handle
        .neighbours()
        .get()
        .execute()
        .try_collect()
        .await
        .map_err(ask("neighbours"))?;
    Ok(State {
        links: links.iter().filter_map(link).collect(),
        addresses: addresses.iter().filter_map(own_address).collect(),
        neighbours: neighbours.iter().filter_map(neighbour).collect(),
    })
}

fn change(message: NetlinkMessage<RouteNetlinkMessage>) -> Option<Change> {
    let NetlinkPayload::InnerMessage(message) = message.payload else {
        return None;
    };
    match message {
        RouteNetlinkMessage::NewLink(message) => link(&message).map(Change::Link),
        // A bridge tells of a port that leaves it in the same words.
        RouteNetlinkMessage::DelLink(message) => (message.header.interface_family
            == netlink_packet_route::AddressFamily::Unspec)
            .then_some(Change::LinkGone(message.header.index)),
        RouteNetlinkMessage::NewAddress(message) => own_address(&message).map(Change::Address),
        RouteNetlinkMessage::DelAddress(message) => own_address(&message).map(Change::AddressGone),
        RouteNetlinkMessage::NewNeighbour(message) => neighbour(&message).map(Change::Neighbour),
        _ => None,
    }
}

fn link(message: &LinkMessage) -> Option<Link> {
    if message.header.interface_family != netlink_packet_route::AddressFamily::Unspec {
        return None;
    }
    let name = message
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            LinkAttribute::IfName(name) => Some(name.clone()),
            _ => None,
        })?;
    let xdp_program = message
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            LinkAttribute::Xdp(xdp) => xdp.iter().find_map(|xdp| match xdp {
                LinkXdp::ProgId(id) => Some(*id).filter(|id| *id != 0),
                _ => None,
            }),
            _ => None,
        });
    let is_part = message.attributes.iter().any(|attribute| match attribute {
        LinkAttribute::LinkInfo(infos) => infos.iter().any(|info| {
            matches!(
                info,
                LinkInfo::Kind(InfoKind::Vlan | InfoKind::MacVlan | InfoKind::IpVlan)
            )
        }),
        _ => false,
    });
    let lower = message
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            LinkAttribute::Link(index) => Some(*index).filter(|_| is_part),
            _ => None,
        });
    Some(Link {
        index: message.header.index,
        name,
        link_layer: match message.header.link_layer_type {
            LinkLayerType::Ether | LinkLayerType::Loopback => LinkLayer::Ethernet,
            _ => LinkLayer::Ip,
        },
        is_loopback: message.header.link_layer_type == LinkLayerType::Loopback,
        is_up: message.header.flags.contains(LinkFlags::Up),
        xdp_program,
        lower,
    })
}

fn own_address(message: &AddressMessage) -> Option<OwnAddress> {
    let prefix_len = message.header.prefix_len;
    // On a point-to-point link `Address` is the other end; the prefix is that one's.
    let address = message
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            AddressAttribute::Address(address) => Some(*address),
            _ => None,
        })?;
    Some(OwnAddress {
        index: message.header.index,
        net: IpNet::new(address, prefix_len).ok()?,
    })
}

fn neighbour(message: &NeighbourMessage) -> Option<Neighbour> {
    if matches!(
        message.header.state,
        NeighbourState::Incomplete | NeighbourState::Failed | NeighbourState::Noarp
    ) {
        return None;
    }
    let address = message
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            NeighbourAttribute::Destination(NeighbourAddress::Inet(address)) => {
                Some((*address).into())
            }
            NeighbourAttribute::Destination(NeighbourAddress::Inet6(address)) => {
                Some((*address).into())
            }
            _ => None,
        })?;
    let mac = message
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            NeighbourAttribute::LinkLayerAddress(octets) => {
                octets.as_slice().try_into().ok().map(MacAddr)
            }
            _ => None,
        })?;
    mac.is_station().then_some(Neighbour {
        index: message.header.ifindex,
        address,
        mac,
        is_confirmed: message.header.state != NeighbourState::Stale,
    })
}
