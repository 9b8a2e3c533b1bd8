//! What HTTP says of an answer that may be kept.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{
        CACHE_CONTROL, CONTENT_TYPE, CacheControl, CacheDirective, ETag, EntityTag, Header,
        HeaderName, IfNoneMatch, VARY, WARNING,
    },
};
use chrono::{DateTime, Utc};

use super::kept::Kept;
use crate::http::Pieces;

/// Says where the answer came from.
pub(crate) const X_CACHE: HeaderName = HeaderName::from_static("x-cache");

/// Where an answer came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// It was kept.
    Hit,
    /// It was being made for another request.
    Coalesced,
    /// It was made.
    Miss,
    /// It was made although one may be kept.
    Bypass,
    /// It was made, and is not kept.
    Unkept,
    /// It was kept, and is shown because none can be made.
    Stale,
}

impl Source {
    pub(super) const ALL: [Self; 6] = [
        Self::Hit,
        Self::Coalesced,
        Self::Miss,
        Self::Bypass,
        Self::Unkept,
        Self::Stale,
    ];

    /// What logs, traces and metrics say.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Coalesced => "coalesced",
            Self::Miss => "miss",
            Self::Bypass => "bypass",
            Self::Unkept => "unkept",
            Self::Stale => "stale",
        }
    }

    /// What `X-Cache` says.
    fn shown(self) -> &'static str {
        match self {
            Self::Hit | Self::Coalesced | Self::Stale => "hit",
            Self::Miss => "miss",
            Self::Bypass | Self::Unkept => "bypass",
        }
    }
}

/// What a request wishes of the cache.
pub(super) enum Wish {
    /// Any answer that may be shown.
    Any,
    /// One that is made for it.
    Anew,
    /// One that is made for it, and kept by nobody.
    Unkept,
}

impl Wish {
    pub(super) fn of(request: &HttpRequest) -> Self {
        let sent = CacheControl::parse(request).map(|sent| sent.0);
        let directives = sent.unwrap_or_default();
        let has = |wanted: CacheDirective| directives.contains(&wanted);
        match () {
            () if has(CacheDirective::NoStore) => Self::Unkept,
            () if has(CacheDirective::NoCache) || has(CacheDirective::MaxAge(0)) => Self::Anew,
            () => Self::Any,
        }
    }
}

/// The header `Warning` of an answer that is older than it may be.
pub(crate) const STALE: &str = "110 - \"no newer answer can be had; this was true before\"";

/// The answer, or that the client has it.
pub(super) fn of(
    request: &HttpRequest,
    kept: &Kept,
    source: Source,
    now: DateTime<Utc>,
) -> HttpResponse {
    let tag = EntityTag::new_strong(kept.tag.clone());
    let mut response = match has(request, &tag) {
        true => HttpResponse::NotModified(),
        false => HttpResponse::Ok(),
    };
    let lifetime = match source {
        Source::Unkept => "no-store".to_owned(),
        _ => format!("private, max-age={}", kept.fresh_for(now).as_secs()),
    };
    response
        .insert_header(ETag(tag.clone()))
        .insert_header((CACHE_CONTROL, lifetime))
        .insert_header((VARY, "X-API-Key, Authorization"))
        .insert_header((X_CACHE, source.shown()));
    if source == Source::Stale {
        response.insert_header((WARNING, STALE));
    }
    match has(request, &tag) {
        true => response.finish(),
        false => response
            .insert_header((CONTENT_TYPE, "application/json"))
            .body(Pieces(kept.body.clone())),
    }
}

fn has(request: &HttpRequest, tag: &EntityTag) -> bool {
    match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Items(known)) => known.iter().any(|known| known.weak_eq(tag)),
        Ok(IfNoneMatch::Any) => request
            .headers()
            .contains_key(actix_web::http::header::IF_NONE_MATCH),
        Err(_) => false,
    }
}
