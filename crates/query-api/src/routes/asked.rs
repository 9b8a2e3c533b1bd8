use actix_web::{HttpRequest, HttpResponse};
use analytics::{
    Ask, Query, Selection,
    time::{BeyondRetention, DateRange, Kept},
};
use chrono::{DateTime, Utc};
use event_store::StoreError;
use serde::Serialize;
use tokio::try_join;

use crate::{
    answer::Answer,
    error::ApiError,
    parameters::{Given, selection},
    services::Services,
};

/// What a request asks of a metric over a range.
pub(in crate::routes) struct Asked {
    /// Its parameters.
    pub(in crate::routes) given: Given,
    /// What they select.
    pub(in crate::routes) selection: Selection,
}

impl Asked {
    /// Reads a request whose bounds need the stored events of one metric's domain.
    pub(in crate::routes) fn read(
        services: &Services,
        request: &HttpRequest,
        parameters: &[String],
    ) -> Result<Self, ApiError> {
        Self::read_kept(services, request, parameters, |selection| {
            Kept::Events.check(&selection.range, selection.now)
        })
    }

    /// Reads a request; `kept` checks that what its bounds need is still stored.
    pub(in crate::routes) fn read_kept(
        services: &Services,
        request: &HttpRequest,
        parameters: &[String],
        kept: impl FnOnce(&Selection) -> Result<(), BeyondRetention>,
    ) -> Result<Self, ApiError> {
        let given = Given::read(request.query_string(), parameters)?;
        let selection = selection(&given, services.clock.now())?;
        kept(&selection)?;
        Ok(Self { given, selection })
    }

    /// Answers with what is asked for.
    pub(in crate::routes) async fn answer<T: Serialize>(
        &self,
        services: &Services,
        unsettled: Option<Query>,
        ask: impl AsyncFnOnce(Option<DateTime<Utc>>) -> Result<T, StoreError>,
    ) -> Result<HttpResponse, ApiError> {
        answer(services, self.selection.range, unsettled, ask).await
    }
}

/// Answers with what `ask` asks for, after the lanes were read: what those call complete is in it. `unsettled` counts the
/// facts whose region is not known yet, for answers that they concern.
pub(in crate::routes) async fn answer<T: Serialize>(
    services: &Services,
    date_range: DateRange,
    unsettled: Option<Query>,
    ask: impl AsyncFnOnce(Option<DateTime<Utc>>) -> Result<T, StoreError>,
) -> Result<HttpResponse, ApiError> {
    let complete_through = services.lanes.signs().await?.complete_through;
    let unsettled = unsettled_facts(services, unsettled);
    let metrics = async { Ok(ask(complete_through).await?) };
    let (metrics, unsettled) = try_join!(metrics, unsettled)?;
    Ok(Answer {
        date_range,
        complete_through,
        unsettled,
        metrics,
    }
    .response())
}

/// Counts the facts whose region is not known yet, where the answer says how many there are.
pub(in crate::routes) async fn unsettled_facts(
    services: &Services,
    query: Option<Query>,
) -> Result<Option<u64>, ApiError> {
    match query {
        Some(query) => Ok(Some(services.store.row("unsettled facts", &query).await?)),
        None => Ok(None),
    }
}
