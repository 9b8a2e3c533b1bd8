//! Records into Kafka.

mod producer;
mod record_time;

pub use producer::{Compression, KafkaError, Producer, ProducerConfig};
pub use record_time::{RecordTime, allowed_record_time};
