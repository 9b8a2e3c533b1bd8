use std::ops::RangeInclusive;

use analytics::{
    OutOfScope, RegionFilter, Selection, UnknownRegion,
    time::{Buckets, DateRange, Granularity, MAX_POINTS, TooManyPoints},
};
use chrono::{DateTime, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};
use shared_schema::{Region, access::Scope};

use super::{Fault, Given, Parameter, ParameterError, given::nearest};

const DEFAULT_ZONE: Tz = chrono_tz::Africa::Lagos;
const A_MOMENT: &str = "Allowed are ISO 8601 dates and times such as 2024-01-31, 2024-01-31T10:30:00 or 2024-01-31T10:30:00%2B01:00.";

/// The selection that range and region parameters make, for a caller of this scope.
pub(crate) fn selection(
    given: &Given,
    scope: &Scope,
    now: DateTime<Utc>,
) -> Result<Selection, ParameterError> {
    let range = dates(given, now)?;
    Ok(Selection {
        range,
        region: region(given, scope)?,
        series: None,
        now,
        opening: None,
    })
}

/// The range of time.
pub(crate) fn dates(given: &Given, now: DateTime<Utc>) -> Result<DateRange, ParameterError> {
    let zone = zone(given)?;
    let start = given.parsed("start_date", A_MOMENT)?;
    let end = given.parsed("end_date", A_MOMENT)?;
    DateRange::resolve(start, end, zone, now).map_err(|reversed| {
        let why = format!("{reversed}");
        ParameterError::new(
            "start_date",
            Fault::StartAfterEnd,
            why,
            "Allowed is a start before the end.",
        )
    })
}

/// The region, for a caller of this scope.
pub(crate) fn region(given: &Given, scope: &Scope) -> Result<RegionFilter, ParameterError> {
    let (state, city) = (given.get("state"), given.get("city"));
    let asked = named_region(state, city)?;
    asked.seen_by(scope).map_err(|out: OutOfScope| {
        let name = if state.is_some() { "state" } else { "city" };
        let allowed = "Allowed are the regions of the key or token; without a region the answer is of all of them.";
        ParameterError::new(name, Fault::OutOfScope, out.to_string(), allowed)
    })
}

fn named_region(state: Option<&str>, city: Option<&str>) -> Result<RegionFilter, ParameterError> {
    RegionFilter::parse(state, city).map_err(|error| match &error {
        UnknownRegion::State => {
            let near = nearest(state.unwrap_or_default(), Region::states());
            refused_region(
                "state",
                &error,
                near,
                "Allowed are the 36 states of Nigeria, FCT, and unknown.",
            )
        }
        UnknownRegion::City { state } => {
            let cities = Region::cities()
                .iter()
                .filter(|known| state.as_deref().is_none_or(|state| state == known.state));
            let near = nearest(city.unwrap_or_default(), cities.map(|known| known.name));
            refused_region(
                "city",
                &error,
                near,
                "Allowed are the cities that events are placed in, and unknown.",
            )
        }
    })
}

fn refused_region(
    name: &str,
    error: &UnknownRegion,
    near: Option<&str>,
    allowed: &str,
) -> ParameterError {
    let why = match near {
        Some(near) => format!("{error}; did you mean {near}?"),
        None => error.to_string(),
    };
    ParameterError::new(name, Fault::UnknownRegion, why, allowed)
}

/// A whole number, within the limits that are documented.
pub(crate) fn number(
    given: &Given,
    documented: &[Parameter],
    name: &str,
) -> Result<u64, ParameterError> {
    let known = documented.iter().find(|known| known.name == name);
    let allowed = known.map_or(0..=u64::MAX, |known| known.allowed.clone());
    let default = known.and_then(|known| known.default.as_ref()?.parse().ok());
    number_within(given, name, default.unwrap_or(*allowed.start()), allowed)
}

/// A whole number within other limits.
pub(crate) fn number_within(
    given: &Given,
    name: &str,
    default: u64,
    allowed: RangeInclusive<u64>,
) -> Result<u64, ParameterError> {
    let hint = format!("Allowed are {} to {}.", allowed.start(), allowed.end());
    let Some(text) = given.get(name) else {
        return Ok(default);
    };
    match text.parse() {
        Ok(limit) if allowed.contains(&limit) => Ok(limit),
        _ if is_whole_number(text) => Err(ParameterError::new(
            name,
            Fault::OutOfRange,
            "it is out of range",
            hint,
        )),
        _ => Err(ParameterError::new(
            name,
            Fault::Unreadable,
            "it is no whole number",
            hint,
        )),
    }
}

/// Whether a text is a whole number, however large.
fn is_whole_number(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn zone(given: &Given) -> Result<Tz, ParameterError> {
    let Some(name) = given.get("tz") else {
        return Ok(DEFAULT_ZONE);
    };
    name.parse().map_err(|_| {
        let near = nearest(name, TZ_VARIANTS.iter().map(|zone| zone.name()));
        let why = match near {
            Some(near) => format!("there is no such zone; did you mean {near}?"),
            None => "there is no such zone".to_owned(),
        };
        ParameterError::new(
            "tz",
            Fault::Unreadable,
            why,
            "Allowed are IANA names such as Africa/Lagos.",
        )
    })
}

/// What is said of a series that would be too long.
pub(crate) fn too_many_points(error: TooManyPoints) -> ParameterError {
    let allowed =
        format!("Allowed are {MAX_POINTS} points: a wider granularity, or a shorter range.");
    ParameterError::new(
        "granularity",
        Fault::TooManyPoints,
        error.to_string(),
        allowed,
    )
}

/// The time series, if one is wanted.
pub(crate) fn series(given: &Given, range: &DateRange) -> Result<Option<Buckets>, ParameterError> {
    let granularity: Option<Granularity> = given.one_of("granularity")?;
    if given.get("include_time_series").is_none() && granularity.is_some() {
        return Err(ParameterError::new(
            "include_time_series",
            Fault::Missing,
            "granularity is of no use without it",
            "Allowed are include_time_series=true with a granularity, or neither.",
        ));
    }
    let wanted = given.flag("include_time_series")?;
    let buckets = wanted.then(|| Buckets::of(range, granularity.unwrap_or_default()));
    buckets.transpose().map_err(too_many_points)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameters::{
        RangeParameters, RegionParameters, RoutesLimit, SeriesParameters, documented,
    };

    fn given(query: &str) -> Given {
        let mut allowed = documented::<RangeParameters>();
        allowed.extend(documented::<RegionParameters>());
        allowed.extend(documented::<SeriesParameters>());
        allowed.extend(documented::<RoutesLimit>());
        Given::read(query, &allowed).unwrap()
    }

    fn read(query: &str) -> Result<Selection, ParameterError> {
        let given = given(query);
        let mut selection = selection(
            &given,
            &Scope::Everywhere,
            DateTime::from_timestamp(1_718_443_230, 0).unwrap(),
        )?;
        selection.series = series(&given, &selection.range)?;
        Ok(selection)
    }

    #[test]
    fn nothing_given_is_the_last_thirty_days_everywhere() {
        let selection = read("").unwrap();
        assert_eq!(selection.range.zone(), DEFAULT_ZONE);
        assert_eq!(selection.region, RegionFilter::Everywhere);
        assert_eq!(selection.series, None);
    }

    #[test]
    fn what_cannot_be_read_is_told_apart_from_what_is_not_allowed() {
        for (query, name, fault) in [
            ("start_date=yesterday", "start_date", Fault::Unreadable),
            ("end_date=2024-02-30", "end_date", Fault::Unreadable),
            (
                "start_date=2024-01-01T00:00:00+01:00",
                "start_date",
                Fault::Unreadable,
            ),
            ("tz=Africa/Lagoss", "tz", Fault::Unreadable),
            ("tz=", "tz", Fault::Unreadable),
            (
                "include_time_series=yes",
                "include_time_series",
                Fault::Unreadable,
            ),
            ("granularity=yearly", "granularity", Fault::Unreadable),
            ("granularity=hourly", "include_time_series", Fault::Missing),
            (
                "start_date=2024-02-01&end_date=2024-01-01",
                "start_date",
                Fault::StartAfterEnd,
            ),
            ("state=Texas", "state", Fault::UnknownRegion),
            ("state=Lagos&city=Kano", "city", Fault::UnknownRegion),
            ("city=%00", "city", Fault::UnknownRegion),
            (
                "start_date=1900-01-01&end_date=2024-01-01&include_time_series=true&granularity=hourly",
                "granularity",
                Fault::TooManyPoints,
            ),
        ] {
            let error = read(query).unwrap_err();
            assert_eq!((error.name.as_str(), error.fault), (name, fault), "{query}");
            assert!(error.allowed.starts_with("Allowed"), "{query}");
        }
    }

    #[test]
    fn a_plus_that_became_a_space_is_explained() {
        let error = read("start_date=2024-01-01T00:00:00+01:00").unwrap_err();
        assert!(error.why.contains("%2B"), "{}", error.why);
    }

    #[test]
    fn the_nearest_name_is_offered() {
        assert!(
            read("tz=Africa/Lagoss")
                .unwrap_err()
                .why
                .ends_with("did you mean Africa/Lagos?")
        );
        assert!(
            read("state=Lago")
                .unwrap_err()
                .why
                .ends_with("did you mean Lagos?")
        );
    }

    #[test]
    fn limits_have_limits() {
        let limited = |query| number(&given(query), &documented::<RoutesLimit>(), "limit");
        assert_eq!(limited(""), Ok(50));
        assert_eq!(limited("limit=500"), Ok(500));
        for (query, fault) in [
            ("limit=0", Fault::OutOfRange),
            ("limit=501", Fault::OutOfRange),
            ("limit=-1", Fault::OutOfRange),
            ("limit=99999999999999999999", Fault::OutOfRange),
            (
                "limit=1000000000000000000000000000000000000000",
                Fault::OutOfRange,
            ),
            (
                "limit=-1000000000000000000000000000000000000000",
                Fault::OutOfRange,
            ),
            ("limit=-", Fault::Unreadable),
            ("limit=ten", Fault::Unreadable),
            ("limit=1.5", Fault::Unreadable),
            ("limit=", Fault::Unreadable),
        ] {
            assert_eq!(limited(query).unwrap_err().fault, fault, "{query}");
        }
    }
}
