//! The HTTP client of a channel.

use std::{net::IpAddr, time::Duration};

use reqwest::{Certificate, Client, Url, redirect::Policy};

use super::error::{DeliveryError, innermost};
use crate::{config::Authorities, tls};

const CONNECT_WITHIN: Duration = Duration::from_secs(5);
const USER_AGENT: &str = concat!("bwmon/", env!("CARGO_PKG_VERSION"));

/// A client for `url`. Each channel has its own, since most need no certificates, and a machine
/// may have none.
///
/// The environment may name a proxy (`HTTPS_PROXY` and so on), but not for this machine itself.
pub(super) async fn client(url: &Url, ca: Option<&Authorities>) -> Result<Client, DeliveryError> {
    tls::init();
    let fail = |reason| DeliveryError::Certificates {
        host: host(url).to_owned(),
        reason,
    };
    let mut builder = Client::builder()
        .user_agent(USER_AGENT)
        .connect_timeout(CONNECT_WITHIN)
        .redirect(Policy::none())
        .pool_max_idle_per_host(1);
    if is_loopback(url) {
        builder = builder.no_proxy();
    }
    for certificate in ca.into_iter().flat_map(Authorities::certificates) {
        let certificate = Certificate::from_der(certificate);
        let certificate = certificate.map_err(|error| fail(innermost(&error)))?;
        builder = builder.tls_certs_merge([certificate]);
    }
    let built = if url.scheme() == "https" {
        // Reads the root certificates: some hundred of them, from flash.
        let building = tokio::task::spawn_blocking(move || builder.build());
        building.await.map_err(|panic| panic.to_string())
    } else {
        Ok(builder.tls_certs_only([]).build())
    };
    built
        .map_err(fail)?
        .map_err(|error| fail(innermost(&error)))
}

/// All of a URL that may be shown.
pub(super) fn host(url: &Url) -> &str {
    url.host_str().unwrap_or_default()
}

fn is_loopback(url: &Url) -> bool {
    let host = host(url).trim_matches(['[', ']']);
    host == "localhost"
        || host
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback())
}
