use std::{fmt::Write, marker::PhantomData};

use super::{
    array::{Arrays, Elements},
    column::{Column, Storage},
    fixed::Fixed,
    low_cardinality::LowCardinality,
    text::Strings,
};

mod sealed {
    pub trait Sealed {}
}

/// A kind of value, which decides what may be [set](super::Block::set) into a column.
pub trait Kind: sealed::Sealed {}

/// A kind that can be NULL: all but arrays.
pub trait Scalar: Kind {}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug)]
            pub struct $name;
            impl sealed::Sealed for $name {}
            impl Kind for $name {}
        )*
    };
}

kinds! {
    /// Takes `u8`.
    UInt8,
    /// Takes `u16`.
    UInt16,
    /// Takes `u32`.
    UInt32,
    /// Takes `u64`.
    UInt64,
    /// Takes `i64`.
    Int64,
    /// Takes `f64`.
    Float64,
    /// Takes `bool`.
    Bool,
    /// Takes the `i8` of one of the enum's values.
    Enum8,
    /// Takes milliseconds since 1970 UTC as `i64`, or `chrono::DateTime<Utc>`.
    DateTime64,
    /// Takes an `i64` in units of the last decimal: with two decimals, 3000.00 is 300000.
    Decimal64,
    /// Takes `uuid::Uuid`.
    Uuid,
    /// Takes a reference to text or bytes; ClickHouse does not ask for UTF-8.
    Text,
    /// Takes a slice of texts.
    Texts,
}

macro_rules! scalars {
    ($($name:ident),*) => { $(impl Scalar for $name {})* };
}

scalars!(
    UInt8, UInt16, UInt32, UInt64, Int64, Float64, Bool, Enum8, DateTime64, Decimal64, Uuid, Text
);

/// The ClickHouse type of a column that takes values of kind `K`.
#[derive(Debug)]
pub struct ColumnType<K> {
    /// Without `Nullable`, `LowCardinality` and `Array` around it.
    name: String,
    nullable: bool,
    shape: Shape,
    kind: PhantomData<fn(K)>,
}

// not derived: that would ask the kind to be `Clone`
impl<K> Clone for ColumnType<K> {
    fn clone(&self) -> Self {
        Self {
            name: self.name.clone(),
            nullable: self.nullable,
            shape: self.shape.clone(),
            kind: PhantomData,
        }
    }
}

#[derive(Clone, Debug)]
enum Shape {
    Fixed(Fixed),
    String,
    LowCardinality,
    Array { low_cardinality: bool },
}

impl<K: Kind> ColumnType<K> {
    fn new(name: impl Into<String>, shape: Shape) -> Self {
        Self {
            name: name.into(),
            nullable: false,
            shape,
            kind: PhantomData,
        }
    }

    fn fixed(name: impl Into<String>, width: usize) -> Self {
        Self::new(name, Shape::Fixed(Fixed::new(width)))
    }

    /// As ClickHouse writes it.
    fn rendered(&self) -> String {
        let Self {
            name,
            nullable,
            shape,
            ..
        } = self;
        let inner = if *nullable {
            format!("Nullable({name})")
        } else {
            name.clone()
        };
        match shape {
            Shape::Fixed(_) | Shape::String => inner,
            Shape::LowCardinality => format!("LowCardinality({inner})"),
            Shape::Array {
                low_cardinality: false,
            } => format!("Array({name})"),
            Shape::Array {
                low_cardinality: true,
            } => format!("Array(LowCardinality({name}))"),
        }
    }

    pub(super) fn column(self, name: &str) -> Column {
        let type_name = self.rendered();
        let null_map = self.nullable && !matches!(self.shape, Shape::LowCardinality);
        let storage = match self.shape {
            Shape::Fixed(fixed) => Storage::Fixed(fixed),
            Shape::String => Storage::Strings(Strings::default()),
            Shape::LowCardinality => Storage::LowCardinality(LowCardinality::new(self.nullable)),
            Shape::Array { low_cardinality } => {
                Storage::Arrays(Arrays::new(match low_cardinality {
                    false => Elements::Strings(Strings::default()),
                    true => Elements::LowCardinality(Box::new(LowCardinality::new(false))),
                }))
            }
        };
        Column::new(name.to_owned(), type_name, null_map, storage)
    }
}

impl<K: Scalar> ColumnType<K> {
    /// The same type with NULL, which is then the value of a cell that is not set.
    pub fn nullable(mut self) -> Self {
        self.nullable = true;
        self
    }
}

macro_rules! plain {
    ($($kind:ident $constructor:ident $name:literal $width:literal;)*) => { $(
        impl ColumnType<$kind> {
            #[doc = concat!("`", $name, "`")]
            pub fn $constructor() -> Self {
                Self::fixed($name, $width)
            }
        }
    )* };
}

plain! {
    UInt8 uint8 "UInt8" 1;
    UInt16 uint16 "UInt16" 2;
    UInt32 uint32 "UInt32" 4;
    UInt64 uint64 "UInt64" 8;
    Int64 int64 "Int64" 8;
    Float64 float64 "Float64" 8;
    Bool bool "Bool" 1;
    Uuid uuid "UUID" 16;
    // the zone is named because what a view makes of it (its month) must not depend on the server's
    DateTime64 datetime64 "DateTime64(3, 'UTC')" 8;
}

impl ColumnType<Decimal64> {
    /// `Decimal(18, scale)`; a scale above 18 is 18.
    pub fn decimal64(scale: u8) -> Self {
        Self::fixed(format!("Decimal(18, {})", scale.min(18)), 8)
    }
}

impl ColumnType<Enum8> {
    /// `Enum8` of these names and values. The least value is the one of a cell that is not set.
    pub fn enum8(variants: &[(&str, i8)]) -> Self {
        let mut name = String::from("Enum8(");
        for (index, (variant, value)) in variants.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            let variant = variant.replace('\\', "\\\\").replace('\'', "\\'");
            // writing to a string cannot fail
            let _ = write!(name, "{comma}'{variant}' = {value}");
        }
        name.push(')');
        let values: Vec<i8> = variants.iter().map(|&(_, value)| value).collect();
        Self::new(name, Shape::Fixed(Fixed::of_enum(&values)))
    }
}

impl ColumnType<Text> {
    /// `String`
    pub fn string() -> Self {
        Self::new("String", Shape::String)
    }

    /// `LowCardinality(String)`, for up to some ten thousand different values.
    pub fn low_cardinality_string() -> Self {
        Self::new("String", Shape::LowCardinality)
    }

    /// An array of such strings, none of them NULL.
    pub fn array(self) -> ColumnType<Texts> {
        let low_cardinality = matches!(self.shape, Shape::LowCardinality);
        ColumnType::new(self.name, Shape::Array { low_cardinality })
    }
}
