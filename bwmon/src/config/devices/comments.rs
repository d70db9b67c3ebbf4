//! Blanks what plain JSON does not have: comments and trailing commas.
//!
//! Every byte keeps its place, so that a position in the result is one in the file.

use std::ops::Range;

/// Where a `/*` without a `*/` begins.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OpenComment(pub(super) usize);

/// A text as plain JSON, and what that left out of it.
#[derive(Debug)]
pub(super) struct Blanked {
    /// As [`blank`] has it.
    pub(super) json: String,
    /// Where the comments are, each without the end of its line.
    pub(super) comments: Vec<Range<usize>>,
    /// Where the commas after last elements are.
    pub(super) commas: Vec<usize>,
}

/// `text` with spaces for `# …`, `// …`, `/* … */` and for the comma after a last element. What is
/// inside strings stays as it is.
pub(super) fn blank(text: &str) -> Result<String, OpenComment> {
    take_apart(text).map(|blanked| blanked.json)
}

/// As [`blank`], with where everything was.
pub(super) fn take_apart(text: &str) -> Result<Blanked, OpenComment> {
    let mut scan = Scan {
        result: String::with_capacity(text.len()),
        comments: Vec::new(),
        commas: Vec::new(),
        comma: None,
        previous: None,
    };
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with('#') || rest.starts_with("//") {
            let length = rest.find('\n').unwrap_or(rest.len());
            scan.blank(&rest[..length]);
            length
        } else if let Some(comment) = rest.strip_prefix("/*") {
            let Some(end) = comment.find("*/") else {
                return Err(OpenComment(text.len() - rest.len()));
            };
            let length = end + 4;
            scan.blank(&rest[..length]);
            length
        } else if first == '"' {
            let length = string_length(rest);
            scan.keep(&rest[..length], first);
            length
        } else {
            let length = first.len_utf8();
            scan.keep(&rest[..length], first);
            length
        };
        rest = &rest[length..];
    }
    Ok(Blanked {
        json: scan.result,
        comments: scan.comments,
        commas: scan.commas,
    })
}

struct Scan {
    result: String,
    comments: Vec<Range<usize>>,
    commas: Vec<usize>,
    /// Where the comma is that nothing but space followed so far, if it ends an element.
    comma: Option<usize>,
    /// The last character that is neither space nor comment.
    previous: Option<char>,
}

impl Scan {
    fn blank(&mut self, comment: &str) {
        let start = self.result.len();
        let length = comment.trim_end_matches('\r').len();
        self.comments.push(start..start + length);
        self.result.extend(
            comment
                .bytes()
                .map(|byte| if byte == b'\n' { '\n' } else { ' ' }),
        );
    }

    fn keep(&mut self, text: &str, first: char) {
        if !first.is_ascii_whitespace() {
            let comma = self.comma.take();
            match first {
                '}' | ']' => {
                    if let Some(at) = comma {
                        self.result.replace_range(at..=at, " ");
                        self.commas.push(at);
                    }
                }
                ',' if !matches!(self.previous, None | Some('{' | '[' | ',' | ':')) => {
                    self.comma = Some(self.result.len());
                }
                _ => {}
            }
            self.previous = Some(first);
        }
        self.result.push_str(text);
    }
}

/// The bytes of the string that `text` starts with, quotes included. One that its line does not close
/// ends with the line: the reader will say so.
pub(super) fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (index, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            b'\n' => return index,
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return index + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(blank(text).as_deref(), Ok(expected), "{text:?}");
    }

    #[test]
    fn comments_become_spaces() {
        check("{} # c\n", "{}    \n");
        check("{} // c", "{}     ");
        check("{/* a\n b */}", "{    \n     }");
        check("{/**/}", "{    }");
        check("# ä\n{}", "    \n{}");
        check("# a /* b\n{} // */ \"\n", "        \n{}        \n");
    }

    #[test]
    fn strings_stay() {
        let text = r##"{"a": "# // /* ,} \" # \\", "b//": 1}"##;
        check(text, text);
    }

    #[test]
    fn a_comma_after_the_last_element_becomes_a_space() {
        check("[1, 2,]", "[1, 2 ]");
        check("{\"a\": 1, # c\n }", "{\"a\": 1     \n }");
        check("[[1,],]", "[[1 ] ]");
    }

    #[test]
    fn other_superfluous_commas_stay() {
        for text in ["[,]", "{,}", "[1,,]", "[1,,2]", "{\"a\":,}", ",", ",}"] {
            check(text, text);
        }
    }

    #[test]
    fn what_is_left_out_is_known_by_its_place() {
        let text = "{ # a\r\n \"b\": [1,], /* c, */ }";
        let blanked = take_apart(text).unwrap();
        let comments: Vec<_> = blanked.comments.into_iter().map(|at| &text[at]).collect();
        assert_eq!(comments, ["# a", "/* c, */"]);
        let at: Vec<_> = text.match_indices(',').map(|(at, _)| at).collect();
        assert_eq!(blanked.commas, at[..2]);
    }

    #[test]
    fn an_open_comment_is_told_by_its_start() {
        assert_eq!(blank("{ /* a"), Err(OpenComment(2)));
        assert_eq!(blank("{} /*/"), Err(OpenComment(3)));
    }

    #[test]
    fn an_open_string_ends_with_its_line() {
        check("\"a # b\n# c", "\"a # b\n   ");
    }

    proptest! {
        #[test]
        fn positions_stay(text: String) {
            if let Ok(blanked) = blank(&text) {
                prop_assert_eq!(blanked.len(), text.len());
                let newlines = |text: &str| text.match_indices('\n').map(|m| m.0).collect::<Vec<_>>();
                prop_assert_eq!(newlines(&blanked), newlines(&text));
            }
        }

        #[test]
        fn json_stays_as_it_is(strings: Vec<String>, key: String) {
            let text = serde_json::json!({ key: strings, "#": [{}, [], 1.5, null] });
            for text in [text.to_string(), format!("{text:#}")] {
                prop_assert_eq!(blank(&text), Ok(text));
            }
        }

        #[test]
        fn what_is_between_comments_is_read_as_without(strings: Vec<String>, comment in "[^\n/*]*") {
            let value = serde_json::json!(strings);
            let text = format!("# {comment}\n/* {comment} */{value}// {comment}");
            let blanked = blank(&text).unwrap();
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&blanked).unwrap(), value);
        }
    }
}
