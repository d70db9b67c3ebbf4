//! Each key, what may be written there, and where it goes.

use std::time::Duration;

use super::{super::schedule, written};
use crate::{
    config::value::{Scalar, ValueError},
    core::policy::{Directed, Limits, Setting, Tuning},
};

/// A key of `[defaults]`, of a group, of an entry of the registered devices.
pub(in crate::config) struct Key {
    /// Its name, and what it means without a table.
    pub(in crate::config) plain: Field<Limits>,
    /// What its table may say.
    pub(super) table: Option<Table>,
    /// Several devices together can't break the rule.
    pub(super) is_for_one: bool,
}

/// What the table of a key may say.
pub(super) struct Table {
    /// What is unusual.
    pub(super) own: &'static [Field<Limits>],
    /// How it becomes an alert.
    pub(super) tuning: &'static [Field<Tuning>],
    /// Where `tuning` goes.
    pub(super) tuned: fn(&mut Limits) -> &mut Tuning,
}

/// A key whose value is no table.
pub(in crate::config) struct Field<T> {
    /// As written.
    pub(in crate::config) name: &'static str,
    /// Whether there may be several values. Each is read in turn.
    pub(super) takes_list: bool,
    /// Takes a value.
    pub(super) read: Take<T>,
}

type Take<T> = fn(&mut T, &Scalar) -> Result<(), ValueError>;

impl<T> Field<T> {
    const fn one(name: &'static str, read: Take<T>) -> Self {
        Self {
            name,
            takes_list: false,
            read,
        }
    }

    const fn list(name: &'static str, read: Take<T>) -> Self {
        Self {
            name,
            takes_list: true,
            read,
        }
    }
}

/// All keys of the rules.
pub(in crate::config) static KEYS: [Key; 8] = [
    BANDWIDTH,
    ACTIVE_TIME,
    RATE,
    SURGE,
    QUOTA,
    NEW_DEVICE,
    SILENT,
    HOURS,
];

const BANDWIDTH: Key = Key {
    plain: Field::one("bandwidth_threshold", |limits, value| {
        all_or_total(&mut limits.volume.value, value.setting(Scalar::size)?);
        Ok(())
    }),
    table: Some(Table {
        own: &[
            Field::one("total", |limits, value| {
                put(&mut limits.volume.value.total, value.setting(Scalar::size))
            }),
            Field::one("sent", |limits, value| {
                put(&mut limits.volume.value.sent, value.setting(Scalar::size))
            }),
            Field::one("received", |limits, value| {
                let received = &mut limits.volume.value.received;
                put(received, value.setting(Scalar::size))
            }),
        ],
        tuning: &[REPEAT, SEVERITY, SCOPE, SCHEDULE],
        tuned: |limits| &mut limits.volume.tuning,
    }),
    is_for_one: false,
};

const ACTIVE_TIME: Key = Key {
    plain: Field::one("max_active_time", |limits, value| {
        put(
            &mut limits.active_time.value,
            value.setting(Scalar::duration),
        )
    }),
    table: Some(Table {
        own: &[Field::one("limit", |limits, value| {
            put(
                &mut limits.active_time.value,
                value.setting(Scalar::duration),
            )
        })],
        tuning: &[REPEAT, SEVERITY, SCHEDULE],
        tuned: |limits| &mut limits.active_time.tuning,
    }),
    is_for_one: false,
};

const RATE: Key = Key {
    plain: Field::one("rate_threshold", |limits, value| {
        all_or_total(&mut limits.rate.value, value.setting(Scalar::rate)?);
        Ok(())
    }),
    table: Some(Table {
        own: &[
            Field::one("total", |limits, value| {
                put(&mut limits.rate.value.total, value.setting(Scalar::rate))
            }),
            Field::one("sent", |limits, value| {
                put(&mut limits.rate.value.sent, value.setting(Scalar::rate))
            }),
            Field::one("received", |limits, value| {
                put(&mut limits.rate.value.received, value.setting(Scalar::rate))
            }),
        ],
        tuning: &PASSING,
        tuned: |limits| &mut limits.rate.tuning,
    }),
    is_for_one: false,
};

const SURGE: Key = Key {
    plain: Field::one("surge", |limits, value| {
        let watch = &mut limits.surge.value.watch;
        match written::switch(value)? {
            Setting::Off => *watch = Directed::each(Setting::Off),
            on => (watch.sent, watch.received) = (on, on),
        }
        Ok(())
    }),
    table: Some(Table {
        own: &[
            Field::one("total", |limits, value| {
                put(&mut limits.surge.value.watch.total, written::switch(value))
            }),
            Field::one("sent", |limits, value| {
                put(&mut limits.surge.value.watch.sent, written::switch(value))
            }),
            Field::one("received", |limits, value| {
                let received = &mut limits.surge.value.watch.received;
                put(received, written::switch(value))
            }),
            Field::one("factor", |limits, value| {
                put_some(&mut limits.surge.value.factor, written::factor(value))
            }),
            Field::one("floor", |limits, value| {
                put_some(&mut limits.surge.value.floor, value.rate())
            }),
            Field::one("learn", |limits, value| {
                put_some(&mut limits.surge.value.learn, written::learn(value))
            }),
        ],
        tuning: &PASSING,
        tuned: |limits| &mut limits.surge.tuning,
    }),
    is_for_one: false,
};

const QUOTA: Key = Key {
    plain: Field::one("quota", |limits, value| {
        put(&mut limits.quota.value.limit, written::quota(value))
    }),
    table: Some(Table {
        own: &[
            Field::one("limit", |limits, value| {
                put(&mut limits.quota.value.limit, written::quota(value))
            }),
            Field::one("direction", |limits, value| {
                put_some(&mut limits.quota.value.direction, written::direction(value))
            }),
            Field::one("cycle", |limits, value| {
                put_some(&mut limits.quota.value.cycle, written::cycle(value))
            }),
            Field::list("steps", |limits, value| {
                written::step(limits.quota.value.steps.get_or_insert_default(), value)
            }),
            Field::list("free", |limits, value| {
                let free = limits.quota.value.free.get_or_insert_default();
                if value.is_off() {
                    return Ok(());
                }
                Ok(schedule::add(free, value.text(schedule::ALLOWED)?)?)
            }),
        ],
        tuning: &[REPEAT, SEVERITY, SCOPE, SCHEDULE],
        tuned: |limits| &mut limits.quota.tuning,
    }),
    is_for_one: false,
};

const NEW_DEVICE: Key = Key {
    plain: Field::one("new_device", |limits, value| {
        put(&mut limits.new_device.value.watch, written::switch(value))
    }),
    table: Some(Table {
        own: &[
            Field::one("enabled", |limits, value| {
                put(&mut limits.new_device.value.watch, written::switch(value))
            }),
            Field::one("learn", |limits, value| {
                put_some(&mut limits.new_device.value.learn, written::learn(value))
            }),
            Field::one("private", |limits, value| {
                put_some(&mut limits.new_device.value.private, value.flag())
            }),
        ],
        tuning: &[SEVERITY, SCHEDULE],
        tuned: |limits| &mut limits.new_device.tuning,
    }),
    is_for_one: true,
};

const SILENT: Key = Key {
    plain: Field::one("silent", |limits, value| {
        put(&mut limits.silent.value, value.setting(written::silence))
    }),
    table: Some(Table {
        own: &[Field::one("after", |limits, value| {
            put(&mut limits.silent.value, value.setting(written::silence))
        })],
        tuning: &[CLEAR_FOR, REPEAT, COOLDOWN, SEVERITY, SCHEDULE],
        tuned: |limits| &mut limits.silent.tuning,
    }),
    is_for_one: false,
};

const HOURS: Key = Key {
    plain: Field::list("schedule", |limits, value| {
        let hours = limits.schedule.get_or_insert_default();
        Ok(schedule::add(hours, value.text(schedule::ALLOWED)?)?)
    }),
    table: None,
    is_for_one: false,
};

/// Of a rule that comes and goes.
const PASSING: [Field<Tuning>; 8] = [
    FOR,
    CLEAR_FOR,
    CLEAR_PERCENT,
    REPEAT,
    COOLDOWN,
    SEVERITY,
    SCOPE,
    SCHEDULE,
];

const FOR: Field<Tuning> = Field::one("for", |tuning, value| {
    put_some(&mut tuning.for_, written::lasting(value))
});
const CLEAR_FOR: Field<Tuning> = Field::one("clear_for", |tuning, value| {
    put_some(&mut tuning.clear_for, written::lasting(value))
});
const CLEAR_PERCENT: Field<Tuning> = Field::one("clear_percent", |tuning, value| {
    let percent = value.integer_within(1..=100, "a whole number from 1 to 100");
    put_some(
        &mut tuning.clear_percent,
        percent.map(|percent| percent as u8),
    )
});
const REPEAT: Field<Tuning> = Field::one("repeat", |tuning, value| {
    let repeat = value.setting(written::repeat)?;
    tuning.repeat = Some(repeat.value().unwrap_or(Duration::ZERO));
    Ok(())
});
const COOLDOWN: Field<Tuning> = Field::one("cooldown", |tuning, value| {
    put_some(&mut tuning.cooldown, written::cooldown(value))
});
const SEVERITY: Field<Tuning> = Field::one("severity", |tuning, value| {
    put_some(&mut tuning.severity, written::severity(value))
});
const SCOPE: Field<Tuning> = Field::one("scope", |tuning, value| {
    put_some(&mut tuning.scope, written::scope(value))
});
const SCHEDULE: Field<Tuning> = Field::list("schedule", |tuning, value| {
    let hours = tuning.schedule.get_or_insert_default();
    Ok(schedule::add(hours, value.text(schedule::ALLOWED)?)?)
});

fn put<T>(place: &mut T, value: Result<T, ValueError>) -> Result<(), ValueError> {
    *place = value?;
    Ok(())
}

fn put_some<T>(place: &mut Option<T>, value: Result<T, ValueError>) -> Result<(), ValueError> {
    *place = Some(value?);
    Ok(())
}

/// A single value is for both directions together; `off` is for each of them.
fn all_or_total<T: Copy>(place: &mut Directed<Setting<T>>, value: Setting<T>) {
    match value {
        Setting::Off => *place = Directed::each(Setting::Off),
        Setting::At(_) | Setting::Inherit => place.total = value,
    }
}
