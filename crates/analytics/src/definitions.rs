//! What every metric and analysis means, for people: the same texts that the modules' documentation is made of, and the
//! descriptions of the fields as the schema has them.

use std::collections::BTreeSet;

use serde::Serialize;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

use crate::{
    bookings::{BookingTotals, Bookings},
    cohort::{Cohort, CohortAnalysis},
    drivers::{Driver, Drivers, EarningsDistribution},
    funnel::{Funnel, FunnelAnalysis, Part, Step},
    geographic::{DataPoint, Geography},
    payments::{MethodTotals, PaymentTotals, Payments},
    realtime::{PipelineHealth, Realtime},
    retention::Retention,
    routes::{Route, Routes},
    trends::{Metric, Period, Previous, Trend, Unit},
    trips::{TripTotals, Trips},
    users::{UserPoint, Users},
};

/// What a metric or analysis means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Definition {
    /// Its name.
    #[schema(example = "bookings")]
    pub name: &'static str,
    /// Which of the two it is.
    pub kind: Kind,
    /// Where it is asked for.
    #[schema(example = "/v1/metrics/bookings")]
    pub path: String,
    /// What it tells, as Markdown.
    pub definition: String,
    /// How each number is made.
    pub formula: Vec<String>,
    /// What happens where it is not obvious.
    pub edge_cases: Vec<String>,
    /// A small case worked out.
    pub example: String,
    /// What the fields of the answer say.
    pub fields: Vec<Field>,
}

/// A metric or an analysis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Numbers about a range.
    Metric,
    /// What several of them tell together.
    Analysis,
}

/// A field of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Field {
    /// Its name.
    #[schema(example = "conversion_rate")]
    pub name: String,
    /// What it says.
    pub description: String,
    /// What it is in, where it is a metric that has one value for a range.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub unit: Option<Unit>,
}

/// Everything that is written of one.
struct Written {
    name: &'static str,
    kind: Kind,
    text: &'static str,
    fields: fn() -> Vec<Field>,
}

const fn metric(name: &'static str, text: &'static str, fields: fn() -> Vec<Field>) -> Written {
    Written {
        name,
        kind: Kind::Metric,
        text,
        fields,
    }
}

const fn analysis(name: &'static str, text: &'static str, fields: fn() -> Vec<Field>) -> Written {
    Written {
        name,
        kind: Kind::Analysis,
        text,
        fields,
    }
}

const WRITTEN: [Written; 12] = [
    metric("users", include_str!("../definitions/users.md"), || {
        [of::<Users>(), of::<UserPoint>()].concat()
    }),
    metric(
        "bookings",
        include_str!("../definitions/bookings.md"),
        || [of::<BookingTotals>(), of::<Bookings>()].concat(),
    ),
    metric(
        "payments",
        include_str!("../definitions/payments.md"),
        || {
            [
                of::<PaymentTotals>(),
                of::<MethodTotals>(),
                of::<Payments>(),
            ]
            .concat()
        },
    ),
    metric("trips", include_str!("../definitions/trips.md"), || {
        [of::<TripTotals>(), of::<Trips>()].concat()
    }),
    metric("drivers", include_str!("../definitions/drivers.md"), || {
        [
            of::<Drivers>(),
            of::<Driver>(),
            of::<EarningsDistribution>(),
        ]
        .concat()
    }),
    metric("routes", include_str!("../definitions/routes.md"), || {
        [of::<Routes>(), of::<Route>()].concat()
    }),
    metric(
        "realtime",
        include_str!("../definitions/realtime.md"),
        || [of::<Realtime>(), of::<PipelineHealth>()].concat(),
    ),
    analysis("funnel", include_str!("../definitions/funnel.md"), || {
        [
            of::<Funnel>(),
            of::<FunnelAnalysis>(),
            of::<Step>(),
            of::<Part>(),
        ]
        .concat()
    }),
    analysis("cohort", include_str!("../definitions/cohort.md"), || {
        [of::<CohortAnalysis>(), of::<Cohort>()].concat()
    }),
    analysis(
        "retention",
        include_str!("../definitions/retention.md"),
        of::<Retention>,
    ),
    analysis(
        "geographic",
        include_str!("../definitions/geographic.md"),
        || [of::<Geography>(), of::<DataPoint>()].concat(),
    ),
    analysis("trends", include_str!("../definitions/trends.md"), || {
        [of::<Trend>(), of::<Period>(), of::<Previous>()].concat()
    }),
];

/// All of them, metrics first.
#[must_use]
pub fn all() -> Vec<Definition> {
    WRITTEN.iter().map(Definition::of).collect()
}

/// The one of this name, or that a metric of this name, such as `conversion_rate`, belongs to.
#[must_use]
pub fn named(name: &str) -> Option<Definition> {
    let metric = Metric::ALL.into_iter().find(|metric| metric.name() == name);
    let name = metric.map_or(name, |metric| metric.belongs_to());
    let mut written = WRITTEN.iter();
    written
        .find(|written| written.name == name)
        .map(Definition::of)
}

/// The names that [`named`] knows.
#[must_use]
pub fn names() -> Vec<&'static str> {
    let metrics = Metric::ALL.into_iter().map(Metric::name);
    let own = WRITTEN.iter().map(|written| written.name);
    own.chain(metrics).collect()
}

impl Definition {
    fn of(written: &Written) -> Self {
        let mut sections = written.text.split("\n# ");
        let definition = sections.next().unwrap_or_default().trim().to_owned();
        let sections: Vec<(&str, &str)> = sections
            .filter_map(|section| section.split_once('\n'))
            .collect();
        let section = |title: &str| {
            let found = sections.iter().find(|(known, _)| *known == title);
            found.map_or("", |(_, text)| text.trim())
        };
        let folder = match written.kind {
            Kind::Metric => "metrics",
            Kind::Analysis => "analytics",
        };
        Self {
            name: written.name,
            kind: written.kind,
            path: format!("/v1/{folder}/{}", written.name),
            definition,
            formula: points(section("Formula")),
            edge_cases: points(section("Edge cases")),
            example: section("Example").to_owned(),
            fields: fields(written),
        }
    }
}

/// The points of a list.
fn points(list: &str) -> Vec<String> {
    let points = list
        .split("\n- ")
        .map(|point| point.trim_start_matches("- "));
    points.map(str::to_owned).collect()
}

/// The fields of an answer, each once, with the units of those that are metrics of its own.
fn fields(written: &Written) -> Vec<Field> {
    let mut fields = (written.fields)();
    let mut known = BTreeSet::new();
    fields.retain(|field| known.insert(field.name.clone()));
    for field in &mut fields {
        let mut metrics = Metric::ALL.into_iter();
        let own = metrics
            .find(|metric| metric.belongs_to() == written.name && metric.name() == field.name);
        field.unit = own.map(Metric::unit);
    }
    fields
}

/// The fields of a struct, as its schema describes them; what is flattened into it stands in the schema of another.
fn of<T: PartialSchema>() -> Vec<Field> {
    let mut fields = Vec::new();
    collect(&T::schema(), &mut fields);
    fields
}

fn collect(schema: &RefOr<Schema>, fields: &mut Vec<Field>) {
    match schema {
        RefOr::T(Schema::Object(object)) => {
            for (name, schema) in &object.properties {
                fields.push(Field {
                    name: name.clone(),
                    description: description(schema),
                    unit: None,
                });
            }
        }
        RefOr::T(Schema::AllOf(all)) => {
            for part in &all.items {
                collect(part, fields);
            }
        }
        _ => {}
    }
}

fn description(schema: &RefOr<Schema>) -> String {
    let text = match schema {
        RefOr::Ref(reference) => Some(reference.description.clone()),
        RefOr::T(Schema::Object(object)) => object.description.clone(),
        RefOr::T(Schema::Array(array)) => array.description.clone(),
        RefOr::T(Schema::AllOf(all)) => all.description.clone(),
        // a value or nothing: what is said of it stands with the value
        RefOr::T(Schema::OneOf(one)) => one.description.clone().or_else(|| {
            let said = one.items.iter().map(description);
            said.into_iter().find(|said| !said.is_empty())
        }),
        _ => None,
    };
    text.unwrap_or_default().replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_unsaid() {
        for definition in all() {
            let name = definition.name;
            assert!(definition.definition.len() > 20, "{name}");
            assert!(definition.example.len() > 20, "{name}");
            for said in [&definition.formula, &definition.edge_cases] {
                assert!(!said.is_empty(), "{name}");
                assert!(
                    said.iter().all(|point| point.len() > 10),
                    "{name}: {said:?}"
                );
            }
            assert!(!definition.fields.is_empty(), "{name}");
            for field in &definition.fields {
                assert!(!field.description.is_empty(), "{name}: {}", field.name);
            }
        }
    }

    #[test]
    fn no_two_schemas_have_one_name() {
        let mut schemas = Vec::new();
        Users::schemas(&mut schemas);
        Bookings::schemas(&mut schemas);
        Payments::schemas(&mut schemas);
        Trips::schemas(&mut schemas);
        Drivers::schemas(&mut schemas);
        Routes::schemas(&mut schemas);
        Realtime::schemas(&mut schemas);
        PipelineHealth::schemas(&mut schemas);
        FunnelAnalysis::schemas(&mut schemas);
        CohortAnalysis::schemas(&mut schemas);
        Retention::schemas(&mut schemas);
        Geography::schemas(&mut schemas);
        Trend::schemas(&mut schemas);
        Definition::schemas(&mut schemas);
        assert!(schemas.len() > 20, "{}", schemas.len());
        let mut known = std::collections::BTreeMap::new();
        for (name, schema) in schemas {
            let schema = serde_json::to_value(&schema).unwrap();
            let other = known.insert(name.clone(), schema.clone());
            assert!(other.is_none_or(|other| other == schema), "{name}");
        }
    }

    #[test]
    fn every_name_leads_to_what_says_it() {
        for name in names() {
            let definition = named(name).unwrap_or_else(|| panic!("{name}"));
            let is_field = |field: &Field| field.name == name && field.unit.is_some();
            let says_it = definition.fields.iter().any(is_field);
            assert!(definition.name == name || says_it, "{name}");
        }
        assert_eq!(named("active_users").unwrap().name, "users");
        assert_eq!(named("conversion_rate").unwrap().name, "bookings");
        assert_eq!(named("no_such_metric"), None);
    }
}
