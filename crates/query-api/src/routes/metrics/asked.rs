use actix_web::{HttpRequest, HttpResponse};
use analytics::{
    Query, Selection,
    time::{BeyondRetention, Kept},
};
use serde::Serialize;
use tokio::try_join;

use crate::{
    answer::Answer,
    error::ApiError,
    parameters::{Given, selection},
    services::Services,
};

/// What a request asks of a metric over a range.
pub(super) struct Asked {
    /// Its parameters.
    pub(super) given: Given,
    /// What they select.
    pub(super) selection: Selection,
}

impl Asked {
    /// Reads a request whose bounds need the stored events of one metric's domain.
    pub(super) fn read(
        services: &Services,
        request: &HttpRequest,
        parameters: &[String],
    ) -> Result<Self, ApiError> {
        Self::read_kept(services, request, parameters, |selection| {
            Kept::Events.check(&selection.range, selection.now)
        })
    }

    /// Reads a request; `kept` checks that what its bounds need is still stored.
    pub(super) fn read_kept(
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

    /// Answers with the metrics, which are asked for after the lanes: what those call complete is in the numbers.
    /// `unsettled` counts the facts whose region is not known yet, for answers that they concern.
    pub(super) async fn answer<T: Serialize>(
        &self,
        services: &Services,
        unsettled: Option<Query>,
        metrics: impl Future<Output = Result<T, ApiError>>,
    ) -> Result<HttpResponse, ApiError> {
        let complete_through = services.lanes.signs().await?.complete_through;
        let unsettled = unsettled_facts(services, unsettled);
        let (metrics, unsettled) = try_join!(metrics, unsettled)?;
        Ok(Answer {
            date_range: self.selection.range,
            complete_through,
            unsettled,
            metrics,
        }
        .response())
    }
}

/// Counts the facts whose region is not known yet, where the answer says how many there are.
pub(super) async fn unsettled_facts(
    services: &Services,
    query: Option<Query>,
) -> Result<Option<u64>, ApiError> {
    match query {
        Some(query) => Ok(Some(services.store.row("unsettled facts", &query).await?)),
        None => Ok(None),
    }
}
