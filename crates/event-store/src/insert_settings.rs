//! The settings of every insert, in one place.
//!
//! A part is the witness of its batch, which holds only if one insert makes exactly one part per target
//! and month. These settings see to it; [`probe`](crate::probe) proves it on the server at hand.

/// A setting that no caller may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pinned {
    /// Its name in `system.settings`.
    pub name: &'static str,
    /// Its value, as `system.settings` shows it.
    pub value: &'static str,
    /// What happens without it.
    pub reason: &'static str,
}

const fn pin(name: &'static str, value: &'static str, reason: &'static str) -> Pinned {
    Pinned {
        name,
        value,
        reason,
    }
}

/// More than any batch has. The server takes a larger number of rows for a mistake and lowers it to 2³².
const MORE_THAN_A_BATCH: &str = "4000000000";
const MORE_BYTES_THAN_A_BATCH: &str = "1099511627776";

/// What every insert is sent with.
pub const PINNED: &[Pinned] = &[
    pin(
        "async_insert",
        "0",
        "the server would answer before it has written, and mix batches",
    ),
    pin(
        "max_insert_block_size",
        MORE_THAN_A_BATCH,
        "a large batch would be cut into several parts",
    ),
    pin(
        "max_insert_block_size_bytes",
        "0",
        "a large batch would be cut into several parts",
    ),
    pin(
        "min_insert_block_size_rows",
        MORE_THAN_A_BATCH,
        "what a view makes of a batch would be cut",
    ),
    pin(
        "min_insert_block_size_bytes",
        MORE_BYTES_THAN_A_BATCH,
        "what a view makes of a batch would be cut",
    ),
    pin(
        "min_insert_block_size_rows_for_materialized_views",
        "0",
        "views would get a limit of their own",
    ),
    pin(
        "min_insert_block_size_bytes_for_materialized_views",
        "0",
        "views would get a limit of their own",
    ),
    pin(
        "use_strict_insert_block_limits",
        "0",
        "both lower limits would have to be met, and none would be",
    ),
    pin(
        "max_insert_threads",
        "1",
        "each thread would make parts of its own",
    ),
    pin(
        "input_format_parallel_parsing",
        "0",
        "each parser would make blocks of its own",
    ),
    pin(
        "parallel_view_processing",
        "0",
        "the order of the targets would change from run to run",
    ),
    pin(
        "materialized_views_ignore_errors",
        "0",
        "a target could lack the batch though the insert succeeded",
    ),
    pin(
        "insert_deduplicate",
        "0",
        "the server would drop what it takes for a repetition",
    ),
    pin(
        "deduplicate_insert",
        "disable",
        "overrides `insert_deduplicate`",
    ),
    pin(
        "deduplicate_insert_select",
        "disable",
        "overrides both for `INSERT … SELECT`",
    ),
    pin(
        "deduplicate_blocks_in_dependent_materialized_views",
        "0",
        "views would drop equal blocks",
    ),
    pin(
        "max_partitions_per_insert_block",
        "0",
        "late events over many months would fail for ever",
    ),
];

/// Not a setting of the query but of the request: the status is sent once the outcome is known.
pub(crate) const WAIT: (&str, &str) = ("wait_end_of_query", "1");

/// Whether callers may not set this.
pub(crate) fn is_reserved(name: &str) -> bool {
    const REQUEST: [&str; 4] = [WAIT.0, "database", "query", "query_id"];
    REQUEST.contains(&name) || PINNED.iter().any(|pinned| pinned.name == name)
}
