//! A body that is written while it is sent.
//!
//! A table of 65,536 addresses is some 30 MB of JSON. Sent piece by piece it takes the memory of one
//! piece for each connection, not of one table.

use std::io;

use axum::{
    body::Body,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;

/// A piece is sent when it is at least this many bytes long.
pub(super) const PIECE: usize = 16 * 1024;

/// What follows one another in a body.
pub(super) trait Pieces: Iterator<Item = io::Result<Vec<u8>>> + Send + 'static {
    /// Whether the last one was the last.
    fn are_over(&self) -> bool;
}

/// A response of this type with that body.
pub(super) fn in_pieces(content_type: &'static str, mut pieces: impl Pieces) -> Response {
    let first = pieces.next();
    let body = match first {
        // Usually one piece is all there is, and then its length is known.
        Some(Ok(only)) if pieces.are_over() => Body::from(only),
        first => Body::from_stream(stream::iter(first.into_iter().chain(pieces))),
    };
    let content_type = HeaderValue::from_static(content_type);
    ([(header::CONTENT_TYPE, content_type)], body).into_response()
}
