//! Where in the file a mistake is that the reader of JSON met.

use super::super::{
    error::{ConfigError, Mistake, wording},
    source::Source,
};

/// Gives a mistake its place in the file; `text` is what was read, with the comments blanked.
pub(super) fn json_error(source: &Source, text: &str, error: &serde_json::Error) -> ConfigError {
    let message = error.to_string();
    let suffix = format!(" at line {} column {}", error.line(), error.column());
    let message = message.strip_suffix(&suffix).unwrap_or(&message);
    let line = text
        .split_inclusive('\n')
        .take(error.line().saturating_sub(1));
    // Where the reader stopped: just after what it read last, or would have read next.
    let stopped = line.map(str::len).sum::<usize>() + error.column();
    let offset = if error.is_data() {
        last_token(text, stopped)
    } else {
        stopped.saturating_sub(1)
    };
    source.mistake(offset, Mistake::Format(in_our_words(message)))
}

fn in_our_words(message: &str) -> String {
    if let Some(rest) = message.strip_prefix("EOF while parsing") {
        return format!("the file ends inside{rest}");
    }
    let ours = match message {
        "expected value" | "expected ident" => {
            "must be text in double quotes, a number, true, false or an object"
        }
        "key must be a string" => "must be a key in double quotes",
        "trailing characters" => "the file must end where its first object ends",
        _ if message.starts_with("control character") => {
            "the text on this line has no closing double quote"
        }
        _ => return wording(message),
    };
    ours.to_owned()
}

/// Where the last key or value before `end` starts.
fn last_token(text: &str, end: usize) -> usize {
    let before = text
        .as_bytes()
        .get(..end)
        .unwrap_or(text.as_bytes())
        .trim_ascii_end();
    let Some((last, before)) = before.split_last() else {
        return 0;
    };
    match last {
        b'"' => {
            let opens = |(index, byte): &(usize, &u8)| {
                let backslashes = before[..*index]
                    .iter()
                    .rev()
                    .take_while(|&&b| b == b'\\')
                    .count();
                **byte == b'"' && backslashes % 2 == 0
            };
            before
                .iter()
                .enumerate()
                .rfind(opens)
                .map_or(0, |(index, _)| index)
        }
        byte if is_word(*byte) => before
            .iter()
            .rposition(|&b| !is_word(b))
            .map_or(0, |i| i + 1),
        _ => before.len(),
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(&text[last_token(text, text.len())..], expected);
    }

    #[test]
    fn the_last_token_is_found_from_its_end() {
        check(r#"{"a": "b" "#, r#""b" "#);
        check(r#"{"a": "b\"c\\""#, r#""b\"c\\""#);
        check("{\"a\": -1.5e+3\n  ", "-1.5e+3\n  ");
        check("{\"a\": true", "true");
        check("{\"a\": [", "[");
        check("{\"a\"", "\"a\"");
        check("5", "5");
        check("\"", "\"");
        check("", "");
    }
}
