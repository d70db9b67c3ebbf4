//! The home: a router with two networks, six devices, and an internet, each in a network namespace.
//!
//! Everything has the process id in its name. So it is known whose it is, and what a run that was
//! killed left behind is found and removed by the next one.

use std::{
    fs::{self, DirBuilder, File},
    io::{self, Write as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    os::unix::fs::DirBuilderExt as _,
    panic,
    path::{Path, PathBuf},
    process::{self, Command, Stdio},
    thread,
};

use anyhow::{Context, Result, bail};
use nix::sched::{CloneFlags, setns};

/// Of every namespace and directory of a demo.
const PREFIX: &str = "bwmon-home-";
const NAMESPACES: &str = "/run/netns";
const DIRECTORIES: &str = "/run";
/// What the kernel calls a process of this program.
const PROGRAM: &str = "bwmon-demo";
/// The internet, of the networks for documentation (RFC 5737, RFC 3849).
pub(crate) const INTERNET: (Ipv4Addr, Ipv6Addr) = (
    Ipv4Addr::new(198, 51, 100, 1),
    Ipv6Addr::new(0x2001, 0xdb8, 0xf, 0, 0, 0, 0, 1),
);
pub(crate) const INTERFACES: [&str; 2] = ["br-lan", "br-iot"];

/// A device of the home.
pub(crate) struct Device {
    pub(crate) name: &'static str,
    /// Which of the two networks it is in: 1 or 2.
    network: u8,
    number: u8,
}

const fn device(name: &'static str, network: u8, number: u8) -> Device {
    Device {
        name,
        network,
        number,
    }
}

pub(crate) const TV: Device = device("Smart TV", 1, 20);
pub(crate) const PHONE: Device = device("Phone", 1, 21);
pub(crate) const LAPTOP: Device = device("Laptop", 1, 22);
pub(crate) const DESKTOP: Device = device("Desktop", 1, 23);
pub(crate) const NAS: Device = device("NAS", 1, 24);
/// It is in a network of its own, so that the router passes what it sends to the NAS.
pub(crate) const CAMERA: Device = device("Door camera", 2, 30);
pub(crate) const DEVICES: [&Device; 6] = [&TV, &PHONE, &LAPTOP, &DESKTOP, &NAS, &CAMERA];

impl Device {
    pub(crate) fn mac(&self) -> String {
        format!("02:00:00:00:0{}:{}", self.network, self.number)
    }

    pub(crate) fn v4(&self) -> IpAddr {
        Ipv4Addr::new(192, 168, self.network, self.number).into()
    }

    pub(crate) fn v6(&self) -> IpAddr {
        // As it is written: fd00:1::20.
        let number = u16::from(self.number / 10 * 16 + self.number % 10);
        Ipv6Addr::new(0xfd00, u16::from(self.network), 0, 0, 0, 0, 0, number).into()
    }

    pub(crate) fn interface(&self) -> &'static str {
        INTERFACES[usize::from(self.network) - 1]
    }

    fn place(&self) -> String {
        format!("d{}", self.number)
    }
}

/// The namespaces, and a directory for files; gone when dropped.
pub(crate) struct Home {
    directory: PathBuf,
    is_there: bool,
}

/// Where sockets and processes can be made.
pub(crate) struct Place(File);

impl Home {
    /// Makes it, after what dead demos left is removed.
    ///
    /// # Errors
    /// When the kernel refuses, or `ip` is missing.
    pub(crate) fn make() -> Result<Self> {
        remove_those_of_dead_demos()?;
        let directory = Path::new(DIRECTORIES).join(own(""));
        let made = DirBuilder::new().mode(0o700).create(&directory);
        made.with_context(|| format!("make the directory {}", directory.display()))?;
        // From here on it is taken away again, whatever fails.
        let home = Self {
            directory,
            is_there: true,
        };
        let places = || {
            let devices = DEVICES.iter().map(|device| device.place());
            ["router", "internet"]
                .map(str::to_owned)
                .into_iter()
                .chain(devices)
        };
        let all = places().map(|place| format!("netns add {}", own(&place)));
        ip_batch(None, &all.collect::<Vec<_>>())?;
        for device in DEVICES {
            // No link-local addresses, which each would speak of. The router needs its own to ask who
            // has an address.
            let place = home.device(device)?;
            place.set("net/ipv6/conf/default/addr_gen_mode", "1")?;
        }
        home.router()?
            .set("net/ipv6/conf/default/accept_dad", "0")?;
        home.wire()?;
        Ok(home)
    }

    /// Where the daemon is.
    pub(crate) fn router(&self) -> Result<Place> {
        self.place("router")
    }

    pub(crate) fn internet(&self) -> Result<Place> {
        self.place("internet")
    }

    pub(crate) fn device(&self, device: &Device) -> Result<Place> {
        self.place(&device.place())
    }

    /// What `ip netns exec` calls the router.
    pub(crate) fn router_name(&self) -> String {
        own("router")
    }

    /// For files of the demo.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Takes everything away.
    ///
    /// # Errors
    /// When something stays.
    pub(crate) fn pull_down(mut self) -> Result<()> {
        self.is_there = false;
        remove(process::id())
    }

    fn place(&self, name: &str) -> Result<Place> {
        let path = Path::new(NAMESPACES).join(own(name));
        let file = File::open(&path);
        Ok(Place(file.with_context(|| {
            format!("open the network namespace {}", path.display())
        })?))
    }

    /// Links, addresses and routes.
    fn wire(&self) -> Result<()> {
        let (v4, v6) = INTERNET;
        let mut router = vec![
            "link set lo up".to_owned(),
            format!(
                "link add wan type veth peer name eth0 netns {}",
                own("internet")
            ),
            "address add 198.51.100.2/24 dev wan".to_owned(),
            "address add 2001:db8:f::2/64 dev wan nodad".to_owned(),
            "link set wan up".to_owned(),
        ];
        for (number, bridge) in (1..).zip(INTERFACES) {
            router.extend([
                format!("link add {bridge} address 02:00:00:00:0{number}:01 type bridge mcast_snooping 0"),
                format!("address add 192.168.{number}.1/24 dev {bridge}"),
                format!("address add fd00:{number}::1/64 dev {bridge} nodad"),
                format!("link set {bridge} up"),
            ]);
        }
        for device in DEVICES {
            let (place, mac, bridge) = (device.place(), device.mac(), device.interface());
            router.extend([
                format!(
                    "link add {place} type veth peer name eth0 address {mac} netns {}",
                    own(&place)
                ),
                format!("link set {place} master {bridge} up"),
            ]);
        }
        ip_batch(Some("router"), &router)?;
        let far = |routers: [String; 2], own: [String; 2]| {
            let [own4, own6] = own;
            let [router4, router6] = routers;
            [
                "link set eth0 up".to_owned(),
                format!("address add {own4}/24 dev eth0"),
                format!("address add {own6}/64 dev eth0 nodad"),
                format!("route add default via {router4}"),
                format!("route add default via {router6}"),
            ]
        };
        let routers = ["198.51.100.2", "2001:db8:f::2"].map(str::to_owned);
        ip_batch(
            Some("internet"),
            &far(routers, [v4.to_string(), v6.to_string()]),
        )?;
        for device in DEVICES {
            let number = device.network;
            let routers = [format!("192.168.{number}.1"), format!("fd00:{number}::1")];
            let own = [device.v4().to_string(), device.v6().to_string()];
            ip_batch(Some(&device.place()), &far(routers, own))?;
        }
        let router = self.router()?;
        router.set("net/ipv4/ip_forward", "1")?;
        router.set("net/ipv6/conf/all/forwarding", "1")
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if self.is_there
            && let Err(error) = remove(process::id())
        {
            eprintln!("bwmon-demo: {error:#}");
        }
    }
}

impl Place {
    /// Runs `work` there, on a thread of its own; the sockets that it makes stay there.
    pub(crate) fn enter<T: Send>(
        &self,
        work: impl FnOnce() -> io::Result<T> + Send,
    ) -> io::Result<T> {
        thread::scope(|scope| {
            let inside = scope.spawn(|| {
                setns(&self.0, CloneFlags::CLONE_NEWNET)?;
                work()
            });
            inside
                .join()
                .unwrap_or_else(|reason| panic::resume_unwind(reason))
        })
    }

    fn set(&self, key: &str, value: &str) -> Result<()> {
        let written = self.enter(|| fs::write(Path::new("/proc/sys").join(key), value));
        written.with_context(|| format!("set {key} to {value}"))
    }
}

/// The name of something of this run.
fn own(place: &str) -> String {
    name(process::id(), place)
}

fn name(pid: u32, place: &str) -> String {
    match place {
        "" => format!("{PREFIX}{pid}"),
        place => format!("{PREFIX}{pid}-{place}"),
    }
}

/// Runs lines of `ip`, in a namespace of this run or outside.
fn ip_batch(place: Option<&str>, lines: &[String]) -> Result<()> {
    let mut ip = Command::new("ip");
    if let Some(place) = place {
        ip.args(["-n", &own(place)]);
    }
    ip.args(["-batch", "-"]).stdin(Stdio::piped());
    ip.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = ip.spawn().context("start `ip`, of iproute2")?;
    let text = lines.join("\n") + "\n";
    let written = child
        .stdin
        .take()
        .map_or(Ok(()), |mut stdin| stdin.write_all(text.as_bytes()));
    let output = child.wait_with_output().context("wait for `ip`")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        bail!("`ip` in {}: {said}", place.unwrap_or("this machine"));
    }
    written.context("tell `ip` what to do")
}

/// Removes what is there of a run.
fn remove(pid: u32) -> Result<()> {
    let directory = name(pid, "");
    let start = format!("{directory}-");
    for namespace in entries(NAMESPACES)? {
        if namespace.starts_with(&start) {
            let output = Command::new("ip")
                .args(["netns", "delete", &namespace])
                .output()
                .context("start `ip`, of iproute2")?;
            if !output.status.success() {
                let said = String::from_utf8_lossy(&output.stderr);
                bail!("delete the network namespace {namespace}: {}", said.trim());
            }
        }
    }
    let directory = Path::new(DIRECTORIES).join(directory);
    match fs::remove_dir_all(&directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("remove {}", directory.display()))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// One that was killed could not clean up.
fn remove_those_of_dead_demos() -> Result<()> {
    let names = [entries(NAMESPACES)?, entries(DIRECTORIES)?].concat();
    for name in names {
        let pid = name
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.split('-').next()?.parse().ok());
        if let Some(pid) = pid
            && !is_a_demo(pid)
        {
            remove(pid).context("remove what a killed demo left")?;
        }
    }
    Ok(())
}

/// Whether another demo has that process id. This one has made nothing yet.
fn is_a_demo(pid: u32) -> bool {
    let name = fs::read_to_string(format!("/proc/{pid}/comm"));
    pid != process::id() && name.is_ok_and(|name| name.trim_end() == PROGRAM)
}

/// The names in a directory; none when there is none.
fn entries(directory: &str) -> Result<Vec<String>> {
    let list = || format!("list {directory}");
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.with_context(list)?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.with_context(list)?.file_name();
        names.push(name.to_string_lossy().into_owned());
    }
    Ok(names)
}
