//! `cargo xtask demo`: a small home in network namespaces, and bwmon in its router.
//!
//! Six devices with habits move real bytes through the kernel, to each other and to an internet that
//! is one namespace more. No network of the machine is touched: what is reachable is the dashboard,
//! on the machine's own loopback. At the end, however that comes, everything is gone; what a run
//! that was killed left behind, the next one removes.

mod daemon;
mod habits;
mod home;
mod line;
mod past;
mod receiver;
mod relay;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use clap::Parser;
use tokio::{
    runtime,
    signal::unix::{Signal, SignalKind, signal},
    time::{interval, sleep},
};

use self::{daemon::Daemon, home::Home, receiver::Receiver, relay::Relay};

/// How often it is looked whether the daemon still runs.
const LOOK: Duration = Duration::from_millis(500);

/// A small home in network namespaces, with bwmon in its router.
#[derive(Parser)]
#[command(name = "bwmon-demo")]
struct Options {
    /// The program to show.
    #[arg(long, value_name = "PATH")]
    bwmon: PathBuf,
    /// Where the dashboard is, on the loopback of this machine; 0 takes a free one.
    #[arg(long, default_value_t = 4040)]
    port: u16,
    /// End by itself after so many seconds.
    #[arg(long, value_name = "N")]
    seconds: Option<u64>,
    /// Leave out the made-up weeks before today.
    #[arg(long)]
    no_past: bool,
}

fn main() -> ExitCode {
    match demo(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bwmon-demo: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn demo(options: &Options) -> Result<()> {
    ensure!(
        nix::unistd::geteuid().is_root(),
        "the demo makes network namespaces, which takes root: `cargo xtask demo` uses sudo"
    );
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("start a runtime")?;
    let _inside = runtime.enter();
    // From here on they only end the wait below, so that all that follows is taken away again.
    let mut ends = Ends::listen().context("listen to signals")?;
    // Before anything is made, as it is the likeliest to fail.
    let relay = Relay::bind(options.port)?;
    let home = Home::make()?;
    let receiver = Receiver::bind(&home)?;
    let config = daemon::configure(&home, receiver.address())?;
    if !options.no_past {
        say("making up the weeks before today …");
        runtime.block_on(past::make_up(&config.state))?;
    }
    let mut daemon = Daemon::start(&home, &options.bwmon, &config)?;
    relay.start(&config.socket)?;
    receiver.start();
    greet(options, relay.address().port(), &config.socket);
    let interruptions = habits::begin(&home)?;
    let ended = runtime.block_on(async {
        let seconds = options.seconds.map(Duration::from_secs);
        tokio::select! {
            () = ends.wait() => Ok(()),
            () = sleep(seconds.unwrap_or_default()), if seconds.is_some() => Ok(()),
            status = ended(&mut daemon) => status,
        }
    });
    // What fails from here on fails since the home is pulled down.
    interruptions.silence();
    daemon.stop()?;
    home.pull_down()?;
    say("\nthe home is gone, and all that belonged to it");
    ended
}

/// Waits until the daemon has ended, which it should not.
async fn ended(daemon: &mut Daemon) -> Result<()> {
    let mut looks = interval(LOOK);
    loop {
        looks.tick().await;
        if let Some(status) = daemon.ended()? {
            bail!("bwmon ended with {status}, after it said: {}", daemon.log());
        }
    }
}

/// The signals that end the demo.
struct Ends([Signal; 3]);

impl Ends {
    fn listen() -> std::io::Result<Self> {
        let kinds = [
            SignalKind::interrupt(),
            SignalKind::terminate(),
            SignalKind::hangup(),
        ];
        let [interrupt, terminate, hangup] = kinds.map(signal);
        Ok(Self([interrupt?, terminate?, hangup?]))
    }

    async fn wait(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

fn greet(options: &Options, port: u16, socket: &Path) {
    let bwmon = options.bwmon.display();
    let url = format!("http://127.0.0.1:{port}");
    say(&format!(
        "\nA home of six devices, in network namespaces. Nothing of it touches a network of yours.\n\n\
         \x20 dashboard   {url}\n\
         \x20 terminal    {bwmon} top --api {url}\n\
         \x20 devices     {bwmon} devices --api {url}\n\
         \x20 as root     {bwmon} alerts --api unix:{}\n",
        socket.display()
    ));
    if !options.no_past {
        say("The weeks before today are made up. Today is what really passes, from now on.");
    }
    let end = match options.seconds {
        Some(seconds) => format!("It ends by itself in {seconds} seconds"),
        None => "Ctrl-C ends it".to_owned(),
    };
    say(&format!(
        "In {} seconds the {} starts to upload like mad. What bwmon tells of is printed here. {end}.\n",
        habits::CALM.as_secs(),
        home::CAMERA.name
    ));
}

/// Prints a line, or does not where nobody reads any more.
fn say(line: &str) {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).ok();
}
