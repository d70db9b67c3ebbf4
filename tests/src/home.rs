//! A home that is looked at: who lives in it, what they moved in the weeks before, and what they move
//! now.

use std::{
    collections::BTreeMap,
    f64::consts::TAU,
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use jiff::{Timestamp, tz::TimeZone};
use rusqlite::{Connection, Transaction, params};

use crate::{
    api::Api,
    frame::{Frame, Mac},
    inject::{Injector, Sent},
    lan::{DEVICE_MAC, Lan, NOBODY_MAC, ip},
    receiver::Receiver,
    setup::Setup,
    stage::PEER,
};

/// Where its daemon listens, in the namespace of the router.
pub const HOME_ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 4000);
/// What its daemon wants to be shown.
pub const HOME_TOKEN: &str = "open-sesame";

/// Longest frame on the wire, without FCS.
const FRAME: usize = 1514;
/// How often the devices send.
const PULSE: Duration = Duration::from_millis(25);
const MINUTE: i64 = 60;
const DAY: i64 = 1440;
/// Of so many days before the end each quarter is kept, and of so many each minute.
const QUARTERS: i64 = 60;
const MINUTES: i64 = 2;

/// Somebody in the home.
struct Member {
    address: &'static str,
    mac: Mac,
    /// Mbit/s sent and received, when it is at work.
    rates: (f64, f64),
    habit: Habit,
}

#[derive(Clone, Copy)]
enum Habit {
    /// In the morning and in the evening, as people.
    Evenings,
    /// In the dead of night, as backups.
    Nights,
    /// All day a little.
    Always,
}

const fn member(host: &'static str, mac: [u8; 6], rates: (f64, f64), habit: Habit) -> Member {
    Member {
        address: host,
        mac: Mac(mac),
        rates,
        habit,
    }
}

/// The first bytes of the MACs are of makers that the registries of the IEEE know.
const MEMBERS: [Member; 8] = [
    member(
        "192.168.1.20",
        [0xf0, 0x18, 0x98, 0x2c, 0x10, 0x20],
        (0.9, 11.0),
        Habit::Evenings,
    ),
    member(
        "192.168.1.21",
        [0x8c, 0x79, 0xf5, 0x00, 0x4f, 0x21],
        (0.15, 8.0),
        Habit::Evenings,
    ),
    member(
        "192.168.1.22",
        [0xda, 0x31, 0x7e, 0x90, 0x01, 0x22],
        (0.3, 2.2),
        Habit::Evenings,
    ),
    member(
        "192.168.1.23",
        [0x00, 0x11, 0x32, 0x7a, 0x55, 0x23],
        (6.0, 0.3),
        Habit::Nights,
    ),
    member(
        "192.168.1.24",
        [0xfc, 0x0f, 0xe6, 0x12, 0x34, 0x24],
        (0.4, 5.0),
        Habit::Evenings,
    ),
    member(
        "192.168.1.25",
        [0xdc, 0xa6, 0x32, 0x01, 0x02, 0x25],
        (0.5, 0.4),
        Habit::Always,
    ),
    member(
        "192.168.1.26",
        [0x00, 0x17, 0x88, 0x55, 0x66, 0x26],
        (0.02, 0.03),
        Habit::Always,
    ),
    member(
        "192.168.1.57",
        [0x52, 0x44, 0x8b, 0x77, 0x01, 0x57],
        (0.1, 1.4),
        Habit::Evenings,
    ),
];

const DEVICES: &str = r##"{
    "unknown": { "bandwidth_threshold": "40 GB" },
    "192.168.1.20": { "name": "Ann's laptop", "group": "family", "bandwidth_threshold": "20 GB", "quota": "400 GB" },
    "192.168.1.21": { "name": "Smart TV", "group": "living room", "bandwidth_threshold": "8 GB" },
    "192.168.1.22": { "name": "Ben's phone", "group": "family" },
    "192.168.1.23": { "name": "Backup server", "bandwidth_threshold": "60 GB", "quota": "300 GB" },
    "192.168.1.24": { "name": "Game console", "group": "living room", "max_active_time": "3h" },
    "192.168.1.25": { "name": "Weather station" },
    "192.168.7.0/24": { "bandwidth_threshold": "1 kB" },
    "192.168.1.80": { "name": "Tablet", "bandwidth_threshold": "100 kB" }
}"##;

/// The network, the daemon's set-up, and who is told.
#[derive(Debug)]
pub struct Home {
    /// How the daemon is started.
    pub setup: Setup,
    /// Where it posts events.
    pub receiver: Receiver,
    /// What it watches.
    pub lan: Lan,
}

impl Home {
    /// With a token; the daemon is yet to be started.
    ///
    /// # Panics
    /// When the network can't be made.
    #[track_caller]
    pub fn new() -> Self {
        let lan = Lan::new();
        for member in &MEMBERS {
            lan.lan.neighbour(ip(member.address), member.mac);
        }
        let receiver = Receiver::start(&lan.router);
        let setup = Setup::new(&lan.router, &["lan0"])
            .config(&config(&receiver, true))
            .reached_at(Api::tcp(&lan.router, HOME_ADDRESS).with_token(HOME_TOKEN))
            .devices(DEVICES);
        let token = setup.directory().join("token");
        fs::write(token, HOME_TOKEN).expect("write the token");
        Self {
            setup,
            receiver,
            lan,
        }
    }

    /// With no token from the next start on: then nothing can be changed.
    #[track_caller]
    pub fn open(&self) {
        self.setup.write_config(&config(&self.receiver, false));
    }

    /// Makes up what they moved in so many days before now. Its daemon has run once, and does not now.
    ///
    /// # Panics
    /// When there is no database.
    #[track_caller]
    pub fn remember(&self, days: i64) {
        let database = self.setup.state_path().join("bwmon.db");
        let mut connection = Connection::open(database).expect("open the database");
        let transaction = connection.transaction().expect("begin to write");
        let now = Timestamp::now().as_second() / MINUTE;
        let rows = Rows::make_up(now / 15 * 15 - 15, days);
        rows.write(&transaction).expect("write what was");
        transaction.commit().expect("write what was");
    }

    /// Everybody moves something, until that is dropped.
    #[track_caller]
    pub fn live(&self) -> Living {
        let stop = Arc::new(AtomicBool::new(false));
        let (device, lan) = (self.lan.device.injector(), self.lan.lan.injector());
        let thread = thread::spawn({
            let stop = Arc::clone(&stop);
            move || live(&device, &lan, &stop)
        });
        Living {
            stop,
            thread: Some(thread),
        }
    }

    /// Frames of 1,000 bytes to the internet.
    #[track_caller]
    pub fn upload(&self, source: &str, frames: usize) -> Sent {
        let frame = Lan::packet(source, PEER).length(1000).build();
        self.lan.upload((0..frames).map(|_| &frame))
    }

    /// One frame from each of so many addresses of one network, `192.168.8.0/22` or behind it.
    #[track_caller]
    pub fn crowd(&self, number: u16) -> Sent {
        let address =
            |host: u16| Ipv4Addr::from(u32::from_be_bytes([192, 168, 8, 1]) + u32::from(host));
        let frames = (0..number).map(|host| {
            Lan::packet(&address(host).to_string(), PEER)
                .length(600)
                .build()
        });
        self.lan.upload(frames)
    }
}

impl Default for Home {
    fn default() -> Self {
        Self::new()
    }
}

/// Traffic of everybody, until it is dropped.
#[derive(Debug)]
pub struct Living {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Living {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

fn config(receiver: &Receiver, with_token: bool) -> String {
    let token = if with_token {
        "token_file = \"token\"\n"
    } else {
        ""
    };
    format!(
        "poll_interval = \"1s\"\nlocal_networks = [\"192.168.0.0/16\"]\n\
         [defaults]\nrate_threshold = {{ total = \"200 Mbit/s\" }}\nsurge = false\n\
         [interface_limits.lan0]\nquota = {{ limit = \"2 TB\", cycle = 1 }}\n\
         [http]\nlisten = \"{HOME_ADDRESS}\"\n{token}{}",
        receiver.channel()
    )
}

fn live(device: &Injector, lan: &Injector, stop: &AtomicBool) {
    let frames: Vec<[Vec<u8>; 2]> = MEMBERS
        .iter()
        .map(|member| {
            let macs = (DEVICE_MAC, NOBODY_MAC);
            let frame = |from, to| Frame::udp(macs, (ip(from), ip(to))).length(FRAME).build();
            [frame(member.address, PEER), frame(PEER, member.address)]
        })
        .collect();
    let start = Instant::now();
    let mut due = [[0.0_f64; 2]; MEMBERS.len()];
    let mut last = start;
    while !stop.load(Ordering::Acquire) {
        thread::sleep(PULSE);
        let now = Instant::now();
        let (seconds, elapsed) = ((now - start).as_secs_f64(), (now - last).as_secs_f64());
        last = now;
        for (place, member) in MEMBERS.iter().enumerate() {
            let [sent, received] = rates_at(member, place as f64, seconds);
            for (way, rate) in [sent, received].into_iter().enumerate() {
                let due = &mut due[place][way];
                *due += rate * 1e6 / 8.0 * elapsed / FRAME as f64;
                // What the link can't take is a pause, and no error of anybody.
                let injector = if way == 0 { device } else { lan };
                for _ in 0..(*due as usize).min(200) {
                    injector.send(&frames[place][way]).ok();
                }
                *due = due.fract();
            }
        }
    }
}

/// Mbit/s sent and received, some seconds after the beginning: bursts and pauses, each at its own pace.
fn rates_at(member: &Member, place: f64, seconds: f64) -> [f64; 2] {
    let wave = |period: f64, phase: f64| (seconds / period * TAU + phase).sin();
    let level = match place as u32 % 4 {
        0 => 1.0 + 0.25 * wave(97.0, place) + 0.15 * wave(23.0, 1.0),
        // A stream: full buffers, then nothing for a moment.
        1 => 0.9 + 0.35 * f64::from(wave(17.0, 0.4) > 0.2) + 0.1 * wave(61.0, 2.0),
        2 => f64::from(wave(71.0, place) > -0.3) * (0.7 + 0.5 * wave(19.0, 0.0)),
        _ => f64::from(wave(210.0, 0.9) > -0.1) * (0.9 + 0.3 * wave(41.0, 3.0)),
    };
    let level = level.max(0.02);
    [member.rates.0 * level, member.rates.1 * level]
}

/// What was moved: bytes sent and received and the highest rates of both, by table, minute and member.
struct Rows(BTreeMap<(&'static str, i64, usize), [i64; 4]>);

impl Rows {
    /// Minutes are counted from the epoch; hours and days are those of UTC, and of the daemon where
    /// that is its time zone.
    fn make_up(end: i64, days: i64) -> Self {
        let mut rows = Self(BTreeMap::new());
        let offset = i64::from(TimeZone::system().to_offset(Timestamp::now()).seconds()) / MINUTE;
        let day = |minute: i64| (minute + offset).div_euclid(DAY) * DAY - offset;
        for (place, member) in MEMBERS.iter().enumerate() {
            for quarter in (end - days * DAY..end).step_by(15) {
                let [sent, received] = moved_in_quarter(member, place, quarter, offset);
                if sent + received < 30_000 {
                    continue;
                }
                if quarter >= end - MINUTES * DAY {
                    for minute in 0..15 {
                        rows.add(
                            "minute",
                            quarter + minute,
                            place,
                            [sent / 15, received / 15],
                            60,
                        );
                    }
                }
                // Whole multiples, so that all tables agree.
                let moved = [sent / 15 * 15, received / 15 * 15];
                if quarter >= end - QUARTERS * DAY {
                    rows.add("quarter", quarter, place, moved, 900);
                }
                rows.add("hour", quarter.div_euclid(60) * 60, place, moved, 900);
                rows.add("day", day(quarter), place, moved, 900);
            }
        }
        rows
    }

    fn add(&mut self, table: &'static str, at: i64, place: usize, moved: [i64; 2], seconds: i64) {
        let row = self.0.entry((table, at, place)).or_default();
        for way in 0..2 {
            row[way] += moved[way];
            // A peak is somewhat higher than the mean.
            row[way + 2] = row[way + 2].max(moved[way] / seconds * 8 / 5);
        }
    }

    fn write(self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        let mut series = Vec::new();
        for member in &MEMBERS {
            let mac = member.mac.to_string();
            let known = "SELECT min(key) FROM series WHERE subject = ?1";
            let key: Option<i64> = transaction.query_row(known, [&mac], |row| row.get(0))?;
            series.push(match key {
                Some(key) => key,
                None => {
                    transaction.execute("INSERT INTO series (subject) VALUES (?1)", [&mac])?;
                    transaction.last_insert_rowid()
                }
            });
        }
        let mut rolled = 0;
        for ((table, at, place), [sent, received, peak_sent, peak_received]) in self.0 {
            rolled = rolled.max(at);
            transaction
                .prepare_cached(&format!(
                    "INSERT INTO history_{table} VALUES (?1, ?2, ?3, ?4, 0, 0, ?5, ?6, 0, 0, ?7, ?8)
                     ON CONFLICT DO UPDATE SET sent = sent + excluded.sent,
                         received = received + excluded.received"
                ))?
                .execute(params![
                    at,
                    series[place],
                    sent,
                    received,
                    sent / 900,
                    received / 1200,
                    peak_sent,
                    peak_received
                ])?;
        }
        transaction.execute(
            "UPDATE state SET rolled = max(coalesce(rolled, 0), ?1)",
            [rolled + 1],
        )?;
        Ok(())
    }
}

/// Bytes sent and received in the quarter of an hour that begins at a minute.
fn moved_in_quarter(member: &Member, place: usize, minute: i64, offset: i64) -> [i64; 2] {
    let hour = (minute + offset).rem_euclid(DAY) as f64 / 60.0;
    // The epoch was a Thursday.
    let is_weekend = ((minute + offset).div_euclid(DAY) + 3).rem_euclid(7) >= 5;
    let bump = |around: f64, width: f64| (-((hour - around) / width).powi(2)).exp();
    let activity = match member.habit {
        Habit::Evenings if is_weekend => {
            bump(20.0, 3.2) + 0.45 * bump(13.5, 3.0) + 0.2 * bump(9.5, 1.5)
        }
        Habit::Evenings => 0.8 * bump(20.5, 2.4) + 0.3 * bump(7.8, 1.2),
        Habit::Nights => 0.9 * f64::from((2.0..4.5).contains(&hour)) + 0.02,
        Habit::Always => 0.25 + 0.1 * bump(15.0, 5.0),
    };
    // Days and quarters that are not alike, the same each time.
    let chance = |number: i64| {
        let mixed =
            (number as u64 ^ ((place as u64 + 1) << 40)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        ((mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40) as f64
            / f64::from(1 << 24)
    };
    let of_day = 0.35 + 1.2 * chance((minute + offset).div_euclid(DAY));
    let of_quarter = 0.25 + 1.5 * chance(minute).powi(2);
    let seconds = 900.0 * activity * of_day * of_quarter;
    [member.rates.0, member.rates.1].map(|rate| (rate * 1e6 / 8.0 * seconds) as i64)
}
