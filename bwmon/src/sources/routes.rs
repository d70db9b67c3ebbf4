//! The routes of the main table, by rtnetlink: all of them at the start, and again when they change.
//!
//! They have a socket of their own, so that a router that learns its routes from others, a hundred
//! a second, does not make neighbours wait. Beyond [`MOST`] of them nobody asks any more.

use std::{net::IpAddr, time::Duration};

use futures_util::{StreamExt, TryStreamExt};
use ipnet::IpNet;
use netlink_packet_route::{
    AddressFamily,
    route::{RouteAddress, RouteAttribute, RouteHeader, RouteMessage, RouteNextHop, RouteType},
};
use rtnetlink::{Handle, MulticastGroup, new_multicast_connection, sys::AsyncSocket};
use tokio::{sync::mpsc, time};
use tokio_util::sync::CancellationToken;

use super::netlink::{Change, NetlinkError};

/// Most routes that are looked at: more are no home's, and come from other routers.
pub const MOST: usize = 4096;
/// How often everything is asked for again.
const RESYNC: Duration = Duration::from_secs(60);
/// Changes come in crowds, as when an interface comes up: one question for all of them.
const PAUSE: Duration = Duration::from_secs(1);

/// Where packets to a network leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route {
    /// The network; of no length for the default route.
    pub net: IpNet,
    /// The index of the interface.
    pub index: u32,
    /// Through another router, which alone is a neighbour.
    pub has_gateway: bool,
}

/// All routes there are, in order; `None`: more than [`MOST`], or nobody could be asked.
pub type Routes = Option<Vec<Route>>;

/// The routes now; from now on, each time they changed, into `changes`, until `shutdown`.
pub(super) async fn follow(
    changes: mpsc::Sender<Change>,
    shutdown: CancellationToken,
) -> Result<Routes, NetlinkError> {
    let groups = [MulticastGroup::Ipv4Route, MulticastGroup::Ipv6Route];
    let (mut connection, handle, mut messages) = new_multicast_connection(&groups)?;
    // So that the kernel leaves other tables out, where it can (Linux 4.20).
    let socket = connection.socket_mut().socket_mut();
    if let Err(error) = socket.set_netlink_get_strict_chk(true) {
        log::debug!("routes of all tables are asked for: {error}");
    }
    tokio::spawn(connection);
    let first = everything(&handle).await?;
    let Some(mut known) = first.clone() else {
        return Ok(first);
    };
    tokio::spawn(async move {
        let mut resync = time::interval_at(time::Instant::now() + RESYNC, RESYNC);
        resync.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
        let mut due: Option<time::Instant> = None;
        loop {
            let asks = tokio::select! {
                () = shutdown.cancelled() => return,
                message = messages.next() => {
                    if message.is_none() {
                        log::error!("rtnetlink ended: routes are not followed any more; restart bwmon");
                        return;
                    }
                    due.get_or_insert_with(|| time::Instant::now() + PAUSE);
                    false
                }
                () = time::sleep_until(due.unwrap_or_else(time::Instant::now)), if due.is_some() => true,
                _ = resync.tick() => true,
            };
            if !asks {
                continue;
            }
            due = None;
            let routes = match everything(&handle).await {
                Ok(routes) => routes,
                Err(error) => {
                    log::warn!("{error}");
                    continue;
                }
            };
            let is_over = routes.is_none();
            if routes.as_ref() != Some(&known) {
                known = routes.clone().unwrap_or_default();
                if changes.send(Change::Routes(routes)).await.is_err() {
                    return;
                }
            }
            if is_over {
                return;
            }
        }
    });
    Ok(first)
}

async fn everything(handle: &Handle) -> Result<Routes, NetlinkError> {
    let mut routes = Vec::new();
    for family in [AddressFamily::Inet, AddressFamily::Inet6] {
        let mut message = RouteMessage::default();
        message.header.address_family = family;
        message.header.table = RouteHeader::RT_TABLE_MAIN;
        let mut answers = handle.route().get(message).execute();
        let answer = |source| NetlinkError::Ask {
            what: "routes",
            source,
        };
        while let Some(message) = answers.try_next().await.map_err(answer)? {
            routes.extend(read(&message));
            if routes.len() > MOST {
                return Ok(None);
            }
        }
    }
    routes.sort_unstable();
    routes.dedup();
    Ok(Some(routes))
}

/// A route of the main table, once for each way that packets may take.
fn read(message: &RouteMessage) -> Vec<Route> {
    let RouteHeader {
        address_family,
        destination_prefix_length,
        table,
        kind,
        ..
    } = message.header;
    let find = |attribute: &RouteAttribute| match attribute {
        RouteAttribute::Table(table) => Some(*table),
        _ => None,
    };
    let attributes = &message.attributes;
    let table = attributes.iter().find_map(find).unwrap_or(table.into());
    if kind != RouteType::Unicast || table != u32::from(RouteHeader::RT_TABLE_MAIN) {
        return Vec::new();
    }
    let destination = attributes.iter().find_map(|attribute| match attribute {
        RouteAttribute::Destination(RouteAddress::Inet(address)) => Some(IpAddr::from(*address)),
        RouteAttribute::Destination(RouteAddress::Inet6(address)) => Some(IpAddr::from(*address)),
        _ => None,
    });
    let everything = match address_family {
        AddressFamily::Inet => IpAddr::from([0; 4]),
        _ => IpAddr::from([0; 16]),
    };
    let address = destination.unwrap_or(everything);
    let Ok(net) = IpNet::new(address, destination_prefix_length) else {
        return Vec::new();
    };
    let route = |index, has_gateway| Route {
        net: net.trunc(),
        index,
        has_gateway,
    };
    let way = attributes.iter().find_map(|attribute| match attribute {
        RouteAttribute::Oif(index) => Some(route(*index, has_gateway(attributes))),
        _ => None,
    });
    let ways = attributes.iter().flat_map(|attribute| match attribute {
        RouteAttribute::MultiPath(hops) => hops.as_slice(),
        _ => &[],
    });
    let of_hop = |hop: &RouteNextHop| route(hop.interface_index, has_gateway(&hop.attributes));
    way.into_iter().chain(ways.map(of_hop)).collect()
}

fn has_gateway(attributes: &[RouteAttribute]) -> bool {
    attributes.iter().any(|attribute| {
        matches!(
            attribute,
            RouteAttribute::Gateway(_) | RouteAttribute::Via(_)
        )
    })
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const GATEWAY: RouteAttribute =
        RouteAttribute::Gateway(RouteAddress::Inet(Ipv4Addr::new(192, 168, 1, 2)));

    /// To 10.9.0.0/16, unless `length` says otherwise.
    fn message(length: u8, attributes: Vec<RouteAttribute>) -> RouteMessage {
        let mut message = RouteMessage::default();
        message.header.address_family = AddressFamily::Inet;
        message.header.destination_prefix_length = length;
        message.header.table = RouteHeader::RT_TABLE_MAIN;
        message.header.kind = RouteType::Unicast;
        if length > 0 {
            let destination = RouteAddress::Inet(Ipv4Addr::new(10, 9, 0, 0));
            message.attributes = vec![RouteAttribute::Destination(destination)];
        }
        message.attributes.extend(attributes);
        message
    }

    #[track_caller]
    fn check(message: &RouteMessage, expected: &[(&str, u32, bool)]) {
        let expected: Vec<Route> = expected
            .iter()
            .map(|(net, index, has_gateway)| Route {
                net: net.parse().unwrap(),
                index: *index,
                has_gateway: *has_gateway,
            })
            .collect();
        assert_eq!(read(message), expected);
    }

    #[test]
    fn a_route_leaves_by_its_interface() {
        let direct = vec![RouteAttribute::Oif(3)];
        check(&message(16, direct), &[("10.9.0.0/16", 3, false)]);
        let through = vec![GATEWAY, RouteAttribute::Oif(3)];
        check(&message(16, through.clone()), &[("10.9.0.0/16", 3, true)]);
        check(&message(0, through), &[("0.0.0.0/0", 3, true)]);
    }

    #[test]
    fn a_route_of_several_ways_is_each_of_them() {
        let hop = |index, attributes| {
            let mut hop = RouteNextHop::default();
            hop.interface_index = index;
            hop.attributes = attributes;
            hop
        };
        let hops = vec![hop(3, vec![GATEWAY]), hop(4, Vec::new())];
        let expected = [("10.9.0.0/16", 3, true), ("10.9.0.0/16", 4, false)];
        check(
            &message(16, vec![RouteAttribute::MultiPath(hops)]),
            &expected,
        );
    }

    #[test]
    fn other_tables_and_routes_to_nowhere_are_left_out() {
        let vpn = vec![RouteAttribute::Oif(3), RouteAttribute::Table(51820)];
        check(&message(16, vpn), &[]);
        let mut nowhere = message(16, vec![RouteAttribute::Oif(3)]);
        nowhere.header.kind = RouteType::Unreachable;
        check(&nowhere, &[]);
    }
}
