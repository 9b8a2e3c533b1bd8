//! Writes one flat JSON object, field by field.

use super::style::{MoneyForm, Style};
use crate::event::Point;
use chrono::{DateTime, Datelike, Timelike};
use std::fmt::Arguments;
use std::io::Write as _;
use uuid::Uuid;
use uuid::fmt::Hyphenated;

const LAGOS_OFFSET_MS: i64 = 60 * 60 * 1000;

/// An object that is being written.
pub(super) struct Object<'a> {
    out: &'a mut Vec<u8>,
    pub(super) style: &'a Style,
    first: bool,
}

impl<'a> Object<'a> {
    pub(super) fn open(out: &'a mut Vec<u8>, style: &'a Style) -> Self {
        out.push(b'{');
        Self {
            out,
            style,
            first: true,
        }
    }

    pub(super) fn close(self) {
        self.out.push(b'}');
    }

    fn name(&mut self, name: &str) {
        if !std::mem::take(&mut self.first) {
            self.out.push(b',');
        }
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    pub(super) fn text(&mut self, name: &str, value: &str) {
        self.name(name);
        let before = self.out.len();
        if serde_json::to_writer(&mut *self.out, value).is_err() {
            // Writing to memory does not fail; if it did, the field would have to stay valid JSON.
            self.out.truncate(before);
            self.out.extend_from_slice(b"null");
        }
    }

    /// Text that needs no escapes.
    pub(super) fn shown(&mut self, name: &str, value: Arguments<'_>) {
        self.name(name);
        self.out.push(b'"');
        self.push_shown(value);
        self.out.push(b'"');
    }

    /// A number, `true` or `false`.
    pub(super) fn plain(&mut self, name: &str, value: Arguments<'_>) {
        self.name(name);
        self.push_shown(value);
    }

    fn push_shown(&mut self, value: Arguments<'_>) {
        // Writing to a vector cannot fail.
        let _ = self.out.write_fmt(value);
    }

    pub(super) fn whole(&mut self, name: &str, value: impl Into<u64>) {
        self.plain(name, format_args!("{}", value.into()));
    }

    pub(super) fn flag(&mut self, name: &str, value: bool) {
        self.plain(name, format_args!("{value}"));
    }

    pub(super) fn id(&mut self, name: &str, value: Uuid) {
        self.name(name);
        self.out.push(b'"');
        let mut text = [0; Hyphenated::LENGTH];
        self.out
            .extend_from_slice(value.as_hyphenated().encode_lower(&mut text).as_bytes());
        self.out.push(b'"');
    }

    /// An optional field that is not set: left out, or `null` where the style says so.
    pub(super) fn unset(&mut self, name: &str) {
        if self.style.nulls {
            self.plain(name, format_args!("null"));
        }
    }

    pub(super) fn optional_text(&mut self, name: &str, value: Option<&str>) {
        match value {
            Some(value) => self.text(name, value),
            None => self.unset(name),
        }
    }

    /// A field whose value is the default, which may be left out.
    pub(super) fn default_text(&mut self, name: &str, value: &str) {
        if self.style.defaults {
            self.text(name, value);
        }
    }

    /// Hundredths of a currency.
    pub(super) fn money(&mut self, name: &str, hundredths: i64) {
        let (units, rest) = (hundredths / 100, hundredths % 100);
        match self.style.money {
            MoneyForm::Text => self.shown(name, format_args!("{units}.{rest:02}")),
            MoneyForm::Number => self.plain(name, format_args!("{units}.{rest:02}")),
            MoneyForm::ShortText if rest == 0 => self.shown(name, format_args!("{units}")),
            MoneyForm::ShortText if rest % 10 == 0 => {
                self.shown(name, format_args!("{units}.{}", rest / 10))
            }
            MoneyForm::ShortText => self.shown(name, format_args!("{units}.{rest:02}")),
        }
    }

    /// Hundredths as a JSON number.
    pub(super) fn hundredths(&mut self, name: &str, value: u32) {
        self.plain(name, format_args!("{}.{:02}", value / 100, value % 100));
    }

    pub(super) fn point(&mut self, lat_name: &str, lon_name: &str, point: Point) {
        self.micro_degrees(lat_name, point.lat_e6);
        self.micro_degrees(lon_name, point.lon_e6);
    }

    fn micro_degrees(&mut self, name: &str, value: i32) {
        let sign = if value < 0 { "-" } else { "" };
        let size = value.unsigned_abs();
        self.plain(
            name,
            format_args!("{sign}{}.{:06}", size / 1_000_000, size % 1_000_000),
        );
    }

    /// An instant as RFC 3339 with milliseconds.
    pub(super) fn time(&mut self, name: &str, instant_ms: i64) {
        self.name(name);
        self.out.push(b'"');
        let (shift_ms, offset) = if self.style.local_time {
            (LAGOS_OFFSET_MS, "+01:00")
        } else {
            (0, "Z")
        };
        let clock = DateTime::from_timestamp_millis(instant_ms + shift_ms).unwrap_or_default();
        self.digits::<4>(clock.year().unsigned_abs());
        for (mark, part) in [
            (b'-', clock.month()),
            (b'-', clock.day()),
            (b'T', clock.hour()),
            (b':', clock.minute()),
            (b':', clock.second()),
        ] {
            self.out.push(mark);
            self.digits::<2>(part);
        }
        self.out.push(b'.');
        self.digits::<3>(clock.timestamp_subsec_millis());
        self.out.extend_from_slice(offset.as_bytes());
        self.out.push(b'"');
    }

    fn digits<const COUNT: usize>(&mut self, mut value: u32) {
        let mut text = [b'0'; COUNT];
        for digit in text.iter_mut().rev() {
            *digit += u8::try_from(value % 10).unwrap_or_default();
            value /= 10;
        }
        self.out.extend_from_slice(&text);
    }
}
