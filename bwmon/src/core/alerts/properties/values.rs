//! What must hold for the values of alerts and for their timing.

use super::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn nothing_fires_that_does_not_exceed_its_threshold(ticks in any_ticks()) {
        let mut world = World::new();
        for tick in ticks {
            for (transition, finding) in world.tick(&tick) {
                if transition.state != EventState::Firing {
                    continue;
                }
                prop_assert!(finding.is_some_and(|finding| is_broken(&finding)));
                let Alert { rule, observed, threshold, level, .. } = *transition.alert;
                match rule {
                    RuleKind::NewDevice => prop_assert!(observed < threshold),
                    RuleKind::Quota | RuleKind::Silent => prop_assert!(observed >= threshold),
                    _ => prop_assert!(observed > threshold),
                }
                prop_assert_eq!(level, observed);
            }
        }
    }

    #[test]
    fn a_rate_fires_only_after_ten_seconds_over_without_a_break(ticks in any_ticks()) {
        let limits = [1000.0, 1400.0, 800.0, f64::INFINITY];
        let mut world = World::new();
        let mut over_since: [Option<Monotonic>; 2] = [None; 2];
        for tick in &ticks {
            let told = world.tick(tick);
            if matches!(tick.happening, Happening::Join) {
                // What the phone did was the laptop's doing.
                over_since = [over_since.into_iter().flatten().min(), None];
            }
            for (since, traffic) in over_since.iter_mut().zip(tick.traffic) {
                let over = !tick.is_muted && traffic.bytes_per_sec > limits[tick.rules];
                *since = over.then(|| since.unwrap_or(world.now.monotonic));
            }
            for (transition, _) in told {
                let rule = transition.alert.rule();
                let is_total = (rule.kind, rule.direction) == (RuleKind::Rate, Direction::Total);
                if is_total && transition.state == EventState::Firing {
                    let index = usize::from(transition.alert.device.id == "phone");
                    let since = over_since[index].map(|since| world.now.monotonic.since(since));
                    prop_assert!(since >= Some(Duration::from_secs(10)), "{since:?}");
                }
            }
        }
    }

    #[test]
    fn a_cooldown_is_broken_only_by_what_is_worse(ticks in calm_ticks()) {
        let mut world = World::new();
        let mut before: BTreeMap<(String, Rule), (Duration, Arc<Alert>)> = BTreeMap::new();
        for tick in &ticks {
            for (transition, finding) in world.tick(tick) {
                let alert = transition.alert;
                let (key, now) = ((alert.device.id.clone(), alert.rule()), world.now.monotonic.0);
                match transition.state {
                    EventState::Firing => {}
                    EventState::Reminder => continue,
                    EventState::Resolved => {
                        before.insert(key, (now, alert));
                        continue;
                    }
                }
                let Some((ended, told)) = before.get(&key) else { continue };
                match finding.map(|finding| finding.timing.cooldown) {
                    Some(Cooldown::Period) if alert.period == told.period => {
                        prop_assert!(alert.threshold > told.threshold, "{told:?} {alert:?}");
                    }
                    Some(Cooldown::For(time)) => {
                        let quiet = now - *ended < told.damped.unwrap_or(time);
                        prop_assert!(!quiet || alert.observed >= 2 * told.level, "{told:?} {alert:?}");
                    }
                    _ => {}
                }
            }
        }
    }

    #[test]
    fn a_silence_is_doubled_only_soon_after_another(ticks in calm_ticks()) {
        let mut world = World::new();
        // When each silence began, and how long it is.
        let mut before: BTreeMap<(String, Rule), (Duration, Duration)> = BTreeMap::new();
        let mut fired: BTreeMap<String, Option<Duration>> = BTreeMap::new();
        for tick in &ticks {
            for (transition, _) in world.tick(tick) {
                let alert = transition.alert;
                if !matches!(alert.rule, RuleKind::Rate | RuleKind::Surge | RuleKind::Silent) {
                    prop_assert_eq!(alert.damped, None);
                    continue;
                }
                let (key, now) = ((alert.device.id.clone(), alert.rule()), world.now.monotonic.0);
                match transition.state {
                    EventState::Firing => {
                        let before = before.get(&key);
                        let before = before.filter(|(began, silence)| now - *began < 5 * *silence);
                        let doubled = before.map(|(_, silence)| (2 * *silence).min(Duration::from_secs(86_400)));
                        fired.insert(alert.id.clone(), doubled);
                    }
                    EventState::Reminder => {}
                    EventState::Resolved => {
                        prop_assert_eq!(alert.damped, fired[&alert.id]);
                        before.insert(key, (now, alert.damped.unwrap_or(COOLDOWN)));
                    }
                }
            }
        }
    }

    #[test]
    fn an_alert_ends_with_its_length_its_bytes_and_its_peak(ticks in calm_ticks()) {
        let mut world = World::new();
        let mut open: BTreeMap<String, (Duration, u64, u64)> = BTreeMap::new();
        for tick in &ticks {
            let told = world.tick(tick);
            let now = world.now.monotonic.0;
            let ended = told.iter().filter(|(told, _)| told.state == EventState::Resolved);
            let ended: Vec<Alert> = ended.map(|(told, _)| Alert::clone(&told.alert)).collect();
            for alert in ended.iter().chain(world.alerts.open()) {
                let traffic = tick.traffic[usize::from(alert.device.id == "phone")];
                let (share, rate) = match alert.direction {
                    Direction::Total => (traffic.bytes, traffic.bytes_per_sec),
                    Direction::Sent => (traffic.bytes / 3, traffic.bytes_per_sec / 4.0),
                    Direction::Received => (traffic.bytes - traffic.bytes / 3, traffic.bytes_per_sec * 0.75),
                };
                let rate = rate as u64;
                let first = !open.contains_key(&alert.id);
                let (began, bytes, peak) = open.entry(alert.id.clone()).or_insert((now, 0, rate));
                let is_known = !matches!(alert.ending, Some(Ending::DayOver | Ending::SwitchedOff));
                if !first && is_known {
                    *bytes += share;
                    *peak = rate.max(*peak);
                }
                if alert.ending == Some(Ending::SwitchedOff) {
                    // Where the rule is gone, so are its facts; where the device is muted, not.
                    prop_assert!(alert.moved_bytes >= *bytes);
                    continue;
                }
                prop_assert_eq!(alert.lasted, now - *began);
                prop_assert_eq!((alert.moved_bytes, alert.peak_bytes_per_sec), (*bytes, *peak));
            }
        }
    }
}
