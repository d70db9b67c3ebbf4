//! `cargo xtask test`: every check and every test, in the order of what they cost.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::io::{self, BufRead as _, BufReader, IsTerminal as _, Write as _};
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context, Result, bail};

use super::build_ebpf::build_ebpf;
use super::build_web::{build_web, unit_tests};
use super::lint;
use crate::cargo;
use crate::command;
use crate::files;
use crate::outcome::Outcome;
use crate::steps::{Steps, Tally};
use crate::tools;
use crate::workspace::Workspace;

/// Tells the tests that a missing tool or kernel feature is a failure, not a reason to skip.
const REQUIRE_ALL: &str = "BWMON_REQUIRE_ALL";

/// Names the file that a test which skips appends a line to: `skipped NAME: WHY`.
const SKIP_LOG: &str = "BWMON_SKIP_LOG";

/// Names the program under test.
const BINARY: &str = "BWMON_BIN";

/// Names the directory of the servers that were unpacked for the tests.
const SERVERS: &str = "BWMON_SERVERS";

/// How many tests run at a time, where nothing else is said.
const TEST_THREADS: &str = "RUST_TEST_THREADS";

/// For each CPU. A test in a namespace of its own waits more than it works: for the next sample, for
/// a rate to fall, for a receiver.
const WAITING_TESTS: usize = 2;

/// Names the Python environment of the tests.
const PYTHON: &str = "BWMON_PYTHON";

/// Runs everything, and stops at the first step that does not pass; of the lints all run.
///
/// The user half is compiled twice: in the dev profile for clippy and every test, where the crates
/// are shared, and in release mode for the program that the end-to-end tests start.
///
/// # Errors
/// When a step does not pass.
pub(crate) fn test(workspace: &Workspace) -> Result<()> {
    let mut steps = Steps::default();
    steps.run("set-up", |_| tools::ensure_programs(workspace));
    if steps.all_passed() {
        steps.run("kernel half", |_| build_ebpf(workspace));
    }
    if steps.all_passed() {
        steps.run("dashboard", |_| build_web(workspace));
    }
    if steps.all_passed() {
        lint::check_all(workspace, &mut steps);
    }
    if steps.all_passed() {
        steps.run("unit and property tests", |tally| unit(workspace, tally));
    }
    if steps.all_passed() {
        steps.run("tests of the dashboard", |tally| web(workspace, tally));
    }
    if steps.all_passed() {
        steps.run("release build", |_| release(workspace));
    }
    if steps.all_passed() {
        steps.run("integration tests", |tally| integration(workspace, tally));
    }
    steps.finish()
}

fn unit(workspace: &Workspace, tally: &mut Tally) -> Result<()> {
    let mut cargo = cargo::host(workspace, "test");
    cargo.args(["--no-fail-fast", "--lib", "--bins"]);
    run_cargo(&mut cargo, tally)?;
    let mut cargo = cargo::host(workspace, "test");
    cargo.arg("--doc");
    run_cargo(&mut cargo, tally)
}

fn web(workspace: &Workspace, tally: &mut Tally) -> Result<()> {
    run_counting(&mut unit_tests(workspace)?, tally)
}

fn release(workspace: &Workspace) -> Result<()> {
    let mut cargo = cargo::host(workspace, "build");
    cargo.args(["--release", "--package", "bwmon"]);
    command::run(&mut cargo)
}

/// The tests that load programs and make namespaces, which takes root: they are built as the caller
/// and run by sudo.
fn integration(workspace: &Workspace, tally: &mut Tally) -> Result<()> {
    let skip_log = workspace.target().join("skipped-tests");
    files::remove(&skip_log)?;
    let mut cargo = cargo::host(workspace, "test");
    cargo
        .args(["--no-fail-fast", "--test", "*"])
        .env(SKIP_LOG, &skip_log)
        .env(BINARY, workspace.release_binary("bwmon"))
        .env(SERVERS, workspace.servers())
        .env(PYTHON, workspace.python());
    if env::var_os(TEST_THREADS).is_none() {
        let cpus = thread::available_parallelism().map_or(1, usize::from);
        cargo.env(TEST_THREADS, (cpus * WAITING_TESTS).to_string());
    }
    if env::var_os("CI").is_some_and(|ci| ci == "true") {
        cargo.env(REQUIRE_ALL, "1");
    }
    if !command::is_root() {
        if !command::can_be_root() {
            let why = "the integration tests take root, and there is no sudo";
            return Err(Outcome::by_hand(
                why,
                [command::typed_as_root("cargo xtask test")],
            ));
        }
        cargo.env(runner_variable()?, "sudo --preserve-env");
    }
    let ended = run_cargo(&mut cargo, tally);
    // None skipped, no file.
    let log = fs::read_to_string(&skip_log).unwrap_or_default();
    eprint!("{log}");
    tally.skipped = skipped(&log);
    // The harness knows no skipping: to it they have passed.
    tally.passed = tally.passed.saturating_sub(tally.skipped);
    ended
}

/// How many tests the lines of the log are of.
fn skipped(log: &str) -> u64 {
    let tests = log.lines().filter_map(|line| line.split(": ").next());
    let tests: BTreeSet<&str> = tests.collect();
    tests.len() as u64
}

/// The variable that names what cargo starts a test of this host by.
fn runner_variable() -> Result<String> {
    let version = command::ask(Command::new("rustc").arg("-vV")).unwrap_or_default();
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.context("find the host in what rustc -vV says")?;
    let host = host.to_ascii_uppercase().replace('-', "_");
    Ok(format!("CARGO_TARGET_{host}_RUNNER"))
}

/// Runs a `cargo test` and adds up its results.
fn run_cargo(cargo: &mut Command, tally: &mut Tally) -> Result<()> {
    if io::stdout().is_terminal() {
        // Behind a pipe the test harness would turn its colours off.
        cargo.args(["--", "--color", "always"]);
    }
    run_counting(cargo, tally)
}

/// Runs tests, passes their output on and adds up their results.
fn run_counting(tests: &mut Command, tally: &mut Tally) -> Result<()> {
    let before = *tally;
    command::print(tests);
    let mut child = tests
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("start `{}`", command::shown(tests)))?;
    let output = child.stdout.take().context("read what the tests say")?;
    for line in BufReader::new(output).split(b'\n') {
        let mut line = line.context("read what the tests say")?;
        let result = result_of(&String::from_utf8_lossy(&line)).unwrap_or_default();
        tally.passed += result.passed;
        tally.failed += result.failed;
        line.push(b'\n');
        io::stdout()
            .write_all(&line)
            .context("pass on what the tests say")?;
    }
    let status = child.wait().context("wait for the tests")?;
    if !status.success() {
        let failed = tally.failed - before.failed;
        let what = format!(
            "`{}` ended with {status}, {failed} tests failed",
            command::shown(tests)
        );
        return Err(Outcome::found(what));
    }
    if *tally == before && tests.get_args().all(|word| word != "--doc") {
        bail!("`{}` ran no test", command::shown(tests));
    }
    Ok(())
}

/// The numbers in `test result: ok. 12 passed; 0 failed; …`, or in Node's `ℹ pass 12`, `ℹ fail 0`.
fn result_of(line: &str) -> Option<Tally> {
    if let Some(words) = line.strip_prefix("ℹ ") {
        let (what, number) = words.trim_end().split_once(' ')?;
        let number = number.parse().ok()?;
        let (passed, failed) = match what {
            "pass" => (number, 0),
            "fail" => (0, number),
            _ => return None,
        };
        return Some(Tally {
            passed,
            failed,
            skipped: 0,
        });
    }
    let (_, result) = line.split_once("test result: ")?;
    let number = |what| -> Option<u64> {
        let (before, _) = result.split_once(what)?;
        before.rsplit(' ').next()?.parse().ok()
    };
    Some(Tally {
        passed: number(" passed")?,
        failed: number(" failed")?,
        skipped: 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_that_skips_twice_is_one() {
        let log = "skipped a::b: tmux is missing\nskipped a::b: ip: no such file\nskipped c: x\n";
        assert_eq!(skipped(log), 2);
        assert_eq!(skipped(""), 0);
    }

    #[test]
    fn results_are_read_with_and_without_colour() {
        let rows = [
            (
                "test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured;",
                Some((12, 0)),
            ),
            (
                "test result: \u{1b}[31mFAILED\u{1b}[m. 3 passed; 2 failed; 0 ignored;",
                Some((3, 2)),
            ),
            ("ℹ pass 41", Some((41, 0))),
            ("ℹ fail 1", Some((0, 1))),
            ("ℹ tests 42", None),
            ("ℹ duration_ms 97.4", None),
            ("test core::works ... ok", None),
            ("test result: ?", None),
        ];
        for (line, expected) in rows {
            let expected = expected.map(|(passed, failed)| Tally {
                passed,
                failed,
                skipped: 0,
            });
            assert_eq!(result_of(line), expected, "{line}");
        }
    }
}
