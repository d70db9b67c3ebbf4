//! What each kind of device does in a day. Rates are in Mbit/s, up and down.

use super::random::Random;

/// A kind of device.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Phone,
    Laptop,
    Console,
    Television,
    Tablet,
    Nas,
    Camera,
    Speaker,
    Gadget,
}

/// How a session's rate moves.
#[derive(Clone, Copy)]
enum Shape {
    /// Nearly constant.
    Steady,
    /// A video in pieces: one step of three at three times the rate.
    Pieces,
    /// Pages: mostly nothing, at times up to ten times the rate.
    Bursts,
}

/// Traffic from one step to another.
#[derive(Clone, Copy)]
pub(super) struct Session {
    pub(super) start: u32,
    pub(super) end: u32,
    shape: Shape,
    rates: (f64, f64),
}

impl Session {
    /// So much, all the time.
    pub(super) fn steady(start: u32, end: u32, up: f64, down: f64) -> Self {
        Self {
            start,
            end,
            shape: Shape::Steady,
            rates: (up, down),
        }
    }

    /// The rates at a step.
    pub(super) fn rates(&self, step: u32, random: &mut Random) -> (f64, f64) {
        let times = match self.shape {
            Shape::Steady => random.between(0.9, 1.1),
            Shape::Pieces if (step - self.start).is_multiple_of(3) => random.between(2.5, 3.2),
            Shape::Pieces => 0.02,
            Shape::Bursts if random.chance(0.15) => random.about(0.5, 10.0),
            Shape::Bursts => 0.03,
        };
        (self.rates.0 * times, self.rates.1 * times)
    }
}

/// A day as it is planned.
struct Plan<'a> {
    midnight: u32,
    random: &'a mut Random,
    sessions: Vec<Session>,
}

impl Plan<'_> {
    /// A session that starts some time from one hour to another and takes some minutes.
    fn add(&mut self, hours: (f64, f64), minutes: (f64, f64), shape: Shape, rates: (f64, f64)) {
        let start = self.midnight + (self.random.between(hours.0, hours.1) * 360.0) as u32;
        let steps = (self.random.about(minutes.0, minutes.1) * 6.0).ceil() as u32;
        self.sessions.push(Session {
            start,
            end: start + steps.max(1),
            shape,
            rates,
        });
    }

    /// [`add`](Self::add), on some days.
    fn maybe(
        &mut self,
        chance: f64,
        hours: (f64, f64),
        minutes: (f64, f64),
        shape: Shape,
        rates: (f64, f64),
    ) {
        if self.random.chance(chance) {
            self.add(hours, minutes, shape, rates);
        }
    }

    /// As much as the line gives, some times a week at any time: a new system, a new game.
    fn updates(&mut self, a_week: f64, hours: (f64, f64), minutes: (f64, f64)) {
        let server = self.random.about(60.0, 400.0);
        self.maybe(a_week / 7.0, hours, minutes, Shape::Steady, (0.1, server));
    }

    fn video(&mut self, chance: f64, hours: (f64, f64), minutes: (f64, f64)) {
        let quality = self.random.about(4.0, 22.0);
        self.maybe(chance, hours, minutes, Shape::Pieces, (0.05, quality));
    }

    fn pages(&mut self, times: usize, hours: (f64, f64)) {
        for _ in 0..times {
            let weight = self.random.about(0.5, 6.0);
            self.add(hours, (3.0, 40.0), Shape::Bursts, (weight / 8.0, weight));
        }
    }

    fn call(&mut self, chance: f64, hours: (f64, f64)) {
        let quality = self.random.about(1.2, 3.5);
        self.maybe(
            chance,
            hours,
            (20.0, 70.0),
            Shape::Steady,
            (quality, quality),
        );
    }
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Laptop => "laptop",
            Self::Console => "console",
            Self::Television => "tv",
            Self::Tablet => "tablet",
            Self::Nas => "nas",
            Self::Camera => "camera",
            Self::Speaker => "speaker",
            Self::Gadget => "gadget",
        }
    }

    /// What gets through: the line has 40 Mbit/s up and 250 down, the radio often less.
    pub(super) fn limits(self, random: &mut Random) -> (f64, f64) {
        match self {
            Self::Console | Self::Nas => (40.0, 250.0),
            Self::Phone | Self::Laptop => (random.between(20.0, 40.0), random.between(60.0, 250.0)),
            Self::Television | Self::Tablet => {
                (random.between(10.0, 30.0), random.between(50.0, 200.0))
            }
            Self::Camera | Self::Speaker | Self::Gadget => (40.0, random.between(10.0, 60.0)),
        }
    }

    /// What it says all day, doing nothing.
    pub(super) fn chatter(self, random: &mut Random) -> (f64, f64) {
        match self {
            Self::Camera => {
                let motion = if random.chance(0.01) { 2.0 } else { 1.0 };
                (random.between(1.6, 2.2) * motion, 0.04)
            }
            _ if random.chance(0.04) => (random.about(0.001, 0.03), random.about(0.001, 0.1)),
            _ => (0.000_2, 0.000_2),
        }
    }

    /// What it does on a day (Monday is 0) that starts with the step `midnight`.
    pub(super) fn day(self, weekday: u32, midnight: u32, random: &mut Random) -> Vec<Session> {
        let free = weekday >= 5;
        let mut plan = Plan {
            midnight,
            random,
            sessions: Vec::new(),
        };
        match self {
            Self::Phone => {
                plan.pages(6, (7.0, 23.5));
                plan.video(0.7, (18.0, 22.5), (5.0, 60.0));
                plan.video(0.3, (7.0, 18.0), (3.0, 20.0));
                plan.call(0.1, (10.0, 21.0));
                plan.updates(3.0, (0.5, 5.0), (0.3, 3.0));
                plan.updates(0.7, (8.0, 23.0), (0.5, 4.0));
                let photos = plan.random.about(4.0, 25.0);
                plan.maybe(0.5, (17.0, 24.0), (0.3, 4.0), Shape::Steady, (photos, 0.1));
            }
            Self::Laptop => {
                plan.pages(if free { 3 } else { 9 }, (8.0, 19.0));
                plan.pages(2, (19.0, 23.5));
                plan.call(if free { 0.05 } else { 0.7 }, (9.0, 17.0));
                plan.video(0.4, (19.0, 22.0), (20.0, 120.0));
                plan.updates(2.0, (8.0, 23.0), (1.0, 12.0));
                let files = plan.random.about(2.0, 9.0);
                plan.maybe(0.5, (9.0, 18.0), (0.3, 5.0), Shape::Steady, (files, 0.1));
            }
            Self::Console => {
                plan.updates(2.5, (0.0, 24.0), (5.0, 60.0));
                plan.maybe(0.6, (16.0, 22.0), (40.0, 180.0), Shape::Steady, (0.15, 0.3));
                plan.video(0.2, (18.0, 21.0), (30.0, 120.0));
            }
            Self::Television => {
                plan.video(0.85, (18.5, 20.5), (60.0, 200.0));
                plan.video(if free { 0.5 } else { 0.1 }, (10.0, 17.0), (30.0, 120.0));
                plan.updates(0.4, (2.0, 5.0), (0.5, 3.0));
            }
            Self::Tablet => {
                plan.video(0.7, (15.0, 21.0), (20.0, 120.0));
                plan.pages(3, (9.0, 22.0));
                plan.updates(1.0, (0.0, 24.0), (0.3, 4.0));
            }
            Self::Nas => {
                let up = plan.random.between(30.0, 38.0);
                plan.add((2.0, 2.7), (20.0, 60.0), Shape::Steady, (up, 0.5));
                if weekday == 6 {
                    plan.add((4.5, 5.2), (100.0, 180.0), Shape::Steady, (38.0, 0.5));
                }
                plan.updates(0.3, (3.0, 6.0), (0.5, 3.0));
            }
            Self::Camera => plan.updates(0.15, (1.0, 5.0), (0.2, 0.6)),
            Self::Speaker => {
                for _ in 0..3 {
                    plan.maybe(0.5, (7.0, 22.0), (20.0, 120.0), Shape::Pieces, (0.01, 0.4));
                }
                plan.updates(0.3, (1.0, 5.0), (0.2, 1.0));
            }
            Self::Gadget => plan.updates(0.15, (1.0, 5.0), (0.1, 0.4)),
        }
        plan.sessions
    }
}
