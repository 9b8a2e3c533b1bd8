/// How alike two names must be (1 is equal) for one to be offered in the place of the other.
const ALIKE: f64 = 0.5;

/// The known name most like an unknown one. The prefix that all names share does not count as likeness.
pub(super) fn nearest<'n>(
    name: &str,
    known: impl Iterator<Item = &'n str>,
    prefix: &str,
) -> Option<&'n str> {
    let bare = |name: &str| name.strip_prefix(prefix).unwrap_or(name).to_owned();
    let wanted = bare(name);
    known
        .map(|known| {
            (
                strsim::normalized_damerau_levenshtein(&wanted, &bare(known)),
                known,
            )
        })
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, known)| known)
}

/// What is said about a name that means nothing.
pub(super) fn unknown(what: &str, nearest: Option<&str>) -> String {
    match nearest {
        Some(nearest) => format!("unknown {what}; did you mean {nearest}?"),
        None => format!("unknown {what}; `config example` lists all settings"),
    }
}
