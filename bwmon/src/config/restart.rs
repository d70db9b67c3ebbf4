//! What a reload can't bring into force.

use super::Config;

/// The keys that changed and that only a restart brings into force. All others take effect at once.
pub fn restart_needed(old: &Config, new: &Config) -> Vec<&'static str> {
    let changed = [
        ("interfaces", old.interfaces != new.interfaces),
        ("xdp_mode", old.xdp_mode != new.xdp_mode),
        ("tc_mode", old.tc_mode != new.tc_mode),
        ("max_addresses", old.max_addresses != new.max_addresses),
        ("poll_interval", old.poll_interval != new.poll_interval),
        ("timezone", old.timezone != new.timezone),
        ("state_dir", old.state_dir != new.state_dir),
        ("pin", old.pin != new.pin),
        ("http.listen", old.http.listen != new.http.listen),
    ];
    changed
        .into_iter()
        .filter_map(|(key, changed)| changed.then_some(key))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{file, source::Source};

    fn check(text: &str, expected: &[&str]) {
        let config = |text: &str| {
            let source = Source::new(Path::new("f"), text.into()).unwrap();
            file::parse(&source)
                .map(|parsed| parsed.config)
                .unwrap_or_else(|e| panic!("{e}"))
        };
        assert_eq!(
            restart_needed(&config(""), &config(text)),
            expected,
            "{text}"
        );
    }

    #[test]
    fn only_what_is_set_up_at_the_start_needs_a_restart() {
        check("", &[]);
        check("local_networks = [\"10.0.0.0/8\"]", &[]);
        check("[http]\ntoken_file = \"env:CARGO_PKG_NAME\"", &[]);
        check(
            "poll_interval = 2\ntimezone = \"UTC\"",
            &["poll_interval", "timezone"],
        );
        check("[defaults]\nrate_threshold = 5", &[]);
        check(
            "[groups.kids]\nquota = \"5 GB\"\n[groups.kids.total]\nsilent = \"2h\"",
            &[],
        );
        check("[interface_limits.br-lan]\nquota = \"5 GB\"", &[]);
        check(
            "[[notify]]\ntype = \"webhook\"\nurl = \"http://example.org\"",
            &[],
        );
        check(
            "interfaces = [\"eth0\"]\npin = true",
            &["interfaces", "pin"],
        );
        check(
            "xdp_mode = \"tc\"\ntc_mode = \"tcx\"\nmax_addresses = 16\nstate_dir = \"/a\"\n\
             [http]\nlisten = \"[::1]:1\"\ntoken_file = \"env:CARGO_PKG_NAME\"",
            &[
                "xdp_mode",
                "tc_mode",
                "max_addresses",
                "state_dir",
                "http.listen",
            ],
        );
    }
}
