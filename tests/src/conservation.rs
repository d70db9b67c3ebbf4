//! Conservation: what the daemon counted is what the interface carried, and all of it is somewhere.

use crate::{
    api::{Address, Api, Counted, Directions, Interface},
    daemon::Daemon,
    wait::{SOON, wait_until},
};

/// What passed an interface, seen from the devices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Came in on the interface.
    pub sent: Counted,
    /// Went out.
    pub received: Counted,
}

impl Traffic {
    fn bytes(self) -> Directions {
        Directions {
            sent: self.sent.bytes,
            received: self.received.bytes,
        }
    }

    fn packets(self) -> Directions {
        Directions {
            sent: self.sent.packets,
            received: self.received.packets,
        }
    }
}

/// Waits until an interface's counts are exactly this traffic, since it was attached; that the
/// coverage says so; and, if it is the only interface, that every byte is somewhere.
///
/// # Panics
/// When they are not in time, with the counts.
#[track_caller]
pub fn wait_for_balance(daemon: &Daemon, name: &str, traffic: Traffic) {
    wait_until(&format!("{name} to have counted {traffic:?}"), SOON, || {
        let interface = daemon.api.interface(name)?;
        let is_counted = interface.counted_packets == traffic.packets()
            && interface.counted_bytes == traffic.bytes()
            && interface.interface_packets == traffic.packets()
            && interface.coverage == 1.0;
        if !is_counted {
            return Err(format!("{interface:?}"));
        }
        balance(&daemon.api)
    });
}

/// Whether the bytes of all addresses and reserved slots are those of all interfaces.
///
/// # Errors
/// With the sums, when they are not.
pub fn balance(api: &Api) -> Result<(), String> {
    let interfaces = api.interfaces()?;
    let addresses = api.addresses()?;
    let total: u64 = interfaces
        .iter()
        .map(
            |Interface {
                 counted_bytes: Directions { sent, received },
                 ..
             }| sent + received,
        )
        .sum();
    let reserved: u64 = interfaces
        .iter()
        .map(|each| each.non_ip_bytes + each.outside_bytes + each.overflow_bytes)
        .sum();
    let named: u64 = addresses
        .values()
        .map(|Address { sent, received, .. }| sent.bytes + received.bytes)
        .sum();
    if named + reserved == total {
        Ok(())
    } else {
        Err(format!(
            "{named} bytes of addresses and {reserved} others are not the {total} of the \
             interfaces: {interfaces:?} {addresses:?}"
        ))
    }
}
