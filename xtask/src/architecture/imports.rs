//! The full paths that `use` declarations name: `use std::{fs, time::Instant}` names `std::fs` and
//! `std::time::Instant`.

use super::source::{Line, has_word};

/// Every path imported, with the number of the line its declaration starts on.
pub(super) fn paths(lines: &[Line]) -> Vec<(usize, String)> {
    let mut paths = Vec::new();
    let mut declaration: Option<(usize, String)> = None;
    for (number, line) in (1..).zip(lines) {
        let (start, mut text) = match declaration.take() {
            Some(open) => open,
            None => match start_of_use(&line.code) {
                Some(_) => (number, String::new()),
                None => continue,
            },
        };
        let code = start_of_use(&line.code).filter(|_| text.is_empty());
        text.push_str(code.unwrap_or(&line.code));
        match text.split_once(';') {
            Some((tree, _)) => {
                let tree: String = tree.split_whitespace().collect::<Vec<_>>().join(" ");
                expand("", &tree, &mut |path| paths.push((start, path)));
            }
            None => declaration = Some((start, text)),
        }
    }
    paths
}

/// What follows `use` (or `pub use`) when `code` starts such a declaration.
fn start_of_use(code: &str) -> Option<&str> {
    let (before, after) = code.split_once("use ")?;
    let before = before.trim();
    let declares = before.is_empty() || (has_word(before, "pub") && !before.contains('{'));
    declares.then_some(after)
}

fn expand(prefix: &str, tree: &str, found: &mut impl FnMut(String)) {
    let tree = tree.trim();
    let Some((head, group)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or(tree);
        let path = path.strip_suffix("::self").unwrap_or(path);
        let whole = match path {
            "self" => prefix.trim_end_matches("::").to_owned(),
            _ => format!("{prefix}{path}"),
        };
        return found(whole);
    };
    let prefix = format!("{prefix}{}", head.trim());
    let group = group.trim_end().strip_suffix('}').unwrap_or(group);
    for tree in branches(group) {
        expand(&prefix, tree, found);
    }
}

/// The parts between the commas that are in no inner group.
fn branches(group: &str) -> Vec<&str> {
    let mut depth = 0_i32;
    let parts = group.split(|c| {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        c == ',' && depth == 0
    });
    parts.filter(|part| !part.trim().is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::source::lines;
    use super::*;

    #[test]
    fn groups_are_expanded() {
        let rows: [(&str, &[&str]); 7] = [
            ("use std::fs;", &["std::fs"]),
            ("pub(crate) use std::fs as disk;", &["std::fs"]),
            (
                "use std::{fs, time::{Duration, Instant}};",
                &["std::fs", "std::time::Duration", "std::time::Instant"],
            ),
            (
                "use std::{\n    env,\n    net::{self, TcpStream},\n};",
                &["std::env", "std::net", "std::net::TcpStream"],
            ),
            ("use aya::*;", &["aya::*"]),
            ("fn f() { reuse (); }", &[]),
            (
                "    use super::Line;\nuse std::env;",
                &["super::Line", "std::env"],
            ),
        ];
        for (text, expected) in rows {
            let found = paths(&lines(text));
            let found: Vec<&str> = found.iter().map(|(_, path)| path.as_str()).collect();
            assert_eq!(found, expected, "{text}");
        }
    }
}
