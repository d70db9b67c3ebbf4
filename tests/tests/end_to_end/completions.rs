//! What a shell makes of the completions.

use std::process::Command;

use bwmon_tests::{binary, run};

/// What bash proposes for the last of these words.
#[track_caller]
fn proposed(words: &[&str]) -> Vec<String> {
    let script = r#"
        source <("$0" completions bash)
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _bwmon bwmon "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let mut command = Command::new("bash");
    command
        .args(["--norc", "-c", script])
        .arg(binary())
        .args(words);
    let output = command.output();
    let output = match output {
        Ok(output) => output,
        Err(error) => panic!("start bash: {error}"),
    };
    assert!(output.stderr.is_empty(), "{output:?}");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_options_and_values() {
    for (words, expected) in [
        (&["bwmon", "sta"][..], &["status"][..]),
        (&["bwmon", "alerts", "mu"], &["mute", "mutes"]),
        (&["bwmon", "run", "--xdp"], &["--xdp-mode"]),
        (&["bwmon", "run", "--xdp-mode", "g"], &["generic"]),
    ] {
        assert_eq!(proposed(words), expected, "{words:?}");
    }
}

#[test]
fn the_man_page_is_printed() {
    let page = run(&binary().to_string_lossy(), ["man"]);
    assert!(
        page.contains(".TH bwmon 1") && page.contains(".SH FILES"),
        "{page}"
    );
}
