//! The set-ups that most tests share.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
};

use crate::{
    frame::{Frame, Mac},
    inject::Sent,
    link::{Link, veth},
    namespace::Namespace,
};

/// Of the router's interface.
pub const ROUTER_MAC: Mac = Mac([0x02, 0, 0, 0, 0, 0x01]);
/// Of the device's interface.
pub const DEVICE_MAC: Mac = Mac([0x02, 0, 0, 0, 0, 0x02]);

/// Of nobody: frames to it are counted and then ignored, so that nothing answers.
pub const NOBODY_MAC: Mac = Mac([0x02, 0, 0, 0, 0, 0x99]);

/// A router, on which the daemon runs and watches `lan0`, and a device behind it.
#[derive(Debug)]
pub struct Lan {
    /// Where the daemon runs.
    pub router: Arc<Namespace>,
    /// Where the devices are.
    pub devices: Arc<Namespace>,
    /// The interface to watch.
    pub lan: Link,
    /// The other end.
    pub device: Link,
}

impl Lan {
    /// Two namespaces and a pair of interfaces between them, without addresses.
    #[track_caller]
    pub fn new() -> Self {
        let router = Arc::new(Namespace::new("router"));
        let devices = Arc::new(Namespace::new("devices"));
        let (lan, device) = join(&router, &devices);
        Self {
            router,
            devices,
            lan,
            device,
        }
    }

    /// Gives both ends addresses of both families (192.0.2.1 and .7, 2001:db8::1 and ::7) and tells
    /// each who has the other's.
    #[track_caller]
    pub fn give_addresses(&self) {
        self.lan.add_address("192.0.2.1/24");
        self.lan.add_address("2001:db8::1/64");
        self.device.add_address("192.0.2.7/24");
        self.device.add_address("2001:db8::7/64");
        for is_v6 in [false, true] {
            self.lan.neighbour(self.device_address(is_v6), DEVICE_MAC);
            self.device
                .neighbour(self.router_address(is_v6), ROUTER_MAC);
        }
    }

    /// The router's address.
    pub fn router_address(&self, is_v6: bool) -> IpAddr {
        address(is_v6, 1)
    }

    /// The device's address.
    pub fn device_address(&self, is_v6: bool) -> IpAddr {
        address(is_v6, 7)
    }

    /// Makes the pair again after it was deleted.
    #[track_caller]
    pub fn rejoin(&self) {
        join(&self.router, &self.devices);
    }

    /// A UDP packet as the device sends it, or another one in its place, which nobody answers.
    #[track_caller]
    pub fn packet(source: &str, destination: &str) -> Frame {
        Frame::udp((DEVICE_MAC, NOBODY_MAC), (ip(source), ip(destination)))
    }

    /// Sends frames from the device: the daemon calls it sent.
    #[track_caller]
    pub fn upload<F: AsRef<[u8]>>(&self, frames: impl IntoIterator<Item = F>) -> Sent {
        self.device.injector().send_all(&self.lan, frames)
    }

    /// Sends frames from the router: the daemon calls it received.
    #[track_caller]
    pub fn download<F: AsRef<[u8]>>(&self, frames: impl IntoIterator<Item = F>) -> Sent {
        self.lan.injector().send_all(&self.device, frames)
    }
}

impl Default for Lan {
    fn default() -> Self {
        Self::new()
    }
}

/// Of the networks for documentation (RFC 5737, RFC 3849).
fn address(is_v6: bool, host: u8) -> IpAddr {
    if is_v6 {
        Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, u16::from(host)).into()
    } else {
        Ipv4Addr::new(192, 0, 2, host).into()
    }
}

#[track_caller]
fn join(router: &Arc<Namespace>, devices: &Arc<Namespace>) -> (Link, Link) {
    veth((router, "lan0", ROUTER_MAC), (devices, "dev0", DEVICE_MAC))
}

/// An address.
///
/// # Panics
/// When it is none.
#[track_caller]
pub fn ip(text: &str) -> IpAddr {
    match text.parse() {
        Ok(address) => address,
        Err(_) => panic!("{text:?} is no address"),
    }
}

/// Puts interfaces of one namespace under a new bridge, as quiet as they are, and up.
///
/// # Panics
/// When the kernel has no bridges.
#[track_caller]
pub fn bridge(ports: &[&Link], name: &str, mac: Mac) -> Link {
    let namespace = Arc::clone(&ports[0].namespace);
    namespace.ip(&format!(
        "link add {name} address {mac} type bridge stp_state 0 forward_delay 0 mcast_snooping 0"
    ));
    let bridge = Link {
        namespace,
        name: name.to_owned(),
        mac,
    };
    bridge.set("addrgenmode none");
    bridge.set("arp off");
    for port in ports {
        port.set(&format!("master {name}"));
    }
    bridge.set("up");
    bridge.wait_up();
    bridge
}
