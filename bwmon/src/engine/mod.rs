//! The loop: samples the tables, steps the ledger, tells of alerts, keeps checkpoints, and publishes
//! a snapshot for everybody who reads.
//!
//! One task owns all state. Whatever may wait (the database, a receiver, a reader) is at the other
//! end of a channel.

mod checkpoint;
mod command;
mod keep;
mod links;
mod local;
mod naming;
mod neighbours;
mod network;
mod outbox;
#[cfg(test)]
mod properties;
mod publish;
mod reload;
mod sample;
mod service;
mod tables;
mod watch;

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use ipnet::IpNet;
use jiff::Timestamp;
use tokio::{
    sync::{mpsc, watch as channel},
    time::{self, MissedTickBehavior},
};
use tokio_util::sync::CancellationToken;

use self::{
    command::Answers,
    network::Network,
    watch::{LocalNetworks, RETRY_EVERY, SavedTable, Settings, Watch},
};
use crate::{
    config::{self, Config, Overrides, Secret},
    core::{
        ledger::{Ledger, Occasion},
        policy::Scope,
        time::{Monotonic, Now, rfc3339},
        view::{AlertState, PollStatus, Snapshot},
    },
    http::{self, Heartbeat, HttpError, Process},
    kernel::{self, LinkCounters},
    notify::Notifier,
    sources::{
        names::Names,
        netlink::{self, Change, NetlinkError},
    },
    store::{Checkpoint, HistorySettings, Loaded, OutboxRecord, Outcome, Store, StoreError},
};

/// How often the state is written down: what a crash may cost, unless tables are pinned, and what
/// flash has to bear.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(60);
/// What the first sample may be about at most.
const LONGEST_FIRST: Duration = Duration::from_secs(3600);
/// How often alerts are written down to which nothing happened: only how long they last.
const ALERTS_EVERY: Duration = Duration::from_secs(10 * 60);
/// Changes of interfaces, addresses and neighbours that are taken in between two looks at the clock.
const CHANGES_AT_ONCE: usize = 256;
/// Requests to change something that wait for the loop.
const MAX_REQUESTS: usize = 16;
/// Interfaces that a glob may bring.
const MAX_INTERFACES: usize = 32;

/// The daemon can't start, or can't stop cleanly.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The HTTP interface.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The state directory.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// rtnetlink.
    #[error(transparent)]
    Netlink(#[from] NetlinkError),
    /// No interface can be counted on.
    #[error("{interface}: {reason}")]
    Attach {
        /// The first one.
        interface: String,
        /// Why.
        reason: String,
    },
    /// A signal handler can't be installed.
    #[error("cannot wait for signals: {0}")]
    Signals(std::io::Error),
    /// The number of CPUs can't be read.
    #[error("cannot read the number of possible cpus: {0}")]
    Cpus(std::io::Error),
}

/// Runs until `shutdown`.
///
/// # Errors
///
/// When it can't start: then nothing is attached and nothing was changed. Or when the last
/// checkpoint can't be written.
pub async fn run(
    config: Config,
    overrides: Overrides,
    shutdown: CancellationToken,
) -> Result<(), EngineError> {
    let bound = http::bind(&config.http.listen)?;
    let now = kernel::now();
    let kept = Store::open(&config.state_dir, now.day(&config.timezone))?;
    let signals = service::Signals::new().map_err(EngineError::Signals)?;

    let (snapshot, snapshots) = channel::channel(Arc::default());
    let (heartbeat, heartbeats) = channel::channel(None);
    let (token, tokens) = channel::channel(config.http.token.clone());
    let (configuration, configurations) = channel::channel(Arc::default());
    let (max_metrics, max_metrics_seen) = channel::channel(config.metrics.max_devices);
    let (devices_file, devices_files) = channel::channel(config.devices_file.clone());
    let (requests, asked) = mpsc::channel(MAX_REQUESTS);
    let (reload, reloads) = mpsc::channel(MAX_REQUESTS);
    let out = Published {
        snapshot,
        heartbeat,
        token,
        configuration,
        max_metrics,
        devices_file,
    };

    let (mut engine, changes) = begin(config, overrides, kept, out, &now, &shutdown).await?;
    let facts = Process {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        host: engine.host.clone(),
        started_at: rfc3339(now.wall, &engine.config.timezone),
        started: Instant::now(),
        configuration: configurations,
        max_metrics: max_metrics_seen,
    };
    let deps = http::Deps {
        listen: bound,
        snapshot: snapshots,
        facts: Arc::new(facts),
        heartbeat: heartbeats,
        token: tokens,
        requests,
        registered: http::Registered {
            file: devices_files,
            reload,
        },
        archive: http::Archive::new(engine.store.history(), engine.config.timezone.clone()),
    };
    let http_shutdown = CancellationToken::new();
    let http = tokio::spawn(http::serve(deps, http_shutdown.clone()));

    let asked = Asked {
        requests: asked,
        reloads,
    };
    engine.run(changes, signals, asked, &shutdown).await;
    service::stopping();
    engine.stop().await?;
    http_shutdown.cancel();
    match http.await {
        Ok(result) => Ok(result?),
        Err(error) => {
            log::error!("the http interface ended badly: {error}");
            Ok(())
        }
    }
}

/// Runs until `shutdown` for one who looks on in this process: nobody else is answered, nobody is
/// told of alerts, and no file is written.
///
/// # Errors
///
/// When it can't start: then nothing is attached.
pub async fn run_alone(
    config: Config,
    snapshot: channel::Sender<Arc<Snapshot>>,
    shutdown: CancellationToken,
) -> Result<(), EngineError> {
    let config = Config {
        notify: Vec::new(),
        pin: None,
        ..config
    };
    let now = kernel::now();
    let (requests, reloads) = (mpsc::channel(1).1, mpsc::channel(1).1);
    let out = Published {
        snapshot,
        heartbeat: channel::Sender::new(None),
        token: channel::Sender::new(None),
        configuration: channel::Sender::new(Arc::default()),
        max_metrics: channel::Sender::new(config.metrics.max_devices),
        devices_file: channel::Sender::new(config.devices_file.clone()),
    };
    let nothing = (Store::nowhere(), Loaded::default());
    let overrides = Overrides::default();
    let (mut engine, changes) = begin(config, overrides, nothing, out, &now, &shutdown).await?;
    let asked = Asked { requests, reloads };
    let signals = service::Signals::none();
    engine.run(changes, signals, asked, &shutdown).await;
    engine.stop().await
}

/// Attaches, goes on where an earlier run stopped, and shows how things are.
async fn begin(
    config: Config,
    overrides: Overrides,
    (store, mut loaded): (Store, Loaded),
    out: Published,
    now: &Now,
    shutdown: &CancellationToken,
) -> Result<(Engine, mpsc::Receiver<Change>), EngineError> {
    let netlink::Followed {
        state,
        routes,
        changes,
    } = netlink::follow(shutdown.child_token()).await?;
    let network = Network::new(&state, routes);
    let mut engine = Engine::new(config, overrides, network, store, &mut loaded, out, now)?;
    engine.warnings.extend(loaded.warnings.iter().cloned());
    // Before the past comes back: whose an address is depends on what is watched.
    engine.follow_watched();
    let saved_at = loaded.at;
    engine.saved_tables = checkpoint::restore(&mut engine.ledger, loaded, now);
    let saved_tables = engine.saved_tables.len();
    engine.follow_links();
    engine.record_tables().await;
    engine.require_an_interface()?;
    if engine.saved_tables.len() < saved_tables {
        engine.counted_since = saved_at;
    }
    engine.learn(&state.neighbours, true);
    engine.apply_names();
    engine.publish(now);
    engine.publish_configuration();
    Ok((engine, changes))
}

struct Engine {
    config: Config,
    overrides: Overrides,
    host: String,
    settings: Settings,
    network: Network,
    local: LocalNetworks,
    /// The networks in which every device is a neighbour.
    on_link: Option<Vec<IpNet>>,
    watches: Vec<Watch>,
    ledger: Ledger,
    store: Store,
    saved_tables: Vec<SavedTable>,
    notifier: Notifier,
    names: Names,
    /// When addresses were last offered to be asked about again.
    names_offered: Monotonic,
    /// What is to go into the outbox with the next checkpoint.
    events: Vec<OutboxRecord>,
    /// When it was first seen that events wait for the disk.
    unsafe_since: Option<Monotonic>,
    out: Published,
    poll: PollStatus,
    /// Of the interfaces themselves, by name, as of the last sample.
    counters: HashMap<String, LinkCounters>,
    sampled: Option<Now>,
    /// When the tables were last read by an earlier run, where this one goes on with them.
    counted_since: Option<Timestamp>,
    saved: Monotonic,
    /// When all alerts were last written down; `None` once something happened to one.
    alerts_saved: Option<Monotonic>,
    /// The time of the last checkpoint that is durable.
    durable: Timestamp,
    /// The time of the checkpoint that new tables wait for.
    recording: Timestamp,
    /// When it was found that the database can't be written.
    waiting_since: Option<Timestamp>,
    tried: Monotonic,
    answers: Answers,
    /// How often the configuration was read anew, with or without success.
    reloads: u64,
    /// What the owner should know for as long as this runs, besides the configuration's.
    warnings: Vec<String>,
    /// The same, of the latest state of things.
    passing: Passing,
}

fn history_settings(config: &Config) -> HistorySettings {
    let config::History {
        retention,
        max_size,
    } = config.history;
    HistorySettings {
        zone: config.timezone.clone(),
        retention,
        max_size,
    }
}

/// Warnings that come and go.
#[derive(Default)]
struct Passing {
    networks: Option<String>,
    store: Option<String>,
    reload: Option<String>,
    interfaces: Option<String>,
    addresses: Option<String>,
}

/// The ends of channels that readers hold the others of.
struct Published {
    snapshot: channel::Sender<Arc<Snapshot>>,
    heartbeat: channel::Sender<Option<Heartbeat>>,
    token: channel::Sender<Option<Secret>>,
    configuration: channel::Sender<Arc<serde_json::Value>>,
    /// Devices that have metrics of their own.
    max_metrics: channel::Sender<usize>,
    devices_file: channel::Sender<PathBuf>,
}

/// What others ask the loop for.
struct Asked {
    requests: mpsc::Receiver<http::Request>,
    reloads: mpsc::Receiver<http::Reload>,
}

impl Engine {
    fn new(
        config: Config,
        overrides: Overrides,
        network: Network,
        mut store: Store,
        loaded: &mut Loaded,
        out: Published,
        now: &Now,
    ) -> Result<Self, EngineError> {
        let settings = Settings {
            xdp_mode: config.xdp_mode,
            tc_mode: config.tc_mode,
            max_addresses: config.max_addresses,
            pin: config.pin.clone(),
            cpus: kernel::possible_cpus().map_err(EngineError::Cpus)?,
            boot_id: kernel::boot_id(),
        };
        let poll = PollStatus {
            interval_seconds: config.poll_interval.as_secs_f64(),
            ..PollStatus::default()
        };
        let ledger = Ledger::new(
            config.policy.clone(),
            Scope::Internet,
            config.timezone.clone(),
            now,
        );
        let channels = config.notify.clone();
        store.keep_history(history_settings(&config));
        let notifier = outbox::start(channels, loaded, &mut store, &config.timezone);
        let names = Names::start(config.names.clone());
        Ok(Self {
            config,
            overrides,
            host: kernel::host_name(),
            settings,
            network,
            local: LocalNetworks::default(),
            on_link: None,
            watches: Vec::new(),
            ledger,
            store,
            saved_tables: Vec::new(),
            notifier,
            names,
            names_offered: now.monotonic,
            events: Vec::new(),
            unsafe_since: None,
            out,
            poll,
            counters: HashMap::new(),
            sampled: None,
            counted_since: None,
            saved: now.monotonic,
            alerts_saved: None,
            durable: Timestamp::UNIX_EPOCH,
            recording: Timestamp::UNIX_EPOCH,
            waiting_since: None,
            tried: now.monotonic,
            answers: Answers::default(),
            reloads: 0,
            warnings: Vec::new(),
            passing: Passing::default(),
        })
    }

    async fn run(
        &mut self,
        mut changes: mpsc::Receiver<Change>,
        mut signals: service::Signals,
        asked: Asked,
        shutdown: &CancellationToken,
    ) {
        let Asked {
            mut requests,
            mut reloads,
        } = asked;
        let mut ticker = time::interval(self.config.poll_interval);
        ticker.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut watchdog = service::Watchdog::new();
        service::ready();
        loop {
            tokio::select! {
                biased;
                () = shutdown.cancelled() => return,
                _ = ticker.tick() => {
                    self.tick();
                    watchdog.alive();
                }
                signal = signals.next() => match signal {
                    service::Signal::Stop => return,
                    // What came of it is logged and shown.
                    service::Signal::Reload => drop(self.reload()),
                },
                outcome = self.store.outcome() => self.written(outcome),
                () = self.notifier.settled() => self.keep_settled(),
                told = self.names.told() => self.call(told),
                Some(request) = requests.recv() => self.obey(request, &mut requests),
                Some(reply) = reloads.recv() => self.reload_for(reply, &mut reloads),
                Some(change) = changes.recv() => {
                    let mut is_followed = self.change(change);
                    // Several at a time, but not so many that a sample is late.
                    for _ in 0..CHANGES_AT_ONCE {
                        let Ok(change) = changes.try_recv() else {
                            break;
                        };
                        is_followed |= self.change(change);
                    }
                    if is_followed {
                        self.follow_links();
                    }
                }
            }
        }
    }

    /// One sample, and all that follows from it.
    fn tick(&mut self) {
        let started = Instant::now();
        let now = kernel::now();
        let told = self.sample(&now);
        if now.monotonic.since(self.tried) >= RETRY_EVERY {
            self.tried = now.monotonic;
            self.follow_links();
        }
        // Each slot's owner, and as many again that had one: a bound on the memory that a flood of
        // invented addresses can take. Beyond it slots are not taken back any more.
        let slots: u32 = self.watches.iter().map(Watch::slots).sum();
        let most = slots.saturating_add(self.settings.max_addresses) as usize;
        let is_full = self.ledger.address_count() >= most;
        self.passing.addresses = is_full.then(|| {
            format!("{most} addresses are remembered; new ones go to overflow; raise max_addresses")
        });
        // Tables that are not pinned end with this process: nobody comes back to them.
        let durable = if self.settings.pin.is_some() {
            self.durable
        } else {
            now.wall
        };
        let Self {
            watches, ledger, ..
        } = self;
        for watch in watches {
            watch.reclaim(now.wall, durable, |address| {
                !is_full && ledger.is_idle(address, now.wall)
            });
        }
        // The first, so that new tables are known; an alert, so that nobody is told of it twice.
        let is_due = now.monotonic.since(self.saved) >= CHECKPOINT_EVERY;
        if is_due || self.poll.samples == 1 || told > 0 {
            self.saved = now.monotonic;
            let checkpoint = self.checkpoint(&now, Occasion::Checkpoint);
            self.store.write(checkpoint);
        }
        self.release_overdue(&now);
        self.offer_addresses(&now);
        let took = started.elapsed().as_secs_f64();
        self.poll.last_seconds = took;
        self.poll.durations.add(took);
        self.poll.max_seconds = self.poll.max_seconds.max(took);
        self.publish(&now);
        let interval = self.config.poll_interval;
        self.out.heartbeat.send_replace(Some(Heartbeat {
            at: Instant::now(),
            interval,
        }));
    }

    /// Takes in a change. Says whether links have to follow: neighbours are too many for that.
    fn change(&mut self, change: Change) -> bool {
        let is_all = matches!(change, Change::State(_));
        let is_followed = !matches!(change, Change::Neighbour(_));
        let neighbours = self.network.apply(change);
        self.learn(&neighbours, is_all);
        is_followed
    }
}
