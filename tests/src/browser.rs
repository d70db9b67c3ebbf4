//! A real browser: scripts of the dashboard that drive one by Playwright, in a namespace.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, Command, ExitStatus, Stdio},
};

use crate::{namespace::Namespace, setup::project};

/// What a line begins with that asks for something to happen in the network.
const ASKED: &str = "please ";

/// Runs a script of `bwmon/web` by Node in the namespace, to its end. It does what it is asked for by
/// `act` and prints the rest.
///
/// # Panics
/// When Node can't be started.
#[track_caller]
pub fn drive(
    namespace: &Namespace,
    script: &str,
    arguments: &[&str],
    mut act: impl FnMut(&str) -> String,
) -> ExitStatus {
    let mut command = Command::new("node");
    command
        .arg(script)
        .args(arguments)
        .current_dir(project().join("bwmon/web"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let child = namespace.enter(|| command.spawn());
    let mut script = Script(child.expect("start node (is it installed?)"));
    let mut input = script.0.stdin.take().expect("speak to the script");
    let output = script.0.stdout.take().expect("hear the script");
    for line in BufReader::new(output).lines() {
        let line = line.expect("read what the script says");
        match line.strip_prefix(ASKED) {
            Some(asked) => {
                let reply = act(asked);
                // It may have ended in between, which its status tells.
                writeln!(input, "{reply}").ok();
            }
            None => println!("{line}"),
        }
    }
    drop(input);
    script.0.wait().expect("wait for the script")
}

/// It ends with the test, also when that panics; and the browser with it.
struct Script(Child);

impl Drop for Script {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}
