//! What devices are called: by a real DHCP server and resolver, by files, and by themselves.

use std::{
    fs,
    io::{Read, Write},
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket},
    path::Path,
    thread,
    time::Duration,
};

use bwmon_tests::{
    DEVICE_MAC, Daemon, Dnsmasq, Lan, NOBODY_MAC, PEER, SOON, Setup, ip, talk, wait_until,
};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

const NETWORKS: &str = "local_networks = [\"192.0.2.0/24\"]\n";
const DEVICE: &str = "192.0.2.7";
/// Answers of more than one device are not waited for longer than a test may take.
const LISTENING: Duration = Duration::from_secs(60);

fn setup(lan: &Lan, names: &str) -> Setup {
    Setup::new(&lan.router, &["lan0"]).config(&config(names))
}

fn config(names: &str) -> String {
    format!("{NETWORKS}[names]\n{names}\n")
}

/// All sources off but these lines.
fn only(lines: &str) -> String {
    let off: Vec<&str> = ["dhcp", "ethers", "hosts", "dns"]
        .into_iter()
        .filter(|key| !lines.contains(&format!("{key} =")))
        .collect();
    let off: String = off.iter().map(|key| format!("{key} = false\n")).collect();
    format!("{off}{lines}")
}

#[track_caller]
fn wait_for_name(daemon: &Daemon, address: &str, name: &str, source: &str) -> Value {
    let what = format!("{address} to be called {name} by {source}");
    wait_until(&what, SOON, || {
        let device = daemon.api.device(ip(address))?;
        let is_right = device["name"] == name && device["name_source"] == source;
        if is_right {
            Ok(device)
        } else {
            Err(device.to_string())
        }
    })
}

/// A packet of the device to the internet, so that it is seen.
fn be_seen(lan: &Lan, address: &str) {
    lan.upload([Lan::packet(address, PEER).length(500).build()]);
}

fn path(path: &Path) -> String {
    path.display().to_string()
}

#[test]
fn a_device_is_called_by_its_lease_and_stays_itself_when_that_changes() {
    let lan = Lan::new();
    lan.lan.add_address("192.0.2.1/24");
    let server = Dnsmasq::start(&lan.lan);
    let leases = format!("dhcp = [\"{}\"]", path(&server.leases()));
    let setup = setup(&lan, &only(&leases));
    let daemon = setup.start();

    let address = server.lease(&lan.device, "laptop");
    talk(&lan.devices, ip("192.0.2.1"));
    let address = address.to_string();
    be_seen(&lan, &address);
    let device = wait_for_name(&daemon, &address, "laptop", "dhcp");
    assert_eq!(device["id"], DEVICE_MAC.to_string());
    assert_eq!(device["private_mac"], json!(true));
    assert_eq!(device["vendor"], Value::Null);

    // The server writes the same file anew.
    assert_eq!(server.lease(&lan.device, "tablet").to_string(), address);
    let renamed = wait_for_name(&daemon, &address, "tablet", "dhcp");
    assert_eq!(renamed["id"], device["id"]);
    assert_eq!(renamed["first_seen"], device["first_seen"]);
    assert!(renamed["today"]["sent"].as_u64() >= device["today"]["sent"].as_u64());
    let devices = daemon.api.json("/api/v1/devices").expect("the devices");
    let with_mac = devices.as_array().into_iter().flatten();
    let with_mac = with_mac.filter(|device| device["mac"] == DEVICE_MAC.to_string());
    assert_eq!(with_mac.count(), 1, "{devices}");

    let output = setup.command(["devices", "--long"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find(|line| line.starts_with("tablet"));
    assert!(
        line.is_some_and(|line| line.contains("dhcp") && line.contains("(private MAC)")),
        "{text}"
    );

    // The owner has the last word.
    setup.write_devices(r#"{ "02:00:00:00:00:02": { "name": "Ann's tablet" } }"#);
    daemon.signal(Signal::SIGHUP);
    wait_for_name(&daemon, &address, "Ann's tablet", "registered");
}

#[test]
fn the_local_resolver_names_who_nobody_else_does_and_a_reload_takes_effect() {
    let lan = Lan::new();
    lan.lan.add_address("192.0.2.1/24");
    let server = Dnsmasq::start(&lan.lan);
    let address = server.lease(&lan.device, "laptop").to_string();
    talk(&lan.devices, ip("192.0.2.1"));
    let setup = setup(&lan, &only(""));
    let daemon = setup.start();
    be_seen(&lan, &address);
    wait_for_name(&daemon, &address, &address, "address");

    setup.write_config(&config(&only("dns = \"127.0.0.1\"")));
    daemon.signal(Signal::SIGHUP);
    wait_for_name(&daemon, &address, "laptop", "dns");

    let leases = format!("dhcp = \"{}\"\ndns = \"127.0.0.1\"", path(&server.leases()));
    setup.write_config(&config(&only(&leases)));
    daemon.signal(Signal::SIGHUP);
    wait_for_name(&daemon, &address, "laptop", "dhcp");

    setup.write_config(&config(&only("")));
    daemon.signal(Signal::SIGHUP);
    wait_for_name(&daemon, &address, &address, "address");
}

#[test]
fn nobody_is_asked_about_the_internet_even_where_every_address_is_counted() {
    let lan = Lan::new();
    lan.give_addresses();
    // A resolver that writes down what it is asked, and never answers.
    let resolver = lan.router.enter(|| UdpSocket::bind("127.0.0.1:53"));
    let resolver = resolver.expect("listen as a resolver");
    resolver
        .set_nonblocking(true)
        .expect("not to wait for questions");
    let names = only("dns = \"127.0.0.1\"");
    let setup = Setup::new(&lan.router, &["lan0"]).config(&format!("[names]\n{names}"));
    let daemon = setup.start();
    be_seen(&lan, DEVICE);
    lan.upload([Lan::packet(PEER, "192.0.2.1").length(500).build()]);
    let counts_all = daemon.api.json("/api/v1/status").expect("the status");
    assert_eq!(counts_all["counts_every_address"], true, "{counts_all}");
    wait_until("somebody on the internet to be a device", SOON, || {
        daemon.api.device(ip(PEER))
    });
    let mut questions = Vec::new();
    let mut ask = || {
        let mut asked = [0; 512];
        while let Ok(length) = resolver.recv(&mut asked) {
            questions.push(String::from_utf8_lossy(&asked[12..length]).into_owned());
        }
        questions.clone()
    };
    wait_until("a question about the device", SOON, || {
        let questions = ask();
        let is_asked = questions
            .iter()
            .any(|question| question.starts_with("\u{1}7\u{1}2"));
        is_asked.then_some(()).ok_or(format!("{questions:?}"))
    });
    daemon.wait_for_samples(5);
    for question in ask() {
        assert!(!question.contains("\u{2}51\u{3}198"), "{question:?}");
    }
}

#[test]
fn files_are_followed_and_what_devices_call_themselves_is_only_shown() {
    let lan = Lan::new();
    lan.give_addresses();
    let directory = tempfile::tempdir().expect("make a directory");
    let file = |name: &str| directory.path().join(name);
    let names = format!(
        "dhcp = [\"{}\"]\nethers = [\"{}\"]\nhosts = [\"{}\"]",
        path(&file("leases")),
        path(&file("ethers")),
        path(&file("hosts*")),
    );
    let setup = setup(&lan, &only(&names));
    let daemon = setup.start();
    be_seen(&lan, DEVICE);
    wait_for_name(&daemon, DEVICE, DEVICE, "address");

    let write = |name: &str, text: &str| fs::write(file(name), text).expect("write a file");
    write("hosts.lan", "192.0.2.7\tby-hosts.lan by-alias\n");
    wait_for_name(&daemon, DEVICE, "by-hosts", "hosts");
    write("ethers", &format!("{DEVICE_MAC} by-ethers\n"));
    wait_for_name(&daemon, DEVICE, "by-ethers", "ethers");
    write(
        "leases",
        &format!("1772960000 {DEVICE_MAC} 192.0.2.7 by-lease *\n"),
    );
    wait_for_name(&daemon, DEVICE, "by-lease", "dhcp");

    // A device calls itself by what would write to a terminal, turn the text around, and not end.
    let host = format!("\u{1b}]0;owned\u{7}\u{202e}<b>&{}", "x".repeat(500));
    let hostile = format!("1772960000 {DEVICE_MAC} 192.0.2.7 {host} *\n");
    write("leases.new", &hostile);
    fs::rename(file("leases.new"), file("leases")).expect("replace the leases");
    let expected = format!("]0;owned<b>&{}…", "x".repeat(63 - 12));
    let device = wait_for_name(&daemon, DEVICE, &expected, "dhcp");
    assert_eq!(
        device["name"].as_str().map(|name| name.chars().count()),
        Some(64)
    );
    for path in ["/api/v1/devices", "/usage_report", "/metrics"] {
        let body = daemon
            .api
            .get(path)
            .map(|response| response.body)
            .unwrap_or_default();
        let is_clean = |c: char| c == '\n' || !(c.is_control() || c == '\u{202e}');
        assert!(body.chars().all(is_clean), "{path}: {body:?}");
    }
    for arguments in [
        &["devices"][..],
        &["devices", "--long"],
        &["devices", "--json"],
    ] {
        let text = setup.command(arguments).stdout;
        assert!(
            !text.contains(&0x1b) && !text.contains(&0x07),
            "{arguments:?}"
        );
    }

    // Another MAC takes the address: the lease is not its own, the line in hosts is.
    lan.lan.neighbour(ip(DEVICE), NOBODY_MAC);
    be_seen(&lan, DEVICE);
    let device = wait_for_name(&daemon, DEVICE, "by-hosts", "hosts");
    assert_eq!(device["id"], NOBODY_MAC.to_string());
    fs::remove_file(file("hosts.lan")).expect("remove a file");
    wait_for_name(&daemon, DEVICE, DEVICE, "address");
}

#[test]
fn a_device_is_called_as_it_calls_itself_over_multicast_dns() {
    let lan = Lan::new();
    lan.give_addresses();
    let setup = setup(&lan, &only("mdns = true"));
    let daemon = setup.start();
    be_seen(&lan, DEVICE);
    wait_for_name(&daemon, DEVICE, DEVICE, "address");
    let device: Ipv4Addr = [192, 0, 2, 7].into();
    let socket = lan.devices.enter(|| UdpSocket::bind((device, 5353)));
    let socket = socket.expect("open the port of multicast DNS");
    lan.device.set("multicast on");
    lan.devices.ip("route add 224.0.0.0/4 dev dev0");
    let group = SocketAddr::from(([224, 0, 0, 251], 5353));
    // It also says that it is the router, which is not believed.
    let announced = announcement(&[("router", [192, 0, 2, 1]), ("tv", [192, 0, 2, 7])]);
    wait_until("the name", SOON, || {
        socket
            .send_to(&announced, group)
            .map_err(|error| error.to_string())?;
        let device = daemon.api.device(ip(DEVICE))?;
        match (&device["name"], &device["name_source"]) {
            (Value::String(name), Value::String(source)) if name == "tv" && source == "mdns" => {
                Ok(())
            }
            _ => Err(device.to_string()),
        }
    });
}

#[test]
fn devices_are_asked_over_mdns_llmnr_and_netbios_where_that_is_switched_on() {
    let lan = Lan::new();
    lan.give_addresses();
    let setup = setup(&lan, &only(""));
    let daemon = setup.start();
    be_seen(&lan, DEVICE);
    wait_for_name(&daemon, DEVICE, DEVICE, "address");
    let address = IpAddr::from([192, 0, 2, 7]);
    let (netbios, llmnr, mdns) = lan.devices.enter(|| {
        let netbios = UdpSocket::bind((address, 137)).expect("open the port of NetBIOS");
        let llmnr = TcpListener::bind((address, 5355)).expect("open the port of LLMNR");
        let mdns = UdpSocket::bind((address, 5353)).expect("open the port of multicast DNS");
        (netbios, llmnr, mdns)
    });
    for socket in [&netbios, &mdns] {
        socket
            .set_read_timeout(Some(LISTENING))
            .expect("set a time-out");
    }
    // Each answers once. The threads end with the test's process at the latest.
    let ask = |key: &str, name: &str| {
        setup.write_config(&config(&only(&format!("{key} = true"))));
        daemon.signal(Signal::SIGHUP);
        wait_for_name(&daemon, DEVICE, name, key);
    };
    let answering = thread::spawn(move || {
        let mut question = [0; 512];
        let (length, peer) = netbios.recv_from(&mut question).expect("a question");
        let answer = node_status(&question[..length], "DESKTOP-7");
        netbios.send_to(&answer, peer).expect("answer");
    });
    ask("netbios", "DESKTOP-7");
    answering.join().expect("who answers over NetBIOS");
    let answering = thread::spawn(move || {
        let (mut stream, _) = llmnr.accept().expect("somebody who asks");
        let mut length = [0; 2];
        stream
            .read_exact(&mut length)
            .expect("the length of the question");
        let mut question = vec![0; u16::from_be_bytes(length).into()];
        stream.read_exact(&mut question).expect("the question");
        let answer = pointer(&question, &["desktop"]);
        let length = (answer.len() as u16).to_be_bytes();
        stream
            .write_all(&[&length[..], &answer].concat())
            .expect("answer");
    });
    ask("llmnr", "desktop");
    answering.join().expect("who answers over LLMNR");
    let answering = thread::spawn(move || {
        let mut question = [0; 512];
        let (length, peer) = mdns.recv_from(&mut question).expect("a question");
        let answer = pointer(&question[..length], &["tv", "local"]);
        mdns.send_to(&answer, peer).expect("answer");
    });
    ask("mdns", "tv");
    answering.join().expect("who answers over multicast DNS");
}

/// A domain name as messages have it.
fn domain(labels: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for label in labels {
        bytes.push(label.len() as u8);
        bytes.extend(label.bytes());
    }
    bytes.push(0);
    bytes
}

/// Multicast DNS: hosts of these names have these addresses.
fn announcement(hosts: &[(&str, [u8; 4])]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 0x84, 0, 0, 0, 0, hosts.len() as u8, 0, 0, 0, 0];
    for (host, address) in hosts {
        bytes.extend(domain(&[host, "local"]));
        // A, IN and to be put in place of others, 120 s.
        bytes.extend([0, 1, 0x80, 1, 0, 0, 0, 120, 0, 4]);
        bytes.extend(address);
    }
    bytes
}

/// The answer to a question for a name: this one.
fn pointer(question: &[u8], labels: &[&str]) -> Vec<u8> {
    let mut bytes = question.to_vec();
    bytes[2] |= 0x80;
    bytes[7] = 1;
    let name = domain(labels);
    // Of the name in the question, PTR, IN, 120 s.
    bytes.extend([0xc0, 12, 0, 12, 0, 1, 0, 0, 0, 120, 0, name.len() as u8]);
    bytes.extend(name);
    bytes
}

/// The answer to a question for all names: this one.
fn node_status(question: &[u8], name: &str) -> Vec<u8> {
    let mut bytes = question[..2].to_vec();
    bytes.extend([0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0]);
    bytes.extend(&question[12..50]);
    bytes.extend([0, 0, 0, 0, 0, 65, 1]);
    bytes.extend(format!("{name:<15}").bytes());
    bytes.extend([0, 4, 0]);
    bytes.extend([0; 46]);
    bytes
}
