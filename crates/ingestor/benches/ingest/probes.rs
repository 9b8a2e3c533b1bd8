//! How soon an event shows in the API.
//!
//! Probes are bookings with one key, and so in one partition and in order, on a day long past on which the simulator
//! makes none. The number of bookings that the API tells of that day is thus the number of the last probe that can be
//! seen. It is asked every 50 ms, so that no answer flatters.

use anyhow::{Context as _, ensure};
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use ingestor::Config;
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer as _, ThreadedProducer};
use serde_json::json;
use shared_schema::Domain;
use std::{
    thread,
    time::{Duration, Instant},
};
use uuid::Uuid;

/// Young enough to be accepted, older than anything the simulator tells of.
const DAYS_AGO: u64 = 40;
const EVERY: Duration = Duration::from_millis(250);
const ASK_EVERY: Duration = Duration::from_millis(50);
/// How long the last probes may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Times from production to visibility, ascending.
pub(crate) struct Visibility(Vec<Duration>);

impl Visibility {
    /// Sends probes for so long, and waits for all of them.
    pub(crate) fn measure(config: &Config, api: &str, sending: Duration) -> anyhow::Result<Self> {
        let day = (Utc::now() - Days::new(DAYS_AGO)).date_naive();
        let producer: ThreadedProducer<DefaultProducerContext> =
            config.kafka.client().set("linger.ms", "0").create()?;
        let topic = config.topics.topic_of(Domain::Booking);
        let key = Uuid::now_v7();
        let earlier = visible(api, day)?;
        let began = Instant::now();
        let (mut sent, mut delays) = (Vec::new(), Vec::new());
        loop {
            let wanted = began.elapsed() < sending;
            if wanted
                && sent
                    .last()
                    .is_none_or(|last: &Instant| last.elapsed() >= EVERY)
            {
                let value = probe(key, day, sent.len());
                sent.push(Instant::now());
                let record = BaseRecord::to(topic)
                    .key(key.as_bytes().as_slice())
                    .payload(&value);
                producer.send(record).map_err(|(error, _)| error)?;
            }
            let seen = usize::try_from(visible(api, day)? - earlier)?;
            let newly = sent.get(delays.len()..seen).unwrap_or_default();
            delays.extend(newly.iter().map(Instant::elapsed).collect::<Vec<_>>());
            if !wanted && delays.len() == sent.len() {
                break;
            }
            ensure!(
                began.elapsed() < sending + PATIENCE,
                "{} of {} probes were seen",
                delays.len(),
                sent.len()
            );
            thread::sleep(ASK_EVERY);
        }
        producer.flush(PATIENCE)?;
        delays.sort_unstable();
        Ok(Self(delays))
    }

    /// How many probes were sent.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The delay that this percentage of the probes did not exceed, in seconds.
    pub(crate) fn percentile(&self, percent: usize) -> f64 {
        let rank = (self.0.len() * percent).div_ceil(100).max(1);
        self.0.get(rank - 1).map_or(f64::NAN, Duration::as_secs_f64)
    }
}

/// How many bookings the API knows of the day.
fn visible(api: &str, day: NaiveDate) -> anyhow::Result<u64> {
    let url = format!("{api}/v1/metrics/bookings?tz=UTC&start_date={day}&end_date={day}");
    let body = ureq::get(&url).call()?.body_mut().read_to_string()?;
    let answer: serde_json::Value = serde_json::from_str(&body)?;
    answer
        .get("bookings_created")
        .and_then(serde_json::Value::as_u64)
        .with_context(|| format!("no bookings_created in {body}"))
}

fn probe(key: Uuid, day: NaiveDate, number: usize) -> Vec<u8> {
    let noon =
        DateTime::<Utc>::from_naive_utc_and_offset(day.and_time(chrono::NaiveTime::MIN), Utc)
            + TimeDelta::hours(12);
    let time = noon + TimeDelta::milliseconds(i64::try_from(number).unwrap_or_default());
    let id = |name: &str| Uuid::new_v5(&key, name.as_bytes());
    json!({
        "event_type": "booking.created",
        "event_timestamp": time.to_rfc3339(),
        "booking_id": key,
        "rider_id": id("rider"),
        "driver_id": id("driver"),
        "route_id": id("route"),
        "seats_booked": 1,
        "total_price": "1500.00",
        "pickup_stop_id": id("pick-up"),
        "dropoff_stop_id": id("drop-off"),
        "pickup_lat": 6.6018,
        "pickup_lon": 3.3515,
        "dropoff_lat": 7.3775,
        "dropoff_lon": 3.947,
        "scheduled_departure": (noon + TimeDelta::hours(2)).to_rfc3339(),
    })
    .to_string()
    .into_bytes()
}
