use actix_web::{HttpRequest, HttpResponse};
use analytics::{
    Ask, Query, Selection,
    time::{Buckets, DateRange, Kept},
};
use chrono::{DateTime, Utc};
use serde::Serialize;
use shared_schema::access::Scope;

use crate::{
    access::Caller,
    answer::Answer,
    ask::Asker,
    cache::{Keeping, Made, Question, Sought},
    cells,
    error::ApiError,
    parameters::{Given, Parameter, few_enough, selection, series},
    services::Services,
};

/// What a request asks about a range.
pub(in crate::routes) struct Asked<'r> {
    request: &'r HttpRequest,
    parameters: &'r [Parameter],
    caller: Caller,
    /// The parameters that it gives.
    pub(in crate::routes) given: Given,
    /// What they select.
    pub(in crate::routes) selection: Selection,
    /// Where counts are to be opened: everything that arrived at the broker before this was durable then.
    durable_through: Option<DateTime<Utc>>,
}

impl<'r> Asked<'r> {
    /// Reads a request that may give these parameters.
    pub(in crate::routes) fn read(
        services: &Services,
        request: &'r HttpRequest,
        parameters: &'r [Parameter],
    ) -> Result<Self, ApiError> {
        let caller = Caller::of(request)?;
        let given = Given::read(request.query_string(), parameters)?;
        let selection = selection(&given, &caller.scope, services.clock.now())?;
        Ok(Self {
            request,
            parameters,
            caller,
            given,
            selection,
            durable_through: None,
        })
    }

    /// What the caller sees of ClickHouse. To be called where that is asked: an answer that is kept needs none.
    pub(in crate::routes) fn store(&self, services: &Services) -> Asker {
        services.store_of(&self.caller)
    }

    /// Reads the time series too.
    pub(in crate::routes) fn with_series(mut self) -> Result<Self, ApiError> {
        self.selection.series = series(&self.given, &self.selection.range)?;
        Ok(self)
    }

    /// Checks that the stored events which bounds off the grid need are still there.
    pub(in crate::routes) fn that_is_kept(self) -> Result<Self, ApiError> {
        Kept::Events.check(&self.selection.range, self.selection.now)?;
        Ok(self)
    }

    /// Makes counts ones that can be opened, where that is asked for. To be called after the time series was read.
    pub(in crate::routes) async fn with_cells(
        mut self,
        services: &Services,
    ) -> Result<Self, ApiError> {
        if !self.given.flag("include_cells")? {
            return Ok(self);
        }
        let selection = &mut self.selection;
        few_enough(selection.series.as_ref().map_or(0, Buckets::len))?;
        Kept::Events.check_start(&selection.range, selection.now)?;
        let pinned = cells::pinned(services, &self.caller, selection.now).await?;
        selection.opening = Some(pinned.opening);
        self.durable_through = pinned.complete_through;
        Ok(self)
    }

    /// Answers with what is kept, or with what `ask` asks for.
    pub(in crate::routes) async fn answer<T: Serialize>(
        &self,
        services: &Services,
        keeping: Keeping,
        unsettled: Option<Query>,
        ask: impl AsyncFn(Option<DateTime<Utc>>) -> Result<T, ApiError>,
    ) -> Result<HttpResponse, ApiError> {
        let range = self.selection.range;
        self.answer_over(services, range, keeping, unsettled, ask)
            .await
    }

    /// The same, where the range is not the one that was asked for.
    pub(in crate::routes) async fn answer_over<T: Serialize>(
        &self,
        services: &Services,
        range: DateRange,
        keeping: Keeping,
        unsettled: Option<Query>,
        ask: impl AsyncFn(Option<DateTime<Utc>>) -> Result<T, ApiError>,
    ) -> Result<HttpResponse, ApiError> {
        let cache = &services.cache;
        // who sees some regions only learns nothing of what may belong to others
        let unsettled = unsettled.filter(|_| self.caller.scope == Scope::Everywhere);
        if self.selection.opening.is_some() {
            let make = async || {
                let unsettled = unsettled_facts(services, &self.caller, unsettled.clone()).await?;
                answered(range, self.durable_through, unsettled, &ask).await
            };
            return cache.answer_unkept(self.request, make).await;
        }
        let sought = Sought {
            path: self.request.path(),
            scope: &self.caller.scope,
            region: &self.selection.region,
            parameters: self.parameters,
            given: &self.given,
        };
        let question = Question::about(sought, &range, keeping, cache.config(), self.selection.now);
        let make = async || self.made(services, range, unsettled.clone(), &ask).await;
        cache.answer(self.request, &question, make).await
    }

    /// What `ask` asks for, after the lanes were read: what those call complete is in it. `unsettled` counts the facts whose
    /// region is not known yet, for answers that they concern.
    async fn made<T: Serialize>(
        &self,
        services: &Services,
        date_range: DateRange,
        unsettled: Option<Query>,
        ask: impl AsyncFn(Option<DateTime<Utc>>) -> Result<T, ApiError>,
    ) -> Result<Made, ApiError> {
        let complete_through = services.lanes.signs().await?.complete_through;
        // before the numbers: what is settled in between is in them, and at the worst counted as if it were not
        let unsettled = unsettled_facts(services, &self.caller, unsettled).await?;
        answered(date_range, complete_through, unsettled, ask).await
    }
}

async fn answered<T: Serialize>(
    date_range: DateRange,
    complete_through: Option<DateTime<Utc>>,
    unsettled: Option<u64>,
    ask: impl AsyncFn(Option<DateTime<Utc>>) -> Result<T, ApiError>,
) -> Result<Made, ApiError> {
    let metrics = ask(complete_through).await?;
    let answer = Answer {
        date_range,
        complete_through,
        unsettled,
        metrics,
    };
    Made::of(&answer, unsettled.is_none_or(|facts| facts == 0))
}

/// Counts the facts whose region is not known yet, where the answer says how many there are.
pub(in crate::routes) async fn unsettled_facts(
    services: &Services,
    caller: &Caller,
    query: Option<Query>,
) -> Result<Option<u64>, ApiError> {
    let Some(query) = query else { return Ok(None) };
    let store = services.clickhouse.whole(caller);
    Ok(Some(store.row("unsettled facts", &query).await?))
}
