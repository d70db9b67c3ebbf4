//! A network, a daemon that watches it, and somebody who is told.

use crate::{inject::Sent, lan::Lan, receiver::Receiver, setup::Setup};

/// The network behind a [`Lan`]'s router, as a line of the configuration.
pub const LOCAL_NETWORK: &str = "local_networks = [\"192.0.2.0/24\"]\n";
/// Somebody on the internet.
pub const PEER: &str = "198.51.100.1";

/// The three of them; the daemon is yet to be started.
#[derive(Debug)]
pub struct Stage {
    /// How the daemon is started.
    pub setup: Setup,
    /// Where it posts events.
    pub receiver: Receiver,
    /// What it watches.
    pub lan: Lan,
}

impl Stage {
    /// With these further lines of configuration and these registered devices.
    ///
    /// # Panics
    /// When the network can't be made.
    #[track_caller]
    pub fn new(config: &str, devices: &str) -> Self {
        let lan = Lan::new();
        let receiver = Receiver::start(&lan.router);
        let setup = Setup::new(&lan.router, &["lan0"])
            .config(&format!("{LOCAL_NETWORK}{config}{}", receiver.channel()))
            .devices(devices);
        Self {
            setup,
            receiver,
            lan,
        }
    }

    /// Frames of 1,000 bytes to the internet.
    #[track_caller]
    pub fn upload(&self, source: &str, frames: usize) -> Sent {
        let frame = Lan::packet(source, PEER).length(1000).build();
        self.lan.upload((0..frames).map(|_| &frame))
    }

    /// Frames of 1,000 bytes from the internet.
    #[track_caller]
    pub fn download(&self, destination: &str, frames: usize) -> Sent {
        let frame = Lan::packet(PEER, destination).length(1000).build();
        self.lan.download((0..frames).map(|_| &frame))
    }
}
