//! Steady traffic in the background.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crate::{
    inject::{Injector, Sent},
    link::Link,
};

/// The same frame over and over at a steady pace, until stopped or dropped.
#[derive(Debug)]
pub struct Flow {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    frame_len: u64,
}

#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    packets: AtomicU64,
}

const BURST: Duration = Duration::from_millis(10);

impl Flow {
    /// Sends `frame` from an interface this many times a second.
    pub fn start(link: &Link, frame: Vec<u8>, frames_per_sec: u32) -> Self {
        let shared = Arc::new(Shared::default());
        let injector = link.injector();
        let frame_len = frame.len() as u64;
        let thread = thread::spawn({
            let shared = Arc::clone(&shared);
            move || send(&injector, &frame, frames_per_sec, &shared)
        });
        Self {
            shared,
            thread: Some(thread),
            frame_len,
        }
    }

    /// What was sent so far.
    pub fn sent(&self) -> Sent {
        let packets = self.shared.packets.load(Ordering::Acquire);
        Sent {
            bytes: packets * self.frame_len,
            packets,
        }
    }

    /// Stops, and says what was sent.
    ///
    /// # Panics
    /// When a frame could not be sent.
    #[track_caller]
    pub fn stop(mut self) -> Sent {
        self.shared.stop.store(true, Ordering::Release);
        if let Some(Err(_)) = self.thread.take().map(JoinHandle::join) {
            panic!("the flow ended early");
        }
        self.sent()
    }
}

impl Drop for Flow {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

fn send(injector: &Injector, frame: &[u8], frames_per_sec: u32, shared: &Shared) {
    let start = Instant::now();
    while !shared.stop.load(Ordering::Acquire) {
        let due = (start.elapsed().as_secs_f64() * f64::from(frames_per_sec)) as u64;
        while shared.packets.load(Ordering::Acquire) < due {
            injector.send(frame).expect("send a frame of the flow");
            shared.packets.fetch_add(1, Ordering::Release);
        }
        thread::sleep(BURST);
    }
}
