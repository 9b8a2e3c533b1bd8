use crate::{
    activity::last_moments,
    query::{Parameters, Query},
    selection::Selection,
};

/// Distinct users by the region of their last event; the rows are [`RegionRow`](super::RegionRow)s.
pub(super) fn query(selection: &Selection) -> Query {
    let mut parameters = Parameters::default();
    let rows = last_moments(
        &selection.range,
        &selection.region,
        selection.now,
        &mut parameters,
    );
    parameters.into_query(format!(
        "SELECT if(last.3 = '', 'unknown', last.3) AS state, if(last.3 = '', 'unknown', last.4) AS city, \
         '' AS currency, toInt128(count()) AS value\n\
         FROM\n\
         (\n\
         SELECT min((-moment, state = '', state, city)) AS last FROM\n\
         (\n\
         {rows}\n\
         )\n\
         GROUP BY person\n\
         )\n\
         GROUP BY state, city"
    ))
}
