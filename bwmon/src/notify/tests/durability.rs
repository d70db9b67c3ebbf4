//! Together with whoever keeps the entries, nothing is lost.

use super::*;

/// What a disk would keep.
#[derive(Default)]
struct Disk {
    waiting: Vec<Entry>,
    last_seq: u64,
}

impl Disk {
    fn keep(&mut self, entries: Vec<Entry>) {
        self.last_seq = entries
            .iter()
            .map(|entry| entry.seq)
            .fold(self.last_seq, u64::max);
        self.waiting.extend(entries);
    }

    fn settle(&mut self, notifier: &Notifier) {
        let settled = notifier.take_settled();
        self.waiting
            .retain(|entry| settled.iter().all(|settled| settled.seq != entry.seq));
    }

    /// A new run, which goes on where the disk is.
    fn start(&self, channels: Vec<Channel>, ran: Duration) -> Notifier {
        let restored = Restored {
            waiting: self.waiting.clone(),
            last_seq: self.last_seq,
            ran,
            ..Restored::default()
        };
        let clock = Clock::new(ran, now);
        Notifier::with(channels, restored, TimeZone::UTC, clock, QUICK)
    }
}

#[tokio::test]
async fn an_event_goes_only_once_it_is_safe() {
    let mut receiver = Receiver::new(vec![Reply::OK, Reply::OK, Reply::OK]);
    let notifier = notifier([webhook("phone", receiver.url("/"))]);
    let entries: Vec<Entry> = ["one", "two", "three"]
        .iter()
        .flat_map(|id| notifier.push(&event(id), now()))
        .collect();
    let seqs: Vec<u64> = entries.iter().map(|entry| entry.seq).collect();
    assert_eq!(seqs, [1, 2, 3]);
    assert_eq!(
        *entries[0].body,
        serde_json::to_string(&*event("one")).unwrap()
    );
    assert!(notifier.awaits_release());

    notifier.release(2);
    assert_eq!(receiver.ids(2).await, ["one", "two"]);
    let stats = until(&notifier, |stats| stats.delivered == 2).await;
    assert_eq!((stats.waiting, stats.oldest), (1, Some(now())));
    assert!(notifier.awaits_release());
    notifier.release_all();
    assert!(!notifier.awaits_release());
    assert_eq!(receiver.ids(1).await, ["three"]);
}

#[tokio::test]
async fn a_run_that_is_killed_at_any_point_loses_no_event() {
    let ids: Vec<String> = (0..8).map(|id| id.to_string()).collect();
    let mut disk = Disk::default();
    let mut seen: Vec<String> = vec![];
    // Each run gets so many deliveries through, hears of them or not, and is killed.
    for (told, count, hears) in [(5, 0, true), (1, 2, true), (2, 1, false), (0, 3, true)] {
        let replies = (0..count).map(|_| Reply::OK).chain([Reply::Hang]);
        let mut receiver = Receiver::new(replies.collect());
        let channel = Channel {
            timeout: Duration::from_secs(600),
            ..webhook("phone", receiver.url("/"))
        };
        let notifier = disk.start(vec![channel], Duration::ZERO);
        let first = usize::try_from(disk.last_seq).unwrap();
        for id in &ids[first..first + told] {
            disk.keep(notifier.push(&event(id), now()));
        }
        notifier.release_all();
        // The last one is on its way when the end comes.
        seen.extend(receiver.ids(count).await);
        receiver.request().await;
        if hears {
            disk.settle(&notifier);
        }
    }
    let left = disk.waiting.iter().map(|entry| entry.event.id.clone());
    let mut all: Vec<String> = seen.iter().cloned().chain(left).collect();
    // In order, and twice only what nobody heard of.
    assert_eq!(seen, ["0", "1", "2", "2", "3", "4"]);
    all.dedup();
    assert_eq!(all, ids);
}

#[tokio::test]
async fn what_an_earlier_run_left_for_a_channel_that_is_gone_is_given_up() {
    let mut receiver = Receiver::new(vec![Reply::OK]);
    let mut disk = Disk::default();
    let channels = ["phone", "pager"].map(|name| webhook(name, "http://127.0.0.1:1/".to_owned()));
    disk.keep(notifier(channels).push(&event("one"), now()));
    let notifier = disk.start(vec![webhook("pager", receiver.url("/"))], Duration::ZERO);
    let removed = Settled {
        seq: 1,
        fate: Fate::Removed,
    };
    assert_eq!(notifier.take_settled(), [removed]);
    assert_eq!(receiver.ids(1).await, ["one"]);
    // Nothing that is new takes the place of something else.
    assert_eq!(notifier.push(&event("two"), now())[0].seq, 3);
}

#[tokio::test]
async fn age_is_the_time_that_bwmon_has_run() {
    let day = Duration::from_secs(86_400);
    let receiver = Receiver::new(vec![]);
    let channel = Channel {
        max_age: day,
        ..webhook("phone", receiver.url("/"))
    };
    // It happened in 1970, by the clock of that time.
    let mut disk = Disk::default();
    let old = notifier([channel.clone()]);
    disk.keep(old.push(&event("one"), Timestamp::UNIX_EPOCH));
    for (ran, given_up) in [(day / 2, 0), (day, 1)] {
        let notifier = disk.start(vec![channel.clone()], ran);
        let stats = until(&notifier, |stats| stats.failed > 0).await;
        assert_eq!(stats.given_up, given_up, "{ran:?}");
    }
}

#[tokio::test]
async fn what_waits_too_long_is_given_up_together() {
    let receiver = Receiver::new(vec![]);
    let mut disk = Disk::default();
    let channel = webhook("phone", receiver.url("/"));
    let old = notifier([channel.clone()]);
    for id in 0..5 {
        disk.keep(old.push(&event(id), now()));
    }
    let notifier = disk.start(vec![channel.clone()], channel.max_age);
    let stats = settled(&notifier).await;
    assert_eq!((stats.failed, stats.given_up), (1, 5));
    assert_eq!(notifier.take_settled().len(), 5);
    assert_eq!(notifier.failed()[0].event.id, "4");
}

#[tokio::test]
async fn who_waits_is_told_that_something_was_settled() {
    let receiver = Receiver::new(vec![Reply::OK]);
    let notifier = notifier([webhook("phone", receiver.url("/"))]);
    tell(&notifier, &event("one"));
    tokio::time::timeout(Duration::from_secs(20), notifier.settled())
        .await
        .unwrap();
    let delivered = Settled {
        seq: 1,
        fate: Fate::Delivered,
    };
    assert_eq!(notifier.take_settled(), [delivered]);
}
