use std::path::Path;

use proptest::prelude::*;
use serde_json::json;

use super::*;

/// As owners have it.
const EXAMPLE: &str = r#"{
  "unknown": {
    "bandwidth_threshold": 100000000,  # 100MB
    "max_active_time": 10800  # 3 hours
  },
  "192.123.4.5": {
    "name": "Laptop",
    "bandwidth_threshold": 500000000,  # 500MB
    "max_active_time": 18000  # 5 hours
  }
}
"#;
const MAC: &str = "02:1b:c3:00:4f:9e";

fn source(text: &str) -> Source {
    Source::new(Path::new("devices.json"), text.into()).unwrap()
}

fn change(text: &str, key: &str, change: &Change) -> Result<String, String> {
    let whom = Whom::key(key).map_err(|error| error.to_string())?;
    match edit(&source(text), &whom, change) {
        Ok(edited) => Ok(edited.text),
        Err(error) => Err(error.to_string()),
    }
}

fn merge_patch(patch: Value) -> Change {
    match patch {
        Value::Object(fields) => Change::Merge(fields),
        other => panic!("{other} is no object"),
    }
}

#[track_caller]
fn check(text: &str, key: &str, patch: Value, expected: &str) {
    let patch = merge_patch(patch);
    let changed = change(text, key, &patch).unwrap();
    assert_eq!(changed, expected);
    assert_eq!(
        change(&changed, key, &patch).as_deref(),
        Ok(expected),
        "again"
    );
}

#[track_caller]
fn check_refused(text: &str, key: &str, patch: Value, expected: &str) {
    let error = change(text, key, &merge_patch(patch)).unwrap_err();
    assert_eq!(error, expected);
}

#[test]
fn a_field_is_changed_added_and_removed_where_it_is() {
    let changed = change(
        EXAMPLE,
        "192.123.4.5",
        &merge_patch(json!({
            "bandwidth_threshold": "5 GB", "max_active_time": null, "name": "Küche",
            "group": "kids", "mute": true,
        })),
    );
    insta::assert_snapshot!(changed.unwrap(), @r#"
    {
      "unknown": {
        "bandwidth_threshold": 100000000,  # 100MB
        "max_active_time": 10800  # 3 hours
      },
      "192.123.4.5": {
        "name": "Küche",
        "bandwidth_threshold": "5 GB",  # 500MB
        # 5 hours
        "group": "kids",
        "mute": true
      }
    }
    "#);
}

#[test]
fn a_new_entry_looks_as_the_one_before() {
    let new = merge_patch(json!({ "max_active_time": "off", "name": "TV" }));
    insta::assert_snapshot!(change(EXAMPLE, MAC, &new).unwrap(), @r#"
    {
      "unknown": {
        "bandwidth_threshold": 100000000,  # 100MB
        "max_active_time": 10800  # 3 hours
      },
      "192.123.4.5": {
        "name": "Laptop",
        "bandwidth_threshold": 500000000,  # 500MB
        "max_active_time": 18000  # 5 hours
      },
      "02:1b:c3:00:4f:9e": {
        "name": "TV",
        "max_active_time": "off"
      }
    }
    "#);
    let name = || json!({ "name": "TV" });
    for (text, expected) in [
        ("{}", "{\n  \"::1\": { \"name\": \"TV\" }\n}"),
        ("{\n}\n", "{\n  \"::1\": { \"name\": \"TV\" }\n}\n"),
        (
            "{\r\n}\r\n",
            "{\r\n  \"::1\": { \"name\": \"TV\" }\r\n}\r\n",
        ),
        ("{ # c\n}", "{ # c\n  \"::1\": { \"name\": \"TV\" }\n}"),
        (
            "{ /* c */ }",
            "{ /* c */ \n  \"::1\": { \"name\": \"TV\" }\n}",
        ),
        ("{\"::2\":{}}", "{\"::2\":{},\"::1\":{ \"name\": \"TV\" }}"),
        (
            "{\"::2\":{\"group\":\"a\"}}",
            "{\"::2\":{\"group\":\"a\"},\"::1\":{\"name\":\"TV\"}}",
        ),
        (
            "{\n\t\"::2\": { \"group\": \"a\" }, # b\n}",
            "{\n\t\"::2\": { \"group\": \"a\" }, # b\n\t\"::1\": { \"name\": \"TV\" },\n}",
        ),
        (
            "{\r\n \"::2\": {\r\n   \"group\": \"a\",\r\n }, # b\r\n}",
            "{\r\n \"::2\": {\r\n   \"group\": \"a\",\r\n }, # b\r\n \"::1\": {\r\n   \"name\": \"TV\",\r\n },\r\n}",
        ),
        (
            "{ \"::2\": {} # b\n}",
            "{ \"::2\": {}, # b\n\"::1\": { \"name\": \"TV\" }\n}",
        ),
        (
            "{\n \"::2\": {} /* b\n c */ }",
            "{\n \"::2\": {}, /* b\n c */\n \"::1\": { \"name\": \"TV\" } }",
        ),
    ] {
        check(text, "::1", name(), expected);
    }
}

#[test]
fn the_shipped_file_takes_its_first_entry_behind_its_comments() {
    let shipped = include_str!("../../../../config/registered_devices.json");
    let changed = change(shipped, MAC, &merge_patch(json!({ "name": "TV" }))).unwrap();
    let end = "\n  \"02:1b:c3:00:4f:9e\": { \"name\": \"TV\" }\n}\n";
    assert_eq!(
        changed,
        format!("{}{end}", shipped.strip_suffix("\n}\n").unwrap())
    );
}

#[test]
fn one_line_stays_one_line() {
    let text = r#"{ "::1": { "name": "TV" } }"#;
    check(
        text,
        "::1",
        json!({ "mute": true, "name": null }),
        r#"{ "::1": { "mute": true } }"#,
    );
    check(text, "::1", json!({ "name": null }), r#"{ "::1": { } }"#);
    check(
        r#"{ "::1": {} }"#,
        "::1",
        json!({ "mute": false }),
        r#"{ "::1": { "mute": false } }"#,
    );
    let three = r#"{ "::1": { "name": "TV", "group": "a", "mute": true, } }"#;
    check(
        three,
        "::1",
        json!({ "group": null }),
        r#"{ "::1": { "name": "TV", "mute": true, } }"#,
    );
    check(
        three,
        "::1",
        json!({ "mute": null, "surge": false }),
        r#"{ "::1": { "name": "TV", "group": "a", "surge": false, } }"#,
    );
}

#[test]
fn a_table_is_merged_and_a_value_becomes_one() {
    let text = r#"{ "::1": { "quota": { "limit": "1 GB", "steps": [50, 100] } } }"#;
    check(
        text,
        "::1",
        json!({ "quota": { "limit": "2 GB", "steps": null, "cycle": 15 } }),
        r#"{ "::1": { "quota": { "limit": "2 GB", "cycle": 15 } } }"#,
    );
    check(
        text,
        "::1",
        json!({ "quota": "off" }),
        r#"{ "::1": { "quota": "off" } }"#,
    );
    check(
        r#"{ "::1": { "quota": "1 GB" } }"#,
        "::1",
        json!({ "quota": { "limit": "1 GB", "cycle": null, "steps": [80, 100] } }),
        r#"{ "::1": { "quota": { "limit": "1 GB", "steps": [80, 100] } } }"#,
    );
}

#[test]
fn comments_inside_of_what_is_replaced_stay() {
    let text = "{ \"::1\": { \"quota\": { # a\n \"limit\": /* b */ \"1 GB\" }, # c\n } }";
    check(
        text,
        "::1",
        json!({ "quota": "off" }),
        "{ \"::1\": { \"quota\": \"off\" # a\n /* b */, # c\n } }",
    );
    let changed = change(text, "::1", &merge_patch(json!({ "quota": null }))).unwrap();
    for comment in ["# a\n", "/* b */", "# c\n"] {
        assert!(changed.contains(comment), "{comment} is not in {changed}");
    }
}

#[test]
fn an_entry_is_found_however_it_is_spelt() {
    let text = r#"{ "02-1B-C3-00-4F-9E": {}, "0::1": {}, "10.0.0.0/8": {}, "unknown": {} }"#;
    for (key, spelt) in [
        (MAC, "02-1B-C3-00-4F-9E"),
        ("::1", "0::1"),
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("unknown", "unknown"),
    ] {
        let expected = text.replace(
            &format!("\"{spelt}\": {{}}"),
            &format!("\"{spelt}\": {{ \"quota\": \"1 GB\" }}"),
        );
        check(text, key, json!({ "quota": "1 GB" }), &expected);
    }
}

#[test]
fn a_device_has_the_entry_that_applies_to_it_alone() {
    let (mac, address) = (MAC.parse().ok(), "10.0.0.5".parse().unwrap());
    let own = |text: &str| {
        let whom = Whom::device(MAC, mac, &[address]).unwrap();
        let change = merge_patch(json!({ "quota": "1 GB" }));
        edit(&source(text), &whom, &change).unwrap().key
    };
    assert_eq!(own("{}"), MAC);
    assert_eq!(own(r#"{ "10.0.0.0/8": {}, "unknown": {} }"#), MAC);
    assert_eq!(own(r#"{ "10.0.0.4": {}, "10.0.0.5": {} }"#), "10.0.0.5");
    assert_eq!(
        own(r#"{ "10.0.0.5": {}, "02-1b-c3-00-4f-9e": {} }"#),
        "02-1b-c3-00-4f-9e"
    );
    let whom = Whom::device("10.0.0.5", None, &[address]).unwrap();
    let edited = edit(&source("{}"), &whom, &merge_patch(json!({ "name": "a" })));
    assert_eq!(edited.unwrap().key, "10.0.0.5");
    Whom::device("group:kids", None, &[]).unwrap_err();
}

#[test]
fn what_removes_from_an_entry_that_is_not_there_makes_none() {
    check("{}", "::1", json!({ "name": null, "quota": null }), "{}");
    check("{}", "::1", json!({}), "{}");
}

#[test]
fn a_device_that_gets_an_entry_of_its_own_keeps_what_its_network_gave_it() {
    let text = r#"{ "10.0.0.0/8": { "group": "all" }, "10.0.0.0/24": { "group": "guests", "mute": true, "quota": "1 GB" } }"#;
    let changed = change(text, "10.0.0.5", &merge_patch(json!({ "name": "Ann" }))).unwrap();
    assert!(
        changed.ends_with(r#""10.0.0.5": { "name": "Ann", "group": "guests", "mute": true } }"#),
        "{changed}"
    );
    let patch = json!({ "group": null, "mute": false });
    let changed = change(text, "10.0.0.5", &merge_patch(patch)).unwrap();
    assert!(
        changed.ends_with(r#""10.0.0.5": { "mute": false } }"#),
        "{changed}"
    );
}

#[test]
fn an_entry_goes_with_its_line_and_what_is_in_it() {
    let gone = change(EXAMPLE, "192.123.4.5", &Change::Remove).unwrap();
    insta::assert_snapshot!(gone, @r#"
    {
      "unknown": {
        "bandwidth_threshold": 100000000,  # 100MB
        "max_active_time": 10800  # 3 hours
      }
    }
    "#);
    for (text, expected) in [
        ("{ \"::1\": {} }", "{ }"),
        (
            "{\n  # a\n  \"::1\": { # b\n  }, # c\n}",
            "{\n  # a\n  # c\n}",
        ),
        (
            "{\"::2\":{},\"::1\":{},\"::3\":{}}",
            "{\"::2\":{},\"::3\":{}}",
        ),
        ("{\"::2\":{},\"::1\":{}}", "{\"::2\":{}}"),
        (
            "{\n\"::2\": {}, # a\n\"::1\": {}\n}",
            "{\n\"::2\": {} # a\n}",
        ),
    ] {
        let gone = change(text, "::1", &Change::Remove);
        assert_eq!(gone.as_deref(), Ok(expected), "{text}");
    }
    let error = change("{}", "::1", &Change::Remove).unwrap_err();
    assert_eq!(error, "there is no entry about ::1 to remove");
}

#[test]
fn what_is_not_allowed_is_said_without_a_place_in_a_file_that_is_not_there() {
    check_refused(
        "{}",
        "::1",
        json!({ "nme": null }),
        r#""::1": unknown key "nme"; did you mean "name"?"#,
    );
    check_refused(
        "{}",
        "::1",
        json!({ "name": "\n" }),
        r#""::1": name: must be text of 1 to 64 characters without control characters, not "\n""#,
    );
    check_refused(
        "{}",
        "::1",
        json!({ "quota": { "limits": 5 } }),
        r#""::1": quota: unknown key "limits"; did you mean "limit"?"#,
    );
    check_refused(
        "{}",
        "unknown",
        json!({ "name": "all" }),
        r#""unknown": name has no effect here, as it is for one device"#,
    );
    check_refused(
        "{\n  \"::1\": { \"nam\": \"TV\" }\n}",
        "::1",
        json!({ "name": "TV" }),
        "devices.json:2:12: \"::1\": unknown key \"nam\"; did you mean \"name\"?; mend that first, nothing was changed",
    );
}

#[test]
fn what_nobody_sees_is_escaped() {
    check(
        r#"{ "::1": {} }"#,
        "::1",
        json!({ "name": "a\u{202e}b\u{e0041}\"" }),
        "{ \"::1\": { \"name\": \"a\\u202eb\\udb40\\udc41\\\"\" } }",
    );
}

const KEYS: [&str; 6] = [
    "::1",
    "10.0.0.5",
    MAC,
    "10.0.0.0/8",
    "10.0.0.0/24",
    "unknown",
];

/// Fields that every entry may have.
fn any_field() -> impl Strategy<Value = (&'static str, Value)> {
    prop_oneof![
        any::<bool>().prop_map(|on| ("surge", json!(on))),
        (0..10_u64).prop_map(|size| ("bandwidth_threshold", json!(size))),
        Just(("bandwidth_threshold", json!("off"))),
        (1..9_u64).prop_map(|size| ("quota", json!({ "limit": size, "steps": [50, 100] }))),
        (1..9_u64).prop_map(|day| ("quota", json!({ "cycle": day }))),
        Just(("schedule", json!(["Mon", "22:00-06:00"]))),
        Just(("rate_threshold", json!("1 Mbit/s"))),
    ]
}

fn any_patch() -> impl Strategy<Value = Map<String, Value>> {
    let field = prop_oneof![
        3 => any_field(),
        1 => any_field().prop_map(|(name, _)| (name, Value::Null)),
        1 => Just(("quota", json!({ "limit": null, "direction": "sent" }))),
    ];
    prop::collection::vec(field, 0..4).prop_map(|fields| {
        let fields = fields.into_iter();
        fields
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    })
}

fn any_space() -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop_oneof![
            Just(String::new()),
            Just(" ".to_owned()),
            Just("\n  ".to_owned()),
            Just("\r\n".to_owned()),
            "# [a\",}{ä]{0,4}\n".prop_map(|text| text),
            "// [a\",}{]{0,4}\r\n".prop_map(|text| text),
            "/\\*[a\",\n}]{0,4}\\*/".prop_map(|text| text),
        ],
        0..3,
    )
    .prop_map(|parts| parts.concat())
}

/// `value` with anything between its parts that may be there.
fn written(value: &Value, spaces: &mut impl Iterator<Item = String>) -> String {
    let (open, parts, close): (_, Vec<String>, _) = match value {
        Value::Object(members) => {
            let parts = members.iter().map(|(key, value)| {
                let [a, b, c, d] = std::array::from_fn(|_| spaces.next().unwrap_or_default());
                let key = Value::from(key.as_str());
                format!("{a}{key}{b}:{c}{}{d}", written(value, spaces))
            });
            ("{", parts.collect(), "}")
        }
        Value::Array(items) => {
            let parts = items.iter().map(|item| {
                let [a, b] = std::array::from_fn(|_| spaces.next().unwrap_or_default());
                format!("{a}{}{b}", written(item, spaces))
            });
            ("[", parts.collect(), "]")
        }
        other => return other.to_string(),
    };
    let end = spaces.next().unwrap_or_default();
    let comma = if end.len() % 2 == 1 && !parts.is_empty() {
        ","
    } else {
        ""
    };
    format!("{open}{}{comma}{end}{close}", parts.join(","))
}

fn any_file() -> impl Strategy<Value = String> {
    let entry = prop::collection::vec(any_field(), 0..4)
        .prop_map(|fields| Value::from_iter(fields.into_iter().map(|(n, v)| (n.to_owned(), v))));
    let entries = prop::collection::btree_map(prop::sample::select(&KEYS[..]), entry, 0..5);
    let spaces = prop::collection::vec(any_space(), 1..40);
    (entries, spaces, any_space()).prop_map(|(entries, spaces, around)| {
        let value = Value::from_iter(entries.into_iter().map(|(k, v)| (k.to_owned(), v)));
        let mut spaces = spaces.into_iter().cycle();
        format!("{around}{}{around}", written(&value, &mut spaces))
    })
}

fn comments(text: &str) -> Vec<String> {
    let blanked = super::super::comments::take_apart(text).unwrap();
    let comments = blanked.comments.into_iter();
    comments.map(|at| text[at].to_owned()).collect()
}

fn plain(text: &str) -> Map<String, Value> {
    serde_json::from_str(&super::super::comments::blank(text).unwrap()).unwrap()
}

proptest! {
    #[test]
    fn only_the_entry_changes_and_all_comments_stay(
        text in any_file(),
        key in prop::sample::select(&KEYS[..]),
        patch in any_patch(),
    ) {
        prop_assert!(parse(&source(&text)).is_ok(), "{}", text);
        let before = plain(&text);
        let changed = change(&text, key, &Change::Merge(patch.clone()));
        let changed = changed.map_err(TestCaseError::fail)?;
        prop_assert_eq!(comments(&changed), comments(&text));
        let mut after = plain(&changed);
        if !before.contains_key(key) && patch.values().all(Value::is_null) {
            prop_assert_eq!(&changed, &text);
            return Ok(());
        }
        let mut expected = before.get(key).cloned().unwrap_or(json!({}));
        merge(&mut expected, &Value::Object(patch.clone()));
        prop_assert_eq!(after.remove(key), Some(expected));
        let mut others = before;
        others.remove(key);
        prop_assert_eq!(after, others);
        let again = change(&changed, key, &Change::Merge(patch));
        prop_assert_eq!(again.as_ref(), Ok(&changed));
    }

    #[test]
    fn only_the_entry_goes(text in any_file(), key in prop::sample::select(&KEYS[..])) {
        let mut before = plain(&text);
        match change(&text, key, &Change::Remove) {
            Ok(changed) => {
                prop_assert!(before.remove(key).is_some());
                prop_assert_eq!(plain(&changed), before);
            }
            Err(error) => {
                prop_assert!(before.remove(key).is_none(), "{}", error);
            }
        }
    }

    #[test]
    fn no_change_of_any_text_panics(text: String, at in 0..EXAMPLE.len(), inserted in "[]\\[{}\",:#/*0-9a-z\\\\ \n-]{0,4}|\\PC") {
        let broken = format!("{}{inserted}{}", &EXAMPLE[..at], &EXAMPLE[at..]);
        for text in [text, broken] {
            change(&text, "192.123.4.5", &merge_patch(json!({ "name": "a", "quota": null }))).ok();
            change(&text, "unknown", &Change::Remove).ok();
        }
    }
}
