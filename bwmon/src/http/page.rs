//! A part of a long list, and the way to the next one.
//!
//! A page begins after an entry that the client names. So nothing is left out or comes twice when
//! entries come and go between two pages.

use std::{cmp::Ordering, sync::Arc};

use axum::{
    extract::Query,
    http::{HeaderName, HeaderValue, Uri, header},
    response::Response,
};
use form_urlencoded::Serializer;

const TOTAL: HeaderName = HeaderName::from_static("x-total-count");

/// A part of a list that is shared with the snapshot.
#[derive(Debug)]
pub(super) struct Page<T> {
    items: Arc<[Arc<T>]>,
    from: usize,
    to: usize,
}

impl<T> Page<T> {
    /// Of a list in some order: up to `limit` entries from where `is_after` begins to hold, or all
    /// there are.
    pub(super) fn of(
        items: &Arc<[Arc<T>]>,
        is_after: impl Fn(&T) -> bool,
        limit: Option<usize>,
    ) -> Self {
        let from = items.partition_point(|item| !is_after(item));
        let rest = items.len() - from;
        Self {
            items: Arc::clone(items),
            from,
            to: from + limit.unwrap_or(rest).min(rest),
        }
    }

    /// The last entry, if others follow it.
    pub(super) fn last_of_more(&self) -> Option<&T> {
        let more = self.to < self.items.len();
        let last = self.items[self.from..self.to].last();
        last.filter(|_| more).map(AsRef::as_ref)
    }

    /// How many there are in all.
    pub(super) fn total(&self) -> usize {
        self.items.len()
    }

    /// The entries, without keeping the rest of the snapshot.
    pub(super) fn into_items(self) -> impl Iterator<Item = Arc<T>> + Send + 'static
    where
        T: Send + Sync + 'static,
    {
        (self.from..self.to).map(move |index| Arc::clone(&self.items[index]))
    }
}

/// Says how many entries there are in all, and, where more follow, where (RFC 8288): at the same
/// address with another `after`.
pub(super) fn paged(
    mut response: Response,
    uri: &Uri,
    total: usize,
    after: Option<&str>,
) -> Response {
    let headers = response.headers_mut();
    headers.insert(TOTAL, total.into());
    let next = after.map(|after| format!("<{}>; rel=\"next\"", with_after(uri, after)));
    if let Some(next) = next.and_then(|next| HeaderValue::try_from(next).ok()) {
        headers.insert(header::LINK, next);
    }
    response
}

fn with_after(uri: &Uri, after: &str) -> String {
    let pairs = Query::<Vec<(String, String)>>::try_from_uri(uri);
    let pairs = pairs.map(|Query(pairs)| pairs).unwrap_or_default();
    let kept = pairs.iter().filter(|(name, _)| name != "after");
    let query = Serializer::new(String::new())
        .extend_pairs(kept)
        .append_pair("after", after)
        .finish();
    format!("{}?{query}", uri.path())
}

/// How ids of devices are ordered, in whatever case somebody writes one.
pub(super) fn id_order(id: &str, other: &str) -> Ordering {
    let lower = |text: &str| text.to_ascii_lowercase();
    id.cmp(&lower(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(count: u32) -> Arc<[Arc<u32>]> {
        (1..=count).map(|number| Arc::new(number * 10)).collect()
    }

    fn check(after: u32, limit: Option<usize>, expected: &[u32], next: Option<u32>) {
        let page = Page::of(&items(4), |&item| item > after, limit);
        assert_eq!(page.total(), 4);
        assert_eq!(page.last_of_more().copied(), next, "{after} {limit:?}");
        let shown: Vec<u32> = page.into_items().map(|item| *item).collect();
        assert_eq!(shown, expected, "{after} {limit:?}");
    }

    #[test]
    fn a_page_begins_after_what_is_named_also_when_that_is_gone() {
        check(0, None, &[10, 20, 30, 40], None);
        check(0, Some(2), &[10, 20], Some(20));
        check(20, Some(2), &[30, 40], None);
        check(15, Some(2), &[20, 30], Some(30));
        check(15, None, &[20, 30, 40], None);
        check(40, Some(2), &[], None);
        check(99, None, &[], None);
        check(0, Some(4), &[10, 20, 30, 40], None);
        check(0, Some(1000), &[10, 20, 30, 40], None);
    }

    #[test]
    fn a_link_keeps_what_was_asked_for_and_escapes_what_it_adds() {
        let check = |uri: &'static str, after: &str, expected: &str| {
            assert_eq!(with_after(&Uri::from_static(uri), after), expected);
        };
        check("/a?limit=2", "fd00::5", "/a?limit=2&after=fd00%3A%3A5");
        check("/a?after=x&limit=2", "y", "/a?limit=2&after=y");
        check("/a", "<>\r\n&", "/a?after=%3C%3E%0D%0A%26");
        check(
            "/a?device=group%3AKids",
            "z",
            "/a?device=group%3AKids&after=z",
        );
    }
}
