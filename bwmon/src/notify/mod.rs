//! Tells people: events go to channels, in order, at least once, and with the same id on every try.
//!
//! Each channel has a queue and a task of its own, so that one that is down holds up no other, and
//! nothing here holds up the caller. What waits is in memory for now: `queue` is the place that a
//! queue on disk will take.
//!
//! The URL of a channel may be a secret. Nothing here shows more of it than the host, neither in
//! logs nor in errors.

mod client;
mod email;
mod error;
mod escape;
mod excerpt;
mod exec;
mod http;
mod message;
mod mqtt;
mod notifier;
mod pace;
mod queue;
mod request;
mod retry_after;
mod sender;
mod sign;
mod worker;

#[cfg(test)]
mod tests;

pub use error::DeliveryError;
pub use notifier::{ChannelStats, Notifier};
pub use sender::{Answer, Sender};
