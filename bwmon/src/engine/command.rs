//! Does what the owner asks for, and answers once no crash can undo it.

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};

use super::Engine;
use crate::{
    core::{ledger::Done, time::Now},
    http::{Refused, Reply, Request},
    kernel,
    store::Outlives,
};

/// Requests that are done between two looks at the clock.
const AT_ONCE: usize = 16;
/// Answers that may wait for the disk, a little more than there can be clients.
const MOST_WAITING: usize = 100;

/// Answers that wait until what they say is durable.
#[derive(Default)]
pub(super) struct Answers(Vec<Answer>);

struct Answer {
    /// Of the checkpoint that has it.
    at: Timestamp,
    done: Done,
    reply: oneshot::Sender<Reply>,
}

impl Engine {
    /// Does one request, and those that came with it: one checkpoint is enough for all.
    pub(super) fn obey(&mut self, first: Request, requests: &mut mpsc::Receiver<Request>) {
        let now = kernel::now();
        let others = std::iter::from_fn(|| requests.try_recv().ok());
        let mut has_changed = false;
        for request in std::iter::once(first).chain(others).take(AT_ONCE) {
            has_changed |= self.obey_one(&now, request);
        }
        if has_changed {
            self.saved = now.monotonic;
            self.alerts_saved = None;
            self.write_checkpoint(&now, Outlives::PowerCut);
            self.publish(&now);
        }
    }

    fn obey_one(&mut self, now: &Now, request: Request) -> bool {
        let Request { command, reply } = request;
        let done = match self.answers.is_full() {
            true => Err(Refused::Busy),
            false => {
                log::info!("asked for: {command:?}");
                let mut new_id = || uuid::Uuid::new_v4().to_string();
                let done = self.ledger.command(now, command, &mut new_id);
                done.map_err(Refused::Command)
            }
        };
        match done {
            Ok(done) => {
                let at = now.wall;
                self.answers.0.push(Answer { at, done, reply });
                true
            }
            Err(refused) => {
                answer(reply, Err(refused));
                false
            }
        }
    }
}

impl Answers {
    /// Whether one more would be too many. Those that nobody waits for any more don't count.
    fn is_full(&mut self) -> bool {
        self.0.retain(|answer| !answer.reply.is_closed());
        self.0.len() >= MOST_WAITING
    }

    /// Answers what is in checkpoints up to this one.
    pub(super) fn durable(&mut self, up_to: Timestamp) {
        for waiting in self.0.extract_if(.., |answer| answer.at <= up_to) {
            answer(waiting.reply, Ok(waiting.done));
        }
    }

    /// Says that all is in force, but not written.
    pub(super) fn failed(&mut self, why: &str) {
        for waiting in self.0.drain(..) {
            answer(waiting.reply, Err(Refused::NotWritten(why.to_owned())));
        }
    }
}

fn answer(to: oneshot::Sender<Reply>, reply: Reply) {
    if to.send(reply).is_err() {
        log::debug!("who asked has gone");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(answers: &mut Answers, second: i64) -> oneshot::Receiver<Reply> {
        let (reply, receiver) = oneshot::channel();
        answers.0.push(Answer {
            at: Timestamp::from_second(second).unwrap(),
            done: Done::Unmuted,
            reply,
        });
        receiver
    }

    #[test]
    fn an_answer_comes_with_its_checkpoint_and_not_before() {
        let mut answers = Answers::default();
        let (mut early, mut late) = (wait(&mut answers, 10), wait(&mut answers, 11));
        answers.durable(Timestamp::from_second(9).unwrap());
        assert!(early.try_recv().is_err());
        answers.durable(Timestamp::from_second(10).unwrap());
        assert_eq!(early.try_recv().unwrap(), Ok(Done::Unmuted));
        assert!(late.try_recv().is_err());
        answers.durable(Timestamp::from_second(70).unwrap());
        assert_eq!(late.try_recv().unwrap(), Ok(Done::Unmuted));
    }

    #[test]
    fn a_disk_that_fails_is_said_so_once() {
        let mut answers = Answers::default();
        let mut receiver = wait(&mut answers, 10);
        answers.failed("the disk is full");
        let expected = Refused::NotWritten("the disk is full".to_owned());
        assert_eq!(receiver.try_recv().unwrap(), Err(expected));
        assert!(answers.0.is_empty());
    }

    #[test]
    fn answers_that_wait_are_bounded_and_who_has_gone_does_not_count() {
        let mut answers = Answers::default();
        let stay: Vec<_> = (0..MOST_WAITING as i64)
            .map(|second| wait(&mut answers, second))
            .collect();
        assert!(answers.is_full());
        drop(stay);
        assert!(!answers.is_full());
    }
}
