use crate::{
    activity::last_moments,
    query::{Parameters, Query},
    selection::Selection,
};

/// Distinct users by the region of their last event; the rows are [`RegionRow`](super::RegionRow)s.
pub(super) fn query(selection: &Selection) -> Query {
    let mut parameters = Parameters::default();
    let moments = last_moments(selection, &mut parameters);
    parameters.into_query(format!(
        "SELECT {STATE} AS state, {CITY} AS city, '' AS currency, toInt128(count()) AS value\n\
         FROM\n\
         (\n\
         {}\n\
         )\n\
         GROUP BY state, city",
        seen_last(&moments, "")
    ))
}

/// Each `person` with the `last` of the moments: minus the time, whether its region is not settled, the state, the city,
/// and further columns.
pub(crate) fn seen_last(moments: &str, further: &str) -> String {
    format!(
        "SELECT person, min((-moment, state = '', state, city{further})) AS last FROM\n\
         (\n\
         {moments}\n\
         )\n\
         GROUP BY person"
    )
}

/// The state of such a `last` moment.
pub(crate) const STATE: &str = "if(last.3 = '', 'unknown', last.3)";
/// Its city.
pub(crate) const CITY: &str = "if(last.3 = '', 'unknown', last.4)";
