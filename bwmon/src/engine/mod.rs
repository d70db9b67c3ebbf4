//! The loop: samples the tables, steps the ledger, tells of alerts, keeps checkpoints, and publishes
//! a snapshot for everybody who reads.
//!
//! One task owns all state. Whatever may wait (the database, a receiver, a reader) is at the other
//! end of a channel.

mod checkpoint;
mod network;
mod service;
mod watch;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::SignedDuration;
use serde_json::json;
use tokio::{
    sync::{mpsc, watch as channel},
    time::{self, MissedTickBehavior},
};
use tokio_util::sync::CancellationToken;

use self::{
    network::Network,
    watch::{LocalNetworks, SavedTable, Settings, Watch},
};
use crate::{
    config::{self, Config, Overrides, Secret},
    core::{
        alerts::Transition,
        ledger::Ledger,
        message,
        policy::Scope,
        time::{Monotonic, Now, rfc3339},
        view::{PollStatus, Snapshot, Status},
    },
    http::{self, Heartbeat, HttpError, Process},
    kernel::{self, LinkCounters},
    notify::Notifier,
    sources::{
        netlink::{self, Change, NetlinkError},
        routing,
    },
    store::{Outcome, Store, StoreError},
};

/// How often the state is written down: what a crash may cost, unless tables are pinned, and what
/// flash has to bear.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(60);
/// How often an interface that could not be attached to is tried again.
const RETRY_EVERY: Duration = Duration::from_secs(5);
/// An address that nobody knows must be silent for so long before its slot is taken back.
const IDLE: SignedDuration = SignedDuration::from_mins(10);
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
    let (store, loaded) = Store::open(&config.state_dir, now.day(&config.timezone))?;
    let (state, changes) = netlink::follow(shutdown.child_token()).await?;
    let signals = service::Signals::new().map_err(EngineError::Signals)?;

    let (snapshot, snapshots) = channel::channel(Arc::default());
    let (heartbeat, heartbeats) = channel::channel(None);
    let (token, tokens) = channel::channel(config.http.token.clone());
    let (configuration, configurations) = channel::channel(Arc::default());
    let out = Published {
        snapshot,
        heartbeat,
        token,
        configuration,
    };

    let mut engine = Engine::new(config, overrides, Network::new(&state), store, out, &now)?;
    engine.warnings.extend(loaded.warnings.iter().cloned());
    engine.saved_tables = checkpoint::restore(&mut engine.ledger, loaded, &now);
    engine.follow_links();
    engine.require_an_interface()?;
    for neighbour in state.neighbours {
        engine.learn(neighbour);
    }
    engine.expect_registered();
    engine.publish(&now);

    let facts = Process {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        host: engine.host.clone(),
        started_at: rfc3339(now.wall, &engine.config.timezone),
        started: Instant::now(),
        configuration: configurations,
    };
    let deps = http::Deps {
        listen: bound,
        snapshot: snapshots,
        facts: Arc::new(facts),
        heartbeat: heartbeats,
        token: tokens,
    };
    let http_shutdown = CancellationToken::new();
    let http = tokio::spawn(http::serve(deps, http_shutdown.clone()));

    engine.run(changes, signals, &shutdown).await;
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

struct Engine {
    config: Config,
    overrides: Overrides,
    host: String,
    settings: Settings,
    network: Network,
    local: LocalNetworks,
    watches: Vec<Watch>,
    ledger: Ledger,
    store: Store,
    saved_tables: Vec<SavedTable>,
    notifier: Notifier,
    out: Published,
    poll: PollStatus,
    sampled: Option<Now>,
    saved: Monotonic,
    tried: Monotonic,
    /// What the owner should know for as long as this runs.
    warnings: Vec<String>,
    /// The same, of the latest state of things.
    passing: Passing,
}

/// Warnings that come and go.
#[derive(Default)]
struct Passing {
    networks: Option<String>,
    store: Option<String>,
    reload: Option<String>,
    interfaces: Option<String>,
}

/// The ends of channels that readers hold the others of.
struct Published {
    snapshot: channel::Sender<Arc<Snapshot>>,
    heartbeat: channel::Sender<Option<Heartbeat>>,
    token: channel::Sender<Option<Secret>>,
    configuration: channel::Sender<Arc<serde_json::Value>>,
}

impl Engine {
    fn new(
        config: Config,
        overrides: Overrides,
        network: Network,
        store: Store,
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
        let notifier = Notifier::new(config.notify.clone());
        let warnings = config.warnings.clone();
        Ok(Self {
            config,
            overrides,
            host: kernel::host_name(),
            settings,
            network,
            local: LocalNetworks::default(),
            watches: Vec::new(),
            ledger,
            store,
            saved_tables: Vec::new(),
            notifier,
            out,
            poll,
            sampled: None,
            saved: now.monotonic,
            tried: now.monotonic,
            warnings,
            passing: Passing::default(),
        })
    }

    async fn run(
        &mut self,
        mut changes: mpsc::Receiver<Change>,
        mut signals: service::Signals,
        shutdown: &CancellationToken,
    ) {
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
                    service::Signal::Reload => self.reload(),
                },
                outcome = self.store.outcome() => self.written(outcome),
                Some(change) = changes.recv() => {
                    self.change(change);
                    while let Ok(change) = changes.try_recv() {
                        self.change(change);
                    }
                    self.follow_links();
                }
            }
        }
    }

    /// One sample, and all that follows from it.
    fn tick(&mut self) {
        let started = Instant::now();
        let now = kernel::now();
        self.sample(&now);
        if now.monotonic.since(self.tried) >= RETRY_EVERY {
            self.tried = now.monotonic;
            self.follow_links();
        }
        let Self {
            watches, ledger, ..
        } = self;
        for watch in watches {
            watch.reclaim(|address| {
                !ledger.is_known(address)
                    && ledger
                        .last_seen(address)
                        .is_none_or(|seen| now.wall.duration_since(seen) > IDLE)
            });
        }
        let is_first = self.poll.samples == 1;
        if is_first || now.monotonic.since(self.saved) >= CHECKPOINT_EVERY {
            self.saved = now.monotonic;
            let checkpoint = self.checkpoint(&now);
            self.store.write(checkpoint);
        }
        let took = started.elapsed().as_secs_f64();
        self.poll.last_seconds = took;
        self.poll.max_seconds = self.poll.max_seconds.max(took);
        self.publish(&now);
        let interval = self.config.poll_interval;
        self.out.heartbeat.send_replace(Some(Heartbeat {
            at: Instant::now(),
            interval,
        }));
    }

    /// Reads every table and steps the ledger.
    fn sample(&mut self, now: &Now) {
        let elapsed = self.sampled.map_or(self.config.poll_interval, |sampled| {
            now.monotonic.since(sampled.monotonic)
        });
        let intervals = elapsed.as_secs_f64() / self.config.poll_interval.as_secs_f64();
        self.poll.missed += (intervals.round() as u64).saturating_sub(1);
        self.poll.samples += 1;
        self.sampled = Some(*now);
        for watch in &mut self.watches {
            watch.fold();
        }
        let counted = self.watches.iter_mut().flat_map(Watch::take_counted);
        let mut new_id = || uuid::Uuid::new_v4().to_string();
        let told = self.ledger.sample(now, elapsed, counted, &mut new_id);
        for transition in told {
            self.tell(&transition);
        }
    }

    fn tell(&self, transition: &Transition) {
        let event = message::event(transition, &self.host, &self.config.timezone);
        log::warn!("alert: {}", event.event_description);
        self.notifier.send(Arc::new(event));
    }

    fn change(&mut self, change: Change) {
        for neighbour in self.network.apply(change) {
            self.learn(neighbour);
        }
    }

    fn learn(&mut self, neighbour: netlink::Neighbour) {
        let watched = |watch: &&mut Watch| {
            watch
                .link
                .as_ref()
                .is_some_and(|link| link.index == neighbour.index)
        };
        if let Some(watch) = self.watches.iter_mut().find(watched) {
            watch.expect(neighbour.address);
            self.ledger.learn(neighbour.address, neighbour.mac);
        }
    }

    fn expect_registered(&mut self) {
        let registered: Vec<_> = self.config.policy.addresses().collect();
        for watch in &mut self.watches {
            for address in &registered {
                watch.expect(*address);
            }
        }
    }

    /// Brings watches and local networks in line with the interfaces and addresses there are.
    fn follow_links(&mut self) {
        let routes = routing::routes(
            self.watches
                .iter()
                .filter_map(|watch| watch.link.as_ref().map(|link| link.name.as_str())),
        );
        self.find_interfaces(routes);
        for watch in &mut self.watches {
            let known = watch.link.as_ref().map(|link| link.index);
            let now = known.and_then(|index| self.network.link(index));
            if now.is_none() && known.is_some() {
                watch.detach();
            }
            let link = now.or_else(|| self.network.links().find(|link| link.name == watch.name));
            let taken = |link: &&netlink::Link| Some(link.index) != known && watch.link.is_some();
            watch.link = link.filter(|link| !taken(link)).cloned();
        }
        let watched: HashSet<u32> = self
            .watches
            .iter()
            .filter_map(|watch| Some(watch.link.as_ref()?.index))
            .collect();
        let routes =
            routes || routing::routes(self.watches.iter().map(|watch| watch.name.as_str()));
        let (local, warning) = self
            .network
            .local(&self.config.local_networks, &watched, routes);
        self.passing.networks = warning;
        if local != self.local {
            self.set_local(local);
        }
        let counters = |name: &str| {
            kernel::link_counters()
                .ok()
                .and_then(|mut all| all.remove(name))
                .unwrap_or_default()
        };
        for watch in self.watches.iter_mut().filter(|watch| !watch.is_attached()) {
            if let Some(link) = watch.link.clone() {
                watch.attach(
                    link,
                    &self.local,
                    &self.settings,
                    &self.saved_tables,
                    counters,
                );
            }
        }
    }

    fn set_local(&mut self, local: LocalNetworks) {
        let list: Vec<String> = local.networks.iter().map(ToString::to_string).collect();
        log::info!(
            "local networks: {}",
            if list.is_empty() {
                "none".to_owned()
            } else {
                list.join(", ")
            }
        );
        if local.count_all && !self.local.count_all {
            log::info!("this machine does not route: every remote address is counted");
        }
        for watch in &mut self.watches {
            watch.configure(&local);
        }
        self.ledger.set_scope(if local.count_all {
            Scope::All
        } else {
            Scope::Internet
        });
        self.local = local;
    }

    /// Adds watches for interfaces that the configuration names, or that are found automatically.
    fn find_interfaces(&mut self, routes: bool) {
        let mut names: Vec<String> = Vec::new();
        for pattern in &self.config.interfaces {
            if pattern.contains(['*', '?']) {
                let found = self.network.links().map(|link| &link.name);
                names.extend(
                    found
                        .filter(|name| config::interface::matches(pattern, name))
                        .cloned(),
                );
            } else {
                names.push(pattern.clone());
            }
        }
        self.passing.interfaces = None;
        if self.config.interfaces.is_empty() && self.watches.is_empty() {
            match self
                .network
                .choose(routing::default_route().as_deref(), routes)
            {
                Some(choice) => {
                    log::info!("watching {}: {}", choice.names.join(", "), choice.why);
                    names = choice.names;
                }
                None => {
                    let hint =
                        "no interface to watch was found; name one with --iface or interfaces";
                    self.passing.interfaces = Some(hint.to_owned());
                }
            }
        }
        for name in names {
            let is_watched = |watch: &Watch| {
                watch.name == name || watch.link.as_ref().is_some_and(|link| link.name == name)
            };
            if !self.watches.iter().any(is_watched) && self.watches.len() < MAX_INTERFACES {
                self.watches.push(Watch::new(name));
            }
        }
    }

    /// At the start, an interface that is there but can't be counted on is the owner's to mend.
    fn require_an_interface(&self) -> Result<(), EngineError> {
        let is_fine = |watch: &Watch| watch.is_attached() || watch.link.is_none();
        if self.watches.is_empty() || self.watches.iter().any(is_fine) {
            return Ok(());
        }
        let watch = &self.watches[0];
        let reason = watch.note().unwrap_or("cannot be counted on").to_owned();
        Err(EngineError::Attach {
            interface: watch.name.clone(),
            reason,
        })
    }

    /// Takes in the files anew. A mistake in them leaves everything as it is.
    fn reload(&mut self) {
        service::reloading();
        match config::load(&self.overrides) {
            Ok(new) => self.adopt(new),
            Err(errors) => {
                log::error!("the configuration stays as it was: {errors}");
                self.passing.reload = Some(format!("the configuration was not reloaded: {errors}"));
            }
        }
        service::ready();
    }

    fn adopt(&mut self, new: Config) {
        let waiting = config::restart_needed(&self.config, &new);
        self.passing.reload = (!waiting.is_empty()).then(|| {
            format!(
                "changed, and in force only after a restart: {}",
                waiting.join(", ")
            )
        });
        if let Some(warning) = &self.passing.reload {
            log::warn!("{warning}");
        }
        self.ledger.apply(new.policy.clone());
        self.notifier.reconfigure(new.notify.clone());
        self.out.token.send_replace(new.http.token.clone());
        self.warnings = new.warnings.clone();
        // What only a restart changes stays what it is.
        self.config = Config {
            interfaces: self.config.interfaces.clone(),
            xdp_mode: self.config.xdp_mode,
            tc_mode: self.config.tc_mode,
            max_addresses: self.config.max_addresses,
            poll_interval: self.config.poll_interval,
            state_dir: self.config.state_dir.clone(),
            pin: self.config.pin.clone(),
            timezone: self.config.timezone.clone(),
            http: config::Http {
                listen: self.config.http.listen.clone(),
                ..new.http
            },
            ..new
        };
        self.follow_links();
        self.expect_registered();
        log::info!("the configuration was reloaded");
    }

    fn checkpoint(&mut self, now: &Now) -> crate::store::Checkpoint {
        let changes = self.ledger.take_changes();
        let tables = self
            .settings
            .pin
            .is_some()
            .then(|| self.watches.iter().filter_map(Watch::saved).collect());
        checkpoint::checkpoint(changes, &self.ledger.alert_records(now), tables, now.wall)
    }

    fn written(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Durable(_) => self.passing.store = None,
            Outcome::Failed(error) => {
                let message = format!("history is not written, and will be tried again: {error}");
                if self.passing.store.is_none() {
                    log::error!("{message}");
                }
                self.passing.store = Some(message);
            }
        }
    }

    fn publish(&mut self, now: &Now) {
        let counters: HashMap<String, LinkCounters> = kernel::link_counters().unwrap_or_default();
        let interfaces = self
            .watches
            .iter()
            .map(|watch| {
                let name = watch.link.as_ref().map(|link| &link.name);
                watch.view(name.and_then(|name| counters.get(name)).copied())
            })
            .collect();
        let status = Status {
            sampled_at: self
                .sampled
                .map(|at| rfc3339(at.wall, &self.config.timezone)),
            day: self.ledger.today().to_string(),
            poll: self.poll.clone(),
            local_networks: self
                .local
                .networks
                .iter()
                .map(ToString::to_string)
                .collect(),
            counts_every_address: self.local.count_all,
            warnings: self.current_warnings(),
        };
        log::trace!("published at {:?}", now.monotonic);
        self.out.snapshot.send_replace(Arc::new(Snapshot {
            status,
            interfaces,
            addresses: self.ledger.address_views(),
            devices: self.ledger.device_views(),
            alerts: self.ledger.alert_views(),
        }));
        if self.poll.samples <= 1 || self.passing.reload.is_some() {
            self.out
                .configuration
                .send_replace(Arc::new(self.in_force()));
        }
    }

    fn current_warnings(&self) -> Vec<String> {
        let Passing {
            networks,
            store,
            reload,
            interfaces,
        } = &self.passing;
        let notes = self
            .watches
            .iter()
            .filter_map(|watch| watch.note().map(|note| format!("{}: {note}", watch.name)));
        let channels = self.notifier.stats().into_iter().filter_map(|channel| {
            let error = channel.last_error?;
            Some(format!(
                "channel {}: {} events wait: {error}",
                channel.name, channel.waiting
            ))
        });
        self.warnings
            .iter()
            .cloned()
            .chain(
                [networks, store, reload, interfaces]
                    .into_iter()
                    .flatten()
                    .cloned(),
            )
            .chain(notes)
            .chain(channels)
            .collect()
    }

    /// The configuration as `status` shows it.
    fn in_force(&self) -> serde_json::Value {
        let Config { http, notify, .. } = &self.config;
        let channels: Vec<&str> = notify
            .iter()
            .map(|config::Channel::Webhook(webhook)| webhook.name.as_str())
            .collect();
        json!({
            "files": self.config.sources,
            "interfaces": self.config.interfaces,
            "xdp_mode": self.config.xdp_mode.as_str(),
            "tc_mode": self.config.tc_mode.as_str(),
            "max_addresses": self.config.max_addresses,
            "poll_interval_seconds": self.config.poll_interval.as_secs_f64(),
            "state_dir": self.config.state_dir,
            "pin": self.config.pin,
            "listen": http.listen.to_string(),
            "token": http.token.is_some(),
            "notify": channels,
            "registered_devices": self.config.policy.registered.len(),
        })
    }

    /// Takes the last sample, lets go of the interfaces, and writes everything down.
    async fn stop(mut self) -> Result<(), EngineError> {
        let now = kernel::now();
        // Detached first, so that the last sample has everything.
        for watch in &mut self.watches {
            watch.release();
        }
        self.sample(&now);
        let last = self.checkpoint(&now);
        self.watches.clear();
        self.notifier.shutdown().await;
        self.store.close(last).await?;
        log::info!("stopped");
        Ok(())
    }
}
