use actix_web::{HttpRequest, HttpResponse};
use analytics::{
    Query, RegionFilter, Selection,
    time::{BeyondRetention, Retention},
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
            Retention::Events.check(&selection.range, selection.now)
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
    /// `unsettled` counts the facts without a region, for answers that have one.
    pub(super) async fn answer<T: Serialize>(
        &self,
        services: &Services,
        unsettled: impl FnOnce(&Selection) -> Query,
        metrics: impl Future<Output = Result<T, ApiError>>,
    ) -> Result<HttpResponse, ApiError> {
        let complete_through = services.lanes.signs().await?.complete_through;
        let selection = &self.selection;
        let unsettled = unsettled_facts(services, &selection.region, || unsettled(selection));
        let (metrics, unsettled) = try_join!(metrics, unsettled)?;
        Ok(Answer {
            date_range: selection.range,
            complete_through,
            unsettled,
            metrics,
        }
        .response())
    }
}

/// Counts the facts without a region where the answer has one.
pub(super) async fn unsettled_facts(
    services: &Services,
    region: &RegionFilter,
    query: impl FnOnce() -> Query,
) -> Result<Option<u64>, ApiError> {
    match region.is_regional() {
        true => Ok(Some(services.store.row("unsettled facts", &query()).await?)),
        false => Ok(None),
    }
}
