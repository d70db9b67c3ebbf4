//! A small household for tests, as the API shows it, and the parts to serve it with.

use std::{
    net::Ipv4Addr,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::tz::TimeZone;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::{
    App, Archive, Bound, Deps, Heartbeat, Process, Registered, Reload, Request, conditional::Start,
    guard::Reach, registered::Editing, stream::Streams,
};
use crate::{
    config::Secret,
    core::{
        cycle::Cycle,
        durations::Durations,
        event::{Direction, EventDevice, RuleKind, Severity, SubjectKind, Unit},
        names::NameSource,
        view::{
            AddressView, AlertState, AlertView, ChannelView, DeviceView, Directions, InterfaceView,
            MuteView, PollStatus, Snapshot, Status, StoreStatus, TodayView, Versions,
        },
    },
    store::History,
};

/// The dependencies of a server, and the other ends of their channels.
pub(crate) struct World {
    pub(crate) snapshot: watch::Sender<Arc<Snapshot>>,
    pub(crate) heartbeat: watch::Sender<Option<Heartbeat>>,
    pub(crate) token: watch::Sender<Option<Secret>>,
    pub(crate) configuration: watch::Sender<Arc<serde_json::Value>>,
    pub(crate) requests: mpsc::Sender<Request>,
    pub(crate) devices_file: watch::Sender<PathBuf>,
    pub(crate) reload: mpsc::Sender<Reload>,
    pub(crate) shutdown: CancellationToken,
    pub(super) start: Start,
    pub(super) archive: Archive,
}

impl World {
    pub(crate) fn new(snapshot: Snapshot) -> Self {
        let beat = Heartbeat {
            at: Instant::now(),
            interval: Duration::from_secs(3600),
        };
        // Nobody is there to be asked, unless a test takes the place of the loop.
        let (requests, _) = mpsc::channel(1);
        let (reload, _) = mpsc::channel(1);
        let configuration = serde_json::json!({ "poll_interval": 1.0 });
        Self {
            snapshot: watch::Sender::new(Arc::new(snapshot)),
            heartbeat: watch::Sender::new(Some(beat)),
            token: watch::Sender::new(None),
            configuration: watch::Sender::new(Arc::new(configuration)),
            requests,
            devices_file: watch::Sender::new(PathBuf::new()),
            reload,
            shutdown: CancellationToken::new(),
            start: Start::new(),
            // Nothing is kept, unless a test brings a database.
            archive: Archive::new(History::at("/nonexistent/bwmon.db".into()), TimeZone::UTC),
        }
    }

    pub(crate) fn facts(&self) -> Arc<Process> {
        Arc::new(Process {
            version: "0.1.0".to_owned(),
            host: "router".to_owned(),
            started_at: "2026-03-08T09:02:11+01:00".to_owned(),
            started: Instant::now(),
            configuration: self.configuration.subscribe(),
            max_metrics: watch::Sender::new(2).subscribe(),
        })
    }

    pub(crate) fn deps(&self, listen: Bound) -> Deps {
        Deps {
            listen,
            snapshot: self.snapshot.subscribe(),
            facts: self.facts(),
            heartbeat: self.heartbeat.subscribe(),
            token: self.token.subscribe(),
            requests: self.requests.clone(),
            registered: self.registered(),
            archive: self.archive.clone(),
        }
    }

    /// What handlers see, of a listener on loopback.
    pub(super) fn app(&self) -> App {
        App {
            snapshot: self.snapshot.subscribe(),
            facts: self.facts(),
            heartbeat: self.heartbeat.subscribe(),
            token: self.token.subscribe(),
            requests: self.requests.clone(),
            editing: Arc::new(Editing::new(self.registered())),
            archive: self.archive.clone(),
            reach: Reach::Loopback(Ipv4Addr::LOCALHOST.into()),
            start: self.start.clone(),
            streams: Streams::new(self.shutdown.clone()),
        }
    }

    pub(crate) fn registered(&self) -> Registered {
        Registered {
            file: self.devices_file.subscribe(),
            reload: self.reload.clone(),
        }
    }
}

/// One busy device with a firing alert, one idle one, one registered one that was never seen.
pub(crate) fn household() -> Snapshot {
    let mut laptop = device("02:00:00:00:00:05", &["192.168.1.5", "fd00::5"]);
    "Laptop".clone_into(&mut laptop.name);
    laptop.sent_rate = 1_537_500;
    laptop.received_rate = 117_500_000;
    laptop.today = TodayView {
        sent: 512_000_000,
        received: 4_500_000_000,
        active_seconds: 18_060,
        ..Default::default()
    };
    laptop.alerts = vec!["a1".to_owned(), "a2".to_owned()];

    let mut tablet = device("fd00::7", &["fd00::7"]);
    tablet.today = TodayView {
        sent: 1_000,
        received: 2_000,
        active_seconds: 60,
        ..Default::default()
    };

    let mut printer = device("192.168.1.9", &["192.168.1.9"]);
    "Printer".clone_into(&mut printer.name);
    printer.first_seen = None;
    printer.last_seen = None;

    Snapshot {
        status: Status {
            sampled_at: Some("2026-03-08T14:03:11+01:00".to_owned()),
            day: "2026-03-08".to_owned(),
            poll: PollStatus {
                interval_seconds: 1.0,
                samples: 18_060,
                missed: 2,
                last_seconds: 0.0008,
                max_seconds: 0.0031,
                durations: durations(),
            },
            local_networks: vec!["192.168.1.0/24".to_owned(), "fd00::/64".to_owned()],
            counts_every_address: false,
            mutes: 1,
            store: StoreStatus {
                written_at: Some("2026-03-08T14:03:00+01:00".to_owned()),
                database_bytes: 4_500_000,
                ..StoreStatus::default()
            },
            warnings: vec!["br-lan: no native XDP here, counting by TC".to_owned()],
        },
        interfaces: vec![interface("br-lan")],
        addresses: [address("192.168.1.5")].map(Arc::new).into(),
        devices: [laptop, printer, tablet].map(Arc::new).into(),
        alerts: [
            alert("a3", AlertState::Resolved, RuleKind::Rate),
            alert("a2", AlertState::Pending, RuleKind::ActiveTime),
            alert("a1", AlertState::Firing, RuleKind::Volume),
        ]
        .map(Arc::new)
        .into(),
        mutes: [mute("m1")].map(Arc::new).into(),
        channels: vec![ChannelView {
            name: "phone".to_owned(),
            delivered: 7,
            failed: 2,
            waiting: 1,
            ..ChannelView::default()
        }],
        recent: Arc::default(),
        totals: Vec::new(),
        cycle: Cycle::default(),
        versions: Versions::default(),
    }
}

fn durations() -> Durations {
    let mut durations = Durations::default();
    durations.add(0.0008);
    durations.add(0.0031);
    durations
}

/// An idle device without a name of its own.
pub(crate) fn device(id: &str, addresses: &[&str]) -> DeviceView {
    DeviceView {
        id: id.to_owned(),
        name: addresses.first().copied().unwrap_or(id).to_owned(),
        mac: id.parse().ok(),
        vendor: None,
        name_source: NameSource::Address,
        private_mac: false,
        addresses: addresses
            .iter()
            .map(|address| address.parse().unwrap())
            .collect(),
        registered: false,
        muted: false,
        group: None,
        sent_rate: 0,
        received_rate: 0,
        sent_local_rate: 0,
        received_local_rate: 0,
        since_start: Default::default(),
        today: TodayView::default(),
        cycle: None,
        thresholds: Default::default(),
        alerts: Vec::new(),
        first_seen: Some("2026-03-01T08:00:00+01:00".to_owned()),
        last_seen: Some("2026-03-08T14:03:11+01:00".to_owned()),
    }
}

/// An interface that is counted almost whole.
pub(crate) fn interface(name: &str) -> InterfaceView {
    InterfaceView {
        name: name.to_owned(),
        attached: true,
        ingress_mode: Some("tc".to_owned()),
        egress_mode: Some("tcx".to_owned()),
        note: None,
        counted_bytes: Directions {
            sent: 512_001_000,
            received: 4_500_002_000,
        },
        counted_packets: Directions {
            sent: 400_000,
            received: 3_000_000,
        },
        interface_bytes: Directions {
            sent: 512_001_060,
            received: 4_500_002_000,
        },
        interface_packets: Directions {
            sent: 400_001,
            received: 3_000_000,
        },
        coverage: 0.9999,
        non_ip_bytes: 4_200,
        outside_bytes: 0,
        overflow_bytes: 0,
        hint: None,
    }
}

/// An address of the laptop.
pub(crate) fn address(address: &str) -> AddressView {
    AddressView {
        address: address.parse().unwrap(),
        mac: Some("02:00:00:00:00:05".parse().unwrap()),
        device: "02:00:00:00:00:05".to_owned(),
        sent_bytes: 512_000_000,
        sent_packets: 400_000,
        received_bytes: 4_500_000_000,
        received_packets: 3_000_000,
        sent_local_bytes: 0,
        sent_local_packets: 0,
        received_local_bytes: 0,
        received_local_packets: 0,
        sent_rate: 1_537_500,
        received_rate: 117_500_000,
        first_seen: "2026-03-01T08:00:00+01:00".to_owned(),
        last_seen: "2026-03-08T14:03:11+01:00".to_owned(),
    }
}

/// An alert about the laptop.
pub(crate) fn alert(id: &str, state: AlertState, rule: RuleKind) -> AlertView {
    let (observed, threshold) = match rule.unit() {
        Unit::Bytes => (5_012_000_000, 5_000_000_000),
        Unit::BytesPerSecond => (119_037_500, 6_250_000),
        Unit::Seconds => (18_060, 18_000),
    };
    let resolved = state == AlertState::Resolved;
    AlertView {
        id: id.to_owned(),
        state,
        rule,
        device: EventDevice {
            id: "02:00:00:00:00:05".to_owned(),
            name: "Laptop".to_owned(),
            kind: SubjectKind::Device,
            group: None,
            mac: Some("02:00:00:00:00:05".parse().unwrap()),
            addresses: vec!["192.168.1.5".parse().unwrap()],
        },
        severity: Severity::Warning,
        direction: Direction::Total,
        expected: None,
        observed,
        threshold,
        unit: rule.unit(),
        peak_rate: 119_037_500,
        description: "Laptop (192.168.1.5) has used 5.0 GB today.".to_owned(),
        acknowledged_at: None,
        acknowledged_by: None,
        muted: false,
        started_at: "2026-03-08T14:02:11+01:00".to_owned(),
        ended_at: resolved.then(|| "2026-03-08T14:03:11+01:00".to_owned()),
    }
}

/// A mute of the tablet, for ever.
pub(crate) fn mute(id: &str) -> MuteView {
    MuteView {
        id: id.to_owned(),
        device: Some("fd00::7".to_owned()),
        rule: Some(RuleKind::Surge),
        until: None,
        reason: Some("updates itself".to_owned()),
        created_at: "2026-03-08T14:00:00+01:00".to_owned(),
    }
}
