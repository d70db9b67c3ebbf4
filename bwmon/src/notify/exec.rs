//! One try to hand an event to a program of this machine.
//!
//! No shell is involved. The program gets the event as JSON on stdin, and an environment of which
//! nothing comes from the network.

use std::{
    env,
    ffi::OsString,
    io,
    pin::pin,
    process::{ExitStatus, Stdio},
    sync::Arc,
    time::Duration,
};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    join,
    process::{Child, Command},
    select,
    time::timeout,
};

use super::{
    error::DeliveryError,
    excerpt::{Secrets, excerpt},
    sender::Answer,
};
use crate::{
    config::Exec,
    core::event::{Event, EventState},
};

/// Of what a program says, no more is kept than this.
const SAID_BYTES: usize = 8 * 1024;
/// What a program said before it ended is in the pipe already. Who holds the pipe open after that is
/// a process that it left behind.
const LAST_WORDS: Duration = Duration::from_millis(100);
/// What a program inherits.
const KEPT: [&str; 5] = ["PATH", "HOME", "LANG", "LC_ALL", "TZ"];

/// A program.
pub(super) struct Program {
    settings: Exec,
}

impl Program {
    pub(super) fn new(settings: Exec) -> Self {
        Self { settings }
    }

    /// Runs it; all is well when it ends with status 0. When it does not end in time, it is killed
    /// with all that it started.
    pub(super) async fn send(
        &self,
        events: &[Arc<Event>],
        within: Duration,
    ) -> Result<Answer, DeliveryError> {
        let [event] = events else {
            return Err(DeliveryError::several(events));
        };
        let input = serde_json::to_vec(event).map_err(|error| DeliveryError::Request {
            event: event.id.clone(),
            reason: error.to_string(),
        })?;
        let (child, group) = self.start(event)?;
        let mut finishing = pin!(finish(child, &input));
        let Ok(ended) = timeout(within, &mut finishing).await else {
            // Before the program is let go, so that its number is still its own.
            drop(group);
            return Err(DeliveryError::Overran(within));
        };
        group.leave();
        let (status, said) = ended.map_err(|error| self.cannot_run(&error))?;
        let said = excerpt(&said, &Secrets::of(None));
        if status.success() {
            Ok(Answer(format!("{status}{said}")))
        } else {
            Err(DeliveryError::Exit { status, said })
        }
    }

    fn start(&self, event: &Event) -> Result<(Child, Group), DeliveryError> {
        let words = &self.settings.command;
        let (program, arguments) = words.split_first().ok_or(DeliveryError::Command)?;
        let child = Command::new(program)
            .args(arguments)
            .env_clear()
            .envs(environment(event))
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // A group of its own, so that what it starts can be ended with it.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| self.cannot_run(&error))?;
        let group = child.id().and_then(|id| i32::try_from(id).ok());
        Ok((child, Group(group.map(Pid::from_raw))))
    }

    fn cannot_run(&self, error: &io::Error) -> DeliveryError {
        DeliveryError::Run {
            program: self.settings.command.first().cloned().unwrap_or_default(),
            reason: error.to_string(),
        }
    }
}

/// Words that only bwmon chooses, for scripts that read no JSON.
fn environment(event: &Event) -> Vec<(&'static str, OsString)> {
    let mut environment: Vec<(&'static str, OsString)> = KEPT
        .iter()
        .filter_map(|name| Some((*name, env::var_os(name)?)))
        .collect();
    let state = match event.state {
        EventState::Firing => "firing",
        EventState::Reminder => "reminder",
        EventState::Resolved => "resolved",
    };
    environment.extend([
        ("BWMON_STATE", state.into()),
        ("BWMON_RULE", event.rule.as_str().into()),
        ("BWMON_SEVERITY", event.severity.as_str().into()),
    ]);
    environment
}

/// Feeds a program, hears what it says on stderr, and waits for its end.
async fn finish(mut child: Child, input: &[u8]) -> io::Result<(ExitStatus, Vec<u8>)> {
    let (stdin, mut stderr) = (child.stdin.take(), child.stderr.take());
    let mut said = Vec::new();
    let status = {
        let feed = async move {
            if let Some(mut stdin) = stdin {
                // It need not read.
                stdin.write_all(input).await.ok();
            }
        };
        let hear = async {
            if let Some(stderr) = &mut stderr {
                keep_start(stderr, &mut said).await;
            }
        };
        let talk = async { join!(feed, hear) };
        select! {
            biased;
            _ = talk => None,
            status = child.wait() => Some(status),
        }
    };
    let status = match status {
        Some(status) => status?,
        None => child.wait().await?,
    };
    if let Some(stderr) = &mut stderr {
        timeout(LAST_WORDS, keep_start(stderr, &mut said))
            .await
            .ok();
    }
    Ok((status, said))
}

/// Reads to the end, and keeps the start.
async fn keep_start(from: &mut (impl AsyncRead + Unpin), start: &mut Vec<u8>) {
    let mut chunk = [0; 1024];
    while let Ok(length @ 1..) = from.read(&mut chunk).await {
        let room = SAID_BYTES - start.len();
        start.extend_from_slice(&chunk[..length.min(room)]);
    }
}

/// A program with all that it started, which end when this is dropped.
struct Group(Option<Pid>);

impl Group {
    /// Leaves alone what goes on.
    fn leave(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // They may have ended by themselves.
            killpg(group, Signal::SIGKILL).ok();
        }
    }
}
