//! Who may ask: the token, the `Host` header, the size of a request; and the headers that every
//! response carries.

use std::{net::IpAddr, sync::Arc};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse, Response},
};
use subtle::ConstantTimeEq;

use super::{App, problem::Problem};
use crate::config::Secret;

/// No route reads more than this of a body.
pub(super) const MAX_BODY: usize = 64 * 1024;

/// Who can reach the listener.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Reach {
    /// Those who may open the Unix socket: the file's mode is the lock.
    Unix,
    /// Programs on this machine, web pages in its browsers among them.
    Loopback(IpAddr),
    /// Anybody on a network.
    Network,
}

/// Lets a request pass, or says why not.
pub(super) async fn admit(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let verdict = {
        let token = app.token.borrow();
        judge(app.reach, token.as_ref(), &request)
    };
    match verdict {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

/// Adds what keeps browsers from guessing types and anybody from storing what was read.
pub(super) async fn harden(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn judge<B>(
    reach: Reach,
    token: Option<&Secret>,
    request: &axum::http::Request<B>,
) -> Result<(), Problem> {
    check_body(request.headers())?;
    if request.uri().path() == "/healthz" {
        return Ok(());
    }
    match (reach, token) {
        (Reach::Unix, _) => Ok(()),
        (_, Some(token)) => check_token(token, request.headers()),
        (Reach::Loopback(own), None) => check_host(own, request),
        // The configuration does not allow it; should it come to this, nothing is shown.
        (Reach::Network, None) => Err(Problem::forbidden(
            "this listener can be reached from the network and there is no token; set http.token_file",
        )),
    }
}

fn check_body(headers: &HeaderMap) -> Result<(), Problem> {
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > MAX_BODY as u64) {
        let detail = format!("a request body has at most {MAX_BODY} bytes");
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail));
    }
    Ok(())
}

fn check_token(token: &Secret, headers: &HeaderMap) -> Result<(), Problem> {
    let shown = headers
        .get(header::AUTHORIZATION)
        .map(HeaderValue::as_bytes)
        .and_then(bearer);
    let wanted = token.reveal().as_bytes();
    match shown {
        Some(shown) if !wanted.is_empty() && bool::from(shown.ct_eq(wanted)) => Ok(()),
        Some(_) => Err(Problem::new(
            StatusCode::UNAUTHORIZED,
            "this is not the token",
        )),
        None => Err(Problem::new(
            StatusCode::UNAUTHORIZED,
            "a token is needed: send the header `Authorization: Bearer <token>`",
        )),
    }
}

/// The credentials of the scheme `Bearer`, whose name may be written in any case.
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, credentials) = value.split_at_checked("bearer ".len())?;
    scheme
        .eq_ignore_ascii_case(b"bearer ")
        .then(|| credentials.trim_ascii())
}

/// A web page can have its own name resolve to 127.0.0.1 and then read from here as if it were its
/// own server (DNS rebinding). Its name is in the `Host` header, though, and that gives it away.
fn check_host<B>(own: IpAddr, request: &axum::http::Request<B>) -> Result<(), Problem> {
    let mut named = request
        .headers()
        .get_all(header::HOST)
        .iter()
        .map(|host| Authority::try_from(host.as_bytes()).ok())
        .chain(request.uri().authority().cloned().map(Some))
        .peekable();
    if named.peek().is_none() {
        return Err(Problem::forbidden("a Host header is needed"));
    }
    if named.all(|host| host.is_some_and(|host| is_this_machine(own, &host))) {
        return Ok(());
    }
    Err(Problem::forbidden(format!(
        "the Host header is not a name of this listener, as when a web page pretends to be it; \
         ask for localhost or {own}, or set http.token_file"
    )))
}

fn is_this_machine(own: IpAddr, authority: &Authority) -> bool {
    if authority.as_str().contains('@') {
        return false;
    }
    let host = authority.host();
    let name = host.strip_suffix('.').unwrap_or(host);
    let address = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .parse::<IpAddr>();
    name.eq_ignore_ascii_case("localhost")
        || address.is_ok_and(|address| {
            let address = address.to_canonical();
            address.is_loopback() || address == own
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOPBACK: Reach = Reach::Loopback(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));

    fn check(
        reach: Reach,
        token: Option<&str>,
        path: &str,
        headers: &[(&str, &str)],
        expected: u16,
    ) {
        let mut request = axum::http::Request::get(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(()).unwrap();
        let token = token.map(|token| Secret::new(token.to_owned()));
        let status = match judge(reach, token.as_ref(), &request) {
            Ok(()) => 200,
            Err(problem) => problem.into_response().status().as_u16(),
        };
        assert_eq!(status, expected, "{reach:?} {token:?} {path} {headers:?}");
    }

    #[test]
    fn a_token_is_needed_where_one_is_set_except_over_the_unix_socket() {
        let ask = |reach, value: &str, expected| {
            check(
                reach,
                Some("s3cret"),
                "/usage_report",
                &[("authorization", value)],
                expected,
            );
        };
        for reach in [LOOPBACK, Reach::Network] {
            check(
                reach,
                Some("s3cret"),
                "/usage_report",
                &[("host", "localhost")],
                401,
            );
            ask(reach, "Bearer s3cret", 200);
            ask(reach, "bearer s3cret", 200);
            ask(reach, "Bearer s3cre", 401);
            ask(reach, "Bearer s3crets", 401);
            ask(reach, "Bearer ", 401);
            ask(reach, "Bearer", 401);
            ask(reach, "s3cret", 401);
            ask(reach, "Basic s3cret", 401);
            check(
                reach,
                Some(""),
                "/usage_report",
                &[("authorization", "Bearer ")],
                401,
            );
        }
        check(Reach::Unix, Some("s3cret"), "/usage_report", &[], 200);
        check(Reach::Unix, None, "/usage_report", &[], 200);
    }

    #[test]
    fn health_is_for_everybody() {
        check(LOOPBACK, Some("s3cret"), "/healthz", &[], 200);
        check(LOOPBACK, None, "/healthz", &[("host", "evil.example")], 200);
        check(Reach::Network, None, "/healthz", &[], 200);
        check(Reach::Network, Some("s3cret"), "/healthz/", &[], 401);
    }

    #[test]
    fn the_network_sees_nothing_without_a_token() {
        check(
            Reach::Network,
            None,
            "/usage_report",
            &[("host", "192.168.1.1")],
            403,
        );
    }

    #[test]
    fn loopback_without_a_token_knows_its_own_names_only() {
        for (host, expected) in [
            ("localhost", 200),
            ("localhost:4000", 200),
            ("LocalHost.:4000", 200),
            ("127.0.0.1:4000", 200),
            ("127.8.9.10", 200),
            ("[::1]:4000", 200),
            ("[::ffff:127.0.0.1]", 200),
            ("evil.example", 403),
            ("evil.example:4000", 403),
            ("localhost.evil.example", 403),
            ("127.0.0.1.evil.example", 403),
            ("evil.example@localhost", 403),
            ("192.168.1.1:4000", 403),
            ("0.0.0.0:4000", 403),
            ("", 403),
        ] {
            check(LOOPBACK, None, "/usage_report", &[("host", host)], expected);
        }
        check(LOOPBACK, None, "/usage_report", &[], 403);
        let both = [("host", "localhost"), ("host", "evil.example")];
        check(LOOPBACK, None, "/usage_report", &both, 403);
        let absolute = "http://evil.example/usage_report";
        check(LOOPBACK, None, absolute, &[("host", "localhost")], 403);
    }

    #[test]
    fn a_large_body_is_refused_before_it_is_read() {
        let headers = [("host", "localhost"), ("content-length", "65537")];
        check(LOOPBACK, None, "/usage_report", &headers, 413);
        check(Reach::Unix, None, "/usage_report", &headers, 413);
    }
}
