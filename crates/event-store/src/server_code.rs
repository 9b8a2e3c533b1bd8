//! What ClickHouse's error codes mean for whoever has to decide whether to try again.

/// Codes of troubles that pass without anybody changing the statement, the schema or the settings.
/// Every other code stays until somebody acts.
const PASSING: &[(u32, &str)] = &[
    (3, "the body ended early: the connection was torn"),
    (33, "the body ended early: the connection was torn"),
    (74, "the server could not read a file"),
    (
        75,
        "the server could not write a file: the disk is full or failing",
    ),
    (76, "the server could not open a file"),
    (95, "a connection between servers broke"),
    (96, "a connection between servers broke"),
    (159, "it took longer than allowed, as under load"),
    (173, "the operating system refused memory"),
    (198, "a name could not be resolved"),
    (201, "a quota is used up until its interval ends"),
    (202, "too many queries run at once"),
    (203, "a pool had no free connection"),
    (209, "a connection timed out"),
    (210, "a connection broke"),
    (225, "Keeper cannot be reached"),
    (236, "the server is shutting down, or a merge was stopped"),
    (241, "memory ran out; other queries release theirs"),
    (
        242,
        "a replica is read-only until it has found Keeper again",
    ),
    (
        243,
        "the disk is full until merges or an operator make room",
    ),
    (252, "too many parts: merges must catch up first"),
    (254, "no replica is active"),
    (265, "no replica can be reached"),
    (279, "no server could be connected to"),
    (285, "too few replicas are alive for the quorum"),
    (286, "the last quorum write is still under way"),
    (319, "Keeper did not say whether the insert happened"),
    (373, "the session is in use"),
    (384, "a part is locked by another operation"),
    (
        394,
        "somebody killed the query, or the server is shutting down",
    ),
    (439, "no thread could be started"),
    (473, "a lock was not given in time"),
    (586, "the server could not create a file"),
    (659, "Keeper did not say whether the transaction happened"),
    (692, "too many mutations are waiting"),
    (700, "the user has too many sessions open"),
    (735, "a connection was closed before the answer"),
    (745, "the server is overloaded"),
    (749, "the server has too many connections"),
    (762, "the server has too many connections"),
    (776, "a resource of the server is used up"),
    (777, "memory ran out; other queries release theirs"),
    (778, "memory ran out; other queries release theirs"),
    (999, "Keeper failed"),
    (
        1000,
        "the operating system or the network failed below the server",
    ),
    (
        1001,
        "the operating system failed below the server, as a rename on a full disk does",
    ),
];

/// Memory ran out: that of one query, of one user, or of all.
pub const MEMORY_LIMIT_EXCEEDED: u32 = 241;

/// Whether memory ran out that was given to one query alone: the code is the same.
pub(crate) fn is_of_one_query(message: &str) -> bool {
    message.contains("Query memory limit exceeded") || message.contains("Memory limit (for query)")
}

/// A statement took longer than it was given.
pub(crate) const TIMEOUT_EXCEEDED: u32 = 159;

/// `throwIf` found its condition true.
pub(crate) const THROW_IF: u32 = 395;

/// Why the trouble with this code passes by itself; `None` where it does not.
pub fn passes_because(code: u32) -> Option<&'static str> {
    PASSING
        .iter()
        .find(|(passing, _)| *passing == code)
        .map(|&(_, reason)| reason)
}

/// The code in an exception's text, `Code: 241. DB::Exception: …`.
pub(crate) fn in_text(text: &str) -> Option<u32> {
    let (_, rest) = text.split_once("Code: ")?;
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_found_in_the_text_of_an_exception() {
        let text = "Code: 159. DB::Exception: Timeout exceeded: elapsed 1029.187 ms, maximum: 500 ms. \
                    (TIMEOUT_EXCEEDED) (version 26.7.2.1)";
        assert_eq!(in_text(text), Some(159));
        assert_eq!(in_text("Code: 999"), Some(999));
        assert_eq!(in_text("502 Bad Gateway"), None);
        assert_eq!(in_text("Code: 99999999999999999999"), None);
    }

    #[test]
    fn codes_are_listed_once_and_in_order() {
        assert!(PASSING.is_sorted_by(|(a, _), (b, _)| a < b));
    }
}
