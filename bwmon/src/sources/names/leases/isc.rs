//! ISC dhcpd: `lease ADDRESS { … }`, appended with each change. Only what is given is read, and of
//! that `hardware ethernet`, `client-hostname` and `binding state`.

use std::{borrow::Cow, net::IpAddr};

use super::{
    super::collected::{Collected, mac},
    Entry, in_force,
};

/// Reads leases.
pub(super) fn leases(text: &str) -> Collected {
    let mut tokens = Tokens { rest: text };
    let mut entries = Vec::new();
    let mut is_start = true;
    while let Some(token) = tokens.next() {
        let is_lease = is_start && token == Token::Word("lease");
        is_start = matches!(token, Token::Open | Token::Close | Token::End);
        if !is_lease {
            continue;
        }
        let address = match tokens.next() {
            Some(Token::Word(address)) => address.parse::<IpAddr>().ok(),
            _ => None,
        };
        if let (Some(address), Some(Token::Open)) = (address, tokens.next()) {
            entries.push(read(&mut tokens, address));
            is_start = true;
        }
    }
    in_force(entries.into_iter())
}

/// Reads what is between the braces.
fn read<'a>(tokens: &mut Tokens<'a>, address: IpAddr) -> Entry<'a> {
    let mut entry = Entry {
        address,
        mac: None,
        host: Cow::Borrowed(""),
        // Of the time before there were states.
        is_given: true,
    };
    let (mut depth, mut statement) = (1_usize, Vec::new());
    while let Some(token) = tokens.next() {
        match token {
            Token::Open => depth += 1,
            Token::Close if depth == 1 => break,
            Token::Close => {
                depth -= 1;
                statement.clear();
            }
            // As those of `on commit { … }`.
            _ if depth > 1 => {}
            Token::End => {
                apply(&mut entry, &statement);
                statement.clear();
            }
            // No statement that is read has more.
            token if statement.len() < 4 => statement.push(token),
            _ => {}
        }
    }
    entry
}

fn apply<'a>(entry: &mut Entry<'a>, statement: &[Token<'a>]) {
    use Token::{Text, Word};
    match *statement {
        [Word("hardware"), Word("ethernet"), Word(address)] => entry.mac = mac(address),
        [Word("client-hostname"), Text(host)] => entry.host = unescape(host).into(),
        [Word("client-hostname"), Word(host)] => entry.host = host.into(),
        [Word("binding"), Word("state"), Word(state)] => entry.is_given = state == "active",
        _ => {}
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'a> {
    Word(&'a str),
    /// Between quotes, as written.
    Text(&'a str),
    Open,
    Close,
    End,
}

struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Tokens<'a> {
    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            self.rest = self.rest.trim_start();
            match self.rest.strip_prefix('#') {
                Some(comment) => {
                    let end = comment.find('\n').unwrap_or(comment.len());
                    self.rest = &comment[end..];
                }
                None => break,
            }
        }
        let first = self.rest.chars().next()?;
        let single = match first {
            '{' => Some(Token::Open),
            '}' => Some(Token::Close),
            ';' => Some(Token::End),
            _ => None,
        };
        if let Some(token) = single {
            self.rest = &self.rest[1..];
            return Some(token);
        }
        if first == '"' {
            return Some(self.text());
        }
        let is_end = |c: char| c.is_whitespace() || "{};\"".contains(c);
        let end = self.rest.find(is_end).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        Some(Token::Word(word))
    }

    fn text(&mut self) -> Token<'a> {
        let content = &self.rest[1..];
        let mut is_escaped = false;
        let end = content.find(|c| match c {
            _ if is_escaped => {
                is_escaped = false;
                false
            }
            '\\' => {
                is_escaped = true;
                false
            }
            // No text goes over the end of a line: one without an end must not swallow the file.
            other => other == '"' || other == '\n',
        });
        let (text, rest) = content.split_at(end.unwrap_or(content.len()));
        self.rest = rest.strip_prefix('"').unwrap_or(rest);
        Token::Text(text)
    }
}

/// Takes `\"` and `\303` for what they stand for.
fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        let octal = rest.get(..3).and_then(|digits| {
            let is_octal = digits.iter().all(|digit| (b'0'..=b'7').contains(digit));
            let digits = std::str::from_utf8(digits).ok().filter(|_| is_octal)?;
            u8::from_str_radix(digits, 8).ok()
        });
        if let Some(byte) = octal {
            bytes.push(byte);
            rest = &rest[3..];
        } else if let Some((&byte, after)) = rest.split_first() {
            bytes.push(byte);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{super::super::collected::tests::shown, *};

    #[test]
    fn the_last_entry_about_an_address_counts() {
        let text = r#"
            # The format of this file is documented in the dhcpd.leases(5) manual page.
            authoring-byte-order little-endian;
            server-duid "\000\001\000\001/\213";

            lease 192.168.1.5 {
              starts 0 2026/03/08 09:00:00;
              ends 0 2026/03/08 21:00:00;
              binding state active;
              hardware ethernet 3c:22:fb:00:11:22;
              uid "\001<\"\373\000\021\"";
              set vendor-class-identifier = "lease 10.0.0.1 { client-hostname \"no\"; }";
              on commit { client-hostname "nested"; }
              client-hostname "old";
            }
            lease 192.168.1.5 {
              binding state active;
              hardware ethernet 3c:22:fb:00:11:22;
              client-hostname "lap\"top";
            }
            lease 192.168.1.6 { binding state active; hardware ethernet 3c:22:fb:00:11:23; client-hostname "gone"; }
            lease 192.168.1.6 { binding state free; hardware ethernet 3c:22:fb:00:11:23; client-hostname "gone"; }
            lease 192.168.1.7 { hardware ethernet 3c:22:fb:00:11:24; client-hostname "K\303\274che"; }
            lease 192.168.1.8 { hardware ethernet 3c:22:fb:00:11:25; client-hostname "open
            }
            lease 192.168.1.9 { hardware token-ring 00; client-hostname tv; }
            lease 192.168.1.10 {
        "#;
        insta::assert_snapshot!(shown(&leases(text)), @r#"
        3c:22:fb:00:11:22 lap"top
        3c:22:fb:00:11:24 Küche
        192.168.1.5 (3c:22:fb:00:11:22) lap"top
        192.168.1.7 (3c:22:fb:00:11:24) Küche
        192.168.1.9 tv
        "#);
    }

    #[test]
    fn bytes_that_steer_a_terminal_are_taken_out() {
        let text = r#"lease 10.0.0.5 { client-hostname "\033[2Jevil\342\200\256"; }"#;
        assert_eq!(shown(&leases(text)), "10.0.0.5 [2Jevil\n");
    }
}
