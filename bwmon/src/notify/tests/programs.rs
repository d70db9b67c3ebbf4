//! Programs that get an event on stdin.

use std::{fs, path::Path};

use super::*;
use crate::config::Exec;

fn program(command: &[&str]) -> Channel {
    Channel {
        target: Target::Exec(Exec {
            command: command.iter().map(ToString::to_string).collect(),
        }),
        ..webhook("tell", String::new())
    }
}

async fn run(command: &[&str]) -> Result<String, String> {
    let sender = Sender::new(&program(command));
    let answer = sender.try_once(&[event("one")]).await;
    answer
        .map(|answer| answer.to_string())
        .map_err(|error| error.to_string())
}

fn sh(script: &str) -> [&str; 3] {
    ["/bin/sh", "-c", script]
}

#[tokio::test]
async fn the_status_says_whether_it_is_delivered() {
    for (script, expected) in [
        ("exit 0", Ok("exit status: 0")),
        ("echo fine; echo done >&2", Ok("exit status: 0: done")),
        ("exit 3", Err("exit status: 3")),
        (
            "echo 'no\tpaper\n' >&2; exit 1",
            Err("exit status: 1: no paper"),
        ),
        ("kill -9 $$", Err("signal: 9 (SIGKILL)")),
    ] {
        let found = run(&sh(script)).await;
        let found = found.as_deref().map_err(String::as_str);
        assert_eq!(found, expected, "{script}");
    }
    let error = run(&["/nonexistent/tell"]).await.unwrap_err();
    assert_eq!(
        error,
        "cannot run \"/nonexistent/tell\": No such file or directory (os error 2)"
    );
}

#[tokio::test]
async fn it_gets_the_event_and_little_else() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_str().unwrap();
    let script = "cat > \"$1/event\"; env > \"$1/env\"; pwd > \"$1/pwd\"";
    run(&["/bin/sh", "-c", script, "sh", path]).await.unwrap();
    let read = |name: &str| fs::read_to_string(directory.path().join(name)).unwrap();
    assert_eq!(
        serde_json::from_str::<Event>(&read("event")).unwrap(),
        *event("one")
    );
    assert_eq!(read("pwd"), "/\n");
    let mut names: Vec<_> = read("env")
        .lines()
        .map(|line| line.split('=').next().unwrap().to_owned())
        .collect();
    names.retain(|name| {
        ![
            "PATH", "HOME", "LANG", "LC_ALL", "TZ", "PWD", "SHLVL", "_", "OLDPWD",
        ]
        .contains(&name.as_str())
    });
    names.sort();
    assert_eq!(names, ["BWMON_RULE", "BWMON_SEVERITY", "BWMON_STATE"]);
    assert!(read("env").contains("BWMON_RULE=volume\n"));
}

#[tokio::test]
async fn no_shell_reads_the_arguments() {
    let directory = tempfile::tempdir().unwrap();
    let mark = directory.path().join("mark");
    let word = format!("$(touch {0}); touch {0}", mark.display());
    run(&["/bin/echo", &word]).await.unwrap();
    assert!(!mark.exists());
}

#[tokio::test]
async fn what_reads_nothing_or_says_much_is_no_trouble() {
    run(&["/bin/true"]).await.unwrap();
    let said = run(&sh(
        "exec <&-; head -c 1000000 /dev/zero | tr '\\0' x >&2; exit 1",
    ))
    .await
    .unwrap_err();
    assert!(said.len() < 300, "{said}");
}

#[tokio::test]
async fn what_does_not_end_is_killed_with_all_that_it_started() {
    let directory = tempfile::tempdir().unwrap();
    let pid = directory.path().join("pid");
    let script = format!("sleep 1000 & echo $! > {}; wait", pid.display());
    let mut channel = program(&sh(&script));
    channel.timeout = Duration::from_millis(500);
    let begin = Instant::now();
    let error = try_once(&channel, &event("one")).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "did not end within 500ms, and was killed"
    );
    assert!(begin.elapsed() < Duration::from_secs(20));
    assert!(!error.is_permanent());
    let pid = fs::read_to_string(pid).unwrap();
    is_gone(pid.trim()).await;
}

/// A process that is killed is soon a zombie, or nothing at all.
async fn is_gone(pid: &str) {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let status = fs::read_to_string(Path::new("/proc").join(pid).join("status"));
        if status.is_ok_and(|status| !status.contains("State:\tZ")) {
            assert!(Instant::now() < deadline, "{pid} lives");
            tokio::time::sleep(Duration::from_millis(5)).await;
        } else {
            return;
        }
    }
}

#[tokio::test]
async fn what_it_leaves_behind_holds_nobody_up() {
    let begin = Instant::now();
    let said = run(&sh("echo bye >&2; sleep 1000 & echo $! >&2"))
        .await
        .unwrap();
    assert!(begin.elapsed() < Duration::from_secs(9));
    let pid = said.rsplit(' ').next().unwrap();
    assert!(said.starts_with("exit status: 0: bye "), "{said}");
    let pid = nix::unistd::Pid::from_raw(pid.parse().unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).unwrap();
}
