use super::*;
use chrono::DateTime;
use metadata_store::batches::Verdicts;
use std::thread::sleep;

fn lane() -> LaneId {
    LaneId {
        topic: "t".to_owned(),
        partition: 0,
    }
}

fn range(lo: i64, hi: i64) -> Range {
    Range {
        lane: lane(),
        epoch: 1,
        lo,
        hi,
        records: 0,
        hash: 0,
        verdicts: Verdicts::default(),
        parked: false,
        omission: None,
    }
}

fn complete_through(board: &Board, end: i64, asked_at_ms: i64) -> Option<i64> {
    let asked_at = DateTime::from_timestamp_millis(asked_at_ms).unwrap();
    board.progress(&[(lane(), end)], asked_at)[0]
        .complete_through
        .map(|time| time.timestamp_millis())
}

#[test]
fn a_drained_lane_is_complete_through_the_moment_its_end_was_seen() {
    let board = Board::default();
    board.assign(lane(), 1, 5, false);
    assert_eq!(complete_through(&board, 5, 1000), Some(1000));
    assert_eq!(complete_through(&board, 5, 2000), Some(2000));
}

#[test]
fn a_record_that_is_not_durable_holds_the_lane_back_at_its_own_time() {
    let board = Board::default();
    board.assign(lane(), 1, 5, false);
    board.gathering(&lane(), Some(700));
    board.cut(&lane(), 9);
    board.gathering(&lane(), Some(800));
    assert_eq!(board.hold(&[range(5, 9)]), []);
    assert_eq!(complete_through(&board, 12, 1000), Some(700));
    board.closed(&[range(5, 9)], &[]);
    assert_eq!(complete_through(&board, 12, 1000), Some(800));
}

#[test]
fn a_record_of_a_clock_that_is_ahead_leaves_it_where_it_was() {
    let board = Board::default();
    board.assign(lane(), 1, 5, false);
    assert_eq!(complete_through(&board, 5, 1000), Some(1000));
    board.gathering(&lane(), Some(90_000));
    assert_eq!(complete_through(&board, 12, 2000), Some(1000));
    board.cut(&lane(), 9);
    // its time has come
    assert_eq!(complete_through(&board, 12, 95_000), Some(1000));
    board.gathering(&lane(), Some(3000));
    assert_eq!(board.hold(&[range(5, 9)]), []);
    board.closed(&[range(5, 9)], &[]);
    assert_eq!(complete_through(&board, 12, 96_000), Some(3000));
    board.cut(&lane(), 11);
    assert_eq!(board.hold(&[range(10, 11)]), []);
    board.closed(&[range(10, 11)], &[]);
    assert_eq!(complete_through(&board, 12, 97_000), Some(97_000));
}

#[test]
fn a_lane_whose_records_do_not_tell_when_they_arrived_is_complete_through_an_end_that_is_durable_now()
 {
    let board = Board::default();
    board.assign(lane(), 1, 5, false);
    board.gathering(&lane(), Some(900_000));
    assert_eq!(complete_through(&board, 12, 1000), None);
    // there is always more than is durable
    for (lo, hi, end, asked_at_ms) in [(5, 12, 19, 2000), (13, 20, 26, 3000), (21, 27, 33, 4000)] {
        board.cut(&lane(), hi);
        board.gathering(&lane(), None);
        assert_eq!(board.hold(&[range(lo, hi)]), []);
        board.closed(&[range(lo, hi)], &[]);
        let through = complete_through(&board, end, asked_at_ms);
        assert_eq!(through, Some(asked_at_ms - 1000));
    }
}

#[test]
fn a_range_without_a_record_hides_no_record_behind_it() {
    let board = Board::default();
    board.assign(lane(), 1, 5, false);
    board.cut(&lane(), 5);
    board.gathering(&lane(), Some(700));
    assert_eq!(complete_through(&board, 9, 1000), Some(700));
    board.cut(&lane(), 8);
    assert_eq!(complete_through(&board, 9, 1100), Some(700));
}

#[test]
fn records_that_were_not_fetched_yet_leave_it_where_it_was() {
    let board = Board::default();
    board.assign(lane(), 1, 5, false);
    assert_eq!(complete_through(&board, 9, 1000), None);
    assert_eq!(complete_through(&board, 5, 1500), Some(1500));
    assert_eq!(complete_through(&board, 9, 2000), Some(1500));
}

#[test]
fn a_lane_is_not_complete_by_the_end_of_another_log() {
    let board = Board::default();
    board.assign(lane(), 1, 5, false);
    assert_eq!(complete_through(&board, 5, 1000), Some(1000));
    board.gathering(&lane(), Some(1100));
    board.cut(&lane(), 9);
    assert_eq!(board.hold(&[range(5, 9)]), []);
    board.closed(&[range(5, 9)], &[]);
    // asked before it was read further
    assert_eq!(complete_through(&board, 7, 1200), Some(1200));
    assert_eq!(complete_through(&board, 7, 1300), Some(1200));
    board.stop(&lane());
    assert_eq!(complete_through(&board, 10, 1400), Some(1200));
}

#[test]
fn a_leaving_lane_opens_no_batch_and_is_waited_for() {
    let board = Board::default();
    board.assign(lane(), 1, 5, false);
    assert_eq!(board.hold(&[range(5, 9)]), []);
    std::thread::scope(|scope| {
        let leaver = scope.spawn(|| board.leave(&[lane()], Duration::from_secs(10)));
        while board.epoch(&lane()).is_some() {
            std::thread::yield_now();
        }
        assert!(!leaver.is_finished());
        board.closed(&[range(5, 9)], &[]);
    });
    assert!(board.lanes().is_empty());
}

#[test]
fn a_lane_is_held_until_the_last_of_its_batches_is_over() {
    let board = Board::default();
    board.assign(lane(), 1, 5, false);
    assert_eq!(board.hold(&[range(5, 9)]), []);
    assert_eq!(board.hold(&[range(10, 12)]), []);
    board.closed(&[range(5, 9)], &[]);
    assert!(!board.leave_if_free(&lane()));
    assert_eq!(board.hold(&[range(13, 14)]), [lane()]);
    board.free(&[range(10, 12)]);
    assert!(board.leave_if_free(&lane()));
    assert!(board.lanes().is_empty());
}

#[test]
fn a_batch_of_an_earlier_epoch_is_refused_and_moves_nothing() {
    let board = Board::default();
    board.assign(lane(), 2, 5, false);
    assert_eq!(board.hold(&[range(5, 9)]), [lane()]);
    board.closed(&[range(5, 9)], &[]);
    assert_eq!(board.seen()[0].durable, 5);
}

#[test]
fn a_parked_range_is_let_go_of_and_not_durable() {
    let board = Board::default();
    board.assign(lane(), 1, 5, false);
    board.gathering(&lane(), Some(700));
    board.cut(&lane(), 9);
    assert_eq!(board.hold(&[range(5, 9)]), []);
    board.closed(&[range(5, 9)], &[lane()]);
    assert_eq!(board.seen()[0].durable, 5);
    assert_eq!(complete_through(&board, 10, 1000), Some(700));
    assert!(board.leave_if_free(&lane()));
}

#[test]
fn a_lost_lane_opens_no_batch() {
    let board = Board::default();
    board.assign(lane(), 1, 5, false);
    board.lose([&lane()]);
    assert!(board.has_lost());
    assert_eq!(board.hold(&[range(5, 9)]), [lane()]);
}

#[test]
fn a_lane_waits_for_its_oldest_batch_before_it_is_open() {
    let board = Board::default();
    board.assign(lane(), 1, 0, false);
    assert_eq!(board.waits_for(), Duration::ZERO);
    let (first, second) = ([range(0, 4)], [range(5, 9)]);
    board.cut(&lane(), 4);
    sleep(Duration::from_millis(30));
    board.cut(&lane(), 9);
    board.hold(&first);
    let both = board.waits_for();
    assert!(both >= Duration::from_millis(30), "{both:?}");
    board.closed(&first, &[]);
    assert!(board.waits_for() < both);
    sleep(Duration::from_millis(1));
    assert!(board.waits_for() > Duration::ZERO);
    board.hold(&second);
    board.closed(&second, &[]);
    assert_eq!(board.waits_for(), Duration::ZERO);
}

#[test]
fn what_was_parked_is_not_waited_for() {
    let board = Board::default();
    board.assign(lane(), 1, 0, false);
    let batch = [range(0, 4)];
    board.cut(&lane(), 4);
    board.hold(&batch);
    sleep(Duration::from_millis(1));
    assert!(board.waits_for() > Duration::ZERO);
    board.closed(&batch, &[lane()]);
    board.stop(&lane());
    assert_eq!(board.waits_for(), Duration::ZERO);
}
