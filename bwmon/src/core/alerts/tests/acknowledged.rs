use super::*;

fn acknowledged(bench: &Bench) -> Option<Acknowledged> {
    bench.alerts.open().next().unwrap().acknowledged.clone()
}

#[test]
fn who_takes_care_is_not_reminded_but_told_the_end() {
    let mut bench = Bench::new(RuleKind::Rate);
    assert_eq!(bench.run(0..=20, |_| repeated(1001)), [(10, Firing)]);
    bench.alerts.acknowledge("1", &at(20), Some("Ann")).unwrap();
    assert_eq!(bench.run(21..=400, |_| repeated(1001)), []);
    assert_eq!(bench.run(401..=440, |_| repeated(0)), [(431, Resolved)]);
    let closed = bench.alerts.closed().next().unwrap();
    let by = closed.acknowledged.as_ref().unwrap();
    assert_eq!((by.at, by.by.as_deref()), (at(20).wall, Some("Ann")));
}

#[test]
fn taken_back_reminders_go_on() {
    let mut bench = Bench::new(RuleKind::Rate);
    bench.run(0..=20, |_| repeated(1001));
    bench.alerts.acknowledge("1", &at(20), None).unwrap();
    assert!(acknowledged(&bench).is_some());
    bench.alerts.unacknowledge("1").unwrap();
    assert_eq!(acknowledged(&bench), None);
    let told = bench.run(21..=130, |_| repeated(1001));
    assert_eq!(told, [(70, Reminder), (130, Reminder)]);
}

#[test]
fn a_restart_forgets_no_acknowledgement() {
    let mut bench = Bench::new(RuleKind::Rate);
    bench.run(0..=20, |_| repeated(1001));
    bench.alerts.acknowledge("1", &at(20), Some("Ann")).unwrap();
    let before = acknowledged(&bench);
    let saved = serde_json::to_string(&bench.alerts.records(&at(20))).unwrap();
    let saved: Vec<AlertRecord> = serde_json::from_str(&saved).unwrap();
    bench.alerts = Alerts::restore(saved, &at(21));
    assert_eq!(acknowledged(&bench), before);
    assert_eq!(bench.run(21..=400, |_| repeated(1001)), []);
}

#[test]
fn only_what_fires_can_be_acknowledged() {
    let mut bench = Bench::new(RuleKind::Rate);
    bench.step(0, repeated(1001));
    let pending = Err(AcknowledgeError::Pending("1".to_owned()));
    assert_eq!(bench.alerts.acknowledge("1", &at(0), None), pending);
    assert_eq!(bench.alerts.unacknowledge("1"), pending);
    bench.step(10, repeated(1001));
    let unknown = |id: &str| Err(AcknowledgeError::Unknown(id.to_owned()));
    assert_eq!(bench.alerts.acknowledge("7", &at(10), None), unknown("7"));
    let id = "\u{1b}[2J".repeat(1000);
    let shown = bench.alerts.acknowledge(&id, &at(10), None).unwrap_err();
    assert!(!shown.to_string().contains('\u{1b}') && shown.to_string().len() < 300);
    bench.run(11..=50, |_| repeated(0));
    assert_eq!(bench.alerts.acknowledge("1", &at(50), None), unknown("1"));
}

#[test]
fn who_says_so_is_safe_to_show() {
    let mut bench = Bench::new(RuleKind::Rate);
    bench.run(0..=10, |_| repeated(1001));
    for (by, shown) in [
        (Some("A\u{1b}nn\n"), Some("Ann".to_owned())),
        (Some("\u{202e}"), None),
        (None, None),
        (Some(&*"ü".repeat(1000)), Some("ü".repeat(199) + "…")),
    ] {
        bench.alerts.acknowledge("1", &at(10), by).unwrap();
        assert_eq!(acknowledged(&bench).unwrap().by, shown);
    }
}
