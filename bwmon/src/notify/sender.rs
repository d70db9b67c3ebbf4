//! One channel of any kind: takes events, and says what became of them.

use std::{fmt, sync::Arc, time::Duration};

use super::{email::Mailer, error::DeliveryError, exec::Program, http::Http, mqtt::Publisher};
use crate::{
    config::{Channel, Target},
    core::event::Event,
};

/// Sends events to a channel: once for each call, without waiting for another try.
pub struct Sender {
    name: String,
    timeout: Duration,
    is_for_people: bool,
    way: Way,
}

enum Way {
    Http(Http),
    Email(Mailer),
    Mqtt(Publisher),
    Exec(Program),
}

/// What a receiver said to something that it took: fit for a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer(pub(super) String);

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the way leads by may be a secret.
impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sender").field(&self.label()).finish()
    }
}

impl Sender {
    /// Nothing is opened before the first event.
    pub fn new(channel: &Channel) -> Self {
        let way = match channel.target.clone() {
            Target::Http(http) => Way::Http(Http::new(http)),
            Target::Email(email) => Way::Email(Mailer::new(email)),
            Target::Mqtt(mqtt) => Way::Mqtt(Publisher::new(mqtt)),
            Target::Exec(exec) => Way::Exec(Program::new(exec)),
        };
        Self {
            name: channel.name.clone(),
            timeout: channel.timeout,
            is_for_people: channel.target.is_for_people(),
            way,
        }
    }

    /// What it is called in logs: its name, and the host where that is another.
    pub fn label(&self) -> String {
        let name = &self.name;
        let host = match &self.way {
            Way::Http(http) => http.host(),
            Way::Email(mailer) => Some(mailer.host()),
            Way::Mqtt(publisher) => Some(publisher.host()),
            Way::Exec(_) => None,
        };
        match host {
            Some(host) if host != name => format!("{name} ({host})"),
            _ => name.clone(),
        }
    }

    /// Whether it takes several events as one message.
    pub fn digests(&self) -> bool {
        self.is_for_people
    }

    /// Sends one event, or several as one message where the channel [digests](Self::digests).
    ///
    /// # Errors
    ///
    /// When the receiver did not say that it took them.
    pub async fn send(&self, events: &[Arc<Event>]) -> Result<(), DeliveryError> {
        self.try_once(events).await.map(drop)
    }

    /// As [`send`](Self::send), and tells what the receiver said.
    ///
    /// # Errors
    ///
    /// When the receiver did not say that it took them.
    pub async fn try_once(&self, events: &[Arc<Event>]) -> Result<Answer, DeliveryError> {
        match &self.way {
            Way::Http(http) => http.send(events, self.timeout).await,
            Way::Email(mailer) => mailer.send(events, self.timeout).await,
            Way::Mqtt(publisher) => publisher.send(events, self.timeout).await,
            Way::Exec(program) => program.send(events, self.timeout).await,
        }
    }
}
