//! The arguments of `top`.

use std::time::Duration;

use clap::Args;

use super::replayed::interval;

/// Of `top`.
#[derive(Args, Clone, Debug, Default)]
#[command(
    after_help = "Without --iface it shows what a running bwmon counts. With it, it counts by itself, \
                  as root: nothing is set up, no file is written, nobody listens, and nothing is left \
                  when it ends.\n\n\
                  Keys: up/down select, enter shows a device, / filters, s sorts, r reverses, \
                  p pauses, u changes units, ? shows all, q quits."
)]
pub struct TopArgs {
    /// Count by itself on this interface; may be repeated
    #[arg(long, value_name = "NAME", conflicts_with_all = ["api", "token_file"])]
    pub iface: Vec<String>,
    /// With --iface: time between two samples [default: the configured one, else 1s]
    #[arg(long, value_name = "TIME", value_parser = interval, requires = "iface")]
    pub interval: Option<Duration>,
    /// Print one table, and end
    #[arg(long)]
    pub once: bool,
    /// Print each sample as a line of JSON; with --once, one
    #[arg(long)]
    pub json: bool,
    /// Draw with ASCII only [default: as the locale says]
    #[arg(long)]
    pub ascii: bool,
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::{Cli, Command};
    use super::*;

    fn top(line: &str) -> Result<TopArgs, clap::Error> {
        let words = ["bwmon", "top"].into_iter().chain(line.split_whitespace());
        match Cli::try_parse_from(words)?.command {
            Command::Top(args) => Ok(args),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn it_counts_by_itself_or_asks() {
        let args = top("--iface eth0 --iface wlan0 --interval 500ms").unwrap();
        assert_eq!(args.iface, ["eth0", "wlan0"]);
        assert_eq!(args.interval, Some(Duration::from_millis(500)));
        assert!(top("--api unix:/a --once --json").unwrap().iface.is_empty());
        for line in [
            "--iface eth0 --api unix:/a",
            "--iface eth0 --token-file /a",
            "--interval 1s",
            "--iface eth0 --interval 1ms",
        ] {
            assert_eq!(top(line).unwrap_err().exit_code(), 2, "{line}");
        }
    }
}
