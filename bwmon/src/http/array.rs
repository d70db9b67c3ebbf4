//! A JSON array, piece by piece.

use std::io;

use axum::response::Response;
use serde::Serialize;

use super::pieces::{PIECE, Pieces, in_pieces};

/// A response with an array of `items`.
pub(super) fn json_array<I>(items: I) -> Response
where
    I: Iterator<Item: Serialize> + Send + 'static,
{
    in_pieces("application/json", Array::of(items))
}

/// The text of an array.
pub(super) struct Array<I> {
    /// `None` at the end.
    items: Option<I>,
    opened: bool,
}

impl<I> Array<I> {
    pub(super) fn of(items: I) -> Self {
        Self {
            items: Some(items),
            opened: false,
        }
    }
}

impl<I: Iterator<Item: Serialize> + Send + 'static> Pieces for Array<I> {
    fn are_over(&self) -> bool {
        self.items.is_none()
    }
}

impl<I: Iterator<Item: Serialize>> Iterator for Array<I> {
    type Item = io::Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        let items = self.items.as_mut()?;
        let mut piece = Vec::with_capacity(PIECE);
        for item in items {
            piece.push(if self.opened { b',' } else { b'[' });
            self.opened = true;
            if let Err(err) = serde_json::to_writer(&mut piece, &item) {
                self.items = None;
                return Some(Err(err.into()));
            }
            if piece.len() >= PIECE {
                return Some(Ok(piece));
            }
        }
        self.items = None;
        if !self.opened {
            piece.push(b'[');
        }
        piece.push(b']');
        Some(Ok(piece))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn check(count: usize, known_length: bool) {
        let items: Vec<String> = (0..count).map(|n| format!("item {n}")).collect();
        let response = json_array(items.clone().into_iter());
        let body = response.into_body();
        assert_eq!(
            axum::body::HttpBody::size_hint(&body).exact().is_some(),
            known_length,
            "{count}"
        );
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        assert_eq!(
            serde_json::from_slice::<Vec<String>>(&bytes).unwrap(),
            items,
            "{count}"
        );
    }

    #[tokio::test]
    async fn arrays_of_all_lengths_are_whole() {
        check(0, true).await;
        check(1, true).await;
        check(2, true).await;
        check(100_000, false).await;
    }

    #[tokio::test]
    async fn the_last_item_may_fill_its_piece() {
        let items = vec!["x".repeat(PIECE)];
        let body = json_array(items.clone().into_iter()).into_body();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        assert_eq!(
            serde_json::from_slice::<Vec<String>>(&bytes).unwrap(),
            items
        );
    }
}
