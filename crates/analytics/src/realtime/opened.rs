use std::borrow::Cow;

use chrono::TimeDelta;
use futures::future::try_join_all;
use shared_schema::EventType;

use super::{
    Second,
    tiles::{DAY, HOUR, MILLISECOND, QUARTER},
};
use crate::{
    ask::Ask,
    cells::{Cell, Cells, Counted, Only, Opening, Part, What, counted, counted_as, length},
    time::Span,
};

/// Tiles as many as their lists are long.
pub(super) struct Opened {
    pub(super) active_users: i64,
    pub(super) active_drivers: i64,
    pub(super) active_trips: i64,
    pub(super) bookings_last_hour: i64,
    pub(super) cells: Cells,
}

/// Counts the lists of the tiles that can be opened.
pub(super) async fn ask<A: Ask>(
    store: &A,
    second: &Second,
    opening: &Opening,
) -> Result<Opened, A::Error> {
    let cells = cells(second, opening);
    let lengths = cells.each_ref().map(|(_, cell)| length(cell));
    let asked = lengths
        .iter()
        .map(|query| store.row("realtime: a list", query));
    let lengths: Vec<i64> = try_join_all(asked).await?;
    let mut lengths = lengths.into_iter();
    let mut next = || lengths.next().unwrap_or_default();
    Ok(Opened {
        active_users: next(),
        active_drivers: next(),
        active_trips: next(),
        bookings_last_hour: next(),
        cells: opening.tokens(cells, second.now),
    })
}

/// The names and cells of these tiles, in the order of [`Opened`].
fn cells(second: &Second, opening: &Opening) -> [(Cow<'static, str>, Cell); 4] {
    let cell = |counted: Counted, age: TimeDelta| {
        let part = Part {
            span: Span {
                from: second.now - age,
                until: second.now + MILLISECOND,
            },
            region: second.region.clone(),
            only: Some(Only::NoClockSkew),
        };
        let cell = opening.cell(&counted, &part, chrono_tz::UTC);
        (counted.name, cell)
    };
    let of_settled = second.sees_settled_only;
    [
        cell(
            counted_as("active_users", What::ActiveUsers),
            QUARTER - MILLISECOND,
        ),
        cell(
            counted_as("active_drivers", What::DriversOfLocations),
            QUARTER,
        ),
        cell(
            counted_as("active_trips", What::ActiveTrips { of_settled }),
            DAY,
        ),
        cell(
            counted("bookings_last_hour", EventType::BookingCreated),
            HOUR - MILLISECOND,
        ),
    ]
}
