use chrono::{DateTime, Utc};

use super::{
    column::Storage,
    types::{
        Bool, DateTime64, Decimal64, Enum8, Float64, Int64, Kind, Text, Texts, UInt8, UInt16,
        UInt32, UInt64, Uuid,
    },
};

/// A value that a column of kind `K` takes.
pub trait Cell<K: Kind>: Write<K> {}

impl<K: Kind, V: Write<K>> Cell<K> for V {}

/// Where a cell goes.
pub struct Slot<'a>(pub(super) &'a mut Storage);

mod private {
    use super::{Kind, Slot};

    pub trait Write<K: Kind> {
        /// False for "no value": the cell keeps its default.
        fn is_some(&self) -> bool {
            true
        }

        /// Appends the value; false if the storage does not take it.
        fn write(self, slot: Slot<'_>) -> bool;
    }
}

pub(super) use private::Write;

fn push<const WIDTH: usize>(slot: Slot<'_>, bytes: [u8; WIDTH]) -> bool {
    match slot.0 {
        Storage::Fixed(fixed) => fixed.push(bytes),
        Storage::Strings(_) | Storage::LowCardinality(_) | Storage::Arrays(_) => false,
    }
}

macro_rules! little_endian {
    ($($kind:ident: $value:ty),*) => { $(
        impl Write<$kind> for $value {
            #[inline]
            fn write(self, slot: Slot<'_>) -> bool {
                push(slot, self.to_le_bytes())
            }
        }
    )* };
}

little_endian!(
    UInt8: u8, UInt16: u16, UInt32: u32, UInt64: u64, Int64: i64, Float64: f64, Enum8: i8,
    DateTime64: i64, Decimal64: i64
);

macro_rules! by {
    ($($kind:ident: $value:ty, |$self:ident, $slot:ident| $body:expr;)*) => { $(
        impl Write<$kind> for $value {
            #[inline]
            fn write($self, $slot: Slot<'_>) -> bool {
                $body
            }
        }
    )* };
}

by! {
    Bool: bool, |self, slot| push(slot, [u8::from(self)]);
    DateTime64: DateTime<Utc>, |self, slot| push(slot, self.timestamp_millis().to_le_bytes());
    Uuid: uuid::Uuid, |self, slot| push(slot, swapped(self));
}

/// ClickHouse holds a UUID as two little-endian halves, the high one first.
fn swapped(id: uuid::Uuid) -> [u8; 16] {
    let (high, low) = id.as_u64_pair();
    (u128::from(high) | u128::from(low) << 64).to_le_bytes()
}

impl<T: AsRef<[u8]> + ?Sized> Write<Text> for &T {
    #[inline]
    fn write(self, slot: Slot<'_>) -> bool {
        match slot.0 {
            Storage::Strings(strings) => strings.push(self.as_ref()),
            Storage::LowCardinality(strings) => strings.push(self.as_ref()),
            Storage::Fixed(_) | Storage::Arrays(_) => return false,
        }
        true
    }
}

impl<T: AsRef<[u8]>> Write<Texts> for &[T] {
    fn write(self, slot: Slot<'_>) -> bool {
        match slot.0 {
            Storage::Arrays(arrays) => arrays.push(self),
            Storage::Fixed(_) | Storage::Strings(_) | Storage::LowCardinality(_) => return false,
        }
        true
    }
}

impl<K: Kind, V: Write<K>> Write<K> for Option<V> {
    #[inline]
    fn is_some(&self) -> bool {
        self.as_ref().is_some_and(Write::is_some)
    }

    #[inline]
    fn write(self, slot: Slot<'_>) -> bool {
        self.is_some_and(|value| value.write(slot))
    }
}
