//! Which networks are local: those of the watched interfaces, those that other routers behind them
//! lead to, and what the owner registered of the rest.

use std::{collections::HashSet, net::IpAddr};

use bwmon_common::networks::MAX_PREFIXES;
use ipnet::IpNet;

use super::{network::Network, watch::LocalNetworks};
use crate::{
    config,
    core::{
        policy::{Policy, Selector},
        slots,
    },
    sources::routes::{MOST, Route},
};

/// The local networks, and what there is to say of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Local {
    pub(super) networks: LocalNetworks,
    /// Why, of those that need a reason.
    pub(super) reasons: Vec<(IpNet, String)>,
    /// Registered, and not counted, as their packets leave elsewhere.
    pub(super) elsewhere: Vec<IpNet>,
    /// What is wrong with them.
    pub(super) warning: Option<String>,
}

/// A network behind another router, or registered, and why it is local.
type Far = (IpNet, String);

impl Local {
    /// `watched` are indices of interfaces, `routes` says whether this machine does.
    pub(super) fn find(
        network: &Network,
        wanted: &config::LocalNetworks,
        watched: &HashSet<u32>,
        routes: bool,
        policy: &Policy,
    ) -> Self {
        let own = match wanted {
            config::LocalNetworks::List(networks) => networks.clone(),
            config::LocalNetworks::Auto => own_networks(network, watched).collect(),
        };
        let (own, warning) = slots::normalize(own);
        let is_auto = *wanted == config::LocalNetworks::Auto;
        let mut local = Self {
            networks: LocalNetworks {
                networks: own,
                hashed: Vec::new(),
                count_all: is_auto && !routes,
            },
            warning,
            ..Self::default()
        };
        // Where every address counts, nothing is added by hand.
        if is_auto && routes {
            local.look_further(network, watched, policy);
        }
        local
    }

    fn look_further(&mut self, network: &Network, watched: &HashSet<u32>, policy: &Policy) {
        let Some(routes) = &network.routes else {
            let problem = format!(
                "this machine's routes are not known, or more than {MOST}: networks behind other \
                 routers are not counted; name them in local_networks"
            );
            self.warning.get_or_insert(problem);
            return;
        };
        let mut left_out = Vec::new();
        for (net, why) in routed(network, routes, watched) {
            self.add((net, why), &mut left_out);
        }
        for net in registered(policy) {
            if self.covers(net) {
                continue;
            }
            let ways = leaves_by(routes, net);
            let is_inside = |index: &u32| network.passes(*index, watched);
            if ways.is_empty() || ways.iter().any(is_inside) {
                self.add((net, "registered".to_owned()), &mut left_out);
            } else {
                self.elsewhere.push(net);
            }
        }
        if !left_out.is_empty() {
            let list: Vec<String> = left_out.iter().take(3).map(ToString::to_string).collect();
            let problem = format!(
                "{} networks behind other routers or registered ({}{}) are not counted: {MAX_PREFIXES} \
                 of each family can be followed; set local_networks to fewer, wider prefixes",
                left_out.len(),
                list.join(", "),
                if left_out.len() > 3 { ", …" } else { "" }
            );
            self.warning.get_or_insert(problem);
        }
    }

    fn add(&mut self, (net, why): Far, left_out: &mut Vec<IpNet>) {
        if self.covers(net) {
            return;
        }
        let is_v4 = |net: &&IpNet| net.addr().is_ipv4();
        let networks = &mut self.networks;
        let of_family = networks.networks.iter();
        let count = of_family
            .filter(|other| is_v4(other) == is_v4(&&net))
            .count();
        if count >= MAX_PREFIXES {
            left_out.push(net);
            return;
        }
        networks.networks.push(net);
        networks.hashed.push(net);
        self.reasons.push((net, why));
    }

    fn covers(&self, net: IpNet) -> bool {
        self.networks
            .networks
            .iter()
            .any(|wider| wider.contains(&net))
    }

    /// For the log.
    pub(super) fn list(&self) -> String {
        let reason = |net: &IpNet| {
            let mut reasons = self.reasons.iter();
            reasons.find(|(other, _)| other == net).map(|(_, why)| why)
        };
        let list: Vec<String> = self
            .networks
            .networks
            .iter()
            .map(|net| match reason(net) {
                Some(why) => format!("{net} ({why})"),
                None => net.to_string(),
            })
            .collect();
        match list.is_empty() {
            true => "none".to_owned(),
            false => list.join(", "),
        }
    }
}

/// The networks in which every device is a neighbour; `None` where none is known.
pub(super) fn on_link(network: &Network, watched: &HashSet<u32>) -> Option<Vec<IpNet>> {
    let mut networks: Vec<IpNet> = own_networks(network, watched)
        .map(|net| net.trunc())
        .collect();
    if networks.is_empty() {
        return None;
    }
    let direct = network.routes.iter().flatten();
    let direct = direct.filter(|route| !route.has_gateway && !is_everything(route.net));
    let direct = direct.filter(|route| network.passes(route.index, watched));
    networks.extend(direct.map(|route| route.net));
    networks.sort_unstable();
    networks.dedup();
    Some(networks)
}

fn own_networks<'a>(
    network: &'a Network,
    watched: &'a HashSet<u32>,
) -> impl Iterator<Item = IpNet> + 'a {
    let addresses = network.addresses.iter();
    let inside = addresses.filter(|address| network.passes(address.index, watched));
    inside.map(|address| address.net)
}

/// What other routers lead to that are behind the watched interfaces: not those that lead everywhere,
/// nor any beside them. The widest come first.
fn routed(network: &Network, routes: &[Route], watched: &HashSet<u32>) -> Vec<Far> {
    let outside: HashSet<u32> = routes
        .iter()
        .filter(|route| is_everything(route.net))
        .map(|route| route.index)
        .collect();
    let mut inside: Vec<&Route> = routes
        .iter()
        .filter(|route| route.has_gateway && !is_everything(route.net))
        .filter(|route| network.passes(route.index, watched) && !outside.contains(&route.index))
        .collect();
    inside.sort_by_key(|route| (route.net.prefix_len(), route.net));
    let why = |route: &Route| {
        let link = network.link(route.index);
        let name = link.map_or("an interface", |link| link.name.as_str());
        format!("a router behind {name}")
    };
    inside
        .into_iter()
        .map(|route| (route.net, why(route)))
        .collect()
}

/// Registered prefixes and addresses, the widest first.
fn registered(policy: &Policy) -> Vec<IpNet> {
    let selectors = policy.registered.iter().map(|entry| entry.selector);
    let mut networks: Vec<IpNet> = selectors
        .filter_map(|selector| match selector {
            Selector::Prefix(prefix) => Some(prefix.trunc()),
            Selector::Address(address) => Some(address.into()),
            Selector::Mac(_) => None,
        })
        .filter(|net| !is_everything(*net) && is_routable(net.addr()))
        .collect();
    networks.sort_by_key(|net| (net.prefix_len(), *net));
    networks.dedup();
    networks
}

/// The interfaces that packets to a network leave by: those of its longest route, if it has any.
fn leaves_by(routes: &[Route], net: IpNet) -> Vec<u32> {
    let covering = routes.iter().filter(|route| route.net.contains(&net));
    let longest = covering.clone().map(|route| route.net.prefix_len()).max();
    covering
        .filter(|route| Some(route.net.prefix_len()) == longest)
        .map(|route| route.index)
        .collect()
}

/// The default route, or one that does its work: half of all addresses, or all that the internet has.
fn is_everything(net: IpNet) -> bool {
    match net {
        IpNet::V4(net) => net.prefix_len() < 8,
        // Unique local addresses are a /7.
        IpNet::V6(net) => net.prefix_len() < 7,
    }
}

fn is_routable(address: IpAddr) -> bool {
    let is_link_local = match address {
        IpAddr::V4(address) => address.is_link_local() || address.is_broadcast(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    !is_link_local && !address.is_multicast() && !address.is_loopback() && !address.is_unspecified()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        core::policy::{Limits, Registration},
        engine::network::tests::network,
        sources::netlink::Change,
    };

    const LAN: [(&str, &str); 2] = [("lan0", "192.168.1.1/24"), ("wan", "203.0.113.5/24")];
    const DEFAULT: (&str, u32, bool) = ("0.0.0.0/0", 2, true);

    fn policy(registered: &[&str]) -> Policy {
        let entry = |text: &&str| Registration {
            selector: match text.parse() {
                Ok(prefix) => Selector::Prefix(prefix),
                Err(_) => Selector::Address(text.parse().unwrap()),
            },
            name: None,
            group: None,
            limits: Limits::default(),
            muted: false,
        };
        Policy {
            registered: registered.iter().map(entry).collect(),
            ..Policy::default()
        }
    }

    /// On a router that watches `lan0`, the first interface.
    fn local(routes: &[(&str, u32, bool)], registered: &[&str]) -> Local {
        let mut network = network(&LAN);
        let route = |(net, index, has_gateway): &(&str, u32, bool)| Route {
            net: net.parse().unwrap(),
            index: *index,
            has_gateway: *has_gateway,
        };
        let routes = routes.iter().map(route).collect();
        network.apply(Change::Routes(Some(routes)));
        let watched = HashSet::from([1]);
        let auto = config::LocalNetworks::Auto;
        Local::find(&network, &auto, &watched, true, &policy(registered))
    }

    #[track_caller]
    fn check(routes: &[(&str, u32, bool)], registered: &[&str], expected: &str) {
        let local = local(routes, registered);
        assert_eq!((local.list().as_str(), local.warning), (expected, None));
    }

    #[test]
    fn without_other_routers_they_are_the_networks_of_the_watched_interfaces() {
        let connected = [("192.168.1.0/24", 1, false), ("203.0.113.0/24", 2, false)];
        check(
            &connected,
            &["192.168.1.7", "192.168.1.128/25"],
            "192.168.1.0/24",
        );
        assert!(!local(&connected, &[]).networks.count_all);
    }

    #[test]
    fn a_network_behind_a_router_of_the_lan_is_local_and_takes_no_slots_beforehand() {
        let routes = [
            DEFAULT,
            ("10.9.0.0/16", 1, true),
            ("2001:db8:9::/48", 1, true),
        ];
        let expected = "192.168.1.0/24, 10.9.0.0/16 (a router behind lan0), \
                        2001:db8:9::/48 (a router behind lan0)";
        check(&routes, &[], expected);
        let networks = local(&routes, &[]).networks;
        assert_eq!(networks.hashed, networks.networks[1..]);
    }

    #[test]
    fn what_lies_outside_is_not_local() {
        for outside in [
            ("10.9.0.0/16", 2, true),
            ("0.0.0.0/1", 1, true),
            ("2000::/3", 1, true),
            ("10.9.0.0/16", 1, false),
        ] {
            check(&[DEFAULT, outside], &[], "192.168.1.0/24");
        }
        // Where the default route leaves, everything else may lead to the internet, too.
        let routes = [("0.0.0.0/0", 1, true), ("10.9.0.0/16", 1, true)];
        check(&routes, &[], "192.168.1.0/24");
    }

    #[test]
    fn what_is_registered_is_local_where_its_packets_leave_by_a_watched_interface() {
        let bridge = [("0.0.0.0/0", 1, true)];
        let expected = "192.168.1.0/24, 10.9.0.0/24 (registered), 10.8.0.5/32 (registered)";
        check(&bridge, &["10.8.0.5", "10.9.0.0/24", "10.9.0.7"], expected);
        check(
            &[],
            &["10.9.0.0/24"],
            "192.168.1.0/24, 10.9.0.0/24 (registered)",
        );
        let outside = local(&[DEFAULT], &["198.51.100.1"]);
        assert_eq!(outside.list(), "192.168.1.0/24");
        assert_eq!(
            outside.elsewhere,
            ["198.51.100.1/32".parse::<IpNet>().unwrap()]
        );
    }

    #[test]
    fn everything_is_never_local() {
        let everything = ["0.0.0.0/0", "::/0", "128.0.0.0/1", "ff02::1", "127.0.0.1"];
        check(&[("0.0.0.0/0", 1, true)], &everything, "192.168.1.0/24");
    }

    #[test]
    fn networks_of_interfaces_come_first_and_what_finds_no_room_is_told() {
        let routes: Vec<String> = (0..40).map(|n| format!("10.{n}.0.0/16")).collect();
        let routes: Vec<_> = routes.iter().map(|net| (net.as_str(), 1, true)).collect();
        let local = local(&routes, &["172.16.0.0/12"]);
        assert_eq!(local.networks.networks.len(), MAX_PREFIXES);
        assert_eq!(local.networks.networks[0].to_string(), "192.168.1.0/24");
        let warning = local.warning.unwrap();
        assert!(
            warning.starts_with("26 networks behind other routers or registered (10.15.0.0/16,"),
            "{warning}"
        );
    }

    #[test]
    fn a_list_is_taken_as_it_is() {
        let mut network = network(&LAN);
        let list = config::LocalNetworks::List(vec!["172.16.0.0/12".parse().unwrap()]);
        let watched = HashSet::from([1]);
        network.apply(Change::Routes(None));
        let local = Local::find(&network, &list, &watched, true, &policy(&["10.9.0.0/24"]));
        assert_eq!(
            (local.list().as_str(), local.warning),
            ("172.16.0.0/12", None)
        );
    }

    #[test]
    fn a_part_of_a_watched_interface_brings_its_networks() {
        let network = network(&[("eth1", "10.1.0.1/24"), ("eth1.20", "10.2.0.1/24")]);
        let watched = HashSet::from([1]);
        let expected: Vec<IpNet> = ["10.1.0.0/24", "10.2.0.0/24"]
            .map(|net| net.parse().unwrap())
            .to_vec();
        assert_eq!(on_link(&network, &watched), Some(expected));
        assert_eq!(on_link(&network, &HashSet::from([7])), None);
    }
}
