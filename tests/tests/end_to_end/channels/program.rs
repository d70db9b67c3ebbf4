//! A program of the owner's.

use std::{fs, os::unix::fs::PermissionsExt};

use bwmon_tests::wait_until;
use serde_json::Value;

use super::{LAPTOP, Stage, TOLD, write};

/// Fails the first time. Its argument says where it keeps what it gets.
const PROGRAM: &str = r#"#!/bin/sh
if [ ! -e "$1.failed" ]; then
    echo "not today" >&2
    : >"$1.failed"
    exit 3
fi
{ cat; echo; } >>"$1"
"#;

#[test]
fn a_program_gets_each_event_on_stdin_and_is_tried_again() {
    let stage = Stage::new(|_| String::new());
    let program = write(&stage.setup, "tell", PROGRAM);
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("make it executable");
    // Neither a shell nor words of their own.
    let kept = stage.setup.directory().join("kept; $(touch kept)");
    stage.configure(
        "",
        &format!(
            "[[notify]]\ntype = \"exec\"\ncommand = [\"{program}\", \"{}\"]\n",
            kept.display()
        ),
    );
    let daemon = stage.setup.start();
    let events = [stage.fire(LAPTOP).event, stage.resolve(&daemon).event];
    wait_until("both events", TOLD, || {
        let text = fs::read_to_string(&kept).unwrap_or_default();
        let got: Vec<Value> = text.lines().flat_map(serde_json::from_str).collect();
        if got == events { Ok(()) } else { Err(text) }
    });
    let line = daemon.wait_for_log(&["channel tell", "not today"]);
    assert!(line.contains('3'), "{line}");
}
