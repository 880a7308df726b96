//! Content negotiation of the GraphQL endpoint.
//!
//! <https://graphql.github.io/graphql-over-http/draft/#sec-Accept>

use axum::http::HeaderMap;
use axum::http::header::ACCEPT;

/// The media types that a GraphQL reply may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// `application/graphql-response+json`: the status says whether the request was well-formed.
    Response,
    /// `application/json`: the status says only whether there is a GraphQL reply at all.
    Json,
}

impl Media {
    /// The value of `Content-Type`.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Response => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        }
    }

    /// Returns the accepted media type that the client prefers, or `None` if it accepts neither.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let ranges = ranges(headers);
        if ranges.is_empty() {
            return Some(Self::Json);
        }
        let quality = |media: &str| {
            let matching = ranges.iter().filter(|range| range.matches(media));
            matching
                .max_by_key(|range| range.precision())
                .map_or(0.0, |range| range.quality)
        };
        let response = quality("application/graphql-response+json");
        let json = quality("application/json");
        match (response, json) {
            (0.0, 0.0) => None,
            (response, json) if json > response => Some(Self::Json),
            // A client that accepts anything most likely knows the older type.
            _ if !names(&ranges, "application/graphql-response+json") => Some(Self::Json),
            _ => Some(Self::Response),
        }
    }
}

/// When the reply is an event stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Streaming {
    /// Never: the client does not ask for one.
    Never,
    /// For subscriptions only: the client accepts JSON for the rest.
    Subscriptions,
    /// Always: the client accepts nothing else.
    Always,
}

impl Streaming {
    /// Returns when the client wants an event stream.
    pub fn of(headers: &HeaderMap) -> Self {
        match Media::of(headers) {
            _ if !names(&ranges(headers), "text/event-stream") => Self::Never,
            Some(_) => Self::Subscriptions,
            None => Self::Always,
        }
    }
}

/// Whether the client asks for HTML, as browsers do.
pub fn wants_html(headers: &HeaderMap) -> bool {
    names(&ranges(headers), "text/html")
}

fn names(ranges: &[Range], media: &str) -> bool {
    ranges
        .iter()
        .any(|range| range.media == media && range.quality > 0.0)
}

struct Range {
    media: String,
    quality: f32,
}

impl Range {
    fn matches(&self, media: &str) -> bool {
        self.media == media || self.media == "*/*" || self.media == "application/*"
    }

    fn precision(&self) -> u8 {
        match self.media.as_str() {
            "*/*" => 0,
            "application/*" => 1,
            _ => 2,
        }
    }
}

fn ranges(headers: &HeaderMap) -> Vec<Range> {
    let values = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .filter_map(range)
        .collect()
}

fn range(text: &str) -> Option<Range> {
    let mut parts = text.split(';').map(str::trim);
    let media = parts
        .next()
        .filter(|media| !media.is_empty())?
        .to_ascii_lowercase();
    let quality = parts.find_map(|part| part.strip_prefix("q="));
    let quality = quality.map_or(Some(1.0), |quality| quality.parse().ok())?;
    Some(Range { media, quality })
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn of(accept: &'static str) -> Option<Media> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static(accept));
        Media::of(&headers)
    }

    #[test]
    fn whoever_takes_json_too_gets_events_for_subscriptions_alone() {
        let streaming = |accept| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, HeaderValue::from_static(accept));
            Streaming::of(&headers)
        };
        assert_eq!(streaming("*/*"), Streaming::Never);
        assert_eq!(streaming("application/json"), Streaming::Never);
        assert_eq!(streaming("text/event-stream"), Streaming::Always);
        let both = "application/json, text/event-stream;q=0.5";
        assert_eq!(streaming(both), Streaming::Subscriptions);
    }

    #[test]
    fn the_best_liked_media_type_is_chosen() {
        assert_eq!(Media::of(&HeaderMap::new()), Some(Media::Json));
        assert_eq!(of("*/*"), Some(Media::Json));
        assert_eq!(of("application/json"), Some(Media::Json));
        assert_eq!(
            of("application/graphql-response+json"),
            Some(Media::Response)
        );
        let both = "application/graphql-response+json, application/json;q=0.9";
        assert_eq!(of(both), Some(Media::Response));
        let other = "application/graphql-response+json;q=0.5, application/json";
        assert_eq!(of(other), Some(Media::Json));
        assert_eq!(of("text/plain"), None);
    }
}
