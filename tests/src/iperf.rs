//! TCP as applications make it, by iperf3.

use std::{
    net::IpAddr,
    process::{Command, Stdio},
};

use crate::{
    namespace::Namespace,
    process::Process,
    wait::{SOON, wait_until},
};

/// Which way the data goes, seen from the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The client sends.
    Upload,
    /// The server sends.
    Download,
}

const PORT: u16 = 5201;

/// Moves this many bytes of payload over one TCP connection.
///
/// # Panics
/// When iperf3 is missing or fails.
#[track_caller]
pub fn transfer(
    client: &Namespace,
    server: &Namespace,
    address: IpAddr,
    direction: Direction,
    megabytes: u32,
) {
    let mut command = Command::new("iperf3");
    command.args(["--server", "--one-off", "--bind", &address.to_string()]);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut listening = server.enter(|| Process::spawn(&mut command));
    wait_until("iperf3 to listen", SOON, || {
        let sockets = server.proc_net("tcp") + &server.proc_net("tcp6");
        // State 0A is LISTEN.
        let line = format!(":{PORT:04X} ");
        let is_listening = |socket: &str| socket.contains(&line) && socket.contains(" 0A ");
        if sockets.lines().any(is_listening) {
            Ok(())
        } else {
            Err("it does not")
        }
    });
    let bytes = format!("{megabytes}M");
    let address = address.to_string();
    let mut args = vec!["--client", &address, "--bytes", &bytes, "--json"];
    if direction == Direction::Download {
        args.push("--reverse");
    }
    client.run("iperf3", &args);
    listening.wait(SOON);
}
