//! Which resolvers are asked: those of the configuration, or of `/etc/resolv.conf` those that are on
//! this machine or in a private network.

use std::{
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

use tokio::task;

use crate::config::Resolver;

const RESOLV_CONF: &str = "/etc/resolv.conf";
const DNS_PORT: u16 = 53;
/// As the C library.
const MOST_SERVERS: usize = 3;
/// How long what the file says is remembered.
const FRESH_FOR: Duration = Duration::from_secs(10);

/// The resolvers that are asked.
#[derive(Default)]
pub(super) struct Resolvers {
    servers: Vec<SocketAddr>,
    read_at: Option<Instant>,
    has_said_none: bool,
}

impl Resolvers {
    /// Those to ask now.
    pub(super) async fn current(&mut self, configured: &Resolver) -> Vec<SocketAddr> {
        match configured {
            Resolver::Nobody => return Vec::new(),
            Resolver::These(servers) => return servers.clone(),
            Resolver::Local => {}
        }
        let is_fresh = self.read_at.is_some_and(|at| at.elapsed() < FRESH_FOR);
        if !is_fresh {
            let text = task::spawn_blocking(|| std::fs::read_to_string(RESOLV_CONF)).await;
            let text = text.ok().and_then(Result::ok).unwrap_or_default();
            self.servers = local_servers(&text);
            self.read_at = Some(Instant::now());
            if self.servers.is_empty() && !self.has_said_none {
                self.has_said_none = true;
                log::info!(
                    "no resolver of {RESOLV_CONF} is on this machine or in a private network, so none is \
                     asked what devices are called; name one in names.dns"
                );
            }
        }
        self.servers.clone()
    }
}

/// The name servers of a `resolv.conf` that are near.
fn local_servers(text: &str) -> Vec<SocketAddr> {
    text.lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let server = words.next().filter(|word| *word == "nameserver");
            server.and_then(|_| words.next()?.parse().ok())
        })
        .filter(|server| is_near(*server))
        .take(MOST_SERVERS)
        .map(|server| SocketAddr::new(server, DNS_PORT))
        .collect()
}

fn is_near(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            address.is_loopback() || address.is_private() || address.is_link_local()
        }
        IpAddr::V6(address) => address.is_loopback() || address.is_unique_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_near_resolvers_are_asked() {
        let text = "# comment\nsearch lan\nnameserver 8.8.8.8\nnameserver 127.0.0.53\n\
            nameserver\nnameserver 192.168.1.1 # the other\nnameserver fe80::1%eth0\n\
            nameserver 2001:4860:4860::8888\noptions edns0\n nameserver fd00::1\nnameserver ::1\n";
        let servers: Vec<String> = local_servers(text)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(servers, ["127.0.0.53:53", "192.168.1.1:53", "[fd00::1]:53"]);
        assert!(local_servers("nameserver 1.1.1.1\n").is_empty());
    }
}
