//! What the devices do. Rates are such that one CPU hardly notices.

use std::{
    convert::Infallible,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use anyhow::{Context, Result};
use bwmon_tests::Random;

use crate::{
    home::{CAMERA, DESKTOP, DEVICES, Device, Home, INTERNET, LAPTOP, NAS, PHONE, Place, TV},
    line::{Line, MBIT, Packets},
};

/// For so long the camera does what a camera should.
pub(crate) const CALM: Duration = Duration::from_secs(20);
/// And then, again and again, for so long what it should not, and then nothing of it.
const MAD: f64 = 90.0;
const SANE: Duration = Duration::from_secs(90);
/// Until a device whose connection broke tries again.
const AGAIN: Duration = Duration::from_secs(1);
const MB: f64 = 1e6;
const KB: f64 = 1e3;

/// Says when traffic is interrupted, which then begins again, until nobody is to know.
pub(crate) struct Interruptions(Arc<AtomicBool>);

impl Interruptions {
    pub(crate) fn silence(&self) {
        self.0.store(true, Ordering::Release);
    }
}

/// A habit goes on until a connection breaks.
type Habit = fn(&mut Scene) -> io::Result<Infallible>;

/// Where a habit is lived.
struct Scene {
    device: &'static Device,
    here: Place,
    internet: Place,
    nas: Place,
    random: Random,
}

/// Everybody begins, each on a thread of its own, until the process ends.
///
/// # Errors
/// When the home is not there.
pub(crate) fn begin(home: &Home) -> Result<Interruptions> {
    let habits: [(&'static Device, Habit); 7] = [
        (&TV, stream),
        (&PHONE, idle),
        (&LAPTOP, back_up),
        (&DESKTOP, browse),
        (&NAS, sync),
        (&CAMERA, record),
        (&CAMERA, go_mad),
    ];
    debug_assert!(DEVICES.iter().all(|device| {
        let mut living = habits.iter();
        living.any(|(living, _)| living.name == device.name)
    }));
    let is_silent = Arc::<AtomicBool>::default();
    for (seed, (device, habit)) in (1..).zip(habits) {
        let mut scene = Scene {
            device,
            here: home.device(device)?,
            internet: home.internet()?,
            nas: home.device(&NAS)?,
            random: Random::seeded(seed),
        };
        let is_silent = Arc::clone(&is_silent);
        let thread = thread::Builder::new().spawn(move || {
            loop {
                let Err(error) = habit(&mut scene);
                if is_silent.load(Ordering::Acquire) {
                    return;
                }
                let name = device.name;
                eprintln!("traffic of {name} was interrupted, and begins again: {error}");
                thread::sleep(AGAIN);
            }
        });
        thread.with_context(|| format!("start the traffic of {}", device.name))?;
    }
    Ok(Interruptions(is_silent))
}

/// A film, in pieces of four seconds, each fetched in one go.
fn stream(scene: &mut Scene) -> io::Result<Infallible> {
    let mut line = scene.to_internet(false)?;
    loop {
        let piece = scene.between(5.0, 8.0) * MB;
        line.up(2.0 * KB, MBIT)?;
        line.down(piece, 40.0 * MBIT)?;
        scene.pause(2.6, 3.0);
    }
}

/// Messages now and then, by UDP as QUIC does.
fn idle(scene: &mut Scene) -> io::Result<Infallible> {
    let here = (&scene.here, scene.device.v6());
    let packets = Packets::open(here, (&scene.internet, INTERNET.1.into()))?;
    loop {
        packets.up(scene.between(2.0, 30.0) * KB, 2.0 * MBIT)?;
        packets.down(scene.between(20.0, 250.0) * KB, 6.0 * MBIT)?;
        scene.pause(2.0, 7.0);
    }
}

/// A backup of half a minute, and some work between two of them.
fn back_up(scene: &mut Scene) -> io::Result<Infallible> {
    let mut line = scene.to_internet(true)?;
    loop {
        scene.pause(4.0, 6.0);
        let rate = scene.between(14.0, 20.0) * MBIT;
        line.up(30.0 * rate, rate)?;
        for _ in 0..6 {
            line.down(scene.between(50.0, 800.0) * KB, 12.0 * MBIT)?;
            scene.pause(2.0, 6.0);
        }
    }
}

/// Page after page, of IPv4 and of IPv6.
fn browse(scene: &mut Scene) -> io::Result<Infallible> {
    let mut lines = [scene.to_internet(false)?, scene.to_internet(true)?];
    loop {
        for line in &mut lines {
            line.up(scene.between(4.0, 40.0) * KB, 4.0 * MBIT)?;
            line.down(scene.between(0.3, 3.0) * MB, 25.0 * MBIT)?;
            scene.pause(1.0, 5.0);
        }
    }
}

/// What changed elsewhere.
fn sync(scene: &mut Scene) -> io::Result<Infallible> {
    let mut line = scene.to_internet(false)?;
    loop {
        line.up(scene.between(5.0, 30.0) * KB, MBIT)?;
        line.down(scene.between(50.0, 400.0) * KB, 8.0 * MBIT)?;
        scene.pause(4.0, 9.0);
    }
}

/// To the NAS, which is in the other local network: no internet traffic.
fn record(scene: &mut Scene) -> io::Result<Infallible> {
    let mut line = Line::open(&scene.here, &scene.nas, NAS.v4())?;
    loop {
        let rate = scene.between(2.5, 4.0) * MBIT;
        line.up(2.0 * rate, rate)?;
    }
}

/// And all of a sudden to somebody on the internet.
fn go_mad(scene: &mut Scene) -> io::Result<Infallible> {
    thread::sleep(CALM);
    let mut line = scene.to_internet(false)?;
    loop {
        let rate = 30.0 * MBIT;
        line.up(MAD * rate, rate)?;
        thread::sleep(SANE);
    }
}

impl Scene {
    fn to_internet(&self, is_v6: bool) -> io::Result<Line> {
        let (v4, v6) = INTERNET;
        let address = if is_v6 { v6.into() } else { v4.into() };
        Line::open(&self.here, &self.internet, address)
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + self.random.fraction() * (high - low)
    }

    /// From so many seconds to so many.
    fn pause(&mut self, low: f64, high: f64) {
        thread::sleep(Duration::from_secs_f64(self.between(low, high)));
    }
}
