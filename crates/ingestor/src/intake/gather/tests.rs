use super::*;
use rdkafka::{Timestamp, message::OwnedMessage};
use shared_schema::{Subscriptions, TopicsConfig};

fn lane() -> LaneId {
    LaneId {
        topic: TopicsConfig::default().booking,
        partition: 0,
    }
}

/// The lane is ours from offset 5 on.
fn gather() -> (Gather, Board) {
    let sources = Subscriptions::new(&TopicsConfig::default()).unwrap();
    let source = sources.by_topic(&lane().topic).cloned().unwrap();
    let mut gather = Gather::new(BatchConfig::default(), Buffers::default());
    gather.add(lane(), 1, 5, false, source.into());
    (gather, Board::default())
}

fn record(offset: i64) -> OwnedMessage {
    let LaneId { topic, partition } = lane();
    let value = Some(b"value".to_vec());
    OwnedMessage::new(
        value,
        None,
        topic,
        Timestamp::CreateTime(0),
        partition,
        offset,
        None,
    )
}

#[test]
fn missing_offsets_are_told_of_but_between_two_records_of_one_stream() {
    let (mut gather, board) = gather();
    assert_eq!(gather.take(&record(7), &board), Taken::Gap { lo: 5, hi: 6 });
    gather.skip(&lane(), 5, 6);
    for offset in [7, 9] {
        assert_eq!(gather.take(&record(offset), &board), Taken::Kept);
    }
    gather.interrupt();
    let gap = Taken::Gap { lo: 10, hi: 10 };
    assert_eq!(gather.take(&record(11), &board), gap);
    gather.skip(&lane(), 10, 10);
    assert_eq!(gather.take(&record(11), &board), Taken::Kept);

    let range = gather.cut(&board).lanes.remove(0);
    assert_eq!((range.lo, range.hi, range.records.len()), (5, 11, 3));
    let gaps: Vec<_> = range.gaps.iter().map(|gap| (gap.lo, gap.hi)).collect();
    assert_eq!(gaps, [(5, 6), (8, 8), (10, 10)]);
}

#[test]
fn a_lane_that_is_taken_over_again_begins_a_stream() {
    let (mut gather, board) = gather();
    assert_eq!(gather.take(&record(5), &board), Taken::Kept);
    let source = gather.lane(&lane()).unwrap().source.clone();
    gather.add(lane(), 2, 5, false, source);
    assert_eq!(gather.take(&record(6), &board), Taken::Gap { lo: 5, hi: 5 });
}
