//! Does this machine route?

use std::{fs, path::Path};

/// Whether packets are forwarded between interfaces, of either family, or any of these interfaces
/// is a bridge.
pub fn routes<'a>(interfaces: impl IntoIterator<Item = &'a str>) -> bool {
    is_on("/proc/sys/net/ipv4/ip_forward")
        || is_on("/proc/sys/net/ipv6/conf/all/forwarding")
        || interfaces.into_iter().any(is_bridge)
}

fn is_on(switch: &str) -> bool {
    // A kernel without IPv6 lacks the file, and does not forward IPv6.
    fs::read_to_string(switch).is_ok_and(|value| value.trim() != "0")
}

fn is_bridge(interface: &str) -> bool {
    Path::new("/sys/class/net")
        .join(interface)
        .join("bridge")
        .is_dir()
}

/// The interface that the IPv4 default route leaves by.
pub fn default_route() -> Option<String> {
    let table = fs::read_to_string("/proc/self/net/route").ok()?;
    table.lines().skip(1).find_map(|line| {
        let mut fields = line.split_ascii_whitespace();
        let (interface, destination) = (fields.next()?, fields.next()?);
        let mask = fields.nth(5)?;
        (destination == "00000000" && mask == "00000000").then(|| interface.to_owned())
    })
}
