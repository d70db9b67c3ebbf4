//! Where the HTTP interface listens, as text.

use std::{
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
    str::FromStr,
};

use super::{Listen, error::shown};

/// Most bytes of the path of a Unix socket (`sun_path` of Linux, less its terminating zero).
const MAX_UNIX_BYTES: usize = 107;

/// The text is no place to listen at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListenError {
    /// It is neither address and port nor a Unix socket.
    #[error(
        "{0:?} is not an address to listen on; write address and port such as \"127.0.0.1:4000\" or \
         \"[::1]:4000\", or a Unix socket such as \"unix:/run/bwmon.sock\""
    )]
    Invalid(String),
    /// The path of the socket does not start at the root.
    #[error("{0:?} is not an absolute path; write one such as \"unix:/run/bwmon.sock\"")]
    Relative(String),
    /// The path of the socket is longer than the kernel allows.
    #[error("{0:?} is longer than the {MAX_UNIX_BYTES} bytes that a Unix socket's path may have")]
    TooLong(String),
    /// Everybody on the network could read it.
    #[error(
        "{0} can be reached from the network, so readers must show a token; set http.token_file to a \
         file that holds one, or listen on 127.0.0.1:4000 or unix:/run/bwmon.sock"
    )]
    NeedsToken(Listen),
}

impl Listen {
    /// Whether only this machine reaches it.
    pub fn is_local(&self) -> bool {
        match self {
            Self::Tcp(address) => address.ip().to_canonical().is_loopback(),
            Self::Unix(_) => true,
        }
    }
}

impl FromStr for Listen {
    type Err = ListenError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(path) = text.strip_prefix("unix:") {
            if !Path::new(path).is_absolute() || path.contains('\0') {
                return Err(ListenError::Relative(text.to_owned()));
            }
            if path.len() > MAX_UNIX_BYTES {
                return Err(ListenError::TooLong(path.to_owned()));
            }
            return Ok(Self::Unix(PathBuf::from(path)));
        }
        text.parse::<SocketAddr>()
            .map(Self::Tcp)
            .map_err(|_| ListenError::Invalid(text.to_owned()))
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", shown(path)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_read() {
        for text in [
            "127.0.0.1:4000",
            "0.0.0.0:0",
            "[::1]:4000",
            "unix:/run/bwmon.sock",
        ] {
            let listen: Listen = text.parse().unwrap();
            assert_eq!(listen.to_string(), text);
        }
    }

    #[test]
    fn only_loopback_and_unix_are_local() {
        for (text, expected) in [
            ("127.0.0.1:1", true),
            ("127.9.9.9:1", true),
            ("[::1]:1", true),
            ("[::ffff:127.0.0.1]:1", true),
            ("unix:/a", true),
            ("0.0.0.0:1", false),
            ("[::]:1", false),
            ("192.168.1.1:1", false),
        ] {
            assert_eq!(
                text.parse::<Listen>().unwrap().is_local(),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "4000",
            ":4000",
            "localhost:4000",
            "127.0.0.1",
            "::1:4000:",
            "1.2.3.4:70000",
        ] {
            assert_eq!(
                text.parse::<Listen>(),
                Err(ListenError::Invalid(text.to_owned()))
            );
        }
        for text in ["unix:", "unix:run/a", "unix:/a\0"] {
            assert_eq!(
                text.parse::<Listen>(),
                Err(ListenError::Relative(text.to_owned()))
            );
        }
        let path = format!("/{}", "a".repeat(MAX_UNIX_BYTES));
        assert_eq!(
            format!("unix:{path}").parse::<Listen>(),
            Err(ListenError::TooLong(path))
        );
    }
}
