//! Asks for the names of addresses of the local networks, one at a time, and listens to what devices
//! say of themselves.
//!
//! Nobody outside the local networks is ever asked about, and a resolver on the internet is not
//! asked at all: what devices there are is nobody's business there.

mod mdns;
mod netbios;
mod resolvers;
mod schedule;
mod wire;

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use ipnet::IpNet;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, UdpSocket},
    sync::{mpsc, watch},
    task::JoinSet,
    time,
};

use self::{
    mdns::Listener,
    resolvers::Resolvers,
    schedule::{Outcome, Schedule},
};
use super::Told;
use crate::{
    config,
    core::names::{Name, NameSource},
};

/// How long a device may take to answer.
const DEVICE_ANSWERS: Duration = Duration::from_secs(1);
/// How long a resolver may take, which may ask others.
const RESOLVER_ANSWERS: Duration = Duration::from_secs(3);
/// At least so much lies between two questions, so that a network full of new devices makes no flood.
const PACE: Duration = Duration::from_millis(25);
/// The largest answer that is read.
const MOST_BYTES: usize = 4096;
const MDNS_PORT: u16 = 5353;
const LLMNR_PORT: u16 = 5355;
const NETBIOS_PORT: u16 = 137;

/// What may be asked about, and where to listen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// The local networks.
    pub networks: Vec<IpNet>,
    /// Indices of the interfaces that face the devices.
    pub interfaces: Vec<u32>,
}

impl Reach {
    /// Whether an address may be asked about. Link-local ones would have to name an interface, and
    /// no resolver knows them.
    fn includes(&self, address: IpAddr) -> bool {
        let is_link_local =
            matches!(address, IpAddr::V6(address) if address.is_unicast_link_local());
        !is_link_local
            && !address.is_loopback()
            && self
                .networks
                .iter()
                .any(|network| network.contains(&address))
    }
}

/// An address to ask about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The address.
    pub address: IpAddr,
    /// Somebody else has it now, so what was answered before counts no more.
    pub is_anew: bool,
}

/// Asks until nobody wants to know.
pub(super) async fn answer(
    mut settings: watch::Receiver<config::Names>,
    mut reach: watch::Receiver<Reach>,
    mut asks: mpsc::Receiver<Vec<Ask>>,
    told: mpsc::Sender<Told>,
) {
    let mut current = settings.borrow_and_update().clone();
    let mut around = reach.borrow_and_update().clone();
    let mut schedule = Schedule::default();
    let mut resolvers = Resolvers::default();
    let mut listener = Listener::new(&current, &around);
    let mut running: JoinSet<(IpAddr, Outcome)> = JoinSet::new();
    let mut pace = time::interval(PACE);
    pace.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
    loop {
        let news = tokio::select! {
            // What may be asked is known before addresses are taken in.
            biased;
            changed = settings.changed() => {
                if changed.is_err() {
                    return;
                }
                let new = settings.borrow_and_update().clone();
                let given_up = given_up(&current, &new);
                let is_same = asked(&current) == asked(&new) && current.dns == new.dns;
                current = new;
                if !is_same {
                    // What is under way was asked for by other rules.
                    running = JoinSet::new();
                    schedule = Schedule::default();
                    resolvers = Resolvers::default();
                    listener = Listener::new(&current, &around);
                }
                given_up.into_iter().map(Told::Nothing).collect()
            }
            changed = reach.changed() => {
                if changed.is_err() {
                    return;
                }
                around = reach.borrow_and_update().clone();
                listener.join(&around);
                Vec::new()
            }
            Some(done) = running.join_next() => match done {
                Ok((address, outcome)) => {
                    vec![Told::Facts(schedule.done(address, outcome, Instant::now()))]
                }
                // A mistake of ours: nothing is known, and all that is under way is asked again.
                Err(error) => {
                    running = JoinSet::new();
                    schedule.lost();
                    log::error!("a question for a name came to nothing: {error}");
                    Vec::new()
                }
            },
            Some(asked) = asks.recv() => {
                if asks_anybody(&current) {
                    for ask in asked.into_iter().filter(|ask| around.includes(ask.address)) {
                        schedule.offer(ask, Instant::now());
                    }
                }
                Vec::new()
            }
            _ = pace.tick(), if schedule.is_waiting() => {
                if let Some(address) = schedule.next() {
                    let servers = resolvers.current(&current.dns).await;
                    let settings = current.clone();
                    running.spawn(async move { (address, ask(address, &settings, &servers).await) });
                }
                Vec::new()
            }
            heard = listener.heard(&around) => vec![Told::Facts(vec![heard])],
        };
        for news in news {
            if told.send(news).await.is_err() {
                return;
            }
        }
    }
}

fn asks_anybody(settings: &config::Names) -> bool {
    asked(settings).contains(&true)
}

/// Whether devices are asked over multicast DNS, LLMNR and NetBIOS, and a resolver.
fn asked(settings: &config::Names) -> [bool; 4] {
    let is_resolver_asked = settings.dns != config::Resolver::Nobody;
    [
        settings.mdns,
        settings.llmnr,
        settings.netbios,
        is_resolver_asked,
    ]
}

/// Who was asked before and is not any more, so that what they said counts no more.
fn given_up(old: &config::Names, new: &config::Names) -> Vec<NameSource> {
    let sources = [
        NameSource::Mdns,
        NameSource::Llmnr,
        NameSource::Netbios,
        NameSource::Dns,
    ];
    let (old, new) = (asked(old), asked(new));
    let each = sources.into_iter().zip(old.into_iter().zip(new));
    each.filter_map(|(source, (old, new))| (old && !new).then_some(source))
        .collect()
}

/// Asks one after the other, in the order in which they are believed, until one knows.
async fn ask(address: IpAddr, settings: &config::Names, servers: &[SocketAddr]) -> Outcome {
    if settings.mdns
        && let Some(name) = over_mdns(address).await
    {
        return Outcome::Found(NameSource::Mdns, name);
    }
    if settings.llmnr
        && let Some(name) = over_llmnr(address).await
    {
        return Outcome::Found(NameSource::Llmnr, name);
    }
    if settings.netbios
        && let IpAddr::V4(address) = address
        && let Some(name) = over_netbios(address).await
    {
        return Outcome::Found(NameSource::Netbios, name);
    }
    let mut outcome = match servers {
        [] => Outcome::Nobody,
        _ => Outcome::Failed,
    };
    for server in servers {
        match over_dns(*server, address).await {
            Ok(Some(name)) => return Outcome::Found(NameSource::Dns, name),
            Ok(None) => {
                outcome = Outcome::Nobody;
                break;
            }
            Err(error) => log::debug!("{server} does not say who {address} is: {error}"),
        }
    }
    outcome
}

async fn over_dns(server: SocketAddr, address: IpAddr) -> io::Result<Option<Name>> {
    let id = new_id();
    let question = wire::question(id, address, wire::Recursion::Wanted)?;
    exchange(server, &question, RESOLVER_ANSWERS, |answer| {
        wire::answer(answer, id, address)
    })
    .await
}

/// A device answers a question that is sent to it alone (RFC 6762, 5.5). One that does not, or says
/// no, has no name.
async fn over_mdns(address: IpAddr) -> Option<Name> {
    let id = new_id();
    let question = wire::question(id, address, wire::Recursion::None).ok()?;
    let device = SocketAddr::new(address, MDNS_PORT);
    let asked = exchange(device, &question, DEVICE_ANSWERS, |answer| {
        wire::answer(answer, id, address)
    });
    asked.await.ok().flatten()
}

/// Questions about addresses go by TCP to the device (RFC 4795, 2.4).
async fn over_llmnr(address: IpAddr) -> Option<Name> {
    let id = new_id();
    let question = wire::question(id, address, wire::Recursion::None).ok()?;
    let length = u16::try_from(question.len()).ok()?;
    let asked = async {
        let mut stream = TcpStream::connect((address, LLMNR_PORT)).await?;
        stream
            .write_all(&[&length.to_be_bytes()[..], &question].concat())
            .await?;
        let length = usize::from(stream.read_u16().await?);
        let mut answer = vec![0; length.min(MOST_BYTES)];
        stream.read_exact(&mut answer).await?;
        io::Result::Ok(answer)
    };
    let answer = time::timeout(DEVICE_ANSWERS, asked).await.ok()?.ok()?;
    wire::answer(&answer, id, address)?.ok()?
}

async fn over_netbios(address: Ipv4Addr) -> Option<Name> {
    let id = new_id();
    let device = SocketAddr::new(address.into(), NETBIOS_PORT);
    let question = netbios::question(id);
    let asked = exchange(device, &question, DEVICE_ANSWERS, |answer| {
        netbios::answer(answer, id).map(Ok)
    });
    asked.await.ok().flatten()
}

/// Sends a question and waits for what `read` takes for its answer; anything else that comes is not
/// looked at. Only what `peer` sends comes.
async fn exchange<T>(
    peer: SocketAddr,
    question: &[u8],
    patience: Duration,
    read: impl Fn(&[u8]) -> Option<io::Result<T>>,
) -> io::Result<T> {
    let any: IpAddr = match peer {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
    };
    let asked = async {
        // The kernel picks another port each time, which whoever would answer in its place must guess.
        let socket = UdpSocket::bind((any, 0)).await?;
        socket.connect(peer).await?;
        socket.send(question).await?;
        let mut answer = [0; MOST_BYTES];
        loop {
            let length = socket.recv(&mut answer).await?;
            if let Some(read) = read(&answer[..length]) {
                return read;
            }
        }
    };
    match time::timeout(patience, asked).await {
        Ok(answered) => answered,
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    }
}

/// Nobody can guess it.
fn new_id() -> u16 {
    let [.., high, low] = uuid::Uuid::new_v4().into_bytes();
    u16::from_be_bytes([high, low])
}

#[cfg(test)]
mod tests;
