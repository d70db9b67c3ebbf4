//! Simulated traffic of a home of 100 devices: what they do day and night, for some weeks, and in
//! the last week four things that they should not do.
//!
//! This makes traffic only. Whether somebody notices is judged elsewhere.

mod habits;
mod random;

use std::time::Duration;

use self::{
    habits::{Kind, Session},
    random::Random,
};

/// The time between two readings.
pub const STEP: Duration = Duration::from_secs(10);
const STEPS_A_DAY: u32 = 24 * 3600 / 10;
/// Devices of a home, and how many of each kind.
const HOME: [(Kind, usize); 9] = [
    (Kind::Phone, 24),
    (Kind::Laptop, 16),
    (Kind::Console, 6),
    (Kind::Television, 12),
    (Kind::Tablet, 8),
    (Kind::Nas, 2),
    (Kind::Camera, 8),
    (Kind::Speaker, 8),
    (Kind::Gadget, 16),
];

/// Bytes that a device moved in a [`STEP`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Uploaded.
    pub sent: u64,
    /// Downloaded.
    pub received: u64,
}

/// Something that should be found.
#[derive(Clone, Debug)]
pub struct Anomaly {
    /// What it is.
    pub what: &'static str,
    /// The place of the device in [`Week::devices`].
    pub device: usize,
    /// The first step of it, from the start of the simulation.
    pub start: u32,
    /// The step after it.
    pub end: u32,
}

/// Some days of learning, and a week with anomalies.
pub struct Week {
    /// Its devices. Each makes its own traffic.
    pub devices: Vec<Device>,
    /// What the week has in it.
    pub anomalies: Vec<Anomaly>,
    learning_days: u32,
}

impl Week {
    /// The same for the same `seed`. The week starts on a Monday, after `learning_days`.
    pub fn new(seed: u64, learning_days: u32) -> Self {
        let mut devices = Vec::new();
        for (kind, count) in HOME {
            for number in 1..=count {
                let random = Random::new(seed ^ (devices.len() as u64 + 1) << 32);
                devices.push(Device::new(kind, number, random, learning_days));
            }
        }
        let mut week = Self {
            devices,
            anomalies: Vec::new(),
            learning_days,
        };
        week.inject(
            "camera in a botnet",
            "camera-3",
            (1, 14, 20),
            20,
            (20.0, 0.5),
        );
        week.inject(
            "laptop's files leave at night",
            "laptop-5",
            (2, 3, 10),
            90,
            (14.0, 0.4),
        );
        week.inject("gadget floods", "gadget-7", (3, 11, 5), 10, (30.0, 0.2));
        week.inject(
            "NAS fetches at full speed",
            "nas-2",
            (5, 9, 40),
            40,
            (2.0, 240.0),
        );
        week
    }

    /// The first step of the week itself.
    pub fn start(&self) -> u32 {
        self.learning_days * STEPS_A_DAY
    }

    /// The step after the last.
    pub fn end(&self) -> u32 {
        (self.learning_days + 7) * STEPS_A_DAY
    }

    /// Adds an anomaly of some minutes at a day of the week, hour and minute, in Mbit/s up and down.
    fn inject(
        &mut self,
        what: &'static str,
        device: &str,
        (day, hour, minute): (u32, u32, u32),
        minutes: u32,
        (up, down): (f64, f64),
    ) {
        let start = self.start() + day * STEPS_A_DAY + (hour * 60 + minute) * 6;
        let end = start + minutes * 6;
        let index = self
            .devices
            .iter()
            .position(|it| it.name == device)
            .expect("an anomaly is of a device at home");
        self.devices[index].extra = Some(Session::steady(start, end, up, down));
        self.anomalies.push(Anomaly {
            what,
            device: index,
            start,
            end,
        });
    }
}

/// A device that makes traffic, step by step.
pub struct Device {
    /// Its kind and number.
    pub name: String,
    kind: Kind,
    random: Random,
    /// What its radio and its servers let through, Mbit/s up and down.
    limits: (f64, f64),
    step: u32,
    /// Of the first day, where Monday is 0.
    weekday: u32,
    today: Vec<Session>,
    extra: Option<Session>,
}

impl Device {
    fn new(kind: Kind, number: usize, mut random: Random, learning_days: u32) -> Self {
        Self {
            name: format!("{}-{number}", kind.name()),
            kind,
            limits: kind.limits(&mut random),
            random,
            step: 0,
            weekday: (7 - learning_days % 7) % 7,
            today: Vec::new(),
            extra: None,
        }
    }

    /// Goes on by a [`STEP`].
    pub fn step(&mut self) -> Moved {
        if self.step.is_multiple_of(STEPS_A_DAY) {
            let weekday = (self.weekday + self.step / STEPS_A_DAY) % 7;
            // What began yesterday goes on.
            self.today.retain(|session| session.end > self.step);
            let plan = self.kind.day(weekday, self.step, &mut self.random);
            self.today.extend(plan);
        }
        let (mut up, mut down) = self.kind.chatter(&mut self.random);
        for session in self.today.iter().chain(&self.extra) {
            if (session.start..session.end).contains(&self.step) {
                let (more_up, more_down) = session.rates(self.step, &mut self.random);
                up += more_up;
                down += more_down;
            }
        }
        self.step += 1;
        // A download has acknowledgements.
        let down = down.min(self.limits.1);
        let up = (up + down * 0.02).min(self.limits.0);
        let bytes =
            |megabits_per_sec: f64| (megabits_per_sec * 1e6 / 8.0 * STEP.as_secs_f64()) as u64;
        Moved {
            sent: bytes(up),
            received: bytes(down),
        }
    }
}
