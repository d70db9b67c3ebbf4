//! What did not change is not sent again: `ETag` and `If-None-Match` (RFC 9110, section 13).
//!
//! A tag of a list is the version of the part of the snapshot that it shows, so that a list that is
//! asked for in vain costs nothing. Only short bodies are written to see what they are.
//!
//! The tags are for programs that keep what they read. Browsers and proxies keep nothing:
//! `Cache-Control` stays `no-store`, since who used what is nobody else's, on no disk.

use std::{
    convert::Infallible,
    fmt::{self, Display},
    hash::{DefaultHasher, Hash, Hasher},
};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use serde::Serialize;
use uuid::Uuid;

use super::problem::Problem;

/// What tells one answer of a route from another. It has no quotes or commas.
#[derive(Debug)]
pub(super) struct Tag(String);

/// This start of bwmon: versions begin anew with each.
#[derive(Clone, Debug)]
pub(super) struct Start(Uuid);

impl Start {
    pub(super) fn new() -> Self {
        Self(Uuid::new_v4())
    }

    /// Of what has `version`s that count within this start.
    pub(super) fn tag(&self, version: impl Display) -> Tag {
        Tag(format!("{:x}.{version}", self.0.as_fields().0))
    }
}

impl Tag {
    /// Of these bytes, in whatever start.
    pub(super) fn of(body: &[u8]) -> Self {
        let mut hasher = DefaultHasher::new();
        body.hash(&mut hasher);
        Self(format!("{:016x}", hasher.finish()))
    }

    /// Whether it is among what the client has, by the weak comparison that reading asks for.
    fn is_had(&self, headers: &HeaderMap) -> bool {
        let own = self.to_string();
        headers
            .get_all(header::IF_NONE_MATCH)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(str::trim)
            .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == own)
    }
}

impl Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0)
    }
}

/// The answer, or that the client has it already; then it is not made.
pub(super) fn unless_had(
    headers: &HeaderMap,
    tag: &Tag,
    answer: impl FnOnce() -> Response,
) -> Response {
    let mut response = if tag.is_had(headers) {
        // A body of known length would have a header say that the answer is empty.
        let nothing = Body::from_stream(stream::empty::<Result<Vec<u8>, Infallible>>());
        (StatusCode::NOT_MODIFIED, nothing).into_response()
    } else {
        answer()
    };
    if let Ok(tag) = HeaderValue::try_from(tag.to_string()) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// One thing as JSON, known by its text. For what is short.
pub(super) fn json_unless_had<T: Serialize>(
    headers: &HeaderMap,
    value: &T,
) -> Result<Response, Problem> {
    let body = serde_json::to_vec(value).map_err(|error| {
        let detail = format!("the answer cannot be written as JSON: {error}");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
    })?;
    let tag = Tag::of(&body);
    Ok(unless_had(headers, &tag, || {
        let json = HeaderValue::from_static("application/json");
        ([(header::CONTENT_TYPE, json)], body).into_response()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(if_none_match: &[&str], expected: u16) {
        let mut headers = HeaderMap::new();
        for value in if_none_match {
            headers.append(header::IF_NONE_MATCH, value.parse().unwrap());
        }
        let tag = Tag("1f.7".to_owned());
        let response = unless_had(&headers, &tag, || "body".into_response());
        assert_eq!(response.status(), expected, "{if_none_match:?}");
        assert_eq!(response.headers()[header::ETAG], "\"1f.7\"");
    }

    #[test]
    fn an_answer_is_sent_unless_its_tag_is_among_those_of_the_client() {
        check(&[], 200);
        check(&["\"1f.7\""], 304);
        check(&["W/\"1f.7\""], 304);
        check(&["\"1f.6\", \"1f.7\""], 304);
        check(&["\"1f.6\"", "\"1f.7\""], 304);
        check(&["*"], 304);
        check(&["\"1f.70\""], 200);
        check(&["1f.7"], 200);
        check(&["\"1F.7\""], 200);
        check(&[""], 200);
    }

    #[test]
    fn tags_of_another_start_are_others() {
        let (first, second) = (Start::new(), Start::new());
        assert_eq!(first.tag(7).0, first.tag(7).0);
        assert_ne!(first.tag(7).0, first.tag(8).0);
        assert_ne!(first.tag(7).0, second.tag(7).0);
    }

    #[test]
    fn tags_of_other_texts_are_others() {
        assert_eq!(Tag::of(b"a").0, Tag::of(b"a").0);
        assert_ne!(Tag::of(b"a").0, Tag::of(b"b").0);
    }
}
