//! One try to post an event.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::{Client, RequestBuilder, Response, Url, header::CONTENT_TYPE};
use tokio::sync::OnceCell;

use super::{
    client::{self, client},
    error::DeliveryError,
    excerpt::{Secrets, excerpt},
    retry_after::retry_after,
};
use crate::{
    config::{self, Channel, Target},
    core::event::Event,
};

/// Of an answer, no more is read than this.
const ANSWER_BYTES: usize = 8 * 1024;

/// Tries once, as `bwmon notify-test` does.
pub async fn try_once(channel: &Channel, event: &Event) -> Result<(), DeliveryError> {
    Webhook::new(channel).post(event).await
}

/// A webhook that is posted to.
pub(super) struct Webhook {
    name: String,
    timeout: Duration,
    settings: config::Webhook,
    /// `None` where the text is none.
    target: Option<Place>,
}

struct Place {
    url: Url,
    secrets: Secrets,
    client: OnceCell<Client>,
}

impl Webhook {
    /// Nothing is opened before the first post.
    pub(super) fn new(channel: &Channel) -> Self {
        let Target::Webhook(settings) = channel.target.clone();
        let token = settings.token.as_ref().map(|token| token.reveal());
        let url = settings.url.reveal().parse::<Url>().ok();
        let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let target = url.map(|url| Place {
            secrets: Secrets::new(&url, token),
            client: OnceCell::new(),
            url,
        });
        Self {
            name: channel.name.clone(),
            timeout: channel.timeout,
            settings,
            target,
        }
    }

    /// What it is called in logs: its name, and the host where that is another.
    pub(super) fn label(&self) -> String {
        let name = &self.name;
        match &self.target {
            Some(target) if client::host(&target.url) != name => {
                format!("{name} ({})", client::host(&target.url))
            }
            _ => name.clone(),
        }
    }

    /// Posts `event`; all is well when that was answered by 2xx.
    pub(super) async fn post(&self, event: &Event) -> Result<(), DeliveryError> {
        let Place {
            url,
            secrets,
            client: cell,
        } = self.target.as_ref().ok_or(DeliveryError::Url)?;
        let client = cell.get_or_try_init(|| client(url)).await?;
        let unanswered = |error| DeliveryError::unanswered(&event.id, self.timeout, &error);
        let request = self.request(client.post(url.clone()), event)?;
        let mut answer = request.send().await.map_err(unanswered)?;
        let status = answer.status();
        let retry_after = retry_after(answer.headers(), Timestamp::now());
        let body = start(&mut answer).await;
        if status.is_success() {
            Ok(())
        } else if status.is_redirection() {
            Err(DeliveryError::Redirect {
                status,
                retry_after,
            })
        } else {
            Err(DeliveryError::Status {
                status,
                body: excerpt(&body, secrets),
                retry_after,
            })
        }
    }

    fn request(
        &self,
        request: RequestBuilder,
        event: &Event,
    ) -> Result<RequestBuilder, DeliveryError> {
        let body = serde_json::to_vec(event).map_err(|error| DeliveryError::Request {
            event: event.id.clone(),
            reason: error.to_string(),
        })?;
        let mut request = request
            .timeout(self.timeout)
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", &event.id)
            .header("webhook-timestamp", Timestamp::now().as_second())
            .body(body);
        if let Some(token) = &self.settings.token {
            request = request.bearer_auth(token.reveal());
        }
        Ok(request)
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
