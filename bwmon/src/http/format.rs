//! What a list is written in: JSON, or CSV for who asks for it.

use axum::{
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    array::json_array,
    csv::{Record, csv_table},
};

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Format {
    /// JSON.
    Json,
    /// CSV with a line of names.
    Csv,
}

impl Format {
    /// What the query says, else what the client prefers by its `Accept` header, else JSON. Somebody
    /// who accepts neither gets JSON as well: few who send such a header mean it.
    pub(super) fn wanted(query: Option<Self>, headers: &HeaderMap) -> Self {
        query.unwrap_or_else(|| {
            let [json, csv] =
                ["application/json", "text/csv"].map(|offered| quality(offered, headers));
            if csv > json { Self::Csv } else { Self::Json }
        })
    }

    /// For tags.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
        }
    }

    /// The list.
    pub(super) fn list<T, I>(self, items: I) -> Response
    where
        T: Record,
        I: Iterator<Item: AsRef<T> + Serialize> + Send + 'static,
    {
        match self {
            Self::Json => json_array(items),
            Self::Csv => csv_table(items),
        }
    }
}

/// Says that another `Accept` header may have another answer, whatever this one is.
pub(super) fn negotiated(mut response: Response) -> Response {
    let accept = HeaderValue::from_static("accept");
    response.headers_mut().append(header::VARY, accept);
    response
}

/// How much the client wants `offered`, from 0 to 1; the closest range says it (RFC 9110, section
/// 12.5.1).
fn quality(offered: &str, headers: &HeaderMap) -> f32 {
    let (kind, _) = offered.split_once('/').unwrap_or((offered, ""));
    headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|range| {
            let mut parts = range.split(';').map(str::trim);
            let range = parts.next()?;
            let closeness = if range.eq_ignore_ascii_case(offered) {
                3
            } else if range
                .strip_suffix("/*")
                .is_some_and(|range| range.eq_ignore_ascii_case(kind))
            {
                2
            } else if range == "*/*" {
                1
            } else {
                return None;
            };
            let quality = parts.find_map(|part| {
                let (name, value) = part.split_once('=')?;
                name.trim().eq_ignore_ascii_case("q").then(|| value.trim())
            });
            let quality = quality.map_or(Some(1.0), |quality| quality.parse::<f32>().ok())?;
            Some((closeness, quality.clamp(0.0, 1.0)))
        })
        .max_by_key(|(closeness, _)| *closeness)
        .map_or(0.0, |(_, quality)| quality)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(accept: &[&str], expected: Format) {
        let mut headers = HeaderMap::new();
        for value in accept {
            headers.append(header::ACCEPT, value.parse().unwrap());
        }
        assert_eq!(Format::wanted(None, &headers), expected, "{accept:?}");
        for said in [Format::Json, Format::Csv] {
            assert_eq!(Format::wanted(Some(said), &headers), said, "{accept:?}");
        }
    }

    #[test]
    fn csv_is_for_who_prefers_it() {
        check(&["text/csv"], Format::Csv);
        check(&["Text/CSV; header=present"], Format::Csv);
        check(&["text/*"], Format::Csv);
        check(&["text/csv, */*;q=0.1"], Format::Csv);
        check(&["application/json;q=0.5, text/csv;q=0.9"], Format::Csv);
        check(&["application/json;q=0.5", "text/csv"], Format::Csv);
        check(&["*/*, application/json;q=0.1"], Format::Csv);
    }

    #[test]
    fn json_is_for_everybody_else() {
        check(&[], Format::Json);
        check(&[""], Format::Json);
        check(&["*/*"], Format::Json);
        check(&["application/json"], Format::Json);
        check(&["application/json, text/csv"], Format::Json);
        check(&["text/csv;q=0.5, application/json"], Format::Json);
        check(&["text/csv;q=0"], Format::Json);
        check(&["text/csv;q=much"], Format::Json);
        check(&["text/csvx, text/cs"], Format::Json);
        check(&["text/html,application/xhtml+xml,*/*;q=0.8"], Format::Json);
        check(&["image/png"], Format::Json);
    }
}
