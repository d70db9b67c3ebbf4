//! Interfaces, and the pairs that join two namespaces.

use std::{net::IpAddr, sync::Arc};

use crate::{
    counters::LinkCounters,
    frame::Mac,
    inject::Injector,
    namespace::Namespace,
    programs::Programs,
    wait::{SOON, wait_until},
};

/// An interface in a namespace.
#[derive(Clone, Debug)]
pub struct Link {
    /// Where it is.
    pub namespace: Arc<Namespace>,
    /// What it is called there.
    pub name: String,
    /// Its address.
    pub mac: Mac,
}

/// Joins two namespaces with a pair of interfaces, both up.
///
/// Neither asks who is there (ARP is off, neighbours are told by [`Link::neighbour`]) and neither
/// speaks unasked, so that counts are exact.
///
/// # Panics
/// When an interface of the name is there already.
#[track_caller]
pub fn veth(
    (namespace, name, mac): (&Arc<Namespace>, &str, Mac),
    (peer_namespace, peer_name, peer_mac): (&Arc<Namespace>, &str, Mac),
) -> (Link, Link) {
    namespace.ip(&format!(
        "link add {name} address {mac} type veth \
         peer name {peer_name} address {peer_mac} netns {}",
        peer_namespace.name()
    ));
    let link = Link {
        namespace: Arc::clone(namespace),
        name: name.to_owned(),
        mac,
    };
    let peer = Link {
        namespace: Arc::clone(peer_namespace),
        name: peer_name.to_owned(),
        mac: peer_mac,
    };
    for end in [&link, &peer] {
        end.set("addrgenmode none");
        end.set("arp off");
    }
    for end in [&link, &peer] {
        end.set("up");
    }
    for end in [&link, &peer] {
        end.wait_up();
    }
    (link, peer)
}

impl Link {
    /// `ip link set dev NAME` with these words.
    ///
    /// # Panics
    /// When the kernel refuses.
    #[track_caller]
    pub fn set(&self, words: &str) {
        self.namespace
            .ip(&format!("link set dev {} {words}", self.name));
    }

    /// Waits until frames pass, which is a moment after both ends are up.
    ///
    /// # Panics
    /// When the other end stays down.
    #[track_caller]
    pub fn wait_up(&self) {
        wait_until("the link to be up", SOON, || {
            let state = self
                .namespace
                .ip(&format!("-o link show dev {}", self.name));
            if state.contains("LOWER_UP") {
                Ok(())
            } else {
                Err(state)
            }
        });
    }

    /// Deletes it, and with it the other end.
    ///
    /// # Panics
    /// When it is gone already.
    #[track_caller]
    pub fn delete(&self) {
        self.namespace.ip(&format!("link delete dev {}", self.name));
    }

    /// Gives it an address, such as `192.0.2.1/24`; IPv6 is switched on for an IPv6 address.
    ///
    /// # Panics
    /// When the kernel refuses.
    #[track_caller]
    pub fn add_address(&self, prefix: &str) {
        let mut flags = "";
        if prefix.contains(':') {
            self.namespace
                .sysctl(&format!("net/ipv6/conf/{}/disable_ipv6", self.name), "0");
            flags = "nodad";
        }
        self.namespace
            .ip(&format!("address add {prefix} dev {} {flags}", self.name));
    }

    /// Tells the kernel for good who has an address.
    ///
    /// # Panics
    /// When the kernel refuses.
    #[track_caller]
    pub fn neighbour(&self, address: IpAddr, mac: Mac) {
        self.namespace.ip(&format!(
            "neighbour replace {address} lladdr {mac} nud permanent dev {}",
            self.name
        ));
    }

    /// Switches segmentation and receive offloads on or off.
    ///
    /// # Panics
    /// When ethtool is missing or the interface has none of them.
    #[track_caller]
    pub fn offloads(&self, features: &[&str], state: &str) {
        if features.is_empty() {
            // Which ethtool would call an error.
            return;
        }
        let mut args = vec!["-K", &self.name];
        args.extend(features.iter().flat_map(|feature| [*feature, state]));
        self.namespace.run("ethtool", &args);
    }

    /// What it counted since it was made.
    ///
    /// # Panics
    /// When it is gone.
    #[track_caller]
    pub fn counters(&self) -> LinkCounters {
        match self.namespace.link_counters(&self.name) {
            Some(counters) => counters,
            None => panic!(
                "there is no interface {} in {}",
                self.name,
                self.namespace.name()
            ),
        }
    }

    /// Opens it for sending frames.
    ///
    /// # Panics
    /// When it is gone.
    #[track_caller]
    pub fn injector(&self) -> Injector {
        Injector::open(self)
    }

    /// The programs on it.
    ///
    /// # Panics
    /// When it is gone.
    #[track_caller]
    pub fn programs(&self) -> Programs {
        Programs::on(self)
    }
}
