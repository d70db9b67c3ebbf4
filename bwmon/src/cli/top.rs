//! `bwmon top`: who uses the line now, live. As a screen, as one table, or as JSON for scripts.

use std::{
    collections::BTreeMap,
    env,
    io::{self, IsTerminal},
    process::ExitCode,
    sync::Arc,
};

use anyhow::{Context, bail};
use serde::Serialize;

use super::{
    args::{Options, TopArgs},
    chart::Glyphs,
    client::{Client, ClientError},
    devices,
    json::{harmless, pretty},
    logging,
    output::{Look, Paint, print},
    printable::printable,
};
use crate::{
    chain::chain,
    config::{self, Overrides},
    core::{
        human,
        view::{AlertState, AlertView, DeviceView, MuteView},
    },
    http::StatusReport,
    live::LiveSnapshot,
    tls,
    tui::{self, Source, Stop, Update},
};

const STATUS: &str = "/api/v1/status";
/// Samples after which rates are known.
const RATED: u64 = 2;

/// Shows it until somebody has seen enough, or prints it.
///
/// # Errors
///
/// When there is no bwmon to ask, it can't count by itself, or neither terminal nor stdout takes it.
pub fn top(options: &Options, args: &TopArgs) -> anyhow::Result<ExitCode> {
    tls::init();
    let is_screen = !args.once && !args.json;
    let held = if is_screen {
        need_terminal()?;
        Some(logging::held_back(options))
    } else {
        logging::for_commands(options);
        None
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("bwmon")
        .enable_all()
        .build()
        .context("cannot start the event loop")?;
    let shown = runtime.block_on(show(options, args));
    if let Some(held) = held {
        held.release();
    }
    shown?;
    Ok(ExitCode::SUCCESS)
}

async fn show(options: &Options, args: &TopArgs) -> anyhow::Result<()> {
    let mut stop = Stop::new().context("cannot wait for signals")?;
    let mut source = source(options, args).await?;
    let first = tokio::select! {
        first = source.next() => first,
        () = stop.asked() => None,
    };
    let Some(first) = first else {
        return close(source, args).await;
    };
    let shown = if args.once || args.json {
        print_until_stopped(&mut source, first, &mut stop, (options, args)).await
    } else {
        let look = tui::Look {
            colours: Look::of_stdout(options.color).paint == Paint::Colours,
            glyphs: match args.ascii {
                true => Glyphs::Ascii,
                false => Glyphs::of_locale(),
            },
        };
        tui::show(&mut source, first, look, &mut stop).await
    };
    // Whatever went wrong there, nothing is to be left attached.
    let closed = close(source, args).await;
    shown.and(closed)
}

/// A daemon that answers, or the engine in this process.
async fn source(options: &Options, args: &TopArgs) -> anyhow::Result<Source> {
    if !args.iface.is_empty() {
        let mut config = config::load(&Overrides {
            config: options.config.clone(),
            interfaces: args.iface.clone(),
            ..Overrides::default()
        })?;
        config.poll_interval = args.interval.unwrap_or(config.poll_interval);
        return Ok(Source::alone(config));
    }
    let client = Client::of(options)?;
    match client.get::<StatusReport>(STATUS, &[]).await {
        Ok(_) => Ok(Source::of_daemon(client)),
        Err(error @ ClientError::Unreachable { .. }) => {
            bail!("{error}; or count without it: sudo bwmon top --iface eth0")
        }
        Err(error) => Err(error.into()),
    }
}

/// Ends it, and says why it ended if that was not for us.
async fn close(source: Source, args: &TopArgs) -> anyhow::Result<()> {
    match source.close().await {
        Err(error) if !args.iface.is_empty() && !nix::unistd::geteuid().is_root() => bail!(
            "counting takes root, so run `sudo bwmon top --iface {}`: {}",
            args.iface[0],
            chain(error.as_ref())
        ),
        closed => closed,
    }
}

/// One table or document, or a line for each sample.
async fn print_until_stopped(
    source: &mut Source,
    first: Update,
    stop: &mut Stop,
    (options, args): (&Options, &TopArgs),
) -> anyhow::Result<()> {
    let mut whole = Whole::default();
    let mut next = Some(first);
    while let Some(update) = next {
        match update {
            Update::Host(host) => whole.host = host,
            Update::Sample(sample) => {
                whole.take_in(*sample);
                if whole.is_rated() {
                    print(&whole.text(options, args)?)?;
                    if args.once {
                        return Ok(());
                    }
                }
            }
            Update::Lost(reason) if args.once => bail!("{reason}"),
            Update::Lost(reason) => log::warn!("no samples come, and it is tried again: {reason}"),
            // The sample that comes with it has it too.
            Update::Alert(_) | Update::Past(..) => {}
        }
        next = tokio::select! {
            update = source.next() => update,
            () = stop.asked() => None,
        };
    }
    Ok(())
}

/// A screen needs a terminal that can be drawn on.
fn need_terminal() -> anyhow::Result<()> {
    const INSTEAD: &str = "--once prints one table, --json a line for each sample";
    if !io::stdout().is_terminal() {
        bail!("stdout is no terminal to draw on; {INSTEAD}");
    }
    if env::var_os("TERM").is_some_and(|term| term == "dumb") {
        bail!("the terminal can't be drawn on (TERM is dumb); {INSTEAD}");
    }
    Ok(())
}

/// All that is known, put together from what changed.
#[derive(Debug, Default, Serialize)]
struct Whole {
    host: String,
    #[serde(flatten)]
    sample: LiveSnapshot,
    #[serde(skip)]
    devices: BTreeMap<String, Arc<DeviceView>>,
    #[serde(skip)]
    alerts: Vec<Arc<AlertView>>,
    #[serde(skip)]
    mutes: Vec<Arc<MuteView>>,
}

impl Whole {
    fn take_in(&mut self, mut sample: LiveSnapshot) {
        if sample.full {
            self.devices.clear();
        }
        for id in &sample.gone {
            self.devices.remove(id);
        }
        let changed = std::mem::take(&mut sample.devices).into_iter();
        self.devices
            .extend(changed.map(|device| (device.id.clone(), device)));
        self.alerts = sample
            .alerts
            .take()
            .unwrap_or(std::mem::take(&mut self.alerts));
        self.mutes = sample
            .mutes
            .take()
            .unwrap_or(std::mem::take(&mut self.mutes));
        self.sample = LiveSnapshot {
            full: true,
            gone: Vec::new(),
            devices: self.devices.values().cloned().collect(),
            alerts: Some(self.alerts.clone()),
            mutes: Some(self.mutes.clone()),
            ..sample
        };
    }

    fn is_rated(&self) -> bool {
        self.sample.status.poll.samples >= RATED
    }

    fn text(&self, options: &Options, args: &TopArgs) -> anyhow::Result<String> {
        if !args.json {
            return Ok(self.table(Look::of_stdout(options.color)));
        }
        let text = serde_json::to_string(self)?;
        Ok(match args.once {
            true => pretty(&text),
            false => harmless(&text) + "\n",
        })
    }

    /// As `bwmon devices` has it, and what they do together.
    fn table(&self, look: Look) -> String {
        let devices: Vec<DeviceView> = self
            .devices
            .values()
            .map(|device| DeviceView::clone(device))
            .collect();
        let is_firing = |alert: &&Arc<AlertView>| alert.state == AlertState::Firing;
        let firing: Vec<AlertView> = self
            .alerts
            .iter()
            .filter(is_firing)
            .map(|alert| AlertView::clone(alert))
            .collect();
        let total = |rate: fn(&DeviceView) -> u64| {
            let rates = devices.iter().map(rate);
            human::bits_per_sec(rates.fold(0, u64::saturating_add))
        };
        let mut text = format!(
            "{}: received {}, sent {}\n",
            printable(&self.host),
            total(|device| device.received_rate),
            total(|device| device.sent_rate),
        );
        for interface in &self.sample.interfaces {
            let name = printable(&interface.name);
            let percent = (interface.coverage * 10_000.0).floor() / 100.0;
            let hint = match &interface.hint {
                Some(hint) => format!("; {}", printable(hint)),
                None => String::new(),
            };
            text += &format!("{name}: {percent} % of its packets are counted{hint}\n");
        }
        text + "\n" + &devices::render(devices, &firing, look)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        core::view::PollStatus,
        http::fixture::{device, household},
        live::Live,
    };

    const LOOK: Look = Look {
        width: 80,
        paint: Paint::Plain,
    };

    fn sample(devices: &[(&str, u64)], gone: &[&str], full: bool) -> LiveSnapshot {
        let device = |(id, rate): &(&str, u64)| {
            let mut device = device(id, &[]);
            device.sent_rate = *rate;
            Arc::new(device)
        };
        LiveSnapshot {
            full,
            devices: devices.iter().map(device).collect(),
            gone: gone.iter().map(|id| (*id).to_owned()).collect(),
            ..LiveSnapshot::default()
        }
    }

    #[test]
    fn changes_add_up_to_the_whole() {
        let mut whole = Whole::default();
        let mut check = |sample: LiveSnapshot, expected: &[(&str, u64)]| {
            whole.take_in(sample);
            let devices = whole.sample.devices.iter();
            let known: Vec<_> = devices
                .map(|device| (device.id.as_str(), device.sent_rate))
                .collect();
            assert_eq!(known, expected);
            assert!(whole.sample.full && whole.sample.gone.is_empty());
        };
        check(
            sample(&[("b", 1), ("a", 2)], &[], true),
            &[("a", 2), ("b", 1)],
        );
        check(
            sample(&[("b", 3), ("c", 4)], &["a"], false),
            &[("b", 3), ("c", 4)],
        );
        check(sample(&[("d", 5)], &[], true), &[("d", 5)]);
    }

    #[test]
    fn nothing_is_printed_before_rates_are_known() {
        let mut whole = Whole::default();
        assert!(!whole.is_rated());
        whole.take_in(LiveSnapshot {
            status: crate::core::view::Status {
                poll: PollStatus {
                    samples: 2,
                    ..PollStatus::default()
                },
                ..Default::default()
            },
            ..LiveSnapshot::default()
        });
        assert!(whole.is_rated());
    }

    #[test]
    fn a_table_says_what_all_do_together() {
        let mut whole = Whole {
            host: "router".to_owned(),
            ..Whole::default()
        };
        whole.take_in(Live::default().next(&Arc::new(household())).snapshot);
        insta::assert_snapshot!(whole.table(LOOK), @"
        router: received 940 Mbit/s, sent 12.3 Mbit/s
        br-lan: 99.99 % of its packets are counted

        NAME     ADDRESS      RATE ↑ RATE ↓  TODAY ↑ TODAY ↓     ACTIVE  ALERTS
                              Mbit/s Mbit/s
        Laptop   192.168.1.5    12.3  940.0   512 MB  4.5 GB  5 h 1 min     ! 2
        fd00::7  fd00::7         0.0    0.0     1 kB    2 kB      1 min
        Printer  192.168.1.9     0.0    0.0      0 B     0 B        0 s
        ");
    }
}
