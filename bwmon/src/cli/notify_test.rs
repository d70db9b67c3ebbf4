//! `bwmon notify-test`: does a channel reach somebody?
//!
//! It reads the configuration and sends by itself, so it needs no running daemon, and disturbs none.

use std::{process::ExitCode, sync::Arc};

use anstyle::AnsiColor;
use anyhow::{Context, bail};
use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::{
    args::{NotifyTestArgs, Options, RunArgs},
    json::pretty,
    output::{Look, print},
    printable::printable,
};
use crate::{
    config::{self, Channel},
    core::{event::Event, time::rfc3339, trial},
    kernel,
    notify::Sender,
};

/// Exit status when not everybody was reached.
const NOT_ALL: u8 = 1;

/// What became of the test of a channel.
#[derive(Debug, Serialize)]
struct Outcome {
    channel: String,
    r#type: &'static str,
    delivered: bool,
    /// What the receiver said, or why it was not reached.
    answer: String,
}

/// Sends a test to each channel, or to one, and prints what the receivers say. Status 1 when one of
/// them did not take it.
///
/// # Errors
///
/// When the configuration has a mistake or no such channel, or stdout takes nothing.
pub fn notify_test(options: &Options, args: &NotifyTestArgs) -> anyhow::Result<ExitCode> {
    let config = config::load(&RunArgs::default().overrides(options))?;
    let channels = wanted(config.notify, args.channel.as_deref())?;
    let event = Arc::new(trial::event(
        &Uuid::new_v4().to_string(),
        &rfc3339(Timestamp::now(), &config.timezone),
        &kernel::host_name(),
    ));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the event loop")?;
    let outcomes = runtime.block_on(send(&channels, &event));
    print(&if args.json {
        pretty(&serde_json::to_string(&outcomes)?)
    } else {
        render(&outcomes, Look::of_stdout(options.color))
    })?;
    let all = outcomes.iter().all(|outcome| outcome.delivered);
    Ok(ExitCode::from(if all { 0 } else { NOT_ALL }))
}

/// The channel of a name, or all.
fn wanted(channels: Vec<Channel>, name: Option<&str>) -> anyhow::Result<Vec<Channel>> {
    if channels.is_empty() {
        bail!("there is no channel; add a table [[notify]] to the configuration");
    }
    let Some(name) = name else {
        return Ok(channels);
    };
    let names: Vec<_> = channels.iter().map(|c| format!("{:?}", c.name)).collect();
    match channels.into_iter().find(|channel| channel.name == name) {
        Some(channel) => Ok(vec![channel]),
        None => bail!(
            "there is no channel {name:?}; there are {}",
            names.join(", ")
        ),
    }
}

/// To all at once, so that one that is down holds up no other. In the order of the configuration.
async fn send(channels: &[Channel], event: &Arc<Event>) -> Vec<Outcome> {
    let tries: Vec<_> = channels
        .iter()
        .map(|channel| {
            let (sender, event) = (Sender::new(channel), Arc::clone(event));
            tokio::spawn(async move { sender.try_once(&[event]).await })
        })
        .collect();
    let mut outcomes = Vec::new();
    for (channel, sending) in channels.iter().zip(tries) {
        let (delivered, answer) = match sending.await {
            Ok(Ok(answer)) => (true, answer.to_string()),
            Ok(Err(error)) => (false, error.to_string()),
            Err(panic) => (false, panic.to_string()),
        };
        outcomes.push(Outcome {
            channel: channel.name.clone(),
            r#type: channel.target.kind(),
            delivered,
            answer,
        });
    }
    outcomes
}

/// A line for each.
fn render(outcomes: &[Outcome], look: Look) -> String {
    let width = |text: fn(&Outcome) -> &str| {
        let widths = outcomes.iter().map(|outcome| text(outcome).chars().count());
        widths.max().unwrap_or_default()
    };
    let (names, kinds) = (
        width(|outcome| &outcome.channel),
        width(|outcome| outcome.r#type),
    );
    let mut text = String::new();
    for outcome in outcomes {
        let (mark, colour) = if outcome.delivered {
            ("ok    ", AnsiColor::Green)
        } else {
            ("FAILED", AnsiColor::Red)
        };
        let mark = look.paint.apply(colour.on_default(), mark);
        let (name, answer) = (printable(&outcome.channel), printable(&outcome.answer));
        let kind = outcome.r#type;
        text += &format!("{mark}  {name:names$}  {kind:kinds$}  {answer}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::TcpListener,
        path::Path,
        thread,
    };

    use super::{super::output::Paint, *};

    /// Answers each request that comes with `answer`.
    fn receiver(answer: &'static str) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                // The whole request comes with the first segments on loopback.
                let read = stream.read(&mut [0; 64 * 1024]).unwrap();
                assert!(read > 0);
                stream.write_all(answer.as_bytes()).ok();
            }
        });
        port
    }

    fn outcomes(text: &str) -> Vec<Outcome> {
        let directory = tempfile::tempdir().unwrap();
        let channels = channels(directory.path(), text);
        let event = Arc::new(trial::event("id", "2026-03-08T14:03:11+01:00", "router"));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(send(&channels, &event))
    }

    fn channels(directory: &Path, text: &str) -> Vec<Channel> {
        let path = directory.join("bwmon.toml");
        std::fs::write(&path, text).unwrap();
        let overrides = config::Overrides {
            config: Some(path),
            ..Default::default()
        };
        config::load(&overrides).unwrap().notify
    }

    #[test]
    fn each_channel_says_how_it_went() {
        let good = receiver("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nthank\x1b[1m you");
        let bad = receiver("HTTP/1.1 403 Forbidden\r\nconnection: close\r\n\r\nno t0k3n");
        let outcomes = outcomes(&format!(
            "[[notify]]\ntype = \"ntfy\"\nname = \"phone\"\nurl = \"http://127.0.0.1:{good}/x\"\n\
             min_severity = \"critical\"\nquiet_hours = \"00:00-24:00\"\n\
             [[notify]]\ntype = \"slack\"\nname = \"chat of us\"\nurl = \"http://127.0.0.1:{bad}/t0k3n\"\n\
             [[notify]]\ntype = \"exec\"\nname = \"tell\"\ncommand = [\"/bin/false\"]\n"
        ));
        let look = Look {
            width: 80,
            paint: Paint::Plain,
        };
        insta::assert_snapshot!(render(&outcomes, look), @r#"
        ok      phone       ntfy   200 OK: thank [1m you
        FAILED  chat of us  slack  answered 403 Forbidden: no …
        FAILED  tell        exec   exit status: 1
        "#);
        let json = serde_json::to_string(&outcomes[..1]).unwrap();
        insta::assert_snapshot!(pretty(&json), @r#"
        [
          {
            "channel": "phone",
            "type": "ntfy",
            "delivered": true,
            "answer": "200 OK: thank [1m you"
          }
        ]
        "#);
    }

    #[test]
    fn a_channel_is_picked_by_its_name() {
        let directory = tempfile::tempdir().unwrap();
        let text = "[[notify]]\ntype = \"slack\"\nurl = \"http://a\"\n\
                    [[notify]]\ntype = \"slack\"\nurl = \"http://b\"\n";
        let pick = |name| {
            let picked = wanted(channels(directory.path(), text), name);
            let names = |channels: Vec<Channel>| channels.into_iter().map(|c| c.name).collect();
            picked.map(names).map_err(|error| error.to_string())
        };
        let names = |names: &[&str]| Ok(names.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(pick(None), names(&["a", "b"]));
        assert_eq!(pick(Some("b")), names(&["b"]));
        let unknown = "there is no channel \"c\"; there are \"a\", \"b\"";
        assert_eq!(pick(Some("c")), Err(unknown.to_owned()));
        let none = wanted(Vec::new(), None).unwrap_err().to_string();
        assert_eq!(
            none,
            "there is no channel; add a table [[notify]] to the configuration"
        );
    }
}
