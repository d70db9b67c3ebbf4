//! JSON as it came, laid out for people.

use std::fmt::Write;

use crate::core::text::is_harmless;

/// One member a line, two spaces deeper at each level. Numbers keep every digit and members their
/// order, which parsing and writing anew would not promise. Characters that a terminal would act on
/// become escapes, which say the same in JSON.
///
/// `text` must be JSON; of anything else some layout comes out.
pub(super) fn pretty(text: &str) -> String {
    let mut pretty = String::with_capacity(text.len() * 2);
    let mut depth = 0;
    let mut in_string = false;
    let mut chars = text
        .chars()
        .filter(|c| !matches!(c, '\n' | '\r'))
        .peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' if in_string => {
                pretty.push(c);
                pretty.extend(chars.next());
            }
            '"' => {
                in_string = !in_string;
                pretty.push(c);
            }
            _ if in_string => push_escaped(&mut pretty, c),
            ' ' | '\t' => {}
            '{' | '[' => {
                pretty.push(c);
                while chars.next_if(|c| matches!(c, ' ' | '\t')).is_some() {}
                match chars.next_if(|next| matches!((c, next), ('{', '}') | ('[', ']'))) {
                    Some(end) => pretty.push(end),
                    None => {
                        depth += 1;
                        new_line(&mut pretty, depth);
                    }
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                new_line(&mut pretty, depth);
                pretty.push(c);
            }
            ',' => {
                pretty.push(c);
                new_line(&mut pretty, depth);
            }
            ':' => pretty.push_str(": "),
            _ => pretty.push(c),
        }
    }
    pretty.push('\n');
    pretty
}

/// As it is, but for characters that a terminal would act on. `text` must be JSON without line breaks
/// between its parts.
pub(super) fn harmless(text: &str) -> String {
    let mut harmless = String::with_capacity(text.len());
    for c in text.chars() {
        push_escaped(&mut harmless, c);
    }
    harmless
}

fn push_escaped(pretty: &mut String, c: char) {
    if is_harmless(c) {
        pretty.push(c);
        return;
    }
    for unit in c.encode_utf16(&mut [0; 2]) {
        // Writing to a String can't fail.
        write!(pretty, "\\u{unit:04x}").ok();
    }
}

fn new_line(pretty: &mut String, depth: usize) {
    pretty.push('\n');
    pretty.extend(std::iter::repeat_n("  ", depth));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn members_keep_order_and_digits() {
        let text = r#"{"z":[1,2.50,18446744073709551615],"a":{},"m":[ ],"t":"a \"b\", {c}: [d]"}"#;
        insta::assert_snapshot!(pretty(text), @r#"
        {
          "z": [
            1,
            2.50,
            18446744073709551615
          ],
          "a": {},
          "m": [],
          "t": "a \"b\", {c}: [d]"
        }
        "#);
    }

    #[test]
    fn what_steers_a_terminal_becomes_an_escape() {
        let text = json!(["a\u{9b}2J", "\u{202e}x", "\u{e0041}"]).to_string();
        assert_eq!(
            pretty(&text),
            "[\n  \"a\\u009b2J\",\n  \"\\u202ex\",\n  \"\\udb40\\udc41\"\n]\n"
        );
    }

    #[test]
    fn a_line_of_json_stays_one() {
        let text = json!({ "name": "a\u{9b}2J\n\u{202e}x" }).to_string();
        assert_eq!(harmless(&text), "{\"name\":\"a\\u009b2J\\n\\u202ex\"}");
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::hash_map(any::<String>(), inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_layout_says_the_same(value in any_json()) {
            let compact = value.to_string();
            let spread = serde_json::to_string_pretty(&value).unwrap();
            for text in [compact, spread] {
                let text = pretty(&text);
                prop_assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value.clone());
                prop_assert!(text.chars().all(|c| c == '\n' || is_harmless(c)));
            }
        }
    }
}
