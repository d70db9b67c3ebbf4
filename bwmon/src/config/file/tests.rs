//! What the file may say, and what it means.

use std::path::Path;

use proptest::prelude::*;

use super::super::{Shape, Target, Webhook};
use super::*;
use crate::core::policy::{Directed, Limits, Setting};

fn config(text: &str) -> Config {
    let source = Source::new(Path::new("/etc/bwmon/bwmon.toml"), text.into()).unwrap();
    parse(&source)
        .map(|parsed| parsed.config)
        .unwrap_or_else(|error| panic!("{error}"))
}

/// All but what `Debug` does not show: secrets.
fn check(text: &str, expected: &Config) {
    assert_eq!(
        format!("{:#?}", config(text)),
        format!("{expected:#?}"),
        "{text}"
    );
}

#[test]
fn an_empty_file_gives_the_defaults() {
    let config = config("");
    assert!(config.interfaces.is_empty());
    assert_eq!(config.xdp_mode, XdpMode::Auto);
    assert_eq!(config.tc_mode, TcMode::Auto);
    assert_eq!(config.local_networks, LocalNetworks::Auto);
    assert_eq!(config.max_addresses, 8192);
    assert_eq!(config.poll_interval, Duration::from_secs(1));
    assert_eq!(config.state_dir, Path::new("/var/lib/bwmon"));
    assert_eq!(config.pin, None);
    assert_eq!(config.http.listen.to_string(), "127.0.0.1:4000");
    assert_eq!(config.http.token, None);
    assert_eq!(config.names, crate::config::Names::default());
    assert!(config.notify.is_empty());
    assert_eq!(config.policy, Policy::default());
}

#[test]
fn every_key_is_read() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("token"), "secret1\n").unwrap();
    std::fs::write(directory.path().join("url"), "https://example.net/key2\n").unwrap();
    let text = r#"
        interfaces = ["br-lan", "eth*"]
        xdp_mode = "generic"
        tc_mode = "clsact"
        local_networks = ["192.168.0.0/24", "192.168.1.0/24", "fd00::/8"]
        max_addresses = 1024
        poll_interval = "500ms"
        devices_file = "devices.json"
        state_dir = "state"
        pin = "/sys/fs/bpf/other"
        timezone = "CET-1CEST,M3.5.0,M10.5.0/3"

        [http]
        listen = "unix:/run/bwmon.sock"
        token_file = "token"

        [defaults]
        bandwidth_threshold = "10 GB"
        max_active_time = "off"
        rate_threshold = 1000
        surge = false

        [[notify]]
        type = "webhook"
        url = "https://user@example.org/key1"

        [[notify]]
        type = "webhook"
        name = "second"
        url_file = "url"
        token_file = "token"
        timeout = "5s"
    "#;
    let source = Source::new(&directory.path().join("bwmon.toml"), text.into()).unwrap();
    let config = parse(&source)
        .map(|parsed| parsed.config)
        .unwrap_or_else(|e| panic!("{e}"));

    assert_eq!(config.interfaces, ["br-lan", "eth*"]);
    assert_eq!(config.xdp_mode, XdpMode::Generic);
    assert_eq!(config.tc_mode, TcMode::Clsact);
    let networks = ["192.168.0.0/23", "fd00::/8"].map(|network| network.parse().unwrap());
    assert_eq!(
        config.local_networks,
        LocalNetworks::List(networks.to_vec())
    );
    assert_eq!(config.max_addresses, 1024);
    assert_eq!(config.poll_interval, Duration::from_millis(500));
    assert_eq!(config.state_dir, directory.path().join("state"));
    assert_eq!(config.pin.as_deref(), Some(Path::new("/sys/fs/bpf/other")));
    assert_eq!(config.http.listen, Listen::Unix("/run/bwmon.sock".into()));
    assert_eq!(config.http.token.unwrap().reveal(), "secret1");
    let mut limits = Limits::simple(Setting::At(10_000_000_000), Setting::Off, Setting::At(1000));
    limits.surge.value.watch = Directed::each(Setting::Off);
    assert_eq!(config.policy.defaults, limits);
    let [first, second] = &config.notify[..] else {
        panic!("two channels")
    };
    let (Target::Http(to_first), Target::Http(to_second)) = (&first.target, &second.target) else {
        panic!("two receivers of HTTP")
    };
    assert_eq!(first.name, "example.org");
    assert_eq!(to_first.url.reveal(), "https://user@example.org/key1");
    assert_eq!(to_first.shape, Shape::Webhook(Webhook::default()));
    assert_eq!(first.timeout, Duration::from_secs(10));
    assert_eq!(second.name, "second");
    assert_eq!(to_second.url.reveal(), "https://example.net/key2");
    let secrets = to_second.shape.secrets();
    assert_eq!(
        secrets
            .iter()
            .map(|token| token.reveal())
            .collect::<Vec<_>>(),
        ["secret1"]
    );
    assert_eq!(second.timeout, Duration::from_secs(5));
}

/// Settings that lead to no file.
const SETTINGS: &str = r#"
interfaces = ["br-lan", "eth*"]
local_networks = ["192.168.0.0/24", "fd00::/8"]
max_addresses = 1024
poll_interval = "500ms"
timezone = "CET-1CEST,M3.5.0,M10.5.0/3"

[defaults]
bandwidth_threshold = "10 GB"
max_active_time = "off"
rate_threshold = 1000

[[notify]]
type = "webhook"
url = "https://example.org/key"
timeout = "5s"
"#;

#[test]
fn short_forms_mean_the_same() {
    let mut expected = config("");
    check(
        "interfaces = \"auto\"\nlocal_networks = \"auto\"\npin = false",
        &expected,
    );
    check(
        "interfaces = []\nnotify = []\n[http]\n[defaults]",
        &expected,
    );
    expected.interfaces = vec!["eth0".to_owned()];
    check("interfaces = \"eth0\"", &expected);
    check("\u{feff}interfaces = [\"eth0\"]\r\n", &expected);
    expected.interfaces.clear();
    expected.pin = Some("/sys/fs/bpf/bwmon".into());
    check("pin = true", &expected);
}

#[test]
fn the_shipped_file_says_the_defaults() {
    const SHIPPED: &str = include_str!("../../../../config/bwmon.toml");
    check(SHIPPED, &config(""));
    // A setting is commented out by `#` alone, a remark by `# `.
    let uncommented = SHIPPED.lines().map(|line| match line.strip_prefix('#') {
        Some(setting) if !setting.starts_with(' ') => setting,
        _ => line,
    });
    let uncommented = uncommented.collect::<Vec<_>>().join("\n");
    let mut expected = config("");
    expected.policy.defaults = Limits::simple(
        Setting::At(5_000_000_000),
        Setting::At(Duration::from_secs(5 * 3600)),
        Setting::At(6_250_000),
    );
    let defaults = &mut expected.policy.defaults;
    defaults.surge.value.watch.sent = Setting::At(());
    defaults.surge.value.watch.received = Setting::At(());
    defaults.new_device.value.watch = Setting::At(());
    defaults.quota.value.limit = Setting::Off;
    defaults.silent.value = Setting::Off;
    check(&uncommented, &expected);
    let rules = config(&uncommented).policy.rules(None, &[]);
    assert_eq!(rules, Policy::default().rules(None, &[]));
    for key in ["tc_mode", "timezone", "silent", "listen"] {
        assert!(uncommented.contains(&format!("\n{key} = ")), "{key}");
    }
}

#[test]
fn the_devices_file_is_known_even_where_the_rest_is_wrong() {
    let check = |text: &str, expected: Option<&str>| {
        let source = Source::new(Path::new("/etc/bwmon.toml"), text.into()).unwrap();
        let found = devices_file(&source).ok().flatten().map(|(path, _)| path);
        assert_eq!(found.as_deref(), expected.map(Path::new), "{text}");
    };
    check("", None);
    check(
        "devices_file = \"a.json\"\nunknown = 1",
        Some("/etc/a.json"),
    );
    check("devices_file = \"/a.json\"", Some("/a.json"));
    check("devices_file = 5", None);
    check("devices_file = \"a.json\"\npin = ", None);
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes: Vec<u8>, text: String) {
        for bytes in [bytes, text.into_bytes()] {
            if let Ok(source) = Source::new(Path::new("f"), bytes) {
                parse(&source).map(|_| ()).ok();
            }
        }
    }

    #[test]
    fn no_change_of_a_file_panics(
        at in 0..SETTINGS.len(),
        removed in 0..20_usize,
        inserted in "[]\\[{}\",=#0-9a-z.\\\\ \n-]{0,4}|\\PC",
    ) {
        let end = (at + removed).min(SETTINGS.len());
        let text = format!("{}{inserted}{}", &SETTINGS[..at], &SETTINGS[end..]);
        let source = Source::new(Path::new("f"), text.into()).unwrap();
        if let Err(error) = parse(&source) {
            let text = error.to_string();
            prop_assert!(text.starts_with("f:"), "{}", text);
            prop_assert!(!text.contains(char::is_control), "{}", text);
        }
    }

    #[test]
    fn no_value_of_any_key_panics(
        key in "interfaces|local_networks|max_addresses|poll_interval|pin|timezone|xdp_mode\
                |http|http.listen|names.dhcp|names.dns|names|notify|defaults.rate_threshold|defaults|surge",
        value in "\\PC{0,20}|\"[^\"\n\\\\]{0,20}\"|-?[0-9.e:+-]{1,20}|\\[(-?[0-9]{1,3}, )*\\]|\\{\\}|nan",
    ) {
        let text = format!("{key} = {value}\n");
        let source = Source::new(Path::new("f"), text.into()).unwrap();
        if let Err(error) = parse(&source) {
            let text = error.to_string();
            prop_assert!(text.starts_with("f:"), "{}", text);
            prop_assert!(!text.contains(char::is_control), "{}", text);
        }
    }
}
