//! Texts that are some of those that the crates below know.

use analytics::{
    funnel::{self, Steps},
    trends::Metric,
};
use shared_schema::ReasonCode;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr,
        schema::{ObjectBuilder, Schema, SchemaFormat, Type},
    },
};

/// The names that a text may be.
fn one_of<'n>(names: impl Iterator<Item = &'n str>) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(names))
        .into()
}

/// The reason codes.
pub(super) struct ReasonCodes;

impl PartialSchema for ReasonCodes {
    fn schema() -> RefOr<Schema> {
        one_of(ReasonCode::ALL.iter().map(|code| code.as_str()))
    }
}

impl ToSchema for ReasonCodes {}

/// The metrics that have trends.
pub(super) struct TrendMetrics;

impl PartialSchema for TrendMetrics {
    fn schema() -> RefOr<Schema> {
        one_of(Metric::ALL.into_iter().map(Metric::name))
    }
}

impl ToSchema for TrendMetrics {}

/// The steps of a funnel, separated by commas.
pub(super) struct StepList;

impl PartialSchema for StepList {
    fn schema() -> RefOr<Schema> {
        let step = format!("({})", funnel::step_types().join("|").replace('.', r"\."));
        let more = funnel::STEPS.end().saturating_sub(1);
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some(format!("^{step}(,{step}){{0,{more}}}$")))
            .default(Some(Steps::default().to_string().into()))
            .into()
    }
}

impl ToSchema for StepList {}

/// A date, or a time with or without an offset, in the forms of ISO 8601 that are read.
pub(super) struct Moment;

impl PartialSchema for Moment {
    fn schema() -> RefOr<Schema> {
        let date = "[0-9]{4}-[0-9]{2}-[0-9]{2}";
        let clock = "[0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,9})?)?";
        let offset = "[Zz]|[+-][0-9]{2}(:?[0-9]{2})?";
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::Custom("iso8601".to_owned())))
            .pattern(Some(format!("^{date}([Tt]{clock}({offset})?)?$")))
            .into()
    }
}

impl ToSchema for Moment {}
