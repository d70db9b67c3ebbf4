use super::*;

const LIMIT: u64 = 1000;
const STEPS: [u8; 3] = [50, 80, 100];

fn step(step: usize) -> InForce {
    let mut rule = rule(Condition::Quota {
        limit: LIMIT,
        percent: STEPS[step],
        next_percent: STEPS.get(step + 1).copied(),
    });
    rule.rule.step = step as u8;
    rule
}

fn of_cycle(bytes: u64) -> CycleUsage {
    CycleUsage {
        received: bytes,
        ..*NOTHING
    }
}

#[test]
fn a_step_is_broken_when_it_is_reached_until_it_is_the_next_ones_turn() {
    for (bytes, levels) in [
        (0, [Clear, Clear, Clear]),
        (499, [Clear, Clear, Clear]),
        (500, [Broken, Clear, Clear]),
        (799, [Broken, Clear, Clear]),
        (800, [Within, Broken, Clear]),
        (1000, [Within, Within, Broken]),
        (u64::MAX, [Within, Within, Broken]),
    ] {
        let (usage, used) = (DayUsage::on(DAY), of_cycle(bytes));
        for (index, level) in levels.into_iter().enumerate() {
            let facts = Facts {
                used: &used,
                ..facts(&usage)
            };
            check(facts, &step(index), Some((bytes, level)));
        }
    }
}

#[test]
fn an_odd_limit_has_whole_steps_and_a_huge_one_too() {
    assert_eq!([1, 3, 999].map(|limit| share(limit, 50)), [0, 1, 499]);
    assert_eq!(share(u64::MAX, 100), u64::MAX);
    assert_eq!(share(u64::MAX, u8::MAX), u64::MAX);
}

#[test]
fn a_quota_is_about_its_cycle() {
    let (usage, used) = (DayUsage::on(DAY), of_cycle(800));
    let facts = Facts {
        used: &used,
        ..facts(&usage)
    };
    let finding = facts.finding(&step(1));
    assert_eq!(finding.period, date(2026, 3, 1));
    // Seven days and a half of 31 have passed.
    let detail = Detail::Quota {
        percent: 80,
        limit: LIMIT,
        from: date(2026, 3, 1),
        until: date(2026, 4, 1),
        forecast: Some(3306),
    };
    assert_eq!(finding.detail, detail);
}
