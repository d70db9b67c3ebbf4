//! Real receivers of events, of other people's making: an MQTT broker, a mail server, an
//! Alertmanager. A Prometheus that reads metrics. A DHCP server and resolver with its client. And an authority of a test's own that vouches for them.
//!
//! Each runs inside a test's namespace, so its port can be the usual one, with its files in a
//! directory of its own, and is killed when dropped.

mod alertmanager;
mod authority;
mod broker;
mod dhcp;
mod mail;
mod prometheus;

use std::{
    env, fs,
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use tempfile::TempDir;

pub use alertmanager::Alertmanager;
pub use authority::{Authority, Certificate};
pub use broker::{Broker, Published};
pub use dhcp::{Dnsmasq, talk};
pub use mail::{Mail, MailServer};
pub use prometheus::Prometheus;

use crate::{
    namespace::Namespace,
    process::Process,
    setup::project,
    wait::{SOON, wait_until},
};

/// A server that the machine has, else the one that xtask unpacked: in `BWMON_SERVERS`, else in the
/// target directory of this workspace.
///
/// # Panics
/// When there is neither.
#[track_caller]
pub fn server(name: &str) -> Command {
    let root = env::var_os("BWMON_SERVERS")
        .map_or_else(|| project().join("target/servers"), PathBuf::from);
    let directories = ["/usr/bin", "/usr/sbin"].map(PathBuf::from);
    let unpacked = ["usr/bin", "usr/sbin"].map(|bin| root.join(bin));
    let found = directories
        .iter()
        .chain(&unpacked)
        .map(|directory| directory.join(name))
        .find(|path| path.is_file());
    let Some(path) = found else {
        panic!("there is no {name}: `cargo xtask setup` fetches it");
    };
    if !path.starts_with(&root) {
        return Command::new(path);
    }
    // The Alertmanager reads a file that it was built to find in /usr/share.
    let mut command = Command::new("unshare");
    command
        .args([
            "--mount",
            "sh",
            "-c",
            r#"mount --bind "$0" /usr/share && exec "$@""#,
        ])
        .args([&root.join("usr/share"), &path])
        .env("LD_LIBRARY_PATH", libraries(&root));
    command
}

/// The directories below `usr/lib` that are named after a kind of machine.
fn libraries(root: &Path) -> String {
    let entries = fs::read_dir(root.join("usr/lib"));
    let directories: Vec<String> = entries
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().display().to_string())
        .collect();
    directories.join(":")
}

fn directory() -> TempDir {
    let directory = tempfile::Builder::new().prefix("bwmon-test-").tempdir();
    directory.expect("make a directory for a server")
}

/// Starts a server with its output in a file, and waits until it listens.
///
/// # Panics
/// When it ends or does not listen in time, with what it said.
#[track_caller]
fn start(
    namespace: &Arc<Namespace>,
    command: &mut Command,
    log: &Path,
    listens: &[SocketAddr],
) -> Process {
    let file = fs::File::options().create(true).append(true).open(log);
    let file = file.expect("open the log of a server");
    command
        .stdin(std::process::Stdio::null())
        .stdout(file.try_clone().expect("share the log"))
        .stderr(file);
    let mut process = namespace.enter(|| Process::spawn(command));
    for address in listens {
        wait_until(&format!("a server at {address}"), SOON, || {
            let said = || fs::read_to_string(log).unwrap_or_default();
            if let Some(status) = process.ended() {
                panic!("{command:?} ended with {status}: {}", said());
            }
            let connected = namespace.enter(|| TcpStream::connect(address));
            connected
                .map(drop)
                .map_err(|error| format!("{error}: {}", said()))
        });
    }
    process
}
