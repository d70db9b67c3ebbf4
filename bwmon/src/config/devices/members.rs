//! Where in the text of the file each member of an object is.

use std::ops::Range;

use super::comments::{Blanked, string_length, take_apart};

/// The text of a file, and what it is made of. The text must be one that can be read.
#[derive(Debug)]
pub(super) struct Document<'a> {
    /// All of it.
    pub(super) text: &'a str,
    /// The same as plain JSON.
    blanked: Blanked,
}

/// An object in the text.
#[derive(Clone, Debug)]
pub(super) struct Object {
    /// Of its first brace.
    pub(super) open: usize,
    /// Of its last brace.
    pub(super) close: usize,
    /// In order.
    pub(super) members: Vec<Member>,
}

/// A member of an object.
#[derive(Clone, Debug)]
pub(super) struct Member {
    /// As it is meant, without quotes and escapes.
    pub(super) key: String,
    /// The key as it is written, with its quotes.
    pub(super) name: Range<usize>,
    /// The value.
    pub(super) value: Range<usize>,
}

/// What is behind a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comma {
    /// One that parts it from the next member.
    Between(usize),
    /// One behind the last member.
    Last(usize),
    /// None.
    None,
}

impl<'a> Document<'a> {
    /// `None`: a comment has no end.
    pub(super) fn new(text: &'a str) -> Option<Self> {
        let blanked = take_apart(text).ok()?;
        Some(Self { text, blanked })
    }

    /// The object that the file is.
    pub(super) fn root(&self) -> Option<Object> {
        self.object(self.skip_space(0))
    }

    /// The object that begins there.
    pub(super) fn object(&self, open: usize) -> Option<Object> {
        let json = &self.blanked.json;
        let mut members = Vec::new();
        let mut at = self.skip_space(self.skip(open, b'{')?);
        while json.as_bytes().get(at) != Some(&b'}') {
            let name = at..self.value_end(at)?;
            let key = serde_json::from_str(json.get(name.clone())?).ok()?;
            let colon = self.skip_space(name.end);
            let start = self.skip_space(self.skip(colon, b':')?);
            let value = start..self.value_end(start)?;
            at = self.skip_space(value.end);
            if json.as_bytes().get(at) == Some(&b',') {
                at = self.skip_space(at + 1);
            }
            members.push(Member { key, name, value });
        }
        Some(Object {
            open,
            close: at,
            members,
        })
    }

    /// The value of a member, if that is an object.
    pub(super) fn object_of(&self, member: &Member) -> Option<Object> {
        self.object(member.value.start)
    }

    /// A part of the text as JSON.
    pub(super) fn value(&self, at: Range<usize>) -> Option<serde_json::Value> {
        serde_json::from_str(self.blanked.json.get(at)?).ok()
    }

    /// The comma behind the member of an object that ends in `close`.
    pub(super) fn comma(&self, member: &Member, close: usize) -> Comma {
        let end = member.value.end;
        let next = self.skip_space(end);
        if next < close {
            return Comma::Between(next);
        }
        let commas = &self.blanked.commas;
        let last = commas[commas.partition_point(|at| *at < end)..].first();
        last.filter(|at| **at < close)
            .map_or(Comma::None, |at| Comma::Last(*at))
    }

    /// The comments that begin in a part of the text.
    pub(super) fn comments(&self, within: Range<usize>) -> &[Range<usize>] {
        let comments = &self.blanked.comments;
        let first = comments.partition_point(|comment| comment.start < within.start);
        let end = comments.partition_point(|comment| comment.start < within.end);
        &comments[first..end.max(first)]
    }

    /// What follows `at` on its line.
    pub(super) fn rest_of_line(&self, at: usize) -> RestOfLine {
        let mut end = at;
        let mut at = at;
        loop {
            at += self.text[at..].len() - self.text[at..].trim_start_matches([' ', '\t']).len();
            let rest = &self.text[at..];
            if let Some(comment) = self.comments(at..at + 1).first() {
                end = comment.end;
                at = comment.end;
                continue;
            }
            return match rest {
                "" => RestOfLine::Empty(end),
                _ if rest.starts_with(['\n', '\r']) => RestOfLine::Empty(end),
                _ => RestOfLine::Used(end),
            };
        }
    }

    /// Where the line begins that `at` is on.
    pub(super) fn line_start(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(0, |newline| newline + 1)
    }

    /// What the line that `at` is on begins with.
    pub(super) fn indentation(&self, at: usize) -> &'a str {
        let line = &self.text[self.line_start(at)..];
        &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
    }

    /// How lines end.
    pub(super) fn newline(&self) -> &'static str {
        match self.text.find('\n') {
            Some(at) if self.text[..at].ends_with('\r') => "\r\n",
            _ => "\n",
        }
    }

    fn skip(&self, at: usize, byte: u8) -> Option<usize> {
        (self.blanked.json.as_bytes().get(at) == Some(&byte)).then_some(at + 1)
    }

    fn skip_space(&self, at: usize) -> usize {
        let rest = self.blanked.json.get(at..).unwrap_or_default();
        at + rest.len() - rest.trim_ascii_start().len()
    }

    /// The end of the value that begins there.
    fn value_end(&self, start: usize) -> Option<usize> {
        let json = &self.blanked.json;
        let mut depth = 0_usize;
        let mut at = start;
        loop {
            match json.as_bytes().get(at)? {
                b'"' => at += string_length(&json[at..]),
                b'{' | b'[' => {
                    depth += 1;
                    at += 1;
                }
                b'}' | b']' => {
                    depth = depth.checked_sub(1)?;
                    at += 1;
                }
                byte if depth > 0 && !byte.is_ascii_alphanumeric() => at += 1,
                _ => {
                    let word = json[at..].find([',', ':', '}', ']', ' ', '\t', '\r', '\n']);
                    at = word.map_or(json.len(), |length| at + length);
                }
            }
            if depth == 0 {
                return Some(at);
            }
        }
    }
}

/// What is behind something on its line, comments left aside. Each says where those end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RestOfLine {
    /// Nothing.
    Empty(usize),
    /// Something.
    Used(usize),
}
