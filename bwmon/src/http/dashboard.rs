//! `GET /` and what the page there is made of: files that `cargo xtask build-web` made and
//! `build.rs` put into the binary, packed.
//!
//! They say nothing of anybody, so they are for everybody: the page itself shows the token, with
//! each question that it asks.

use std::io::Read;

use axum::{
    extract::Path,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use flate2::read::GzDecoder;

use super::{
    conditional::{Tag, unless_had},
    problem::Problem,
};

/// Path and contents, packed by gzip.
static FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/dashboard.rs"));

/// The page runs its own scripts and asks its own server, nothing else, and is in no other's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'; require-trusted-types-for 'script'";

/// The dashboard: a page for browsers, which asks this API.
#[utoipa::path(
    get, path = "/", tag = "service",
    responses((status = 200, content_type = "text/html", body = String, description = "The page."), (status = 304)),
)]
pub(super) async fn dashboard(headers: HeaderMap) -> Result<Response, Problem> {
    let mut response = file("index.html", &headers)?;
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-cache"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
    ] {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    Ok(response)
}

/// A part of the dashboard. Its name changes with its contents.
#[utoipa::path(
    get, path = "/assets/{name}", tag = "service",
    params(("name" = String, Path, description = "As the page names it.")),
    responses(
        (status = 200, content_type = "text/javascript", body = String, description = "The file."),
        (status = 304),
        (status = 404, description = "The page has no such part."),
    ),
)]
pub(super) async fn asset(
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut response = file(&format!("assets/{name}"), &headers)?;
    let forever = HeaderValue::from_static("public, max-age=31536000, immutable");
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, forever);
    Ok(response)
}

fn file(path: &str, headers: &HeaderMap) -> Result<Response, Problem> {
    let Some((_, packed)) = FILES.iter().find(|(name, _)| *name == path) else {
        return Err(Problem::not_found(format!(
            "the dashboard has no file {path:?}"
        )));
    };
    let is_packed = takes_gzip(headers);
    let body = match is_packed {
        true => packed.to_vec(),
        false => unpacked(packed)?,
    };
    let mut response = unless_had(headers, &Tag::of(&body), || {
        let kind = HeaderValue::from_static(kind(path));
        ([(header::CONTENT_TYPE, kind)], body).into_response()
    });
    let answered = response.status() == StatusCode::OK;
    let out = response.headers_mut();
    let vary = HeaderValue::from_static("accept-encoding");
    out.insert(header::VARY, vary);
    if is_packed && answered {
        let gzip = HeaderValue::from_static("gzip");
        out.insert(header::CONTENT_ENCODING, gzip);
    }
    Ok(response)
}

/// Every browser does.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT_ENCODING).iter();
    let mut codings = accepted
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    codings.any(|coding| {
        let mut words = coding.split(';').map(str::trim);
        let is_gzip = words
            .next()
            .is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        let quality = words.find_map(|word| word.strip_prefix("q="));
        let quality = quality.map_or(Ok(1.0), str::parse::<f32>);
        is_gzip && quality.is_ok_and(|quality| quality > 0.0)
    })
}

fn unpacked(packed: &[u8]) -> Result<Vec<u8>, Problem> {
    let mut body = Vec::new();
    GzDecoder::new(packed)
        .read_to_end(&mut body)
        .map_err(|error| {
            let detail = format!("the file cannot be unpacked: {error}");
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
        })?;
    Ok(body)
}

fn kind(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("webmanifest") => "application/manifest+json",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(accepted: &[&str], expected: bool) {
        let mut headers = HeaderMap::new();
        for value in accepted {
            headers.append(header::ACCEPT_ENCODING, value.parse().unwrap());
        }
        assert_eq!(takes_gzip(&headers), expected, "{accepted:?}");
    }

    #[test]
    fn who_takes_gzip_says_so() {
        check(&["gzip, deflate, br, zstd"], true);
        check(&["br", "GZIP;q=0.5"], true);
        check(&[], false);
        check(&["identity"], false);
        check(&["gzip;q=0"], false);
        check(&["gzip; q=0.0, identity"], false);
        check(&["xgzip"], false);
    }

    #[test]
    fn every_file_is_packed_and_has_a_type() {
        for (path, packed) in FILES {
            assert!(!unpacked(packed).unwrap().is_empty(), "{path}");
            assert_ne!(kind(path), "application/octet-stream", "{path}");
        }
    }
}
