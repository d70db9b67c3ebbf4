//! One try to send a request, whatever the receiver.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use reqwest::{Client, Response, Url};
use tokio::sync::OnceCell;

use super::{
    client::{self, client},
    error::DeliveryError,
    excerpt::{Secrets, excerpt},
    request::{Request, request},
    retry_after::retry_after,
    sender::Answer,
};
use crate::{
    config::{HttpReceiver, Method},
    core::event::Event,
};

/// Of an answer, no more is read than this.
const ANSWER_BYTES: usize = 8 * 1024;

/// A receiver that speaks HTTP.
pub(super) struct Http {
    settings: HttpReceiver,
    /// `None` where the text is none.
    url: Option<Url>,
    client: OnceCell<Client>,
}

impl Http {
    pub(super) fn new(settings: HttpReceiver) -> Self {
        let url = settings.url.reveal().parse::<Url>().ok();
        let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        Self {
            settings,
            url,
            client: OnceCell::new(),
        }
    }

    /// The host, which is all of the URL that may be shown.
    pub(super) fn host(&self) -> Option<&str> {
        self.url.as_ref().map(client::host)
    }

    /// Sends events; all is well when that was answered by 2xx.
    pub(super) async fn send(
        &self,
        events: &[Arc<Event>],
        timeout: Duration,
    ) -> Result<Answer, DeliveryError> {
        let url = self.url.as_ref().ok_or(DeliveryError::Url)?;
        let ca = self.settings.ca.as_ref();
        let client = self.client.get_or_try_init(|| client(url, ca)).await?;
        let Request {
            method,
            url: to,
            headers,
            body,
        } = request(&self.settings.shape, url, events, Timestamp::now())?;
        let request = match method {
            Method::Post => client.post(to),
            Method::Put => client.put(to),
        };
        let request = request.timeout(timeout).headers(headers).body(body);
        let id = events.first().map_or("", |event| &event.id);
        let unanswered = |error| DeliveryError::unanswered(id, timeout, &error);
        let mut answer = request.send().await.map_err(unanswered)?;
        let status = answer.status();
        let headers = answer.headers().clone();
        let body = start(&mut answer).await;
        let retry_after = || retry_after(&headers, &body, Timestamp::now());
        let said = || excerpt(&body, &Secrets::new(url, &self.settings.shape.secrets()));
        if status.is_success() {
            Ok(Answer(format!("{status}{}", said())))
        } else if status.is_redirection() {
            Err(DeliveryError::Redirect {
                status,
                retry_after: retry_after(),
            })
        } else {
            Err(DeliveryError::Status {
                status,
                body: said(),
                retry_after: retry_after(),
            })
        }
    }
}

/// The start of what was answered. That it ends early changes nothing about the status.
async fn start(answer: &mut Response) -> Vec<u8> {
    let mut start = Vec::new();
    while let Ok(Some(chunk)) = answer.chunk().await {
        let room = ANSWER_BYTES - start.len();
        start.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if start.len() == ANSWER_BYTES {
            break;
        }
    }
    start
}
