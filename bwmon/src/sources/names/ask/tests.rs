//! Whole questions and answers, over sockets.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use simple_dns::{CLASS, Name as DomainName, Packet, RCODE, ResourceRecord, rdata};

use super::*;
use crate::core::names::Whose;

const SOON: Duration = Duration::from_secs(20);

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// A resolver that calls every address so, and counts questions.
async fn resolver(name: &'static str) -> (SocketAddr, Arc<AtomicUsize>) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    tokio::spawn(async move {
        let mut question = [0; 512];
        loop {
            let (length, peer) = socket.recv_from(&mut question).await.unwrap();
            count.fetch_add(1, Ordering::Relaxed);
            let mut reply = Packet::parse(&question[..length]).unwrap().into_reply();
            match DomainName::new(name).ok().filter(|_| !name.is_empty()) {
                Some(name) => {
                    let asked = reply.questions[0].qname.clone();
                    let pointer = rdata::RData::PTR(rdata::PTR(name));
                    reply
                        .answers
                        .push(ResourceRecord::new(asked, CLASS::IN, 60, pointer));
                }
                None => *reply.rcode_mut() = RCODE::NameError,
            }
            // What is not an answer comes first, and is not looked at.
            socket.send_to(b"nonsense", peer).await.unwrap();
            socket
                .send_to(&reply.build_bytes_vec().unwrap(), peer)
                .await
                .unwrap();
        }
    });
    (address, asked)
}

fn asking(servers: &[SocketAddr]) -> config::Names {
    config::Names {
        dns: config::Resolver::These(servers.to_vec()),
        ..config::Names::default()
    }
}

#[tokio::test]
async fn resolvers_are_asked_in_turn_until_one_answers() {
    let silent = UdpSocket::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let (server, _) = resolver("laptop.lan").await;
    let settings = asking(&[silent, server]);
    let outcome = ask(ip("10.0.0.5"), &settings, &[silent, server]).await;
    assert_eq!(
        outcome,
        Outcome::Found(NameSource::Dns, Name::of_host("laptop").unwrap())
    );
    let (nobody, _) = resolver("").await;
    assert_eq!(
        ask(ip("10.0.0.5"), &settings, &[nobody, server]).await,
        Outcome::Nobody
    );
    assert_eq!(
        ask(ip("10.0.0.5"), &settings, &[silent]).await,
        Outcome::Failed
    );
    assert_eq!(ask(ip("10.0.0.5"), &settings, &[]).await, Outcome::Nobody);
}

#[tokio::test]
async fn only_addresses_of_the_local_networks_are_asked_about_and_each_once() {
    let (server, asked) = resolver("laptop.lan").await;
    let (reconfigure, settings) = watch::channel(asking(&[server]));
    let (_reach, around) = watch::channel(Reach {
        networks: vec!["10.0.0.0/24".parse().unwrap(), "fe80::/64".parse().unwrap()],
        interfaces: Vec::new(),
    });
    let (asks, addresses) = mpsc::channel(4);
    let (tell, mut told) = mpsc::channel(4);
    tokio::spawn(answer(settings, around, addresses, tell));
    let offer = |addresses: &[&str]| {
        let asks: &mpsc::Sender<Vec<Ask>> = &asks;
        let list = addresses.iter().map(|address| Ask {
            address: ip(address),
            is_anew: false,
        });
        // A full channel is as good as an offer that comes too late.
        asks.try_send(list.collect()).ok();
    };
    let next = async |told: &mut mpsc::Receiver<Told>| {
        time::timeout(SOON, told.recv()).await.unwrap().unwrap()
    };
    offer(&[
        "8.8.8.8",
        "fe80::5",
        "2001:db8::5",
        "10.0.1.5",
        "10.0.0.5",
        "10.0.0.5",
    ]);
    let Told::Facts(facts) = next(&mut told).await else {
        panic!("no facts")
    };
    let named: Vec<_> = facts.iter().filter(|fact| fact.called.is_some()).collect();
    assert_eq!(named.len(), 1);
    assert_eq!(
        (named[0].source, named[0].whose),
        (NameSource::Dns, Whose::Address(ip("10.0.0.5")))
    );
    // The next answer is about the next address, so nothing else was asked in between.
    offer(&["10.0.0.5", "10.0.0.6"]);
    next(&mut told).await;
    assert_eq!(asked.load(Ordering::Relaxed), 2);
    // Nobody is asked any more: what was said counts no more.
    reconfigure.send_modify(|settings| settings.dns = config::Resolver::Nobody);
    assert_eq!(next(&mut told).await, Told::Nothing(NameSource::Dns));
    // And whoever is configured anew is asked about what is offered from then on.
    reconfigure.send_modify(|settings| settings.dns = config::Resolver::These(vec![server]));
    let facts = time::timeout(SOON, async {
        loop {
            offer(&["10.0.0.8"]);
            if let Ok(told) = time::timeout(Duration::from_millis(100), told.recv()).await {
                return told.unwrap();
            }
        }
    });
    let Told::Facts(facts) = facts.await.unwrap() else {
        panic!("no facts")
    };
    assert_eq!(facts[0].whose, Whose::Address(ip("10.0.0.8")));
}
