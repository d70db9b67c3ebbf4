//! Who a device is, where the kernels find their neighbours themselves: no entry is made by hand, and
//! what came from whom is read from the frames.

use std::sync::Arc;

use bwmon_tests::{
    DEVICE_MAC, Daemon, Directions, Echo, Lan, Link, Mac, Namespace, Passed, SOON, Setup, Sniffer,
    bridge, exchange, ip, veth, wait_until,
};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

const ROUTER: [&str; 3] = ["192.0.2.1", "2001:db8::1", "fe80::1"];

#[test]
fn a_device_with_two_ipv4_and_three_ipv6_addresses_is_one() {
    let lan = Lan::new();
    routes(&lan.router);
    resolves(&lan.lan, &["192.0.2.1/24", "2001:db8::1/64", "fe80::1/64"]);
    // As a laptop has them: a second address by hand, one from its MAC, and one that it made up.
    let addresses = [
        "192.0.2.7",
        "192.0.2.70",
        "2001:db8::ff:fe00:2",
        "2001:db8::9ca1:7c3e:51d0:86f2",
        "fe80::ff:fe00:2",
    ];
    let prefix = |address: &str| match address.contains(':') {
        true => format!("{address}/64"),
        false => format!("{address}/24"),
    };
    let prefixes = addresses.map(prefix);
    let sniffer = Sniffer::start(&lan.lan);
    let _echo = Echo::start(&lan.router);
    let daemon = Setup::new(&lan.router, &["lan0"]).start();
    // Only now, as its kernel speaks as soon as it has an address.
    resolves(&lan.device, &prefixes.each_ref().map(String::as_str));
    for (address, count) in addresses.into_iter().zip(3..) {
        let to = match address {
            link_local if link_local.starts_with("fe80") => ROUTER[2],
            v6 if v6.contains(':') => ROUTER[1],
            _ => ROUTER[0],
        };
        exchange(&lan.device, ip(address), ip(to), count);
    }
    let mut listed = addresses.map(ip);
    listed.sort();
    wait_until("one device with all that passed", SOON, || {
        let device = daemon.api.device(listed[0])?;
        let passed = sniffer.bytes(|passed| is_of(passed, DEVICE_MAC));
        let is_right = device["mac"] == DEVICE_MAC.to_string()
            && device["addresses"] == json!(listed)
            && used(&device) == passed;
        right(is_right, || format!("{passed:?} passed: {device}"))
    });
}

#[test]
fn an_address_that_moves_counts_for_whom_it_has_then() {
    const OTHER_MAC: Mac = Mac([0x02, 0, 0, 0, 0, 0x03]);
    let (router, one, other) = (
        Arc::new(Namespace::new("router")),
        Arc::new(Namespace::new("one")),
        Arc::new(Namespace::new("other")),
    );
    let (port1, one) = veth(
        (&router, "p1", Mac([2, 0, 0, 0, 1, 1])),
        (&one, "dev0", DEVICE_MAC),
    );
    let (port2, other) = veth(
        (&router, "p2", Mac([2, 0, 0, 0, 1, 2])),
        (&other, "dev0", OTHER_MAC),
    );
    let lan = bridge(&[&port1, &port2], "br0", bwmon_tests::ROUTER_MAC);
    routes(&router);
    resolves(&lan, &["192.0.2.1/24"]);
    // The second is each one's own.
    resolves(&one, &["192.0.2.7/24", "192.0.2.8/24"]);
    resolves(&other, &["192.0.2.9/24"]);
    // As after a while: the kernel keeps an entry that is a second old.
    router.sysctl("net/ipv4/neigh/br0/locktime", "0");
    let sniffer = Sniffer::start(&lan);
    let _echo = Echo::start(&router);
    let setup = Setup::new(&router, &["br0"]).config("poll_interval = \"5s\"\n");
    let daemon = setup.start();
    let talk = |link: &Link, from: &str, count| exchange(link, ip(from), ip(ROUTER[0]), count);
    talk(&one, "192.0.2.8", 1);
    talk(&other, "192.0.2.9", 1);
    // Between two samples, so that all of it is read by the one that the move brings about.
    let samples = daemon.api.samples().expect("the daemon answers");
    let samples = wait_until("a sample", SOON, || match daemon.api.samples()? {
        same if same == samples => Err("none yet".to_owned()),
        more => Ok(more),
    });
    talk(&one, "192.0.2.7", 20);
    // Samples that a change brings about are ten times as far apart as the last one took, which on a
    // busy machine may be long.
    let sampled = std::time::Instant::now();
    wait_until("time for another sample", SOON, || {
        let status = daemon.api.json("/api/v1/status")?;
        let took = status["poll"]["last_seconds"].as_f64().unwrap_or_default();
        let passed = sampled.elapsed().as_secs_f64();
        right(passed > 10.0 * took, || {
            format!("{passed} s after one of {took} s")
        })
    });
    one.namespace.ip("address delete 192.0.2.7/24 dev dev0");
    other.add_address("192.0.2.7/24");
    // Which it tells everybody, as a DHCP client does.
    let announced = other
        .injector()
        .send(&announcement(OTHER_MAC, [192, 0, 2, 7]));
    announced.expect("send the announcement");
    let entry = || Ok::<_, String>(router.ip("neighbour show 192.0.2.7"));
    wait_until("the router to hear of it", SOON, || {
        let entry = entry()?;
        right(entry.contains(&OTHER_MAC.to_string()), || entry.clone())
    });
    wait_until("the daemon to hear of it", SOON, || {
        right(daemon.api.samples()? > samples, || "not yet".to_owned())
    });
    talk(&other, "192.0.2.7", 30);
    let check = |daemon: &Daemon| {
        for (address, mac) in [("192.0.2.8", DEVICE_MAC), ("192.0.2.7", OTHER_MAC)] {
            wait_until("each to have what passed of its frames", SOON, || {
                let device = daemon.api.device(ip(address))?;
                let passed = sniffer.bytes(|passed| is_of(passed, mac));
                let is_right = device["mac"] == mac.to_string() && used(&device) == passed;
                right(is_right, || format!("{passed:?} passed of {mac}: {device}"))
            });
        }
    };
    check(&daemon);
    daemon.terminate();
    check(&setup.start());
}

#[test]
fn a_device_behind_a_second_router_is_itself_or_a_named_prefix() {
    const INNER_MAC: Mac = DEVICE_MAC;
    let lan = Lan::new();
    let (inner, inside) = (&lan.devices, Arc::new(Namespace::new("inside")));
    let (below, host) = veth(
        (inner, "lan1", Mac([2, 0, 0, 0, 2, 1])),
        (&inside, "dev0", Mac([2, 0, 0, 0, 2, 2])),
    );
    routes(&lan.router);
    routes(inner);
    resolves(&lan.lan, &["192.0.2.1/24"]);
    resolves(&lan.device, &["192.0.2.2/24"]);
    resolves(&below, &["10.9.0.1/24"]);
    resolves(&host, &["10.9.0.5/24", "10.9.0.6/24"]);
    inside.ip("route add default via 10.9.0.1");
    lan.router.ip("route add 10.9.0.0/24 via 192.0.2.2");
    let sniffer = Sniffer::start(&lan.lan);
    let _echo = Echo::start(&lan.router);
    let setup = Setup::new(&lan.router, &["lan0"]);
    let daemon = setup.start();
    let networks = |expected: Value| {
        wait_until("the local networks", SOON, || {
            let status = daemon.api.json("/api/v1/status")?;
            right(status["local_networks"] == expected, || status.to_string())
        });
    };
    let passed = |which: &dyn Fn(&Passed) -> bool| sniffer.bytes(|passed| which(passed));
    let of = |address: &'static str| move |passed: &Passed| passed.address == ip(address);
    networks(json!(["192.0.2.0/24", "10.9.0.0/24"]));
    assert!(
        daemon.log().contains("10.9.0.0/24 (a router behind lan0)"),
        "{}",
        daemon.log()
    );
    exchange(&lan.device, ip("192.0.2.2"), ip(ROUTER[0]), 2);
    exchange(&host, ip("10.9.0.5"), ip(ROUTER[0]), 5);
    exchange(&host, ip("10.9.0.6"), ip(ROUTER[0]), 6);
    for address in ["10.9.0.5", "10.9.0.6", "192.0.2.2"] {
        wait_until("each address behind it to be a device", SOON, || {
            let device = daemon.api.device(ip(address))?;
            let mac = match address {
                "192.0.2.2" => json!(INNER_MAC.to_string()),
                _ => Value::Null,
            };
            let is_right = used(&device) == passed(&of(address)) && device["mac"] == mac;
            right(is_right, || device.to_string())
        });
    }
    let before = passed(&|passed| passed.address.to_string().starts_with("10.9.0."));
    setup
        .write_devices(r#"{ "10.9.0.0/24": { "name": "Branch", "bandwidth_threshold": "1 GB" } }"#);
    daemon.signal(Signal::SIGHUP);
    wait_until("the reload", SOON, || {
        let status = daemon.api.json("/api/v1/status")?;
        right(status["configuration"]["registered_devices"] == 1, || {
            status.to_string()
        })
    });
    exchange(&host, ip("10.9.0.5"), ip(ROUTER[0]), 7);
    exchange(&host, ip("10.9.0.6"), ip(ROUTER[0]), 8);
    wait_until(
        "the prefix to have what passed since, and no more",
        SOON,
        || {
            let after = passed(&|passed| passed.address.to_string().starts_with("10.9.0."));
            let devices = daemon.api.json("/api/v1/devices")?;
            let find = |id: &str| devices.as_array()?.iter().find(|device| device["id"] == id);
            let (Some(branch), Some(five), Some(six)) =
                (find("10.9.0.0/24"), find("10.9.0.5"), find("10.9.0.6"))
            else {
                return Err(devices.to_string());
            };
            let (five, six) = (used(five), used(six));
            let past = Directions {
                sent: five.sent + six.sent,
                received: five.received + six.received,
            };
            let since = Directions {
                sent: after.sent - before.sent,
                received: after.received - before.received,
            };
            let is_right = branch["name"] == "Branch"
                && branch["thresholds"]["bandwidth_threshold"] == 1_000_000_000
                && used(branch) == since
                && past == before;
            right(is_right, || {
                format!("{since:?} since {before:?}: {devices}")
            })
        },
    );
    lan.router.ip("route delete 10.9.0.0/24");
    // It is registered, and no other route says where it is.
    networks(json!(["192.0.2.0/24", "10.9.0.0/24"]));
    setup.write_devices("{}");
    daemon.signal(Signal::SIGHUP);
    networks(json!(["192.0.2.0/24"]));
}

/// Makes an interface as any other: it asks for neighbours, and answers.
#[track_caller]
fn resolves(link: &Link, addresses: &[&str]) {
    link.set("arp on");
    for address in addresses {
        link.add_address(address);
    }
}

fn routes(namespace: &Namespace) {
    namespace.sysctl("net/ipv4/ip_forward", "1");
    // An echo on all addresses of both families takes an IPv6 socket.
    namespace.sysctl("net/ipv6/conf/lo/disable_ipv6", "0");
}

/// Gratuitous ARP: a question for one's own address.
fn announcement(mac: Mac, address: [u8; 4]) -> Vec<u8> {
    let (ethernet, request) = ([0x08, 0x06], [0, 1, 0x08, 0, 6, 4, 0, 1]);
    let (everybody, nobody) = ([0xff; 6], [0; 6]);
    let parts: [&[u8]; 8] = [
        &everybody, &mac.0, &ethernet, &request, &mac.0, &address, &nobody, &address,
    ];
    parts.concat()
}

/// A packet of a device that has an address by now.
fn is_of(passed: &Passed, mac: Mac) -> bool {
    passed.mac == mac && !passed.address.is_unspecified()
}

fn used(device: &Value) -> Directions {
    let bytes = |direction: &str| device["today"][direction].as_u64().unwrap_or_default();
    Directions {
        sent: bytes("sent"),
        received: bytes("received"),
    }
}

fn right(is_right: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if is_right { Ok(()) } else { Err(otherwise()) }
}
