//! How a settling goes on, by whomever.

use super::State;
use crate::{Pool, StoreError, schema::settle_batch};
use chrono::{DateTime, Utc};
use diesel::{BoolExpressionMethods, ExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

/// Announces the attempt after `last` as the owner's, unless somebody else announced it first.
pub async fn next_attempt(
    pool: &Pool,
    owner: &str,
    id: Uuid,
    last: i32,
) -> Result<Option<i32>, StoreError> {
    let operation = "announce an attempt at a settling";
    let mut connection = pool.get(operation).await?;
    let mine = settle_batch::state
        .ne("done")
        .and(settle_batch::attempt.eq(last));
    let announced = diesel::update(settle_batch::table.find(id).filter(mine))
        .set((
            settle_batch::attempt.eq(last + 1),
            settle_batch::owner.eq(owner),
        ))
        .execute(&mut connection)
        .await
        .map_err(|source| StoreError::Query { operation, source })?;
    Ok((announced == 1).then_some(last + 1))
}

/// Moves a settling on from one state to the next; changes nothing if it is not in `from` any more.
#[must_use = "somebody else may have moved it on, or it may be forgotten"]
pub async fn advance(
    pool: &Pool,
    id: Uuid,
    from: State,
    to: State,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let operation = "move a settling on";
    let mut connection = pool.get(operation).await?;
    let closed_at = (to == State::Done).then_some(now);
    diesel::update(
        settle_batch::table
            .find(id)
            .filter(settle_batch::state.eq(from.as_str())),
    )
    .set((
        settle_batch::state.eq(to.as_str()),
        settle_batch::closed_at.eq(closed_at),
    ))
    .execute(&mut connection)
    .await
    .map(|rows| rows == 1)
    .map_err(|source| StoreError::Query { operation, source })
}
