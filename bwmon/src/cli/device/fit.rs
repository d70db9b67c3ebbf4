//! What is typed, made to fit what an entry says already.

use serde_json::Value;

use super::Fields;

/// A field that is a single value, for an entry that has a table there: the rest of that table stays.
pub(super) fn fitted(mut patch: Fields, entry: &Fields) -> Fields {
    for (name, value) in &mut patch {
        if value.is_object() || value.is_null() || !entry.get(name).is_some_and(Value::is_object) {
            continue;
        }
        let is_off = *value == "off";
        let keys: &[&str] = match name.as_str() {
            "bandwidth_threshold" | "rate_threshold" if is_off => &["total", "sent", "received"],
            "bandwidth_threshold" | "rate_threshold" => &["total"],
            "max_active_time" | "quota" => &["limit"],
            "surge" if *value == false => &["total", "sent", "received"],
            "surge" => &["sent", "received"],
            "silent" => &["after"],
            "new_device" => &["enabled"],
            _ => continue,
        };
        let table = keys.iter().map(|key| ((*key).to_owned(), value.clone()));
        *value = Value::Object(table.collect());
    }
    patch
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(value: Value) -> Fields {
        match value {
            Value::Object(fields) => fields,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn a_single_value_goes_into_the_table_that_is_there() {
        let entry = fields(json!({
            "quota": { "cycle": 15 }, "surge": { "floor": "1 MB/s" }, "rate_threshold": { "for": "1min" },
            "bandwidth_threshold": "5 GB",
        }));
        for (patch, expected) in [
            (
                json!({ "quota": "1 GB" }),
                json!({ "quota": { "limit": "1 GB" } }),
            ),
            (json!({ "quota": null }), json!({ "quota": null })),
            (
                json!({ "quota": { "cycle": 1 } }),
                json!({ "quota": { "cycle": 1 } }),
            ),
            (
                json!({ "surge": true }),
                json!({ "surge": { "sent": true, "received": true } }),
            ),
            (
                json!({ "rate_threshold": 5 }),
                json!({ "rate_threshold": { "total": 5 } }),
            ),
            (
                json!({ "rate_threshold": "off" }),
                json!({ "rate_threshold": { "total": "off", "sent": "off", "received": "off" } }),
            ),
            (
                json!({ "bandwidth_threshold": 5 }),
                json!({ "bandwidth_threshold": 5 }),
            ),
            (json!({ "name": "a" }), json!({ "name": "a" })),
        ] {
            assert_eq!(fitted(fields(patch), &entry), fields(expected));
        }
    }
}
