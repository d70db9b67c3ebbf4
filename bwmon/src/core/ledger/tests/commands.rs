//! What the owner asks for, while traffic goes on.

use super::*;
use crate::core::{alerts::MuteError, ledger::commands::MUTE_SECONDS};

const LAPTOP: &str = "10.0.0.5";

impl Day {
    fn command(&mut self, command: Command) -> Result<Done, CommandError> {
        self.ids += 1;
        let id = format!("m{}", self.ids);
        self.ledger.command(&self.now, command, &mut || id.clone())
    }

    fn mute(&mut self, subject: Option<&str>, end: MuteEnd) -> Result<MuteView, CommandError> {
        let mute = NewMute {
            subject: subject.map(str::to_owned),
            rule: None,
            end,
            reason: Some("\u{1b}quiet please\n".to_owned()),
        };
        match self.command(Command::Mute(mute))? {
            Done::Muted(view) => Ok((*view).clone()),
            other => panic!("{other:?}"),
        }
    }

    fn unmute(&mut self, id: &str) -> Result<Done, CommandError> {
        self.command(Command::Unmute { id: id.to_owned() })
    }

    fn acknowledge(&mut self, id: &str) -> Result<Done, CommandError> {
        self.command(Command::Acknowledge {
            id: id.to_owned(),
            by: Some("Ann".to_owned()),
        })
    }

    fn mutes(&mut self) -> Vec<String> {
        let views = self.ledger.mute_views();
        views.iter().map(|mute| mute.id.clone()).collect()
    }

    /// The id of an alert about the laptop, which begins with this.
    fn fire(&mut self) -> String {
        let told = self.sample(&[(LAPTOP, download(2_000))]);
        told[0].alert.id.clone()
    }
}

#[test]
fn an_alert_is_acknowledged_and_shown_so_until_that_is_undone() {
    let mut day = Day::new(laptop(1_000));
    let id = day.fire();
    let before = day.ledger.alert_views();
    let Ok(Done::Alert(alert)) = day.acknowledge(&id) else {
        panic!("not acknowledged")
    };
    assert_eq!(alert.acknowledged_by.as_deref(), Some("Ann"));
    assert!(alert.acknowledged_at.is_some());
    assert_eq!(day.ledger.alert_views()[0], alert);
    assert_eq!(before[0].acknowledged_at, None, "what was shown stays");

    let long = "é".repeat(300);
    let by = Command::Acknowledge {
        id: id.clone(),
        by: Some(long),
    };
    let Ok(Done::Alert(alert)) = day.command(by) else {
        panic!("not acknowledged")
    };
    let by = alert.acknowledged_by.as_deref().unwrap_or_default();
    assert_eq!(by, format!("{}…", "é".repeat(199)));

    let undo = Command::Unacknowledge { id };
    let Ok(Done::Alert(alert)) = day.command(undo) else {
        panic!("not undone")
    };
    assert_eq!(alert.acknowledged_at, None);
    assert_eq!(day.ledger.alert_views()[0], alert);
}

#[test]
fn only_an_alert_that_fires_is_acknowledged() {
    let mut day = Day::new(laptop(1_000));
    let id = day.fire();
    day.ledger.apply(laptop(1_000_000));
    assert_eq!(day.sample(&[]).len(), 1, "it is over");
    for (id, expected) in [
        (id.as_str(), CommandError::Over(id.clone())),
        ("x\u{1b}9", CommandError::NoAlert("x9".to_owned())),
    ] {
        assert_eq!(day.acknowledge(id), Err(expected));
    }
}

#[test]
fn a_muted_device_fires_once_it_is_unmuted_even_at_rest() {
    let mut day = Day::new(laptop(1_000));
    day.sample(&[(LAPTOP, download(10))]);
    let mute = day.mute(Some(LAPTOP), MuteEnd::Never).unwrap();
    assert_eq!(mute.device.as_deref(), Some(LAPTOP));
    assert_eq!(mute.reason.as_deref(), Some("quiet please"));
    assert_eq!(day.sample(&[(LAPTOP, download(2_000))]), []);
    for _ in 0..200 {
        assert_eq!(day.sample(&[]), []);
    }
    assert_eq!(day.unmute(&mute.id), Ok(Done::Unmuted));
    let told = day.sample(&[]);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].alert.device.id, LAPTOP);
    assert_eq!(
        day.unmute(&mute.id),
        Err(CommandError::Mute(MuteError::Unknown(mute.id)))
    );
}

#[test]
fn a_device_is_named_by_id_or_address_and_a_total_by_its_id() {
    let mut policy = laptop(1_000);
    let limits = Limits::simple(Setting::At(1_000), Setting::Inherit, Setting::Inherit);
    policy.interfaces.insert("br-lan".to_owned(), limits);
    let mut day = Day::new(policy);
    day.ledger.learn(ip("10.0.0.9"), MAC);
    day.sample(&[(LAPTOP, download(1)), ("10.0.0.9", download(1))]);
    let mac = MAC.to_string();
    for (text, expected) in [
        (LAPTOP, Some(LAPTOP)),
        ("10.0.0.9", Some(mac.as_str())),
        (&mac, Some(&mac)),
        (&mac.to_uppercase().replace(':', "-"), Some(&mac)),
        ("10.0.0.77", None),
        ("Laptop", None),
        ("group:nobody", None),
        ("interface:br-lan", Some("interface:br-lan")),
        ("interface:eth1", None),
        ("", None),
    ] {
        let muted = day.mute(Some(text), MuteEnd::Never);
        let device = muted.ok().and_then(|mute| mute.device);
        assert_eq!(device.as_deref(), expected, "{text}");
    }
}

#[test]
fn a_muted_device_fires_once_its_mute_is_over_even_at_rest() {
    let mut day = Day::new(laptop(1_000));
    day.mute(Some(LAPTOP), MuteEnd::After(3_600)).unwrap();
    assert_eq!(day.sample(&[(LAPTOP, download(2_000))]), []);
    for _ in 0..3 {
        assert_eq!(day.after(Duration::from_secs(600), &[]), []);
    }
    let told = day.after(Duration::from_secs(3_600), &[]);
    assert_eq!(told[0].state, EventState::Firing);
}

#[test]
fn a_mute_ends_by_the_wall_clock_also_where_nothing_moves() {
    let mut day = Day::new(laptop(1_000));
    day.sample(&[]);
    let soon = day.mute(None, MuteEnd::After(10)).unwrap();
    let then = day.now.wall + SignedDuration::from_secs(20);
    let later = day.mute(None, MuteEnd::At(then)).unwrap();
    let never = day.mute(None, MuteEnd::Never).unwrap();
    assert_eq!(soon.until.as_deref(), Some("2026-03-08T10:00:11+00:00"));
    assert_eq!(later.until.as_deref(), Some("2026-03-08T10:00:21+00:00"));
    for (seconds, expected) in [
        (9, vec![&soon.id, &later.id, &never.id]),
        (1, vec![&later.id, &never.id]),
        (10, vec![&never.id]),
    ] {
        day.after(Duration::from_secs(seconds), &[]);
        assert_eq!(day.mutes().iter().collect::<Vec<_>>(), expected);
    }
    for seconds in [0, MUTE_SECONDS + 1, u64::MAX] {
        let refused = day.mute(None, MuteEnd::After(seconds));
        assert_eq!(refused, Err(CommandError::TooLong(seconds)));
    }
    let past = MuteEnd::At(day.now.wall);
    assert!(matches!(
        day.mute(None, past),
        Err(CommandError::Mute(MuteError::Past(_)))
    ));
}

#[test]
fn a_restart_keeps_mutes_and_acknowledgements_and_writes_them_only_when_they_change() {
    let mut day = Day::new(laptop(1_000));
    let id = day.fire();
    day.acknowledge(&id).unwrap();
    let mute = day.mute(Some(LAPTOP), MuteEnd::Never).unwrap();
    day.restart(laptop(1_000));
    day.sample(&[(LAPTOP, download(1))]);
    assert_eq!(day.mutes(), std::slice::from_ref(&mute.id));
    let alerts = day.ledger.alert_views();
    assert_eq!(alerts[0].acknowledged_by.as_deref(), Some("Ann"));

    let changes = |day: &mut Day| {
        let memory = day.ledger.take_changes(Occasion::Checkpoint).memory;
        let mut contents = memory.into_iter().filter_map(|memory| memory.content);
        contents.find_map(|content| match content {
            Remembered::Mutes(mutes) => Some(mutes.len()),
            _ => None,
        })
    };
    assert_eq!(changes(&mut day), None);
    day.unmute(&mute.id).unwrap();
    assert_eq!(changes(&mut day), Some(0));
    assert_eq!(changes(&mut day), None);
}
