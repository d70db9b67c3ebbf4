//! Real bytes between two namespaces, at a pace: a TCP connection, or UDP packets, of which this
//! process has both ends.

use std::{
    io::{self, Read, Write as _},
    net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket},
    thread,
    time::{Duration, Instant},
};

use crate::home::Place;

/// Bytes per second of a Mbit/s.
pub(crate) const MBIT: f64 = 1e6 / 8.0;
/// The time between two pieces.
const TICK: Duration = Duration::from_millis(20);
/// How long a connection may take to be made, or to take what is sent.
const PATIENCE: Duration = Duration::from_secs(5);
/// No piece is larger.
const PIECE: usize = 256 * 1024;
/// Of UDP, as QUIC has them.
const PACKET: usize = 1200;

/// A TCP connection from a device. What arrives at either end is read and forgotten.
pub(crate) struct Line {
    near: TcpStream,
    far: TcpStream,
}

impl Line {
    /// Connects a device to an address of another place.
    ///
    /// # Errors
    /// When there is no way from one to the other.
    pub(crate) fn open(near: &Place, far: &Place, address: IpAddr) -> io::Result<Self> {
        let listener = far.enter(|| TcpListener::bind((address, 0)))?;
        let address = listener.local_addr()?;
        let near = near.enter(|| TcpStream::connect_timeout(&address, PATIENCE))?;
        let (far, _) = listener.accept()?;
        for end in [&near, &far] {
            end.set_write_timeout(Some(PATIENCE))?;
            let mut end = end.try_clone()?;
            // Ends with the connection.
            thread::Builder::new().spawn(move || {
                let mut rest = vec![0; PIECE];
                while matches!(end.read(&mut rest), Ok(1..)) {}
            })?;
        }
        Ok(Self { near, far })
    }

    /// The device uploads so much.
    ///
    /// # Errors
    /// When the connection breaks.
    pub(crate) fn up(&mut self, bytes: f64, bytes_per_sec: f64) -> io::Result<()> {
        send(bytes, bytes_per_sec, |piece| self.near.write_all(piece))
    }

    /// The device downloads so much.
    ///
    /// # Errors
    /// When the connection breaks.
    pub(crate) fn down(&mut self, bytes: f64, bytes_per_sec: f64) -> io::Result<()> {
        send(bytes, bytes_per_sec, |piece| self.far.write_all(piece))
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        // Ends the threads that read; where it is broken they have ended.
        self.near.shutdown(Shutdown::Both).ok();
        self.far.shutdown(Shutdown::Both).ok();
    }
}

/// UDP between a device and somebody.
pub(crate) struct Packets {
    near: UdpSocket,
    far: UdpSocket,
}

impl Packets {
    /// Between an address of a device and one of another place.
    ///
    /// # Errors
    /// When they don't have these addresses.
    pub(crate) fn open(near: (&Place, IpAddr), far: (&Place, IpAddr)) -> io::Result<Self> {
        let bind = |(place, address): (&Place, IpAddr)| {
            place.enter(|| UdpSocket::bind(SocketAddr::new(address, 0)))
        };
        let (near, far) = (bind(near)?, bind(far)?);
        near.connect(far.local_addr()?)?;
        far.connect(near.local_addr()?)?;
        Ok(Self { near, far })
    }

    /// The device sends so much.
    ///
    /// # Errors
    /// When there is no way.
    pub(crate) fn up(&self, bytes: f64, bytes_per_sec: f64) -> io::Result<()> {
        send_packets(&self.near, bytes, bytes_per_sec)
    }

    /// The device is sent so much.
    ///
    /// # Errors
    /// When there is no way.
    pub(crate) fn down(&self, bytes: f64, bytes_per_sec: f64) -> io::Result<()> {
        send_packets(&self.far, bytes, bytes_per_sec)
    }
}

/// Nobody reads them: what does not fit into the other end's queue is dropped there, behind all that
/// is counted.
fn send_packets(socket: &UdpSocket, bytes: f64, bytes_per_sec: f64) -> io::Result<()> {
    send(bytes, bytes_per_sec, |piece| {
        let mut packets = piece.chunks(PACKET);
        packets.try_for_each(|packet| socket.send(packet).map(drop))
    })
}

/// Hands over zeros, piece by piece, so that there are never more than the pace allows.
fn send(
    bytes: f64,
    bytes_per_sec: f64,
    mut hand_over: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let zeros = vec![0; PIECE];
    let start = Instant::now();
    let mut sent = 0.0;
    while sent < bytes {
        let allowed = (start.elapsed() + TICK).as_secs_f64() * bytes_per_sec;
        let piece = (allowed.min(bytes) - sent).clamp(0.0, PIECE as f64);
        hand_over(&zeros[..piece.ceil() as usize])?;
        sent += piece;
        thread::sleep(TICK);
    }
    Ok(())
}
