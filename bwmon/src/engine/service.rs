//! The service manager and the signals.

use std::{
    io,
    time::{Duration, Instant},
};

use sd_notify::NotifyState;
use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signal {
    /// SIGTERM, SIGINT.
    Stop,
    /// SIGHUP.
    Reload,
}

/// The signals the daemon listens to.
pub(super) struct Signals(Option<Streams>);

struct Streams {
    terminate: Stream,
    interrupt: Stream,
    hangup: Stream,
}

impl Signals {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self(Some(Streams {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })))
    }

    /// They are somebody else's affair.
    pub(super) fn none() -> Self {
        Self(None)
    }

    pub(super) async fn next(&mut self) -> Signal {
        let Some(streams) = &mut self.0 else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = streams.terminate.recv() => Signal::Stop,
            _ = streams.interrupt.recv() => Signal::Stop,
            _ = streams.hangup.recv() => Signal::Reload,
        }
    }
}

/// It counts, and answers.
pub(super) fn ready() {
    tell(&[NotifyState::Ready]);
}

/// The configuration is read anew.
pub(super) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => log::debug!("no monotonic time for the service manager: {error}"),
    }
}

/// It will be gone soon.
pub(super) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        log::debug!("the service manager was not told: {error}");
    }
}

/// Tells the service manager that the loop is alive, as often as it wants to hear it.
pub(super) struct Watchdog {
    every: Option<Duration>,
    told: Option<Instant>,
}

impl Watchdog {
    pub(super) fn new() -> Self {
        // Half of what it would wait, as sd_watchdog_enabled(3) recommends.
        Self {
            every: sd_notify::watchdog_enabled().map(|limit| limit / 2),
            told: None,
        }
    }

    pub(super) fn alive(&mut self) {
        let Some(every) = self.every else {
            return;
        };
        if self
            .told
            .is_none_or(|told| told.elapsed() + Duration::from_secs(1) >= every)
        {
            self.told = Some(Instant::now());
            tell(&[NotifyState::Watchdog]);
        }
    }
}
