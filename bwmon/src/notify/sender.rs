//! How events get to a channel.

use std::sync::Arc;

use super::{error::DeliveryError, webhook::Webhook};
use crate::{config::Channel, core::event::Event};

/// The way to a channel.
pub(super) struct Sender(Webhook);

impl Sender {
    /// Nothing is opened before the first event.
    pub(super) fn new(channel: &Channel) -> Self {
        Self(Webhook::new(channel))
    }

    /// What the channel is called in logs.
    pub(super) fn label(&self) -> String {
        self.0.label()
    }

    /// Whether people read it, who rather take several events at once.
    pub(super) fn digests(&self) -> bool {
        false
    }

    /// Sends `events`. All is well when each of them was taken.
    pub(super) async fn send(&self, events: &[Arc<Event>]) -> Result<(), DeliveryError> {
        for event in events {
            self.0.post(event).await?;
        }
        Ok(())
    }
}
