//! The harness of the end-to-end tests: namespaces, links, packets, the daemon, receivers of events,
//! and the kernel's own counters as the oracle.
//!
//! A test builds a [`Lan`], starts the daemon through a [`Setup`], makes traffic, and holds what the
//! daemon says against what the kernel counted and what was sent. Everything a test makes belongs to
//! it alone (namespace names, sockets, directories) and goes away when it is dropped, also when the
//! test panics; so tests run side by side.
//!
//! Nothing here links the daemon: it is a black box behind its command line and its HTTP interface.
//! Nothing here sleeps for a result: see [`wait_until`].
#![expect(
    clippy::expect_used,
    reason = "a test harness fails by panicking, with the reason"
)]

mod api;
mod bpf;
mod bpffs;
mod browser;
mod captures;
mod conservation;
mod counters;
mod daemon;
mod disk;
mod echo;
mod events;
mod flow;
mod foreign;
mod frame;
mod home;
mod http;
mod inject;
mod iperf;
mod kept;
mod lan;
mod link;
mod namespace;
mod peers;
mod process;
mod programs;
mod random;
mod receiver;
mod requirement;
mod setup;
mod sniffer;
mod stage;
mod tmux;
mod tun;
mod wait;
mod week;
mod zone;

pub use api::{Address, Api, Counted, Directions, Interface};
pub use bpffs::Bpffs;
pub use browser::drive;
pub use captures::{Capture, Truth, replay, replay_at};
pub use conservation::{Traffic, balance, wait_for_balance};
pub use counters::{LinkCounters, Segments};
pub use daemon::Daemon;
pub use disk::Tmpfs;
pub use echo::{Echo, exchange};
pub use events::Events;
pub use flow::Flow;
pub use foreign::{ForeignProgram, Hook};
pub use frame::{Frame, Mac};
pub use home::{HOME_ADDRESS, HOME_TOKEN, Home, Living};
pub use http::{Request, Response, read_request};
pub use inject::{Injector, Sent};
pub use iperf::{Direction, transfer};
pub use kept::{Kept, keep_now};
pub use lan::{DEVICE_MAC, Lan, NOBODY_MAC, ROUTER_MAC, bridge, ip};
pub use link::{Link, veth};
pub use namespace::Namespace;
pub use peers::{
    Alertmanager, Authority, Broker, Certificate, Dnsmasq, Mail, MailServer, Prometheus, Published,
    server, talk,
};
pub use process::{Process, run};
pub use programs::{Program, Programs};
pub use random::Random;
pub use receiver::{Answer, Delivery, Receiver};
pub use requirement::missing;
pub use setup::{Setup, binary, project};
pub use sniffer::{Passed, Sniffer};
pub use stage::{LOCAL_NETWORK, PEER, Stage};
pub use tmux::Tmux;
pub use tun::Tun;
pub use wait::{SOON, wait_until};
pub use week::{Anomaly, Device, Moved, STEP, Week};
pub use zone::{zone_in_which_passed, zone_with_midnight_in};
