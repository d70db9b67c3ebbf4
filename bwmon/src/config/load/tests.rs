//! Which files are read, and what the command line changes.

use std::fs;

use tempfile::TempDir;

use super::*;

const TWO_FILES: [(&str, &str); 2] = [
    ("etc/bwmon.toml", "max_addresses = 1000"),
    (
        "etc/registered_devices.json",
        "{ \"192.0.2.1\": { \"name\": \"from etc\" } }",
    ),
];

/// A machine with these files: `etc` instead of `/etc/bwmon`, `work` to start from.
struct Machine(TempDir);

impl Machine {
    fn new(files: &[(&str, &str)]) -> Self {
        let machine = Self(tempfile::tempdir().unwrap());
        for directory in ["etc", "work"] {
            fs::create_dir(machine.path(directory)).unwrap();
        }
        for (path, text) in files {
            fs::write(machine.path(path), text).unwrap();
        }
        machine
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn load(&self, overrides: &Overrides) -> Result<Config, ConfigErrors> {
        load_from(&self.path("etc/bwmon.toml"), &self.path("work"), overrides)
    }

    /// What is loaded: files and names of devices; or what is wrong.
    fn check(&self, overrides: &Overrides, expected: &str) {
        let text = match self.load(overrides) {
            Ok(config) => {
                let names = config
                    .policy
                    .registered
                    .into_iter()
                    .filter_map(|entry| entry.name);
                let sources = config.sources.iter().map(|path| path.display().to_string());
                sources.chain(names).collect::<Vec<_>>().join(", ")
            }
            Err(errors) => errors.to_string(),
        };
        assert_eq!(
            text.replace(&format!("{}/", self.0.path().display()), ""),
            expected
        );
    }
}

#[test]
fn without_files_there_are_the_defaults() {
    let machine = Machine::new(&[]);
    machine.check(&Overrides::default(), "");
    assert_eq!(
        machine.load(&Overrides::default()).unwrap().max_addresses,
        8192
    );
}

#[test]
fn the_files_in_etc_are_found() {
    let machine = Machine::new(&TWO_FILES);
    machine.check(
        &Overrides::default(),
        "etc/bwmon.toml, etc/registered_devices.json, from etc",
    );
    assert_eq!(
        machine.load(&Overrides::default()).unwrap().max_addresses,
        1000
    );
}

#[test]
fn without_a_configuration_devices_are_looked_for_in_two_places() {
    let etc = TWO_FILES[1];
    let work = (
        "work/registered_devices.json",
        "{ \"192.0.2.2\": { \"name\": \"from work\" } }",
    );
    let check = |files: &[(&str, &str)], expected| {
        Machine::new(files).check(&Overrides::default(), expected);
    };
    check(&[work], "work/registered_devices.json, from work");
    check(&[etc, work], "etc/registered_devices.json, from etc");
    // With a configuration they are next to it or nowhere.
    check(&[TWO_FILES[0], work], "etc/bwmon.toml");
}

#[test]
fn a_named_file_must_be_there() {
    let machine = Machine::new(&[("etc/bwmon.toml", "devices_file = \"devices\"")]);
    let missing = "cannot be read: No such file or directory (os error 2)";
    machine.check(
        &Overrides::default(),
        &format!("etc/bwmon.toml:1:16: devices_file: etc/devices: {missing}"),
    );
    let overrides = Overrides {
        config: Some(machine.path("a")),
        devices: Some(machine.path("b")),
        ..Overrides::default()
    };
    machine.check(
        &overrides,
        &format!("--config: a: {missing}\n--devices: b: {missing}"),
    );
}

#[test]
fn the_command_line_has_the_last_word() {
    let machine = Machine::new(&[
        (
            "work/a.toml",
            "interfaces = [\"eth0\"]\nxdp_mode = \"tc\"\nstate_dir = \"/state\"\ndevices_file = \"b\"",
        ),
        ("work/c.json", "{}"),
    ]);
    let overrides = Overrides {
        config: Some(machine.path("work/a.toml")),
        interfaces: vec!["br*".to_owned()],
        listen: Some("[::1]:5000".to_owned()),
        state_dir: Some("elsewhere".into()),
        devices: Some(machine.path("work/c.json")),
        xdp_mode: Some(XdpMode::Native),
    };
    let config = machine.load(&overrides).unwrap();
    assert_eq!(config.interfaces, ["br*"]);
    assert_eq!(config.http.listen.to_string(), "[::1]:5000");
    assert_eq!(config.state_dir, Path::new("elsewhere"));
    assert_eq!(config.xdp_mode, XdpMode::Native);
    assert_eq!(
        config.sources,
        [machine.path("work/a.toml"), machine.path("work/c.json")]
    );
}

#[test]
fn the_mistakes_of_all_files_and_options_are_told_together() {
    let machine = Machine::new(&[
        ("etc/bwmon.toml", "pin = true\npim = true"),
        ("etc/registered_devices.json", "{ \"laptop\": {} }"),
    ]);
    let overrides = Overrides {
        interfaces: vec!["a/b".to_owned()],
        listen: Some("4000".to_owned()),
        ..Overrides::default()
    };
    let text = machine.load(&overrides).unwrap_err().to_string();
    let starts: Vec<_> = text
        .lines()
        .map(|line| line.trim_start_matches(&format!("{}/", machine.0.path().display())))
        .map(|line| line.split(": ").next().unwrap_or_default())
        .collect();
    let expected = [
        "etc/registered_devices.json:1:3",
        "etc/bwmon.toml:2:1",
        "--iface",
        "--listen",
    ];
    assert_eq!(starts, expected);
}

#[test]
fn listening_beyond_this_machine_takes_a_token() {
    let reason = "0.0.0.0:4000 can be reached from the network, so readers must show a token; set \
                  http.token_file to a file that holds one, or listen on 127.0.0.1:4000 or \
                  unix:/run/bwmon.sock";
    let open = "[http]\nlisten = \"0.0.0.0:4000\"";
    let with_token = format!("{open}\ntoken_file = \"token\"");
    let listen = |listen: &str| Overrides {
        listen: Some(listen.to_owned()),
        ..Overrides::default()
    };
    let machine = Machine::new(&[("etc/bwmon.toml", open)]);
    machine.check(
        &Overrides::default(),
        &format!("etc/bwmon.toml:2:10: http.listen: {reason}"),
    );
    machine.check(&listen("127.0.0.1:4000"), "etc/bwmon.toml");
    let machine = Machine::new(&[("etc/bwmon.toml", &with_token), ("etc/token", "secret")]);
    machine.check(&Overrides::default(), "etc/bwmon.toml");
    machine.check(&listen("[::]:4000"), "etc/bwmon.toml");
    let machine = Machine::new(&[]);
    machine.check(&listen("0.0.0.0:4000"), &format!("--listen: {reason}"));
}

#[test]
fn a_secret_that_everybody_can_read_is_warned_of() {
    use std::os::unix::fs::PermissionsExt;

    let machine = Machine::new(&[
        (
            "etc/bwmon.toml",
            "timezone = \"UTC\"\n[http]\ntoken_file = \"token\"",
        ),
        ("etc/token", "secret"),
    ]);
    let token = machine.path("etc/token");
    fs::set_permissions(&token, fs::Permissions::from_mode(0o644)).unwrap();
    let expected = format!(
        "{} holds a secret and can be read by every user; run chmod o-r on it",
        token.display()
    );
    assert_eq!(
        machine.load(&Overrides::default()).unwrap().warnings,
        [expected]
    );
}

#[test]
fn a_group_without_devices_is_warned_of() {
    let machine = Machine::new(&[
        (
            "etc/bwmon.toml",
            "timezone = \"UTC\"\n[groups.kids]\nsurge = false\n[groups.guests.total]\nquota = 5",
        ),
        (
            "etc/registered_devices.json",
            "{ \"192.0.2.1\": { \"group\": \"guests\" } }",
        ),
    ]);
    let expected = "groups: no registered device is in \"kids\"; its limits have no effect until an \
                    entry says \"group\": \"kids\"";
    assert_eq!(
        machine.load(&Overrides::default()).unwrap().warnings,
        [expected]
    );
}

#[test]
fn where_devices_are_or_would_be_is_known() {
    let bare = [("etc/bwmon.toml", "")];
    let named = [
        ("etc/bwmon.toml", "devices_file = \"other.json\""),
        ("etc/other.json", "{}"),
    ];
    let at_work = [("work/registered_devices.json", "{}")];
    for (files, expected) in [
        (&[][..], "etc/registered_devices.json"),
        (&bare, "etc/registered_devices.json"),
        (&TWO_FILES, "etc/registered_devices.json"),
        (&at_work, "work/registered_devices.json"),
        (&named, "etc/other.json"),
    ] {
        let machine = Machine::new(files);
        let config = machine.load(&Overrides::default()).unwrap();
        assert_eq!(config.devices_file, machine.path(expected), "{files:?}");
    }
}
