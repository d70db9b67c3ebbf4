//! The rules, each as what it looks for and what it says.

use std::path::Path;

use super::imports;
use super::source::{self, Line, has_word, is_word};

/// Above this a file is to be split.
const MOST_LINES: usize = 600;

/// Where `unsafe` has its place: the kernel half, and what speaks with the kernel, tests included.
const UNSAFE_IS_FINE: [&str; 4] = ["bwmon-ebpf", "bwmon-common", "bwmon/src/kernel", "tests"];

/// What must be a function of its arguments.
const CORE: &str = "bwmon/src/core";

/// Crates that do input, output or logging.
const NOT_IN_CORE_CRATES: [&str; 2] = ["aya", "tokio"];

/// Paths of the standard library, and all that starts with them.
const NOT_IN_CORE_PATHS: [&str; 8] = [
    "std::env",
    "std::fs",
    "std::net::Tcp",
    "std::net::Udp",
    "std::os::unix::net",
    "std::process",
    "std::time::Instant",
    "std::time::SystemTime",
];

/// Calls that read a clock, and the logging macros.
const NOT_IN_CORE_CALLS: [&str; 5] = [
    "Instant::now",
    "SystemTime::now",
    "Zoned::now",
    "Timestamp::now",
    "log::",
];

/// The rules that `text`, the file at `path` in the repository, breaks: line and reason.
pub(super) fn broken(path: &Path, text: &str) -> Vec<(usize, String)> {
    let lines = source::lines(text);
    let mut broken = Vec::new();
    let length = text.lines().count();
    if length > MOST_LINES {
        let what = format!("{length} lines: split files above {MOST_LINES}");
        broken.push((length, what));
    }
    let may_be_unsafe = UNSAFE_IS_FINE.iter().any(|place| path.starts_with(place));
    for (number, line) in (1..).zip(&lines) {
        let rest = &lines[number - 1..];
        let mut say = |what: &str| broken.push((number, what.to_owned()));
        if !may_be_unsafe && has_word(&line.code, "unsafe") {
            say(
                "`unsafe` has its place in bwmon/src/kernel, bwmon-ebpf, bwmon-common and tests: wrap it there",
            );
        }
        if is_allowing(&line.code) {
            say("silences a lint for good: use `#[expect(lint, reason = …)]`");
        }
        if is_expecting(&line.code) && !gives_a_reason(rest) {
            say("expects a lint without `reason = …`: say why");
        }
        if without_spaces(&line.code).contains("#[ignore") {
            say("an ignored test tests nothing: make it run, or skip loudly for what is missing");
        }
        if is_unfinished(line) {
            say("an unfinished place: finish it, or open an issue and delete the marker");
        }
    }
    if path.starts_with(CORE) {
        broken.extend(impure(&lines));
    }
    broken.sort();
    broken.dedup();
    broken
}

/// What a pure core must not name.
fn impure(lines: &[Line]) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, Line { code, .. }) in (1..).zip(lines) {
        let crates = NOT_IN_CORE_CRATES
            .iter()
            .filter(|name| has_word(code, name));
        let calls = NOT_IN_CORE_CALLS
            .iter()
            .filter(|call| has_start(code, call));
        let paths = NOT_IN_CORE_PATHS.iter().filter(|path| has_path(code, path));
        found.extend(crates.chain(calls).chain(paths).map(|name| (number, *name)));
    }
    for (number, imported) in imports::paths(lines) {
        let paths = NOT_IN_CORE_PATHS
            .iter()
            .filter(|path| has_path(&imported, path));
        let log = imported == "log" || imported.starts_with("log::");
        found.extend(paths.map(|path| (number, *path)));
        found.extend(log.then_some((number, "log::")));
    }
    let explain = |name: &str| {
        format!(
            "core must not use {name}: take what it gives as an argument, or do it outside core"
        )
    };
    let found = found.into_iter();
    found
        .map(|(number, name)| (number, explain(name)))
        .collect()
}

/// Whether `path` is in `code`: the start of an identifier at its end is enough where that is a
/// prefix of type names (`Tcp`), else it has to be the whole identifier.
fn has_path(code: &str, path: &str) -> bool {
    let is_prefix = path.ends_with("Tcp") || path.ends_with("Udp");
    if is_prefix {
        has_start(code, path)
    } else {
        has_word(code, path)
    }
}

/// Whether `what` stands in `code` as the start of a path or an identifier.
fn has_start(code: &str, what: &str) -> bool {
    code.match_indices(what).any(|(at, _)| {
        let before = &code[..at];
        // `jiff::Zoned::now` is `Zoned::now`; `self::log::x` is not the crate `log`.
        let other_path = what.ends_with("::") && before.ends_with(':');
        !before.ends_with(is_word) && !other_path
    })
}

fn is_allowing(code: &str) -> bool {
    let code = without_spaces(code);
    let direct = code.contains("#[allow(") || code.contains("#![allow(");
    direct || (code.contains("cfg_attr(") && has_word(&code, "allow"))
}

fn is_expecting(code: &str) -> bool {
    let code = without_spaces(code);
    code.contains("#[expect(") || code.contains("#![expect(")
}

/// Whether the attribute that starts on the first of `lines` has a `reason`.
fn gives_a_reason(lines: &[Line]) -> bool {
    let attribute = lines.iter().map(|line| line.code.as_str());
    let end = lines.iter().position(|line| line.code.contains(")]"));
    let mut attribute = attribute.take(end.map_or(lines.len(), |end| end + 1));
    attribute.any(|code| has_word(code, "reason"))
}

fn is_unfinished(Line { code, comment }: &Line) -> bool {
    let marked = |word| has_word(comment, word) || has_word(code, word);
    let code = without_spaces(code);
    let called = |name: &str| has_start(&code, name);
    marked("TODO") || marked("FIXME") || called("todo!") || called("unimplemented!")
}

fn without_spaces(code: &str) -> String {
    code.split_whitespace().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, text: &str, expected: &[(usize, &str)]) {
        let broken = broken(Path::new(path), text);
        let matches = broken.len() == expected.len()
            && broken
                .iter()
                .zip(expected)
                .all(|((line, what), (number, part))| line == number && what.contains(part));
        assert!(
            matches,
            "{path}: {text}\nfound {broken:?}\nexpected {expected:?}"
        );
    }

    #[test]
    fn core_is_pure() {
        let rows: [(&str, &[(usize, &str)]); 20] = [
            ("use std::time::Duration;", &[]),
            ("use std::net::{IpAddr, Ipv4Addr};", &[]),
            ("use crate::core::log::Entry;", &[]),
            ("let tokio_like = catalog::entry();", &[]),
            ("// aya, tokio and std::fs are for others", &[]),
            ("//! No `Instant::now()`, no `log::info!`.", &[]),
            ("let text = \"std::fs\";", &[]),
            ("use aya::maps::Array;", &[(1, "aya")]),
            (
                "fn f() {}\nasync fn g(x: tokio::task::Id) {}",
                &[(2, "tokio")],
            ),
            ("use std::fs;", &[(1, "std::fs")]),
            ("use std::{env, fs};", &[(1, "std::env"), (1, "std::fs")]),
            (
                "use std::{\n    collections::BTreeMap,\n    process,\n};",
                &[(1, "std::process")],
            ),
            (
                "use std::net::{IpAddr, TcpStream};",
                &[(1, "std::net::Tcp")],
            ),
            ("fn f(s: &std::net::UdpSocket) {}", &[(1, "std::net::Udp")]),
            (
                "use std::time::{Duration, Instant};",
                &[(1, "std::time::Instant")],
            ),
            (
                "let now = std::time::Instant::now();",
                &[(1, "Instant::now"), (1, "std::time::Instant")],
            ),
            ("let now = jiff::Zoned::now();", &[(1, "Zoned::now")]),
            ("let now = Timestamp::now();", &[(1, "Timestamp::now")]),
            ("log::info!(\"x\");", &[(1, "log::")]),
            ("use log::{info, warn};", &[(1, "log::")]),
        ];
        for (text, expected) in rows {
            check("bwmon/src/core/meter/mod.rs", text, expected);
            check("bwmon/src/store/mod.rs", text, &[]);
        }
    }

    #[test]
    fn unsafe_has_its_place() {
        let text = "fn f() {\n    unsafe { g() }\n}";
        check("bwmon/src/store/mod.rs", text, &[(2, "`unsafe`")]);
        check("bwmon/src/kernel_like.rs", text, &[(2, "`unsafe`")]);
        check("xtask/src/main.rs", text, &[(2, "`unsafe`")]);
        check("tests/tests/attach.rs", text, &[]);
        check("bwmon/src/kernel/sample.rs", text, &[]);
        check("bwmon-ebpf/src/main.rs", text, &[]);
        check("bwmon-common/src/layout.rs", text, &[]);
        check(
            "bwmon/src/lib.rs",
            "#![forbid(unsafe_code)] // no unsafe",
            &[],
        );
    }

    #[test]
    fn lints_are_expected_with_a_reason() {
        let rows: [(&str, &[(usize, &str)]); 7] = [
            ("#[expect(dead_code, reason = \"x\")]", &[]),
            ("#[expect(\n    dead_code,\n    reason = \"x\"\n)]", &[]),
            ("/// No `#[allow(` here.", &[]),
            ("#[allow(dead_code)]", &[(1, "silences")]),
            ("#![ allow(dead_code)]", &[(1, "silences")]),
            ("#[cfg_attr(test, allow(dead_code))]", &[(1, "silences")]),
            (
                "#[expect(dead_code)]\n// reason\nlet reason = 1;",
                &[(1, "without")],
            ),
        ];
        for (text, expected) in rows {
            check("bwmon/src/lib.rs", text, expected);
        }
    }

    #[test]
    fn nothing_is_ignored_or_unfinished() {
        let rows: [(&str, &[(usize, &str)]); 7] = [
            ("#[ignore]\nfn f() {}", &[(1, "ignored")]),
            ("#[ignore = \"slow\"]", &[(1, "ignored")]),
            ("f(); // TODO: more", &[(1, "unfinished")]),
            ("/// FIXME", &[(1, "unfinished")]),
            ("fn f() { todo!() }", &[(1, "unfinished")]),
            ("unimplemented! ()", &[(1, "unfinished")]),
            ("let x = \"TODO\"; // the TODOLIST, autodo!", &[]),
        ];
        for (text, expected) in rows {
            check("xtask/src/main.rs", text, expected);
        }
    }

    #[test]
    fn a_long_file_is_to_be_split() {
        check("bwmon/src/a.rs", &"\n".repeat(600), &[]);
        check("bwmon/src/a.rs", &"\n".repeat(601), &[(601, "split")]);
    }
}
