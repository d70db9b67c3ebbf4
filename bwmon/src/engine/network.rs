//! What is known of this machine's interfaces and addresses, and what follows from it: which
//! interfaces to watch.

use std::{
    collections::{BTreeMap, HashSet},
    net::IpAddr,
};

use ipnet::IpNet;

use crate::sources::{
    netlink::{Change, Link, Neighbour, OwnAddress, State},
    routes::Routes,
};

/// Interfaces by index, and addresses of this machine.
#[derive(Clone, Debug, Default)]
pub(super) struct Network {
    links: BTreeMap<u32, Link>,
    pub(super) addresses: HashSet<OwnAddress>,
    pub(super) routes: Routes,
}

impl Network {
    pub(super) fn new(state: &State, routes: Routes) -> Self {
        Self {
            routes,
            links: state
                .links
                .iter()
                .map(|link| (link.index, link.clone()))
                .collect(),
            addresses: state.addresses.iter().copied().collect(),
        }
    }

    /// Takes in a change, and returns the neighbours it tells of.
    pub(super) fn apply(&mut self, change: Change) -> Vec<Neighbour> {
        match change {
            Change::Link(link) => {
                self.links.insert(link.index, link);
            }
            Change::LinkGone(index) => {
                self.links.remove(&index);
                self.addresses.retain(|address| address.index != index);
            }
            Change::Address(address) => {
                self.addresses.insert(address);
            }
            Change::AddressGone(address) => {
                self.addresses.remove(&address);
            }
            Change::Neighbour(neighbour) => return vec![neighbour],
            Change::State(state) => {
                *self = Self::new(&state, self.routes.take());
                return state.neighbours;
            }
            Change::Routes(routes) => self.routes = routes,
        }
        Vec::new()
    }

    pub(super) fn link(&self, index: u32) -> Option<&Link> {
        self.links.get(&index)
    }

    pub(super) fn links(&self) -> impl Iterator<Item = &Link> {
        self.links.values()
    }

    /// Whether the frames of an interface pass one that is watched: itself, or the one it is a part of.
    pub(super) fn passes(&self, index: u32, watched: &HashSet<u32>) -> bool {
        let lower = self.link(index).and_then(|link| link.lower);
        watched.contains(&index) || lower.is_some_and(|lower| watched.contains(&lower))
    }

    /// Takes out the interfaces that are a part of another one among them: whatever passes them
    /// passes that, and would be counted twice.
    pub(super) fn without_parts<'a>(&self, links: Vec<&'a Link>) -> Vec<&'a Link> {
        let indices: HashSet<u32> = links.iter().map(|link| link.index).collect();
        let is_part = |link: &&Link| link.lower.is_some_and(|lower| indices.contains(&lower));
        links.into_iter().filter(|link| !is_part(link)).collect()
    }

    /// Which interfaces face the devices, and why these.
    ///
    /// On a router: bridges with a private address; else every interface with a private address
    /// that the default route does not leave by. Elsewhere: the interface of the default route.
    pub(super) fn choose(&self, default_route: Option<&str>, routes: bool) -> Option<Choice> {
        let candidates: Vec<&Link> = self
            .links()
            .filter(|link| !link.is_loopback && link.is_up && !is_virtual(&link.name))
            .filter(|link| self.nets(link.index).next().is_some())
            .collect();
        let private = |link: &&&Link| self.nets(link.index).any(is_private);
        let inside = |link: &&&Link| Some(link.name.as_str()) != default_route;
        let names = |links: &[&Link]| links.iter().map(|link| link.name.clone()).collect();
        if routes {
            let lan: Vec<&Link> = candidates
                .iter()
                .filter(private)
                .filter(inside)
                .copied()
                .collect();
            let lan = self.without_parts(lan);
            let bridges: Vec<&Link> = lan
                .iter()
                .filter(|link| is_bridge(&link.name))
                .copied()
                .collect();
            if !bridges.is_empty() {
                return Some(Choice {
                    names: names(&bridges),
                    why: "a bridge with a private address, on a machine that routes",
                });
            }
            if !lan.is_empty() {
                return Some(Choice {
                    names: names(&lan),
                    why: "a private address and no default route, on a machine that routes",
                });
            }
        }
        let outside: Vec<&Link> = candidates
            .iter()
            .filter(|link| !inside(link))
            .copied()
            .collect();
        if !outside.is_empty() {
            return Some(Choice {
                names: names(&outside),
                why: "the default route leaves by it",
            });
        }
        match candidates.as_slice() {
            [] => None,
            only => Some(Choice {
                names: names(only),
                why: "it is up and has an address",
            }),
        }
    }

    fn nets(&self, index: u32) -> impl Iterator<Item = IpNet> {
        self.addresses
            .iter()
            .filter(move |address| address.index == index)
            .map(|address| address.net)
            .filter(|net| !is_link_local(net.addr()))
    }
}

/// Interfaces that were chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) names: Vec<String>,
    pub(super) why: &'static str,
}

/// Names of interfaces that face containers, guests or tunnels rather than devices.
fn is_virtual(name: &str) -> bool {
    ["docker", "virbr", "lxc", "lxd", "cni", "podman", "tun", "tap", "wg", "ppp", "br-"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
        // What container engines call `br-` and a hash; routers call theirs `br-lan`.
        && !(name.starts_with("br-") && name.len() < "br-0123456789ab".len())
}

fn is_bridge(name: &str) -> bool {
    name.starts_with("br")
}

fn is_private(net: IpNet) -> bool {
    match net.addr() {
        IpAddr::V4(address) => address.is_private(),
        IpAddr::V6(address) => address.is_unique_local(),
    }
}

fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::kernel::LinkLayer;

    pub(in crate::engine) fn network(links: &[(&str, &str)]) -> Network {
        let mut network = Network::default();
        for (index, (name, net)) in (1..).zip(links) {
            network.apply(Change::Link(Link {
                index,
                name: (*name).to_owned(),
                link_layer: LinkLayer::Ethernet,
                is_loopback: *name == "lo",
                is_up: true,
                xdp_program: None,
                lower: name.split_once('.').map(|_| 1),
            }));
            network.apply(Change::Address(OwnAddress {
                index,
                net: net.parse().unwrap(),
            }));
        }
        network
    }

    fn check(links: &[(&str, &str)], default_route: &str, routes: bool, expected: &[&str]) {
        let choice = network(links).choose(Some(default_route), routes);
        let names = choice.map(|choice| choice.names).unwrap_or_default();
        assert_eq!(names, expected, "{links:?}");
    }

    #[test]
    fn a_router_watches_its_inside() {
        let gateway = [
            ("lo", "127.0.0.1/8"),
            ("wan", "203.0.113.5/24"),
            ("br-lan", "192.168.1.1/24"),
        ];
        check(&gateway, "wan", true, &["br-lan"]);
        let double_nat = [("eth0", "192.168.0.2/24"), ("eth1", "192.168.1.1/24")];
        check(&double_nat, "eth0", true, &["eth1"]);
    }

    #[test]
    fn a_router_with_several_networks_watches_them_all() {
        let office = [
            ("eth0", "203.0.113.5/24"),
            ("eth1", "10.1.0.1/24"),
            ("eth2", "10.2.0.1/24"),
        ];
        check(&office, "eth0", true, &["eth1", "eth2"]);
    }

    #[test]
    fn a_vlan_is_counted_on_the_interface_it_is_a_part_of() {
        let stick = [
            ("eth1", "10.1.0.1/24"),
            ("eth1.20", "10.2.0.1/24"),
            ("wan", "203.0.113.5/24"),
        ];
        check(&stick, "wan", true, &["eth1"]);
    }

    #[test]
    fn a_machine_that_does_not_route_watches_its_way_out() {
        let laptop = [("wlan0", "192.168.1.7/24"), ("docker0", "172.17.0.1/16")];
        check(&laptop, "wlan0", false, &["wlan0"]);
    }

    #[test]
    fn without_any_address_there_is_nothing_to_choose() {
        check(&[("eth0", "fe80::1/64")], "", false, &[]);
    }
}
