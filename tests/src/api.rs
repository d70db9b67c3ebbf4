//! The daemon's HTTP interface, read by the names of the contract.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    net::{IpAddr, SocketAddr, TcpStream},
    ops::{Add, AddAssign, Sub},
    os::unix::net::UnixStream,
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    events::{Events, SILENCE},
    http::{Response, exchange_body},
    namespace::Namespace,
};

/// An answer that takes longer is as good as none.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Where the daemon listens, and what it is to be shown.
#[derive(Clone, Debug)]
pub struct Api {
    endpoint: Endpoint,
    token: Option<String>,
}

#[derive(Clone, Debug)]
enum Endpoint {
    Unix(PathBuf),
    Tcp(Option<Arc<Namespace>>, SocketAddr),
}

/// Bytes and packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Layer-2 bytes.
    pub bytes: u64,
    /// Frames on the wire.
    pub packets: u64,
}

/// A number for each direction, seen from the devices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Directions {
    /// Uploaded.
    pub sent: u64,
    /// Downloaded.
    pub received: u64,
}

/// An entry of `/api/v1/interfaces`.
#[derive(Clone, Debug, Deserialize)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// `native`, `generic`, `tc`, or none while not attached.
    pub ingress_mode: Option<String>,
    /// `tcx`, `clsact`, or none while not attached.
    pub egress_mode: Option<String>,
    /// Counted since attach.
    pub counted_bytes: Directions,
    /// Counted since attach.
    pub counted_packets: Directions,
    /// The interface's own counters since attach.
    pub interface_bytes: Directions,
    /// The interface's own counters since attach.
    pub interface_packets: Directions,
    /// Packets counted / packets of the interface.
    pub coverage: f64,
    /// Without a readable IP header.
    pub non_ip_bytes: u64,
    /// In no local network.
    pub outside_bytes: u64,
    /// Without a slot.
    pub overflow_bytes: u64,
}

/// An entry of `/api/v1/addresses`, its counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Address {
    /// All that it sent.
    pub sent: Counted,
    /// All that it received.
    pub received: Counted,
    /// The part of `sent` that stayed local.
    pub sent_local: Counted,
    /// The part of `received` that stayed local.
    pub received_local: Counted,
}

impl Api {
    /// Over a Unix socket.
    pub fn unix(socket: PathBuf) -> Self {
        Self {
            endpoint: Endpoint::Unix(socket),
            token: None,
        }
    }

    /// Over TCP, from inside a namespace.
    pub fn tcp(namespace: &Arc<Namespace>, address: SocketAddr) -> Self {
        Self {
            endpoint: Endpoint::Tcp(Some(Arc::clone(namespace)), address),
            token: None,
        }
    }

    /// Over TCP, from where this process is.
    pub fn here(address: SocketAddr) -> Self {
        Self {
            endpoint: Endpoint::Tcp(None, address),
            token: None,
        }
    }

    /// The same, showing a token.
    pub fn with_token(mut self, token: &str) -> Self {
        self.token = Some(token.to_owned());
        self
    }

    /// `GET` of a path.
    ///
    /// # Errors
    /// When nobody answers, or not in HTTP.
    pub fn get(&self, path: &str) -> io::Result<Response> {
        self.exchange("GET", path, &[], "")
    }

    /// The same with these headers.
    ///
    /// # Errors
    /// As [`Api::get`].
    pub fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> io::Result<Response> {
        self.exchange("GET", path, headers, "")
    }

    /// Any method of a path, with JSON for a body unless that is empty.
    ///
    /// # Errors
    /// When nobody answers, or not in HTTP.
    pub fn ask(&self, method: &str, path: &str, body: &str) -> io::Result<Response> {
        let json = (!body.is_empty()).then_some(("content-type", "application/json"));
        self.exchange(method, path, json.as_slice(), body)
    }

    /// The live stream.
    ///
    /// # Errors
    /// When nobody answers, or with anything but a stream.
    pub fn events(&self) -> io::Result<Events> {
        let token = self.token.as_deref().unwrap_or_default();
        let request = format!(
            "GET /api/v1/stream HTTP/1.0\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\r\n"
        );
        match &self.endpoint {
            Endpoint::Unix(path) => {
                let mut stream = UnixStream::connect(path)?;
                stream.set_read_timeout(Some(SILENCE))?;
                stream.write_all(request.as_bytes())?;
                Events::of(Box::new(stream))
            }
            Endpoint::Tcp(namespace, address) => {
                let mut stream = connect(namespace.as_deref(), address)?;
                stream.set_read_timeout(Some(SILENCE))?;
                stream.write_all(request.as_bytes())?;
                Events::of(Box::new(stream))
            }
        }
    }

    fn exchange(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> io::Result<Response> {
        let bearer = self.token.as_ref().map(|token| format!("Bearer {token}"));
        let bearer = bearer
            .iter()
            .map(|bearer| ("authorization", bearer.as_str()));
        let headers: Vec<_> = bearer.chain(headers.iter().copied()).collect();
        match &self.endpoint {
            Endpoint::Unix(path_of_socket) => {
                let stream = UnixStream::connect(path_of_socket)?;
                stream.set_read_timeout(Some(TIMEOUT))?;
                exchange_body(stream, method, "localhost", path, &headers, body)
            }
            Endpoint::Tcp(namespace, address) => {
                let stream = connect(namespace.as_deref(), address)?;
                stream.set_read_timeout(Some(TIMEOUT))?;
                let host = address.to_string();
                exchange_body(stream, method, &host, path, &headers, body)
            }
        }
    }

    /// The JSON at a path.
    ///
    /// # Errors
    /// With the status or what is wrong with the body.
    pub fn json(&self, path: &str) -> Result<Value, String> {
        self.typed(path)
    }

    fn typed<T: DeserializeOwned>(&self, path: &str) -> Result<T, String> {
        let response = self
            .get(path)
            .map_err(|error| format!("GET {path}: {error}"))?;
        if response.status != 200 {
            return Err(format!(
                "GET {path}: status {}: {}",
                response.status, response.body
            ));
        }
        serde_json::from_str(&response.body)
            .map_err(|error| format!("GET {path}: {error} in {}", response.body))
    }

    /// `/api/v1/interfaces`.
    ///
    /// # Errors
    /// When there is no such answer.
    pub fn interfaces(&self) -> Result<Vec<Interface>, String> {
        self.typed("/api/v1/interfaces")
    }

    /// One of them.
    ///
    /// # Errors
    /// When it is not among them.
    pub fn interface(&self, name: &str) -> Result<Interface, String> {
        self.interfaces()?
            .into_iter()
            .find(|interface| interface.name == name)
            .ok_or_else(|| format!("{name} is not among the interfaces"))
    }

    /// The counters of `/api/v1/addresses`.
    ///
    /// # Errors
    /// When there is no such answer, or an address is in it twice.
    pub fn addresses(&self) -> Result<BTreeMap<IpAddr, Address>, String> {
        let rows: Vec<AddressRow> = self.typed("/api/v1/addresses")?;
        let mut addresses = BTreeMap::new();
        for row in rows {
            let address = row.address;
            if addresses.insert(address, row.into()).is_some() {
                return Err(format!("{address} is there twice"));
            }
        }
        Ok(addresses)
    }

    /// The counters of one address; all zero when it is not there.
    ///
    /// # Errors
    /// As [`Api::addresses`].
    pub fn address(&self, address: IpAddr) -> Result<Address, String> {
        Ok(self.addresses()?.get(&address).copied().unwrap_or_default())
    }

    /// The device that has an address, of `/api/v1/devices`.
    ///
    /// # Errors
    /// When there is none.
    pub fn device(&self, address: IpAddr) -> Result<Value, String> {
        let address = address.to_string();
        let has_address = |device: &Value| {
            let addresses = device["addresses"].as_array();
            addresses.is_some_and(|all| all.iter().any(|one| one == &address))
        };
        let devices = self.json("/api/v1/devices")?;
        devices
            .as_array()
            .and_then(|devices| devices.iter().find(|device| has_address(device)).cloned())
            .ok_or_else(|| format!("no device has {address}: {devices}"))
    }

    /// How many samples the loop has taken.
    ///
    /// # Errors
    /// When there is no such answer.
    pub fn samples(&self) -> Result<u64, String> {
        let status = self.json("/api/v1/status")?;
        status["poll"]["samples"]
            .as_u64()
            .ok_or_else(|| format!("no count of samples: {status}"))
    }
}

fn connect(namespace: Option<&Namespace>, address: &SocketAddr) -> io::Result<TcpStream> {
    let connect = || TcpStream::connect_timeout(address, TIMEOUT);
    match namespace {
        Some(namespace) => namespace.enter(connect),
        None => connect(),
    }
}

#[derive(Deserialize)]
struct AddressRow {
    address: IpAddr,
    sent_bytes: u64,
    sent_packets: u64,
    received_bytes: u64,
    received_packets: u64,
    sent_local_bytes: u64,
    sent_local_packets: u64,
    received_local_bytes: u64,
    received_local_packets: u64,
}

impl From<AddressRow> for Address {
    fn from(row: AddressRow) -> Self {
        let counted = |bytes, packets| Counted { bytes, packets };
        Self {
            sent: counted(row.sent_bytes, row.sent_packets),
            received: counted(row.received_bytes, row.received_packets),
            sent_local: counted(row.sent_local_bytes, row.sent_local_packets),
            received_local: counted(row.received_local_bytes, row.received_local_packets),
        }
    }
}

impl Add for Counted {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        Self {
            bytes: self.bytes + more.bytes,
            packets: self.packets + more.packets,
        }
    }
}

impl AddAssign for Counted {
    fn add_assign(&mut self, more: Self) {
        self.bytes += more.bytes;
        self.packets += more.packets;
    }
}

impl Sub for Counted {
    type Output = Self;

    #[track_caller]
    fn sub(self, earlier: Self) -> Self {
        Self {
            bytes: self.bytes - earlier.bytes,
            packets: self.packets - earlier.packets,
        }
    }
}
