//! Tells people: events go to channels, in order, at least once, and with the same id on every try.
//!
//! Each channel has a queue and a task of its own, so that one that is down holds up no other, and
//! nothing here holds up the caller. What waits is kept on disk by the caller: it gets an
//! [`Entry`] for each event and channel, says when these are safe, and hears what became of them.
//! So nothing here knows a database, and a process that is killed tells an event twice at worst.
//!
//! The URL of a channel may be a secret. Nothing here shows more of it than the host, neither in
//! logs nor in errors.

mod client;
mod clock;
mod email;
mod error;
mod escape;
mod excerpt;
mod exec;
mod hours;
mod http;
mod message;
mod mqtt;
mod notifier;
mod pace;
mod queue;
mod request;
mod results;
mod retry_after;
mod sender;
mod sign;
mod worker;

#[cfg(test)]
mod tests;

pub use error::DeliveryError;
pub use notifier::{ChannelStats, Entry, Notifier, Restored};
pub use results::{Failed, Fate, Settled};
pub use sender::{Answer, Sender};
