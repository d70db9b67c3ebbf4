//! `bwmon backtest --since` and `--suggest`: the recorded history.

use std::{path::PathBuf, time::Duration};

use anyhow::Context;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use super::Played;
use crate::{
    cli::{
        args::{BacktestArgs, Since},
        printable::printable,
    },
    config::Config,
    replay::history::{Recording, how_finely},
    store::{DATABASE, History},
};

/// What `--suggest` looks at without `--since`.
const USUALLY: Duration = Duration::from_secs(30 * 24 * 3600);

/// Opens what is recorded.
pub(super) fn open(config: &Config, args: &BacktestArgs) -> anyhow::Result<Recording> {
    let database = database(config, args);
    let shown = printable(&database.to_string_lossy()).into_owned();
    if !database.exists() {
        anyhow::bail!(
            "there is no database {shown}; name the one to read with `--database FILE`, or the \
             configuration of the bwmon that wrote it with `--config PATH`"
        );
    }
    let now = Timestamp::now();
    let since = match args.since.unwrap_or(Since::Ago(USUALLY)) {
        Since::At(at) => at,
        Since::Ago(time) => {
            let time = SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX);
            now.checked_sub(time).unwrap_or(Timestamp::MIN)
        }
    };
    let reader = History::at(database).open(&config.timezone)?;
    let recording = Recording::open(reader, &config.timezone, since, now)
        .with_context(|| format!("cannot play the history in {shown}"))?;
    recording.ok_or_else(|| {
        let since = since.to_zoned(config.timezone.clone()).date();
        anyhow::anyhow!("the database {shown} has no history since {since}")
    })
}

pub(super) fn play(config: &Config, args: &BacktestArgs) -> anyhow::Result<Played> {
    let recording = open(config, args)?;
    let outcome = recording.play(&config.policy)?;
    let mut notes = vec![format!("played {}", how_finely(&outcome.parts))];
    if outcome
        .parts
        .iter()
        .any(|(tier, _)| *tier != crate::store::Tier::Minute)
    {
        notes.push(
            "what is longer than a minute is taken as even but for its highest rate: rules on rates, \
             surges and active time are less exact there"
                .to_owned(),
        );
    }
    Ok(Played {
        report: outcome.report,
        records: "buckets",
        zone: zone(config),
        notes,
    })
}

fn zone(config: &Config) -> TimeZone {
    config.timezone.clone()
}

fn database(config: &Config, args: &BacktestArgs) -> PathBuf {
    let named = args.database.clone();
    named.unwrap_or_else(|| config.state_dir.join(DATABASE))
}
