//! Who may ask, and who may change something: the token, the `Host` and `Origin` headers, the size
//! of a request; and the headers that every response carries.

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

/// Adds what keeps browsers from guessing types and anybody from storing what was read, unless the
/// handler says that it may be.
pub(super) async fn harden(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

fn judge<B>(
    reach: Reach,
    token: Option<&Secret>,
    request: &axum::http::Request<B>,
) -> Result<(), Problem> {
    check_body(request.headers())?;
    let is_write = !request.method().is_safe();
    if !is_write && is_for_everybody(request.uri().path()) {
        return Ok(());
    }
    if is_write {
        check_origin(request.headers())?;
    }
    match (reach, token) {
        (Reach::Unix, _) => Ok(()),
        (_, Some(token)) => check_token(token, request.headers()),
        // Programs of all users of this machine can reach it.
        (_, None) if is_write => Err(Problem::forbidden(
            "without a token nothing can be changed over TCP; set http.token_file and show the \
             token, or have http.listen name a Unix socket",
        )),
        (Reach::Loopback(own), None) => check_host(own, request),
        // The configuration does not allow it; should it come to this, nothing is shown.
        (Reach::Network, None) => Err(Problem::forbidden(
            "this listener can be reached from the network and there is no token; set http.token_file",
        )),
    }
}

/// What says nothing of anybody.
pub(super) fn is_for_everybody(path: &str) -> bool {
    path == "/" || path == "/healthz" || path.starts_with("/assets/")
}

fn check_body(headers: &HeaderMap) -> Result<(), Problem> {
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > MAX_BODY as u64) {
        return Err(Problem::too_large(MAX_BODY));
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

/// A browser says on behalf of which page it changes something. Only a page that came from here may
/// do so, whatever else lets the request in: a proxy that adds the token, or the Unix socket behind
/// one.
fn check_origin(headers: &HeaderMap) -> Result<(), Problem> {
    let host = headers.get(header::HOST).map(HeaderValue::as_bytes);
    let is_own = |origin: &HeaderValue| {
        let origin = origin.as_bytes();
        let authority = [&b"http://"[..], b"https://"]
            .into_iter()
            .find_map(|scheme| origin.strip_prefix(scheme));
        authority
            .is_some_and(|authority| host.is_some_and(|host| authority.eq_ignore_ascii_case(host)))
    };
    if headers.get_all(header::ORIGIN).iter().all(is_own) {
        return Ok(());
    }
    Err(Problem::forbidden(
        "the Origin header names another site than the Host header: a page of another site may \
         change nothing",
    ))
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
        check_method("GET", reach, token, path, headers, expected);
    }

    fn check_method(
        method: &str,
        reach: Reach,
        token: Option<&str>,
        path: &str,
        headers: &[(&str, &str)],
        expected: u16,
    ) {
        let mut request = axum::http::Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(()).unwrap();
        let token = token.map(|token| Secret::new(token.to_owned()));
        let status = match judge(reach, token.as_ref(), &request) {
            Ok(()) => 200,
            Err(problem) => problem.into_response().status().as_u16(),
        };
        assert_eq!(
            status, expected,
            "{method} {reach:?} {token:?} {path} {headers:?}"
        );
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
    fn health_and_the_page_itself_are_for_everybody() {
        for path in ["/", "/assets/index-1.js"] {
            check(Reach::Network, Some("s3cret"), path, &[], 200);
            check_method("POST", Reach::Network, Some("s3cret"), path, &[], 401);
        }
        for path in ["/assets", "/api/v1/stream", "//", "/index.html"] {
            check(Reach::Network, Some("s3cret"), path, &[], 401);
        }
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
    fn writing_needs_a_token_except_over_the_unix_socket() {
        const ACK: &str = "/api/v1/alerts/a1/ack";
        let host = ("host", "localhost");
        let shown = ("authorization", "Bearer s3cret");
        for method in ["POST", "DELETE", "PUT", "PATCH", "SPAM"] {
            check_method(method, Reach::Unix, None, ACK, &[], 200);
            check_method(method, Reach::Unix, Some("s3cret"), ACK, &[], 200);
            for reach in [LOOPBACK, Reach::Network] {
                check_method(method, reach, None, ACK, &[host], 403);
                check_method(method, reach, None, ACK, &[host, shown], 403);
                check_method(method, reach, Some("s3cret"), ACK, &[host], 401);
                check_method(method, reach, Some("s3cret"), ACK, &[host, shown], 200);
            }
        }
        for method in ["GET", "HEAD", "OPTIONS"] {
            check_method(method, LOOPBACK, None, ACK, &[host], 200);
        }
    }

    #[test]
    fn a_page_of_another_site_changes_nothing() {
        let shown = ("authorization", "Bearer s3cret");
        for (host, origin, expected) in [
            ("router:4000", "http://router:4000", 200),
            ("router:4000", "https://Router:4000", 200),
            ("[fd00::1]:4000", "http://[fd00::1]:4000", 200),
            ("router:4000", "http://router", 403),
            ("router:4000", "http://router:4001", 403),
            ("router:4000", "http://evil.example", 403),
            ("router:4000", "http://evil.example/router:4000", 403),
            ("router:4000", "router:4000", 403),
            ("router:4000", "null", 403),
            ("router:4000", "", 403),
        ] {
            let headers = [("host", host), ("origin", origin), shown];
            for reach in [Reach::Unix, LOOPBACK, Reach::Network] {
                check_method("POST", reach, Some("s3cret"), "/", &headers, expected);
                check_method("GET", reach, Some("s3cret"), "/", &headers, 200);
            }
        }
        let two = [
            ("host", "router"),
            ("origin", "http://router"),
            ("origin", "http://evil.example"),
        ];
        check_method("POST", Reach::Unix, None, "/", &two, 403);
        let no_host = [("origin", "http://router")];
        check_method("POST", Reach::Unix, None, "/", &no_host, 403);
    }

    #[test]
    fn a_large_body_is_refused_before_it_is_read() {
        let headers = [("host", "localhost"), ("content-length", "65537")];
        check(LOOPBACK, None, "/usage_report", &headers, 413);
        check(Reach::Unix, None, "/usage_report", &headers, 413);
    }
}
