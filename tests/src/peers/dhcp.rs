//! dnsmasq, a DHCP server and resolver as routers have one, and a client of it.

use std::{
    fs,
    net::{IpAddr, SocketAddr},
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::Command,
    sync::Arc,
};

use tempfile::TempDir;

use super::{directory, start};
use crate::{
    link::Link,
    namespace::Namespace,
    process::Process,
    wait::{SOON, wait_until},
};

/// Sets the address that was given, and does nothing else.
const SCRIPT: &str = "#!/bin/sh\n\
    case \"$1\" in bound|renew) exec ip address replace \"$ip/$mask\" dev \"$interface\" ;; esac\n";

/// A DHCP server on an interface, and a resolver that knows its leases by the domain `lan`.
#[derive(Debug)]
pub struct Dnsmasq {
    _process: Process,
    directory: TempDir,
}

impl Dnsmasq {
    /// Starts it on `link`, which has an address in 192.0.2.0/24.
    ///
    /// # Panics
    /// When it does not start.
    #[track_caller]
    pub fn start(link: &Link) -> Self {
        let directory = directory();
        let leases = directory.path().join("leases");
        let mut command = Command::new("dnsmasq");
        command
            .args([
                "--keep-in-foreground",
                "--conf-file=/dev/null",
                "--user=root",
            ])
            .args([
                "--log-facility=-",
                "--log-dhcp",
                "--no-resolv",
                "--no-hosts",
            ])
            .args([
                "--pid-file=",
                "--bind-interfaces",
                "--domain=lan",
                "--bogus-priv",
            ])
            // It would ping an address for three seconds before it gives it.
            .args(["--dhcp-authoritative", "--no-ping"])
            .arg("--dhcp-range=192.0.2.100,192.0.2.150,1h")
            .arg(format!("--interface={}", link.name))
            .arg(format!("--dhcp-leasefile={}", leases.display()));
        let log = directory.path().join("log");
        let listens: SocketAddr = ([127, 0, 0, 1], 53).into();
        let process = start(&link.namespace, &mut command, &log, &[listens]);
        Self {
            _process: process,
            directory,
        }
    }

    /// Its leases.
    pub fn leases(&self) -> PathBuf {
        self.directory.path().join("leases")
    }

    /// Has a device behind `link` ask for an address under this name, and returns the address.
    ///
    /// # Panics
    /// When it gets none.
    #[track_caller]
    pub fn lease(&self, link: &Link, host: &str) -> IpAddr {
        let script = self.directory.path().join("script");
        fs::write(&script, SCRIPT).expect("write the client's script");
        let executable = fs::Permissions::from_mode(0o755);
        fs::set_permissions(&script, executable).expect("make the client's script executable");
        link.namespace.run(
            "udhcpc",
            &[
                "--interface",
                &link.name,
                "--foreground",
                "--now",
                "--quit",
                "--script",
                &script.display().to_string(),
                "-x",
                &format!("hostname:{host}"),
            ],
        );
        wait_until("the lease", SOON, || {
            let leases = fs::read_to_string(self.leases()).map_err(|error| error.to_string())?;
            let mut lines = leases
                .lines()
                .map(|line| line.split(' ').collect::<Vec<_>>());
            let lease = lines.find(|words| words.get(3) == Some(&host));
            let address = lease.and_then(|words| words.get(2)?.parse().ok());
            address.ok_or(leases)
        })
    }
}

/// Has the kernel of a namespace talk to an address, so that both know each other.
///
/// # Panics
/// When there is no way there.
#[track_caller]
pub fn talk(namespace: &Arc<Namespace>, to: IpAddr) {
    namespace.enter(|| {
        let socket = std::net::UdpSocket::bind(("0.0.0.0", 0)).expect("open a socket");
        socket.send_to(b"hello", (to, 9)).expect("send a packet");
    });
}
