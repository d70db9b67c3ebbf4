//! Why an event was not delivered.

use std::{error::Error, process::ExitStatus, sync::Arc, time::Duration};

use reqwest::StatusCode;

use crate::core::event::Event;

/// An event was not delivered.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// The URL of the channel is none that an event can be posted to.
    #[error("its url is not one that starts with http:// or https:// and names a host")]
    Url,
    /// There is nothing to verify the receiver with.
    #[error(
        "cannot verify {host}: {reason}; install root certificates (package ca-certificates, on OpenWrt ca-bundle)"
    )]
    Certificates {
        /// The receiver.
        host: String,
        /// Why.
        reason: String,
    },
    /// There is no connection, or no trust in it.
    #[error("cannot connect: {0}")]
    Connect(String),
    /// It took too long.
    #[error("no answer within {0:?}")]
    Timeout(Duration),
    /// The connection broke off.
    #[error("got no answer: {0}")]
    Exchange(String),
    /// The receiver is somewhere else.
    #[error(
        "answered {status}, a redirect, which is not followed; put the address it leads to into the configuration"
    )]
    Redirect {
        /// 3xx.
        status: StatusCode,
        /// What the receiver asks for.
        retry_after: Option<Duration>,
    },
    /// The receiver did not take it.
    #[error("answered {status}{body}")]
    Status {
        /// Neither 2xx nor 3xx.
        status: StatusCode,
        /// A colon and the start of what it says; empty if it says nothing.
        body: String,
        /// What the receiver asks for.
        retry_after: Option<Duration>,
    },
    /// The mail server did not take it, or is not there.
    #[error("the mail server{0}")]
    Mail(String),
    /// The broker did not take it, or is not there.
    #[error("the broker{0}")]
    Broker(String),
    /// There is no program to run.
    #[error("its command is empty")]
    Command,
    /// The program can't be run.
    #[error("cannot run {program:?}: {reason}")]
    Run {
        /// Its path.
        program: String,
        /// Why.
        reason: String,
    },
    /// The program did not end.
    #[error("did not end within {0:?}, and was killed")]
    Overran(Duration),
    /// The program failed.
    #[error("{status}{said}")]
    Exit {
        /// How it ended.
        status: ExitStatus,
        /// A colon and the start of what it says on stderr; empty if it says nothing.
        said: String,
    },
    /// The event can't be put into a request.
    #[error("cannot make a request of event {event}: {reason}")]
    Request {
        /// Its id.
        event: String,
        /// Why.
        reason: String,
    },
}

/// Failures of a kind are logged once, until there is one of another kind or a success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind(std::mem::Discriminant<DeliveryError>, Option<StatusCode>);

impl DeliveryError {
    /// A channel that takes single events got several, or none.
    pub(super) fn several(events: &[Arc<Event>]) -> Self {
        Self::Request {
            event: events
                .first()
                .map(|event| event.id.clone())
                .unwrap_or_default(),
            reason: format!(
                "this channel takes one event at a time, not {}",
                events.len()
            ),
        }
    }

    /// What became of a request that was not answered within `timeout`.
    pub(super) fn unanswered(event: &str, timeout: Duration, error: &reqwest::Error) -> Self {
        // reqwest's own text has the URL, and says less than what is behind it.
        let reason = innermost(error);
        if error.is_builder() {
            Self::Request {
                event: event.to_owned(),
                reason,
            }
        } else if error.is_connect() {
            Self::Connect(reason)
        } else if error.is_timeout() {
            Self::Timeout(timeout)
        } else {
            Self::Exchange(reason)
        }
    }

    /// Whether another try would be in vain.
    pub(super) fn is_permanent(&self) -> bool {
        // All else may change: a token, a redirect of a portal, a page that is under maintenance.
        matches!(self, Self::Request { .. })
    }

    /// How long the receiver wants to be left alone.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Redirect { retry_after, .. } | Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// For telling a change.
    pub(super) fn kind(&self) -> Kind {
        let status = match self {
            Self::Redirect { status, .. } | Self::Status { status, .. } => Some(*status),
            _ => None,
        };
        Kind(std::mem::discriminant(self), status)
    }
}

/// The first cause, which is the one that says what happened.
pub(super) fn innermost(error: &reqwest::Error) -> String {
    let Some(mut cause) = error.source() else {
        return if error.is_timeout() {
            "timed out".to_owned()
        } else {
            "no reason given".to_owned()
        };
    };
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
