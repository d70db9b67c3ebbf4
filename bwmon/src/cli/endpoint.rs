//! Which bwmon to ask.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    path::PathBuf,
    str::FromStr,
};

use anyhow::Context;
use reqwest::Url;

use super::args::Options;
use crate::config::{self, Config, Listen, Overrides, Secret};

/// Where a bwmon answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// Over TCP: the URL that paths of the API are appended to.
    Http(String),
    /// Over a Unix socket.
    Unix(PathBuf),
}

/// The text is no address of an API.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not the address of a bwmon; write one such as http://127.0.0.1:4000 or \
     unix:/run/bwmon.sock"
)]
pub struct EndpointError(String);

impl EndpointError {
    pub(super) fn new(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// Where bwmon listens unless told otherwise.
const DEFAULT: &str = "http://127.0.0.1:4000";

/// Whom to ask, and what to show: `--api`, else the listener of the configuration.
///
/// A mistake in the configuration must not keep its owner from seeing how the daemon does, which
/// goes on with the one it has. So it costs the token, and the listener if that is not the default.
///
/// A token that was named by itself is shown instead of the configured one, or is an error.
pub(super) fn endpoint(options: &Options) -> anyhow::Result<(Endpoint, Option<Secret>)> {
    let named = options.api.as_deref().map(str::parse).transpose()?;
    let shown = options.token_file.as_deref().map(Secret::of_file);
    let shown = shown.transpose().context("cannot use --token-file")?;
    let overrides = Overrides {
        config: options.config.clone(),
        ..Default::default()
    };
    match config::load(&overrides) {
        Ok(Config { http, .. }) => Ok((
            named.unwrap_or_else(|| Endpoint::from(&http.listen)),
            shown.or(http.token),
        )),
        Err(err) => {
            let endpoint = named.unwrap_or_else(|| Endpoint::Http(DEFAULT.to_owned()));
            let with = if shown.is_some() {
                ""
            } else {
                ", without a token"
            };
            log::warn!(
                "cannot use the configuration, so {endpoint} is asked{with} \
                 (--api URL to ask another): {err}"
            );
            Ok((endpoint, shown))
        }
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || EndpointError::new(text);
        if text.starts_with("unix:") {
            return match text.parse() {
                Ok(Listen::Unix(path)) => Ok(Self::Unix(path)),
                Ok(Listen::Tcp(_)) | Err(_) => Err(invalid()),
            };
        }
        let url = if text.contains("://") {
            text.to_owned()
        } else {
            format!("http://{text}")
        };
        let url = Url::parse(&url).map_err(|_| invalid())?;
        let is_plain = url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() || !is_plain {
            return Err(invalid());
        }
        Ok(Self::Http(url.as_str().trim_end_matches('/').to_owned()))
    }
}

/// Where a client on this machine reaches the listener.
impl From<&Listen> for Endpoint {
    fn from(listen: &Listen) -> Self {
        let mut address = match listen {
            Listen::Unix(path) => return Self::Unix(path.clone()),
            Listen::Tcp(address) => *address,
        };
        match address.ip() {
            IpAddr::V4(Ipv4Addr::UNSPECIFIED) => address.set_ip(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(Ipv6Addr::UNSPECIFIED) => address.set_ip(Ipv6Addr::LOCALHOST.into()),
            IpAddr::V4(_) | IpAddr::V6(_) => {}
        }
        Self::Http(format!("http://{address}"))
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(url) => f.write_str(url),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<&str>) {
        let endpoint = text
            .parse::<Endpoint>()
            .ok()
            .map(|endpoint| endpoint.to_string());
        assert_eq!(endpoint.as_deref(), expected, "{text}");
    }

    #[test]
    fn an_api_is_a_url_an_address_or_a_socket() {
        check("http://127.0.0.1:4000", Some("http://127.0.0.1:4000"));
        check("http://127.0.0.1:4000/", Some("http://127.0.0.1:4000"));
        check(
            "https://router.lan/bwmon/",
            Some("https://router.lan/bwmon"),
        );
        check("router:4000", Some("http://router:4000"));
        check("[::1]:4000", Some("http://[::1]:4000"));
        check("unix:/run/bwmon.sock", Some("unix:/run/bwmon.sock"));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "unix:",
            "unix:bwmon.sock",
            "ftp://router",
            "http://",
            "http://me:secret@router",
            "http://router/?token=secret",
            "http://router/#top",
        ] {
            check(text, None);
        }
    }

    fn options(config: &std::path::Path, api: Option<&str>) -> Options {
        Options {
            config: Some(config.to_owned()),
            api: api.map(str::to_owned),
            token_file: None,
            verbose: 0,
            color: clap::ColorChoice::Auto,
        }
    }

    #[test]
    fn the_configuration_says_whom_to_ask_and_what_to_show() {
        let directory = tempfile::tempdir().unwrap();
        let config = directory.path().join("bwmon.toml");
        std::fs::write(directory.path().join("token"), "s3cret\n").unwrap();
        std::fs::write(
            &config,
            "[http]\nlisten = \"127.0.0.1:4100\"\ntoken_file = \"token\"\n",
        )
        .unwrap();
        let token = Some(Secret::new("s3cret".to_owned()));
        for (api, expected) in [
            (None, "http://127.0.0.1:4100"),
            (Some("router:4000"), "http://router:4000"),
        ] {
            let endpoint = endpoint(&options(&config, api)).unwrap();
            assert_eq!(
                endpoint,
                (expected.parse().unwrap(), token.clone()),
                "{api:?}"
            );
        }
        endpoint(&options(&config, Some("ftp://router"))).unwrap_err();
    }

    #[test]
    fn a_mistake_in_the_configuration_does_not_keep_from_asking() {
        let directory = tempfile::tempdir().unwrap();
        let config = directory.path().join("bwmon.toml");
        std::fs::write(&config, "listen\n").unwrap();
        for (api, expected) in [(None, DEFAULT), (Some("router:4000"), "http://router:4000")] {
            let endpoint = endpoint(&options(&config, api)).unwrap();
            assert_eq!(endpoint, (expected.parse().unwrap(), None), "{api:?}");
        }
    }

    #[test]
    fn a_token_that_is_named_goes_before_the_configured_one() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        std::fs::write(path("token"), "configured\n").unwrap();
        std::fs::write(path("mine"), "named\n").unwrap();
        std::fs::write(path("good"), "[http]\ntoken_file = \"token\"\n").unwrap();
        std::fs::write(path("bad"), "listen\n").unwrap();
        for config in ["good", "bad"] {
            let named = |file: &str| Options {
                token_file: Some(path(file)),
                ..options(&path(config), None)
            };
            let (_, token) = endpoint(&named("mine")).unwrap();
            assert_eq!(token, Some(Secret::new("named".to_owned())), "{config}");
            let error = format!("{:#}", endpoint(&named("none")).unwrap_err());
            assert!(error.starts_with("cannot use --token-file: "), "{error}");
        }
    }

    #[test]
    fn a_listener_on_all_addresses_is_asked_on_loopback() {
        for (listen, expected) in [
            ("127.0.0.1:4000", "http://127.0.0.1:4000"),
            ("192.168.1.1:80", "http://192.168.1.1:80"),
            ("0.0.0.0:4000", "http://127.0.0.1:4000"),
            ("[::]:4000", "http://[::1]:4000"),
            ("unix:/run/bwmon.sock", "unix:/run/bwmon.sock"),
        ] {
            let listen: Listen = listen.parse().unwrap();
            assert_eq!(Endpoint::from(&listen).to_string(), expected, "{listen}");
        }
    }
}
