//! Splits Rust source into code and comments, line by line, so that a rule about one is not broken by
//! the other. What stands in string literals belongs to neither.

/// One line of a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    /// The code, each string literal empty.
    pub(super) code: String,
    /// The text of its comments.
    pub(super) comment: String,
}

/// The lines of `text`.
pub(super) fn lines(text: &str) -> Vec<Line> {
    let mut scanner = Scanner {
        rest: text,
        lines: vec![Line::default()],
    };
    scanner.scan();
    scanner.lines
}

struct Scanner<'a> {
    rest: &'a str,
    lines: Vec<Line>,
}

impl Scanner<'_> {
    fn scan(&mut self) {
        while let Some(next) = self.rest.chars().next() {
            if self.rest.starts_with("//") {
                self.line_comment();
            } else if self.rest.starts_with("/*") {
                self.block_comment();
            } else if let Some(hashes) = self.raw_string() {
                self.skip_raw_string(hashes);
            } else if next == '"' {
                self.skip_string();
            } else if next == '\'' {
                self.quote();
            } else {
                self.code(next);
            }
        }
    }

    fn line_comment(&mut self) {
        let end = self.rest.find('\n').unwrap_or(self.rest.len());
        let (comment, rest) = self.rest.split_at(end);
        self.last().comment.push_str(comment);
        self.rest = rest;
    }

    fn block_comment(&mut self) {
        let mut depth = 0_usize;
        loop {
            let step = match self.rest.get(..2) {
                Some("/*") => {
                    depth += 1;
                    2
                }
                Some("*/") => {
                    depth -= 1;
                    2
                }
                _ => match self.rest.chars().next() {
                    Some(next) => next.len_utf8(),
                    None => return,
                },
            };
            let (taken, rest) = self.rest.split_at(step);
            if taken == "\n" {
                self.lines.push(Line::default());
            } else {
                self.last().comment.push_str(taken);
            }
            self.rest = rest;
            if depth == 0 {
                return;
            }
        }
    }

    /// The number of `#` of the raw string that starts here, if one does.
    fn raw_string(&self) -> Option<usize> {
        let inside_word = self.lines.last()?.code.ends_with(is_word);
        let prefixes = ["r", "br", "cr"];
        let rest = prefixes
            .iter()
            .find_map(|prefix| self.rest.strip_prefix(prefix))?;
        let hashes = rest.len() - rest.trim_start_matches('#').len();
        (!inside_word && rest[hashes..].starts_with('"')).then_some(hashes)
    }

    fn skip_raw_string(&mut self, hashes: usize) {
        let end = format!("\"{}", "#".repeat(hashes));
        let start = self
            .rest
            .find('"')
            .map_or(self.rest.len(), |quote| quote + 1);
        let length = self.rest[start..].find(&end);
        let after = length.map_or(self.rest.len(), |length| start + length + end.len());
        self.skip_to(after);
    }

    fn skip_string(&mut self) {
        let mut escaped = false;
        let end = self.rest.char_indices().skip(1).find(|&(_, next)| {
            let ends = next == '"' && !escaped;
            escaped = next == '\\' && !escaped;
            ends
        });
        self.skip_to(end.map_or(self.rest.len(), |(at, _)| at + 1));
    }

    /// A character literal is skipped; a lifetime is code.
    fn quote(&mut self) {
        let mut after = self.rest.char_indices().skip(1);
        let end = match (after.next(), after.next()) {
            (Some((_, '\\')), Some((escape, _))) => {
                let tail = escape + 1;
                self.rest[tail..].find('\'').map(|end| tail + end + 1)
            }
            (Some(_), Some((end, '\''))) => Some(end + 1),
            _ => None,
        };
        match end {
            Some(end) => self.rest = &self.rest[end..],
            None => self.code('\''),
        }
    }

    /// Steps over a literal, and keeps count of the lines in it.
    fn skip_to(&mut self, end: usize) {
        let (literal, rest) = self.rest.split_at(end);
        self.last().code.push_str("\"\"");
        let new_lines = literal.matches('\n').count();
        self.lines.extend((0..new_lines).map(|_| Line::default()));
        self.rest = rest;
    }

    fn code(&mut self, next: char) {
        if next == '\n' {
            self.lines.push(Line::default());
        } else {
            self.last().code.push(next);
        }
        self.rest = &self.rest[next.len_utf8()..];
    }

    fn last(&mut self) -> &mut Line {
        let last = self.lines.len() - 1;
        &mut self.lines[last]
    }
}

/// Whether `c` can stand in an identifier.
pub(super) fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// Whether `word` stands in `code` on its own, not as a part of a longer identifier.
pub(super) fn has_word(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        !code[..at].ends_with(is_word) && !code[at + word.len()..].starts_with(is_word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_and_comments_are_told_apart() {
        let rows: [(&str, &[(&str, &str)]); 9] = [
            ("a // b\nc", &[("a ", "// b"), ("c", "")]),
            ("a /* b /* c */ d */ e", &[("a  e", "/* b /* c */ d */")]),
            ("/* a\nb */ c", &[("", "/* a"), (" c", "b */")]),
            (
                r#"f("// no \" comment") // yes"#,
                &[(r#"f("") "#, "// yes")],
            ),
            ("f(r#\"a \" // b\"#, c)", &[("f(\"\", c)", "")]),
            ("f(\"a\nb\") // c", &[("f(\"\"", ""), (") ", "// c")]),
            (
                "&'a str == '\"' + '\\'' + b'/' // c",
                &[("&'a str ==  +  + b ", "// c")],
            ),
            ("var\"a\" r#type", &[("var\"\" r#type", "")]),
            ("\"open", &[("\"\"", "")]),
        ];
        for (text, expected) in rows {
            let lines = lines(text);
            let lines: Vec<(&str, &str)> = lines
                .iter()
                .map(|line| (line.code.as_str(), line.comment.as_str()))
                .collect();
            assert_eq!(lines, expected, "{text}");
        }
    }

    #[test]
    fn a_part_of_a_word_is_not_the_word() {
        let rows = [
            ("unsafe {", true),
            ("unsafe_op", false),
            ("x.not_unsafe", false),
            ("(unsafe)", true),
        ];
        for (code, expected) in rows {
            assert_eq!(has_word(code, "unsafe"), expected, "{code}");
        }
    }
}
