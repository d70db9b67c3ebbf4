//! Real captures, replayed: every address of each has exactly the packets and bytes that tshark
//! finds in it.

use std::{collections::BTreeMap, net::IpAddr};

use bwmon_tests::{Address, Api, Capture, Direction, Lan, SOON, Setup, Truth, replay, wait_until};

#[test]
fn native_xdp_counts_every_source_of_every_capture() {
    check("native", Direction::Upload);
}

#[test]
fn tc_ingress_counts_every_source_of_every_capture() {
    check("tc", Direction::Upload);
}

#[test]
fn egress_counts_every_destination_of_every_capture() {
    check("native", Direction::Download);
}

/// Replays all captures past one daemon, which is to count each anew on top of the others.
fn check(ingress_mode: &str, direction: Direction) {
    let Some(captures) = Capture::all() else {
        return;
    };
    let lan = Lan::new();
    let setup = Setup::new(&lan.router, &["lan0"]).config(&format!(
        "local_networks = [\"0.0.0.0/0\", \"::/0\"]\n\
         max_addresses = 4096\n\
         xdp_mode = \"{ingress_mode}\"\n"
    ));
    let daemon = setup.start();
    for capture in captures {
        let before = Counts::read(&daemon.api).unwrap_or_default();
        let (sender, receiver, truth) = match direction {
            Direction::Upload => (&lan.device, &lan.lan, &capture.sources),
            Direction::Download => (&lan.lan, &lan.device, &capture.destinations),
        };
        let start = receiver.counters();
        replay(sender, &capture.path);
        wait_until("the capture to arrive", SOON, || {
            let arrived = (receiver.counters() - start).rx.packets;
            if arrived == capture.total.packets {
                Ok(())
            } else {
                Err(arrived)
            }
        });
        wait_until(&format!("the counts of {}", capture.name()), SOON, || {
            Counts::read(&daemon.api)?.compare(&before, truth, direction)
        });
    }
}

#[derive(Default)]
struct Counts {
    addresses: BTreeMap<IpAddr, Address>,
    non_ip_bytes: u64,
}

impl Counts {
    fn read(api: &Api) -> Result<Self, String> {
        let non_ip_bytes = api.interface("lan0")?.non_ip_bytes;
        Ok(Self {
            addresses: api.addresses()?,
            non_ip_bytes,
        })
    }

    /// Names each address whose growth since `before` is not the truth.
    fn compare(&self, before: &Self, truth: &Truth, direction: Direction) -> Result<(), String> {
        let counted = |address: &Address| match direction {
            Direction::Upload => address.sent,
            Direction::Download => address.received,
        };
        let mut wrong = Vec::new();
        for (address, counts) in &self.addresses {
            let earlier = before
                .addresses
                .get(address)
                .map(counted)
                .unwrap_or_default();
            let grown = counted(counts) - earlier;
            let expected = truth.addresses.get(address).copied().unwrap_or_default();
            if grown != expected {
                wrong.push(format!("{address}: {grown:?} instead of {expected:?}"));
            }
        }
        for (address, expected) in &truth.addresses {
            if !self.addresses.contains_key(address) {
                wrong.push(format!("{address}: nothing instead of {expected:?}"));
            }
        }
        let non_ip = self.non_ip_bytes - before.non_ip_bytes;
        if non_ip != truth.non_ip.bytes {
            wrong.push(format!(
                "not IP: {non_ip} bytes instead of {:?}",
                truth.non_ip
            ));
        }
        if wrong.is_empty() {
            Ok(())
        } else {
            Err(wrong.join("; "))
        }
    }
}
