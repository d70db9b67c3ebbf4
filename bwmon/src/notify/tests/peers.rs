//! A mail server and a broker that know a few words, and TLS with an authority that nobody knows.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::TcpListener,
    sync::mpsc,
    thread,
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};

use super::*;
use crate::config::{Authorities, Email, Login, Mqtt, Security};

/// A connection, with or without TLS.
trait Line: Read + Write {}
impl<T: Read + Write> Line for T {}

/// A peer that says what it is told to, and tells what it hears.
struct Peer {
    port: u16,
    heard: mpsc::Receiver<Vec<u8>>,
    ca: Option<Authorities>,
}

/// The channel that leads to a peer, and trusts an authority or none.
type Configured = fn(&Peer, Option<Authorities>) -> Channel;
type Script = fn(&mut dyn Line) -> io::Result<Vec<u8>>;

impl Peer {
    fn new(script: Script) -> Self {
        Self::start(None, script)
    }

    fn with_tls(script: Script) -> Self {
        let (ca, config) = authority();
        let peer = Self::start(Some(config), script);
        Self {
            ca: Some(ca),
            ..peer
        }
    }

    fn start(tls: Option<Arc<ServerConfig>>, script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, heard) = mpsc::channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let talk = match &tls {
                    None => script(&mut stream),
                    Some(config) => {
                        let connection = ServerConnection::new(Arc::clone(config)).unwrap();
                        script(&mut StreamOwned::new(connection, stream))
                    }
                };
                // Whoever does not trust it says nothing.
                talk.map(|heard| sender.send(heard).ok()).ok();
            }
        });
        Self {
            port,
            heard,
            ca: None,
        }
    }

    fn heard(&self) -> Vec<u8> {
        self.heard.recv_timeout(Duration::from_secs(20)).unwrap()
    }
}

/// An authority, and a server on loopback that it vouches for.
fn authority() -> (Authorities, Arc<ServerConfig>) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let server = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let server = server.signed_by(&key, &issuer).unwrap();
    let secret = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![server.der().clone()], secret)
        .unwrap();
    let ca = Authorities::from_pem(issuer.pem().as_bytes()).unwrap();
    (ca, Arc::new(config))
}

/// Says yes to everything but `refused`, and returns all it heard.
fn mail_server(line: &mut dyn Line, refused: &str, answer: &str) -> io::Result<Vec<u8>> {
    let mut line = BufReader::new(line);
    let mut heard = Vec::new();
    line.get_mut().write_all(b"220 mx\r\n")?;
    let mut in_data = false;
    loop {
        let start = heard.len();
        if line.read_until(b'\n', &mut heard)? == 0 {
            return Ok(heard);
        }
        let said = String::from_utf8_lossy(&heard[start..]).into_owned();
        let reply = match said.trim_end() {
            "." => {
                in_data = false;
                "250 queued as 1"
            }
            _ if in_data => continue,
            said if !refused.is_empty() && said.starts_with(refused) => answer,
            said if said.starts_with("EHLO") => "250-mx\r\n250 AUTH PLAIN",
            said if said.starts_with("AUTH") => "235 welcome",
            "DATA" => {
                in_data = true;
                "354 go on"
            }
            "QUIT" => return Ok(heard),
            _ => "250 ok",
        };
        line.get_mut()
            .write_all(format!("{reply}\r\n").as_bytes())?;
        line.get_mut().flush()?;
    }
}

fn mail(peer: &Peer, security: Security, ca: Option<Authorities>) -> Channel {
    let login = (security != Security::None).then(|| Login {
        username: "me".to_owned(),
        password: Secret::new("hunter2".to_owned()),
    });
    let email = Email {
        server: "127.0.0.1".to_owned(),
        port: peer.port,
        security,
        ca,
        login,
        from: "bwmon@example.org".parse().unwrap(),
        to: vec![
            "a@example.org".parse().unwrap(),
            "b@example.org".parse().unwrap(),
        ],
    };
    Channel {
        target: Target::Email(email),
        ..webhook("mail", String::new())
    }
}

#[tokio::test]
async fn a_mail_goes_to_everybody() {
    let peer = Peer::new(|line| mail_server(line, "", ""));
    let sender = Sender::new(&mail(&peer, Security::None, None));
    let answer = sender
        .try_once(&[event("one"), event("two")])
        .await
        .unwrap();
    assert_eq!(answer.to_string(), "250: queued as 1");
    drop(sender);
    let heard = String::from_utf8(peer.heard()).unwrap();
    for expected in [
        "MAIL FROM:<bwmon@example.org>",
        "RCPT TO:<a@example.org>",
        "RCPT TO:<b@example.org>",
        "Subject: 2 events on router\r\n",
        "Message-ID: <one.2@example.org>\r\n",
    ] {
        assert!(heard.contains(expected), "{expected}: {heard}");
    }
}

#[tokio::test]
async fn what_a_mail_server_refuses_is_told_and_may_be_sent_again() {
    let scripts: [(Script, &str); 3] = [
        (|line| mail_server(line, "RCPT", "550 no such user"), "550"),
        (|line| mail_server(line, "DATA", "451 later"), "451"),
        (|line| mail_server(line, "MAIL", "530 log in first"), "530"),
    ];
    for (script, code) in scripts {
        let peer = Peer::new(script);
        let error = try_once(&mail(&peer, Security::None, None), &event("one")).await;
        let error = error.unwrap_err();
        assert!(error.to_string().contains(code), "{error}");
        assert!(!error.is_permanent(), "{error}");
    }
}

#[tokio::test]
async fn a_mail_server_without_tls_gets_no_password() {
    let peer = Peer::new(|line| mail_server(line, "", ""));
    let error = try_once(&mail(&peer, Security::StartTls, None), &event("one")).await;
    assert!(!error.unwrap_err().is_permanent());
}

/// Knows CONNECT, PUBLISH with QoS 1 and DISCONNECT of MQTT 3.1.1, and returns what was published.
fn broker(line: &mut dyn Line, welcome: u8) -> io::Result<Vec<u8>> {
    let mut published = Vec::new();
    loop {
        let mut first = [0];
        line.read_exact(&mut first)?;
        let mut length = 0;
        for shift in [0, 7, 14, 21] {
            let mut byte = [0];
            line.read_exact(&mut byte)?;
            length |= usize::from(byte[0] & 0x7f) << shift;
            if byte[0] & 0x80 == 0 {
                break;
            }
        }
        let mut packet = vec![0; length];
        line.read_exact(&mut packet)?;
        match first[0] >> 4 {
            1 => line.write_all(&[0x20, 2, 0, welcome])?,
            3 => {
                let topic = usize::from(u16::from_be_bytes([packet[0], packet[1]]));
                let id = [packet[2 + topic], packet[3 + topic]];
                // Its flags, its topic, its payload.
                published = vec![first[0] & 0xf];
                published.extend(&packet[2..2 + topic]);
                published.extend(&packet[4 + topic..]);
                line.write_all(&[0x40, 2, id[0], id[1]])?;
            }
            _ => return Ok(published),
        }
        line.flush()?;
    }
}

fn mqtt(peer: &Peer, tls: bool, ca: Option<Authorities>) -> Channel {
    let mqtt = Mqtt {
        host: "127.0.0.1".to_owned(),
        port: peer.port,
        tls,
        ca,
        login: None,
        client_id: None,
        topic: "home/bwmon".to_owned(),
        retain: true,
    };
    Channel {
        target: Target::Mqtt(mqtt),
        timeout: Duration::from_secs(5),
        ..webhook("broker", String::new())
    }
}

/// QoS 1, retained, where it should be.
fn published() -> Vec<u8> {
    let mut expected = b"\x03home/bwmon".to_vec();
    expected.extend(serde_json::to_vec(&*event("one")).unwrap());
    expected
}

#[tokio::test]
async fn a_broker_says_that_it_has_an_event() {
    let peer = Peer::new(|line| broker(line, 0));
    let sender = Sender::new(&mqtt(&peer, false, None));
    let answer = sender.try_once(&[event("one")]).await.unwrap();
    assert_eq!(answer.to_string(), "acknowledged");
    assert_eq!(peer.heard(), published());
}

#[tokio::test]
async fn a_broker_that_does_not_say_so_has_nothing() {
    let scripts: [(Script, &str); 3] = [
        (|line| broker(line, 5), "NotAuthorized"),
        (|_| Ok(Vec::new()), "the broker: "),
        (
            |line| {
                line.read_exact(&mut [0; 10])?;
                line.write_all(&[0x20, 2, 0, 0])?;
                line.read_to_end(&mut Vec::new())?;
                Ok(Vec::new())
            },
            "no answer within",
        ),
    ];
    for (script, expected) in scripts {
        let peer = Peer::new(script);
        let mut channel = mqtt(&peer, false, None);
        channel.timeout = Duration::from_millis(500);
        let error = try_once(&channel, &event("one")).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert!(!error.is_permanent(), "{error}");
    }
}

#[tokio::test]
async fn an_authority_is_trusted_where_it_is_named_and_nowhere_else() {
    let web: Script = |line| {
        let mut head = BufReader::new(line);
        let mut text = String::new();
        while !text.ends_with("\r\n\r\n") {
            if head.read_line(&mut text)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let answer = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
        head.get_mut().write_all(answer)?;
        head.get_mut().flush()?;
        Ok(text.into_bytes())
    };
    let servers: [(Script, Configured); 3] = [
        (web, |peer, ca| {
            let mut channel = webhook("web", format!("https://127.0.0.1:{}/", peer.port));
            if let Target::Http(http) = &mut channel.target {
                http.ca = ca;
            }
            channel
        }),
        (
            |line| mail_server(line, "", ""),
            |peer, ca| mail(peer, Security::Tls, ca),
        ),
        (|line| broker(line, 0), |peer, ca| mqtt(peer, true, ca)),
    ];
    for (script, channel) in servers {
        let peer = Peer::with_tls(script);
        for ca in [None, Some(authority().0)] {
            let error = try_once(&channel(&peer, ca), &event("one"))
                .await
                .unwrap_err();
            let shown = error.to_string();
            assert!(shown.contains("certificate"), "{shown}");
            assert!(!error.is_permanent(), "{shown}");
        }
        let channel = channel(&peer, peer.ca.clone());
        try_once(&channel, &event("one")).await.unwrap();
    }
}
