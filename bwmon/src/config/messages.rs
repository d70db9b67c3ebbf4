//! What people read when they made a typical mistake. Tests only.

use std::path::Path;

use super::{devices, error::ConfigError, file, source::Source};

/// Each text, and what is said about it.
fn said(name: &str, texts: &[&str], parse: fn(&Source) -> Option<ConfigError>) -> String {
    let mut said = String::new();
    for text in texts {
        let source = Source::new(Path::new(name), text.as_bytes().to_vec()).unwrap();
        let error = parse(&source).unwrap_or_else(|| panic!("no mistake: {text}"));
        said += &format!("{}\n    {error}\n", text.replace('\n', " ⏎ "));
    }
    said
}

#[test]
fn mistakes_in_the_configuration_are_told_with_their_place() {
    let texts = [
        "poll_interval = \"1s\"\nintefaces = [\"br-lan\"]",
        "[http]\nport = 4000",
        "pin = true\npin = false",
        r#"xdp_mode = "native"#,
        "xdp_mode = native",
        "state_dir = /var/lib/bwmon",
        "pin = True",
        r#"xdp_mode = "natve""#,
        r#"interfaces = ["eth0", 5]"#,
        r#"interfaces = ["/dev/eth0"]"#,
        "local_networks = [\n  \"10.0.0.0/8\",\n  \"192.168.1.1/24\",\n]",
        "max_addresses = 4",
        r#"poll_interval = "5ms""#,
        "[defaults]\nbandwidth_threshold = \"500 Mb\"",
        "[defaults]\nrate_threshold = \"20 Mbit\"",
        "[defaults]\nmax_active_time = -5",
        "[defaults]\nsurge = 3",
        "[defaults]\nsurge = { factor = 1 }",
        "[defaults]\nrate_threshold = true",
        "[defaults]\nrate_threshold = { total = true }",
        "[defaults]\nrate_threshold = { upload = \"5 Mbit/s\" }",
        "[defaults]\nrate_threshold = { sent = \"5 Mbit/s\", for = \"2d\" }",
        "[defaults.rate_threshold]\nsent = \"5 Mbit/s\"\nclear_percent = 120",
        "[defaults]\nbandwith_threshold = 5",
        "[defaults]\nquota = 0",
        "[defaults]\nquota = { limit = \"5 GB\", steps = [50, 80, 70] }",
        "[defaults]\nquota = { limit = \"5 GB\", steps = [50, [80]] }",
        "[defaults]\nquota = { limit = \"5 GB\", steps = [] }",
        "[defaults]\nquota = { limit = \"5 GB\", cycle = 32 }",
        "[defaults]\nquota = { limit = \"5 GB\", cycle = 2026-01-05 }",
        "[defaults]\nschedule = 08:00:00",
        "[defaults]\nschedule = { days = \"Mon\" }",
        "[defaults]\nquota = 2026-01-05",
        "[defaults]\nschedule = [\"Mon-Fri 08:00-18:00\",\n  \"Sa\"]",
        "[defaults]\nsilent = { after = \"2h\", severity = \"high\" }",
        "[defaults]\nsilent = { after = \"2h\", repeat = \"5s\" }",
        "defaults = 5",
        "[groups]\nkids = \"5 GB\"",
        "[groups.\"living room\"]\nquota = { limt = \"5 GB\" }",
        "[groups.kids.total]\nnew_device = true",
        "[groups.\"a\\nb\"]",
        "[interface_limits.\"eth*\"]\nquota = \"5 GB\"",
        "[interface_limits.br-lan]\nquota = \"5 GB\"\ntotal = 5",
        r#"timezone = "Berlin""#,
        "[http]\nlisten = 4000",
        r#"http = "127.0.0.1:4000""#,
        r#"pin = "bpf""#,
        "[notify]\ntype = \"webhook\"",
        "[[notify]]\nurl = \"https://example.org\"",
        "[[notify]]\ntopic = \"alerts\"\ntype = \"ntfy\"",
        "[[notify]]\ntype = \"webhook\"\nuri = \"https://example.org\"",
        "[[notify]]\ntype = \"webhook\"",
        "[[notify]]\ntype = \"webhook\"\nurl = \"https://example.org\"\nurl_file = \"url\"",
        "[[notify]]\ntype = \"webhook\"\nurl = \"ftp://user:hunter2@example.org\"",
        "[[notify]]\ntype = \"webhook\"\nurl = \"https://example.org/a\"\n\n[[notify]]\ntype = \"webhook\"\nurl = \"https://example.org/b\"",
        "[http]\ntoken_file = \"no-such-file\"",
        "[[notify]]\ntype = \"webhook\"\nurl = \"env:NO_SUCH_VARIABLE\"",
        r#"xdp_mode = "\u001b[31mred\n""#,
        r#""a\nb`, expected `c" = 1"#,
    ];
    insta::assert_snapshot!(said("bwmon.toml", &texts, |source| file::parse(source).err()), @r#"
    poll_interval = "1s" ⏎ intefaces = ["br-lan"]
        bwmon.toml:2:1: unknown key "intefaces"; did you mean "interfaces"?
    [http] ⏎ port = 4000
        bwmon.toml:2:1: unknown key "port"; allowed here: "listen", "token_file"
    pin = true ⏎ pin = false
        bwmon.toml:2:1: duplicate key "pin"; keep one of them
    xdp_mode = "native
        bwmon.toml:1:19: invalid basic string, expected `"`
    xdp_mode = native
        bwmon.toml:1:12: must be text in double quotes, a number, true or false
    state_dir = /var/lib/bwmon
        bwmon.toml:1:13: must be text in double quotes, a number, true or false
    pin = True
        bwmon.toml:1:7: must be text in double quotes, a number, true or false
    xdp_mode = "natve"
        bwmon.toml:1:12: xdp_mode: "natve" is not allowed; did you mean "native"?
    interfaces = ["eth0", 5]
        bwmon.toml:1:23: interfaces: must be a list of interface names such as ["br-lan", "eth*"], not 5
    interfaces = ["/dev/eth0"]
        bwmon.toml:1:15: interfaces: "/dev/eth0" can't be an interface name; write a name such as "br-lan" or a pattern such as "eth*", without '/', ':', spaces or control characters
    local_networks = [ ⏎   "10.0.0.0/8", ⏎   "192.168.1.1/24", ⏎ ]
        bwmon.toml:3:3: local_networks: "192.168.1.1/24" has bits set after the prefix; did you mean "192.168.1.0/24"?
    max_addresses = 4
        bwmon.toml:1:17: max_addresses: must be a whole number from 16 to 1048576, not 4
    poll_interval = "5ms"
        bwmon.toml:1:17: poll_interval: must be a duration from 100ms to 60s, not "5ms"
    [defaults] ⏎ bandwidth_threshold = "500 Mb"
        bwmon.toml:2:23: defaults.bandwidth_threshold: "500 Mb" is not a size: unit "Mb" is unknown; write MB for a size, as Mbit/s is for rates
    [defaults] ⏎ rate_threshold = "20 Mbit"
        bwmon.toml:2:18: defaults.rate_threshold: "20 Mbit" is not a rate: unit "Mbit" is unknown; write Mbit/s for bits, MB/s for bytes
    [defaults] ⏎ max_active_time = -5
        bwmon.toml:2:19: defaults.max_active_time: -5 is negative; write a duration such as "90s" or "1h30m", or a whole number of seconds
    [defaults] ⏎ surge = 3
        bwmon.toml:2:9: defaults.surge: must be true or false, not 3
    [defaults] ⏎ surge = { factor = 1 }
        bwmon.toml:2:20: defaults.surge.factor: must be a number above 1, up to 1000, not 1
    [defaults] ⏎ rate_threshold = true
        bwmon.toml:2:18: defaults.rate_threshold: must be a rate such as "20 Mbit/s", or a whole number of bytes per second, or "off", not true
    [defaults] ⏎ rate_threshold = { total = true }
        bwmon.toml:2:28: defaults.rate_threshold.total: must be a rate such as "20 Mbit/s", or a whole number of bytes per second, or "off", not true
    [defaults] ⏎ rate_threshold = { upload = "5 Mbit/s" }
        bwmon.toml:2:20: defaults.rate_threshold: unknown key "upload"; allowed here: "total", "sent", "received", "for", "clear_for", "clear_percent", "repeat", "cooldown", "severity", "scope", "schedule"
    [defaults] ⏎ rate_threshold = { sent = "5 Mbit/s", for = "2d" }
        bwmon.toml:2:45: defaults.rate_threshold.for: must be a duration of at most 1d, not "2d"
    [defaults.rate_threshold] ⏎ sent = "5 Mbit/s" ⏎ clear_percent = 120
        bwmon.toml:3:17: defaults.rate_threshold.clear_percent: must be a whole number from 1 to 100, not 120
    [defaults] ⏎ bandwith_threshold = 5
        bwmon.toml:2:1: defaults: unknown key "bandwith_threshold"; did you mean "bandwidth_threshold"?
    [defaults] ⏎ quota = 0
        bwmon.toml:2:9: defaults.quota: must be more than 0 bytes, or "off", not 0
    [defaults] ⏎ quota = { limit = "5 GB", steps = [50, 80, 70] }
        bwmon.toml:2:44: defaults.quota.steps: must be one of up to 4 whole numbers from 1 to 255, each larger than the one before, as in [50, 80, 100], not 70
    [defaults] ⏎ quota = { limit = "5 GB", steps = [50, [80]] }
        bwmon.toml:2:40: defaults.quota.steps: must be one of up to 4 whole numbers from 1 to 255, each larger than the one before, as in [50, 80, 100], not a list
    [defaults] ⏎ quota = { limit = "5 GB", steps = [] }
        bwmon.toml:2:35: defaults.quota.steps: must be one of up to 4 whole numbers from 1 to 255, each larger than the one before, as in [50, 80, 100], not an empty list
    [defaults] ⏎ quota = { limit = "5 GB", cycle = 32 }
        bwmon.toml:2:35: defaults.quota.cycle: must be a day of the month from 1 to 31, or from its end from -1 to -28, or days such as "30 days from 2026-01-05", at most 366, not 32
    [defaults] ⏎ quota = { limit = "5 GB", cycle = 2026-01-05 }
        bwmon.toml:2:35: defaults.quota.cycle: must be a day of the month from 1 to 31, or from its end from -1 to -28, or days such as "30 days from 2026-01-05", at most 366, not a table
    [defaults] ⏎ schedule = 08:00:00
        bwmon.toml:2:12: defaults.schedule: must be hours such as "22:00-06:00", with days such as "Mon-Fri 08:00-18:00", or days alone such as "Sat,Sun", several separated by ";", not a table
    [defaults] ⏎ schedule = { days = "Mon" }
        bwmon.toml:2:12: defaults.schedule: must be hours such as "22:00-06:00", with days such as "Mon-Fri 08:00-18:00", or days alone such as "Sat,Sun", several separated by ";", not a table
    [defaults] ⏎ quota = 2026-01-05
        bwmon.toml:2:9: defaults.quota: must be text in double quotes, not a date or time
    [defaults] ⏎ schedule = ["Mon-Fri 08:00-18:00", ⏎   "Sa"]
        bwmon.toml:3:3: defaults.schedule: "Sa": "Sa" is no day; write "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" or "Sun"
    [defaults] ⏎ silent = { after = "2h", severity = "high" }
        bwmon.toml:2:37: defaults.silent.severity: "high" is not allowed; allowed here: "info", "warning", "critical"
    [defaults] ⏎ silent = { after = "2h", repeat = "5s" }
        bwmon.toml:2:35: defaults.silent.repeat: must be a duration from 1min to 30d, or "off", not "5s"
    defaults = 5
        bwmon.toml:1:12: defaults: must be a table [defaults], not 5
    [groups] ⏎ kids = "5 GB"
        bwmon.toml:2:8: groups.kids: must be a table [groups.kids], not "5 GB"
    [groups."living room"] ⏎ quota = { limt = "5 GB" }
        bwmon.toml:2:11: groups."living room".quota: unknown key "limt"; did you mean "limit"?
    [groups.kids.total] ⏎ new_device = true
        bwmon.toml:2:14: groups.kids.total.new_device: has no meaning for several devices together; remove it here
    [groups."a\nb"]
        bwmon.toml:1:9: groups: must be text of 1 to 64 characters without control characters, not "a\nb"
    [interface_limits."eth*"] ⏎ quota = "5 GB"
        bwmon.toml:1:19: interface_limits: must be the name of one interface such as "br-lan", not "eth*"
    [interface_limits.br-lan] ⏎ quota = "5 GB" ⏎ total = 5
        bwmon.toml:3:1: interface_limits.br-lan: unknown key "total"; allowed here: "bandwidth_threshold", "max_active_time", "rate_threshold", "surge", "quota", "new_device", "silent", "schedule"
    timezone = "Berlin"
        bwmon.toml:1:12: timezone: "Berlin" is not "local", not in the time zone database, and not a POSIX time zone; write one such as "Europe/Berlin" or "CET-1CEST,M3.5.0,M10.5.0/3"
    [http] ⏎ listen = 4000
        bwmon.toml:2:10: http.listen: must be text such as "127.0.0.1:4000", not 4000
    http = "127.0.0.1:4000"
        bwmon.toml:1:8: must be a table [http], not "127.0.0.1:4000"
    pin = "bpf"
        bwmon.toml:1:7: pin: must be true, false, or a directory of a bpffs such as "/sys/fs/bpf/bwmon", not "bpf"
    [notify] ⏎ type = "webhook"
        bwmon.toml:1:1: write [[notify]] with two brackets, as there may be several
    [[notify]] ⏎ url = "https://example.org"
        bwmon.toml:1:1: notify.type is missing; it must be "webhook", "ntfy", "slack", "discord", "telegram", "teams", "matrix", "gotify", "pushover", "alertmanager", "email", "mqtt" or "exec"
    [[notify]] ⏎ topic = "alerts" ⏎ type = "ntfy"
        bwmon.toml:2:1: unknown key "topic"; allowed here: "type", "name", "timeout", "max_age", "url", "url_file", "ca_file", "token", "token_file", "min_severity", "rules", "groups", "resolved", "reminders", "quiet_hours"
    [[notify]] ⏎ type = "webhook" ⏎ uri = "https://example.org"
        bwmon.toml:3:1: unknown key "uri"; did you mean "url"?
    [[notify]] ⏎ type = "webhook"
        bwmon.toml:1:1: notify.url is missing; it must be the address that events are posted to, or url_file a file with it
    [[notify]] ⏎ type = "webhook" ⏎ url = "https://example.org" ⏎ url_file = "url"
        bwmon.toml:4:12: notify.url_file: url says it already; keep one of url and url_file
    [[notify]] ⏎ type = "webhook" ⏎ url = "ftp://user:hunter2@example.org"
        bwmon.toml:3:7: notify.url: must be an address that starts with https:// or http://
    [[notify]] ⏎ type = "webhook" ⏎ url = "https://example.org/a" ⏎  ⏎ [[notify]] ⏎ type = "webhook" ⏎ url = "https://example.org/b"
        bwmon.toml:5:1: notify.name: another channel is called "example.org", too; give each its own name
    [http] ⏎ token_file = "no-such-file"
        bwmon.toml:2:14: http.token_file: no-such-file: cannot be read: No such file or directory (os error 2)
    [[notify]] ⏎ type = "webhook" ⏎ url = "env:NO_SUCH_VARIABLE"
        bwmon.toml:3:7: notify.url: the environment variable "NO_SUCH_VARIABLE" is not set
    xdp_mode = "\u001b[31mred\n"
        bwmon.toml:1:12: xdp_mode: "\u{1b}[31mred\n" is not allowed; allowed here: "auto", "native", "generic", "tc"
    "a\nb`, expected `c" = 1
        bwmon.toml:1:1: unknown key "a\nb`, expected `c"; allowed here: "interfaces", "xdp_mode", "tc_mode", "local_networks", "max_addresses", "poll_interval", "devices_file", "state_dir", "pin", "timezone", "http", "history", "metrics", "defaults", "groups", "interface_limits", "names", "notify"
    "#);
}

#[test]
fn mistakes_in_registered_devices_are_told_with_their_place() {
    let texts = [
        "{\n  \"192.168.1.5\": {\n    \"name\": \"Laptop\",\n    \"bandwith_threshold\": 5\n  }\n}",
        r#"{ "192.168.1.5": { "colour": "red" } }"#,
        "{ \"192.168.1.5\": { \"name\": \"a\",\n  \"name\": \"b\" } }",
        "{\n  \"laptop\": { \"name\": \"Laptop\" }\n}",
        r#"{ "unkown": {} }"#,
        r#"{ "192.168.1.300": {} }"#,
        r#"{ "192.168.1.5/28": {} }"#,
        "{ \"192.168.1.5\": {},\n  \"192.168.1.5\": {} }",
        "{ # IPv6\n  \"::1\": {},\n  \"0::1\" : {}\n}",
        r#"{ "unknown": { "bandwidth_threshold": -5 } }"#,
        "{ \"unknown\": { \"bandwidth_threshold\": true\n } }",
        "{ \"unknown\": { \"max_active_time\": null\n } }",
        "{ \"unknown\": { \"max_active_time\": \"3 hours\"  # each day\n } }",
        r#"{ "unknown": { "rate_threshold": "2 MB" } }"#,
        r#"{ "192.168.1.5": { "name": ["a", "b"] } }"#,
        r#"{ "192.168.1.5": { "name": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" } }"#,
        r#"{ "192.168.1.5": { "name": "a\"\nb" } }"#,
        r#"{ "192.168.1.5": { "quota": { "limit": "5 GB", "steps": [50, 80, 300] } } }"#,
        "{ \"192.168.1.5\": {\n  \"quota\": { \"limit\": \"5 GB\",\n    \"step\": [50] } } }",
        r#"{ "192.168.1.5": { "quota": { "limit": "5 GB", "limit": 3 } } }"#,
        r#"{ "192.168.1.5": { "quota": { "limit": 0, "steps": [50] } } }"#,
        r#"{ "192.168.1.5": { "surge": { "learn": "29d" } } }"#,
        r#"{ "192.168.1.5": { "schedule": null } }"#,
        r#"{ "192.168.1.5": { "schedule": [] } }"#,
        r#"{ "192.168.1.5": { "schedule": ["Mon 8-18"] } }"#,
        r#"{ "192.168.1.5": { "mute": "2h" } }"#,
        r#"{ "unknown": { "mute": true } }"#,
        r#"{ "192.168.1.5": "Laptop" }"#,
        r#"[ { "name": "Laptop" } ]"#,
        "{\n  \"192.168.1.5\": { \"name\": \"Laptop\" }\n  \"192.168.1.6\": { \"name\": \"TV\" }\n}",
        "{\n  \"192.168.1.5\": { \"name\": \"Laptop\" }",
        r#"{ "192.168.1.5": { "name": Laptop } }"#,
        r#"{ "192.168.1.5": 5 }"#,
        "{ '192.168.1.5': {} }",
        "{ \"192.168.1.5\": { \"name\": \"Laptop } }\n}",
        "{\n  /* nobody\n}",
        "{}\n{}",
        "# nobody yet",
    ];
    insta::assert_snapshot!(said("devices.json", &texts, |source| devices::parse(source).err()), @r#"
    { ⏎   "192.168.1.5": { ⏎     "name": "Laptop", ⏎     "bandwith_threshold": 5 ⏎   } ⏎ }
        devices.json:4:5: "192.168.1.5": unknown key "bandwith_threshold"; did you mean "bandwidth_threshold"?
    { "192.168.1.5": { "colour": "red" } }
        devices.json:1:20: "192.168.1.5": unknown key "colour"; allowed here: "name", "group", "mute", "bandwidth_threshold", "max_active_time", "rate_threshold", "surge", "quota", "new_device", "silent", "schedule"
    { "192.168.1.5": { "name": "a", ⏎   "name": "b" } }
        devices.json:2:3: "192.168.1.5": name is there twice; keep one of them
    { ⏎   "laptop": { "name": "Laptop" } ⏎ }
        devices.json:2:3: "laptop" is no device; write an IPv4 or IPv6 address, a MAC address, a prefix such as "192.168.1.0/28", or "unknown"
    { "unkown": {} }
        devices.json:1:3: "unkown" is no device; did you mean "unknown"?
    { "192.168.1.300": {} }
        devices.json:1:3: "192.168.1.300" is no device; write an IPv4 or IPv6 address, a MAC address, a prefix such as "192.168.1.0/28", or "unknown"
    { "192.168.1.5/28": {} }
        devices.json:1:3: "192.168.1.5/28" has bits set after the prefix; did you mean "192.168.1.0/28"?
    { "192.168.1.5": {}, ⏎   "192.168.1.5": {} }
        devices.json:2:3: "192.168.1.5" is there twice; make one entry of the two
    { # IPv6 ⏎   "::1": {}, ⏎   "0::1" : {} ⏎ }
        devices.json:3:3: "0::1" is the same as "::1" before; make one entry of the two
    { "unknown": { "bandwidth_threshold": -5 } }
        devices.json:1:39: "unknown": bandwidth_threshold: -5 is negative; write a size such as "500 MB", or a whole number of bytes
    { "unknown": { "bandwidth_threshold": true ⏎  } }
        devices.json:1:39: "unknown": bandwidth_threshold: must be a size such as "500 MB", or a whole number of bytes, or "off", not true
    { "unknown": { "max_active_time": null ⏎  } }
        devices.json:1:35: "unknown": max_active_time: must be a duration such as "90s" or "1h30m", or a whole number of seconds, or "off", not null
    { "unknown": { "max_active_time": "3 hours"  # each day ⏎  } }
        devices.json:1:35: "unknown": max_active_time: "3 hours" is not a duration: unit "hours" is unknown; allowed are ms, s, m, min, h, d
    { "unknown": { "rate_threshold": "2 MB" } }
        devices.json:1:34: "unknown": rate_threshold: "2 MB" is not a rate: unit "MB" is unknown; write Mbit/s for bits, MB/s for bytes
    { "192.168.1.5": { "name": ["a", "b"] } }
        devices.json:1:28: "192.168.1.5": name: must be text of 1 to 64 characters without control characters, not a list
    { "192.168.1.5": { "name": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" } }
        devices.json:1:28: "192.168.1.5": name: must be text of 1 to 64 characters without control characters, not "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
    { "192.168.1.5": { "name": "a\"\nb" } }
        devices.json:1:28: "192.168.1.5": name: must be text of 1 to 64 characters without control characters, not "a\"\nb"
    { "192.168.1.5": { "quota": { "limit": "5 GB", "steps": [50, 80, 300] } } }
        devices.json:1:66: "192.168.1.5": quota.steps: must be one of up to 4 whole numbers from 1 to 255, each larger than the one before, as in [50, 80, 100], not 300
    { "192.168.1.5": { ⏎   "quota": { "limit": "5 GB", ⏎     "step": [50] } } }
        devices.json:3:5: "192.168.1.5": quota: unknown key "step"; did you mean "steps"?
    { "192.168.1.5": { "quota": { "limit": "5 GB", "limit": 3 } } }
        devices.json:1:48: "192.168.1.5": quota: limit is there twice; keep one of them
    { "192.168.1.5": { "quota": { "limit": 0, "steps": [50] } } }
        devices.json:1:40: "192.168.1.5": quota.limit: must be more than 0 bytes, or "off", not 0
    { "192.168.1.5": { "surge": { "learn": "29d" } } }
        devices.json:1:40: "192.168.1.5": surge.learn: must be a duration of at most 28d, not "29d"
    { "192.168.1.5": { "schedule": null } }
        devices.json:1:32: "192.168.1.5": schedule: must be hours such as "22:00-06:00", with days such as "Mon-Fri 08:00-18:00", or days alone such as "Sat,Sun", several separated by ";", not null
    { "192.168.1.5": { "schedule": [] } }
        devices.json:1:33: "192.168.1.5": schedule: must be hours such as "22:00-06:00", with days such as "Mon-Fri 08:00-18:00", or days alone such as "Sat,Sun", several separated by ";", not an empty list
    { "192.168.1.5": { "schedule": ["Mon 8-18"] } }
        devices.json:1:33: "192.168.1.5": schedule: "Mon 8-18": "8-18" are no hours; write them as in "08:00-18:00" or "22:00-06:00", up to 24:00
    { "192.168.1.5": { "mute": "2h" } }
        devices.json:1:28: "192.168.1.5": mute: must be true or false, as this version can't mute for a time, not "2h"
    { "unknown": { "mute": true } }
        devices.json:1:24: "unknown": mute: must be false, as "unknown" is no single device; write "off" for its thresholds instead, not true
    { "192.168.1.5": "Laptop" }
        devices.json:1:18: must be an object such as { "name": "Laptop" } for "192.168.1.5", not "Laptop"
    [ { "name": "Laptop" } ]
        devices.json:1:1: must be an object such as { "192.168.1.23": { "name": "Laptop" } }, not a list
    { ⏎   "192.168.1.5": { "name": "Laptop" } ⏎   "192.168.1.6": { "name": "TV" } ⏎ }
        devices.json:3:3: expected `,` or `}`
    { ⏎   "192.168.1.5": { "name": "Laptop" }
        devices.json:2:37: the file ends inside an object
    { "192.168.1.5": { "name": Laptop } }
        devices.json:1:28: must be text in double quotes, a number, true, false or an object
    { "192.168.1.5": 5 }
        devices.json:1:18: must be an object such as { "name": "Laptop" } for "192.168.1.5", not 5
    { '192.168.1.5': {} }
        devices.json:1:3: must be a key in double quotes
    { "192.168.1.5": { "name": "Laptop } } ⏎ }
        devices.json:1:39: the text on this line has no closing double quote
    { ⏎   /* nobody ⏎ }
        devices.json:2:3: the comment that starts here has no end; close it with */
    {} ⏎ {}
        devices.json:2:1: the file must end where its first object ends
    # nobody yet
        devices.json:1:1: the file is empty; write {} to register no device
    "#);
}
