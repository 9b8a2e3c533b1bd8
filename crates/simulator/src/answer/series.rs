//! Time series: one tally per local bucket, gaps filled.

use super::calendar;
use super::distinct::Standing;
use super::question::Question;
use chrono::SecondsFormat;
use serde::Serialize;

/// One point of a time series.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Point<T> {
    /// When the bucket begins, RFC 3339 on the local clock; only its part inside the range is counted.
    pub start: String,
    /// Whether the bucket is not over yet, or reaches beyond the end of the range.
    pub partial: bool,
    /// The metrics of the bucket.
    #[serde(flatten)]
    pub values: T,
}

/// Tallies by bucket, over the whole range.
pub(super) struct Series<T> {
    starts: Vec<i64>,
    /// Where the last bucket ends.
    end_ms: i64,
    tallies: Vec<T>,
    /// How many buckets there are up to the last that has an event of the region.
    filled: usize,
}

impl<T: Default> Series<T> {
    /// Empty buckets over the question's range, if it asks for a series.
    pub(super) fn of(question: &Question) -> Option<Self> {
        let granularity = question.granularity?;
        let range = question.range;
        let mut starts = Vec::new();
        let mut start = calendar::bucket_start(range.zone, granularity, range.start_ms);
        while start < range.end_ms {
            starts.push(start);
            start = calendar::next_bucket(range.zone, granularity, start);
        }
        let tallies = starts.iter().map(|_| T::default()).collect();
        Some(Self {
            starts,
            end_ms: start,
            tallies,
            filled: 0,
        })
    }

    /// The bucket of something that happened at an instant of the range.
    pub(super) fn at(&mut self, instant_ms: i64, standing: Standing) -> Option<&mut T> {
        let after = self.starts.partition_point(|start| *start <= instant_ms);
        if standing == Standing::Inside {
            self.filled = self.filled.max(after);
        }
        self.tallies.get_mut(after.checked_sub(1)?)
    }

    /// The points, each made by `finish` from the bucket's end (cut at the end of the range) and its tally.
    pub(super) fn points<V>(
        self,
        question: &Question,
        finish: impl Fn(i64, T) -> V,
    ) -> Vec<Point<V>> {
        let ends: Vec<i64> = self
            .starts
            .iter()
            .skip(1)
            .copied()
            .chain([self.end_ms])
            .collect();
        let begun = self
            .starts
            .partition_point(|start| *start <= question.now_ms);
        let known_until = question.range.end_ms.min(question.now_ms);
        let buckets = self.starts.into_iter().zip(ends).zip(self.tallies);
        buckets
            .take(begun.max(self.filled))
            .map(|((start, end), tally)| Point {
                start: calendar::local(question.range.zone, start)
                    .to_rfc3339_opts(SecondsFormat::Secs, false),
                partial: end > known_until,
                values: finish(end.min(question.range.end_ms), tally),
            })
            .collect()
    }
}
