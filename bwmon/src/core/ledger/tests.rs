use bwmon_common::layout::Counter;
use proptest::prelude::*;

use super::*;
use crate::core::{
    event::EventState,
    policy::{Limits, Registration, Setting},
    time::Monotonic,
};

mod belonging;
mod clocks;
mod commands;
mod naming;
mod subjects;

const MAC: MacAddr = MacAddr([0, 1, 2, 3, 4, 5]);
const OTHER: MacAddr = MacAddr([0, 1, 2, 3, 4, 6]);
const SECOND: Duration = Duration::from_secs(1);

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn download(bytes: u64) -> Row {
    Row {
        received: Counter { bytes, packets: 1 },
        ..Row::default()
    }
}

/// A ledger, and a clock that goes on by a second with each sample.
struct Day {
    ledger: Ledger,
    now: Now,
    ids: u64,
}

impl Day {
    fn new(policy: Policy) -> Self {
        let wall = "2026-03-08T10:00:00Z".parse().unwrap();
        let now = Now {
            monotonic: Monotonic(Duration::from_secs(1_000)),
            wall,
        };
        Self {
            ledger: Ledger::new(policy, Scope::Internet, TimeZone::UTC, &now),
            now,
            ids: 0,
        }
    }

    fn sample(&mut self, counted: &[(&str, Row)]) -> Vec<Transition> {
        self.after(SECOND, counted)
    }

    fn after(&mut self, elapsed: Duration, counted: &[(&str, Row)]) -> Vec<Transition> {
        self.now.monotonic.0 += elapsed;
        self.now.wall = self
            .now
            .wall
            .checked_add(SignedDuration::try_from(elapsed).unwrap())
            .unwrap();
        let ids = &mut self.ids;
        let mut new_id = || {
            *ids += 1;
            ids.to_string()
        };
        let counted = counted.iter().map(|(address, row)| (ip(address), *row));
        self.ledger.sample(&self.now, elapsed, counted, &mut new_id)
    }

    fn device(&mut self, id: &str) -> Arc<DeviceView> {
        let devices = self.ledger.device_views();
        let device = devices.iter().find(|device| device.id == id);
        device
            .unwrap_or_else(|| panic!("no {id} among {devices:?}"))
            .clone()
    }

    fn ids(&mut self) -> Vec<String> {
        self.ledger
            .device_views()
            .iter()
            .map(|device| device.id.clone())
            .collect()
    }

    /// Stops here and goes on in another ledger, as a restart does.
    fn restart(&mut self, policy: Policy) {
        self.restart_on(policy, None);
    }

    fn restart_on(&mut self, policy: Policy, on_link: Option<Vec<ipnet::IpNet>>) {
        let changes = self.ledger.take_changes(Occasion::End);
        let alerts = self.ledger.alert_records(&self.now);
        let mut next = Ledger::new(policy, Scope::Internet, TimeZone::UTC, &self.now);
        let memory = changes
            .memory
            .into_iter()
            .filter_map(|memory| Some((memory.subject, memory.content?)));
        let saved = Saved {
            devices: changes.devices,
            usage: changes.usage,
            finished: Vec::new(),
            addresses: changes.addresses,
            alerts,
            memory: memory.collect(),
            at: None,
        };
        next.set_on_link(on_link);
        next.restore(saved, &self.now);
        self.ledger = next;
    }
}

fn registered(selector: Selector, name: &str, bandwidth: u64) -> Registration {
    Registration {
        selector,
        name: Some(name.to_owned()),
        group: None,
        limits: Limits::simple(Setting::At(bandwidth), Setting::Inherit, Setting::Inherit),
        muted: false,
    }
}

fn laptop(bandwidth: u64) -> Policy {
    let entry = registered(Selector::Address(ip("10.0.0.5")), "Laptop", bandwidth);
    Policy {
        registered: vec![entry],
        ..Policy::default()
    }
}

#[test]
fn what_an_address_counts_is_its_device_s() {
    let mut day = Day::new(Policy::default());
    day.sample(&[("10.0.0.5", download(700)), ("10.0.0.6", download(1))]);
    day.sample(&[("10.0.0.5", download(300))]);
    assert_eq!(day.device("10.0.0.5").today.received, 1_000);
    assert_eq!(day.device("10.0.0.6").today.received, 1);
    let addresses = day.ledger.address_views();
    assert_eq!(addresses[0].received_bytes, 1_000);
    assert_eq!(addresses[0].received_packets, 2);
}

#[test]
fn a_device_whose_mac_becomes_known_keeps_what_it_used() {
    let mut day = Day::new(laptop(5_000));
    day.sample(&[("10.0.0.5", download(700))]);
    day.ledger.learn(ip("10.0.0.5"), MAC);
    day.ledger.learn(ip("fe80::5"), MAC);
    day.sample(&[("10.0.0.5", download(200)), ("fe80::5", download(100))]);
    assert_eq!(day.ids(), [MAC.to_string()]);
    let device = day.device(&MAC.to_string());
    assert_eq!(
        (device.today.received, device.name.as_str()),
        (1_000, "Laptop")
    );
    assert_eq!(device.addresses, [ip("10.0.0.5"), ip("fe80::5")]);
    let changes = day.ledger.take_changes(Occasion::End);
    assert_eq!(changes.renamed, [("10.0.0.5".to_owned(), MAC.to_string())]);
}

#[test]
fn an_address_that_goes_to_another_mac_leaves_its_usage_behind() {
    let mut day = Day::new(Policy::default());
    day.ledger.learn(ip("10.0.0.5"), MAC);
    day.sample(&[("10.0.0.5", download(700))]);
    day.ledger.learn(ip("10.0.0.5"), OTHER);
    day.sample(&[("10.0.0.5", download(50))]);
    assert_eq!(day.device(&MAC.to_string()).today.received, 700);
    assert_eq!(day.device(&OTHER.to_string()).today.received, 50);
}

#[test]
fn a_registered_device_is_shown_before_it_is_seen_and_once_after() {
    let mut day = Day::new(laptop(5_000));
    assert_eq!(day.device("10.0.0.5").first_seen, None);
    day.ledger.learn(ip("10.0.0.5"), MAC);
    day.sample(&[("10.0.0.5", download(1))]);
    assert_eq!(day.ids(), [MAC.to_string()]);
    assert_eq!(day.device(&MAC.to_string()).name, "Laptop");
}

#[test]
fn a_group_address_is_counted_but_is_no_device() {
    let mut day = Day::new(Policy::default());
    day.sample(&[("224.0.0.251", download(100))]);
    assert_eq!(day.ids(), [""; 0]);
    assert_eq!(day.ledger.address_views()[0].received_bytes, 100);
}

#[test]
fn crossing_a_threshold_is_told_with_the_sample_that_crosses_it_and_once() {
    let mut day = Day::new(laptop(1_000));
    assert_eq!(day.sample(&[("10.0.0.5", download(1_000))]), []);
    let told = day.sample(&[("10.0.0.5", download(1))]);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].alert.device.name, "Laptop");
    assert_eq!(day.sample(&[("10.0.0.5", download(1_000))]), []);
    let device = day.device("10.0.0.5");
    assert_eq!(device.alerts, [told[0].alert.id.clone()]);
}

#[test]
fn an_alert_ends_with_the_day_and_the_next_day_starts_from_nothing() {
    let mut day = Day::new(laptop(1_000));
    day.sample(&[("10.0.0.5", download(2_000))]);
    let told = day.after(SECOND * 15 * 3600, &[]);
    let states: Vec<EventState> = told.iter().map(|told| told.state).collect();
    assert_eq!(states, [EventState::Resolved]);
    assert_eq!(day.device("10.0.0.5").today.received, 0);
    let usage = day.ledger.take_changes(Occasion::End).usage;
    let yesterday = usage
        .iter()
        .find(|(_, usage)| usage.day.to_string() == "2026-03-08");
    assert_eq!(yesterday.unwrap().1.received, 2_000);
}

#[test]
fn a_raised_threshold_resolves_and_a_lowered_one_fires_without_traffic() {
    let mut day = Day::new(laptop(1_000));
    day.sample(&[("10.0.0.5", download(2_000))]);
    day.ledger.apply(laptop(5_000));
    assert_eq!(day.sample(&[])[0].state, EventState::Resolved);
    let mut day = Day::new(laptop(5_000));
    day.sample(&[("10.0.0.5", download(2_000))]);
    day.ledger.apply(laptop(1_000));
    assert_eq!(day.sample(&[])[0].state, EventState::Firing);
}

#[test]
fn an_alert_follows_its_device_to_its_mac() {
    let mut day = Day::new(laptop(1_000));
    let fired = day.sample(&[("10.0.0.5", download(2_000))]);
    day.ledger.learn(ip("10.0.0.5"), MAC);
    assert_eq!(day.sample(&[("10.0.0.5", download(2_000))]), []);
    assert_eq!(
        day.device(&MAC.to_string()).alerts,
        [fired[0].alert.id.clone()]
    );
}

#[test]
fn a_restart_goes_on_where_it_was() {
    let mut day = Day::new(laptop(1_000));
    day.ledger.learn(ip("10.0.0.5"), MAC);
    day.sample(&[("10.0.0.5", download(2_000)), ("10.0.0.9", download(5))]);
    let before = day.ledger.address_views();
    day.restart(laptop(1_000));
    assert_eq!(
        day.sample(&[("10.0.0.5", download(100))]),
        [],
        "it was told before"
    );
    let device = day.device(&MAC.to_string());
    assert_eq!((device.today.received, device.alerts.len()), (2_100, 1));
    assert_eq!(day.device("10.0.0.9").today.received, 5);
    assert_eq!(
        day.ledger.address_views()[0].received_bytes,
        before[0].received_bytes + 100
    );
}

#[test]
fn a_registered_address_without_a_mac_is_itself_after_a_restart() {
    let mut day = Day::new(laptop(1_000));
    let fired = day.sample(&[("10.0.0.5", download(2_000))]);
    day.restart(laptop(1_000));
    assert_eq!(
        day.sample(&[("10.0.0.5", download(1))]),
        [],
        "it goes on firing"
    );
    let device = day.device("10.0.0.5");
    assert_eq!((device.name.as_str(), device.registered), ("Laptop", true));
    assert_eq!(device.alerts, [fired[0].alert.id.clone()]);
}

#[test]
fn what_did_not_change_is_shared_between_snapshots() {
    let mut day = Day::new(Policy::default());
    day.sample(&[("10.0.0.5", download(100)), ("10.0.0.6", download(100))]);
    // Until the rates are silence.
    for _ in 0..60 {
        day.sample(&[]);
    }
    let (addresses, devices) = (day.ledger.address_views(), day.ledger.device_views());
    day.sample(&[]);
    assert!(Arc::ptr_eq(&addresses, &day.ledger.address_views()));
    assert!(Arc::ptr_eq(&devices, &day.ledger.device_views()));
    day.sample(&[("10.0.0.6", download(1))]);
    let later = day.ledger.device_views();
    assert!(Arc::ptr_eq(&devices[0], &later[0]) && !Arc::ptr_eq(&devices[1], &later[1]));
}

#[test]
fn an_alert_that_lasts_while_nothing_moves_is_shown_once() {
    let mut day = Day::new(laptop(1_000));
    day.sample(&[("10.0.0.5", download(2_000))]);
    // The rate falls for a while.
    for _ in 0..300 {
        day.sample(&[]);
    }
    let (devices, alerts) = (day.ledger.device_views(), day.ledger.alert_views());
    assert_eq!(alerts.len(), 1);
    day.sample(&[]);
    assert!(Arc::ptr_eq(&devices, &day.ledger.device_views()));
    assert!(Arc::ptr_eq(&alerts, &day.ledger.alert_views()));
    day.sample(&[("10.0.0.6", download(1))]);
    assert!(Arc::ptr_eq(&devices[0], &day.ledger.device_views()[0]));
    assert!(Arc::ptr_eq(&alerts, &day.ledger.alert_views()));
}

#[test]
fn whoever_was_not_seen_for_a_week_is_forgotten_unless_registered() {
    let mut day = Day::new(laptop(5_000));
    day.sample(&[("10.0.0.5", download(1)), ("10.0.0.9", download(1))]);
    day.after(SECOND * 8 * 86_400, &[("10.0.0.7", download(1))]);
    assert_eq!(day.ids(), ["10.0.0.5", "10.0.0.7"]);
    assert_eq!(
        day.ledger.address_count(),
        2,
        "the registered one and the new one"
    );
}

#[derive(Clone, Debug)]
enum Step {
    Count(u8, u16),
    Learn(u8, u8),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0_u8..6, any::<u16>()).prop_map(|(host, bytes)| Step::Count(host, bytes)),
        3 => (0_u8..6, 1_u8..4).prop_map(|(host, mac)| Step::Learn(host, mac)),
        1 => Just(Step::Restart),
    ]
}

proptest! {
    #[test]
    fn no_byte_is_lost_or_doubled_whatever_becomes_known(steps in prop::collection::vec(step(), 1..60)) {
        let mut day = Day::new(laptop(5_000));
        let mut counted = 0;
        for step in steps {
            match step {
                Step::Count(host, bytes) => {
                    counted += u64::from(bytes);
                    day.sample(&[(&format!("10.0.0.{host}"), download(bytes.into()))]);
                }
                Step::Learn(host, mac) => {
                    let address = ip(&format!("10.0.0.{host}"));
                    day.ledger.learn(address, MacAddr([0, 0, 0, 0, 0, mac]));
                }
                Step::Restart => {
                    // What was unsaved before is what a store would have kept.
                    let policy = laptop(5_000);
                    for device in day.ledger.devices.values_mut() {
                        device.is_unsaved = device.first_seen.is_some();
                    }
                    for entry in day.ledger.addresses.values_mut() {
                        entry.is_unsaved = true;
                    }
                    day.restart(policy);
                }
            }
            let devices: u64 = day.ledger.device_views().iter().map(|device| device.today.received).sum();
            let addresses: u64 = day.ledger.address_views().iter().map(|address| address.received_bytes).sum();
            prop_assert_eq!((devices, addresses), (counted, counted));
            let mut owned: Vec<IpAddr> =
                day.ledger.device_views().iter().flat_map(|device| device.addresses.clone()).collect();
            let all = owned.len();
            owned.sort();
            owned.dedup();
            prop_assert_eq!(owned.len(), all, "an address of two devices");
        }
    }
}
