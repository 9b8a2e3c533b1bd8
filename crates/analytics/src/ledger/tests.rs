use super::*;

fn stretch(first: u64, from: u64, next: u64) -> Stretch {
    Stretch {
        lane: Lane {
            topic: "rides".to_owned(),
            partition: 0,
            first_offset: first,
            next_offset: next,
        },
        recounted_from: from,
    }
}

fn counted(accepted: u64, duplicate: u64, dead_lettered: u64, offsets: u64) -> Vec<RecountedRow> {
    vec![RecountedRow {
        topic: "rides".to_owned(),
        partition: 0,
        accepted,
        duplicate,
        dead_lettered,
        offsets,
    }]
}

fn gap(cause: &str, first: u64, last: u64) -> GapRow {
    GapRow {
        topic: "rides".to_owned(),
        partition: 0,
        cause: cause.to_owned(),
        offsets: last - first + 1,
        latest: vec![(first, last)],
    }
}

fn account(stretch: Stretch, counted: Vec<RecountedRow>, gaps: Vec<GapRow>) -> Account {
    let told = VouchedRow {
        topic: "rides".to_owned(),
        partition: 0,
        accepted: 5,
        ..VouchedRow::default()
    };
    assemble(vec![stretch], vec![told], counted, gaps).remove(0)
}

#[test]
fn old_offsets_are_told_and_recent_ones_counted() {
    let account = account(
        stretch(10, 15, 30),
        counted(11, 2, 1, 14),
        vec![gap("control", 20, 20)],
    );
    assert!(account.balanced);
    assert_eq!(
        (account.accepted, account.missing, account.repeated),
        (16, 0, 0)
    );
}

#[test]
fn a_missing_row_unbalances() {
    let account = account(stretch(10, 15, 30), counted(14, 0, 0, 14), Vec::new());
    assert!(!account.balanced);
    assert_eq!(account.missing, 1);
}

#[test]
fn a_missing_row_is_not_made_good_by_a_repeated_one() {
    let account = account(stretch(10, 15, 30), counted(15, 0, 0, 14), Vec::new());
    assert!(!account.balanced);
    assert_eq!((account.missing, account.repeated), (0, 1));
}

#[test]
fn a_lost_record_unbalances_and_is_shown_first() {
    let gaps = vec![gap("control", 28, 29), gap("lost", 20, 20)];
    let account = account(stretch(10, 15, 30), counted(12, 0, 0, 12), gaps);
    assert_eq!((account.missing, account.balanced), (0, false));
    assert_eq!(account.gaps[0].cause, "lost");
}

#[test]
fn a_partition_without_rows_is_balanced_only_if_it_is_empty() {
    let nothing = |next| {
        assemble(
            vec![stretch(10, next, next)],
            Vec::new(),
            Vec::new(),
            Vec::new(),
        )
        .remove(0)
    };
    assert!(nothing(10).balanced);
    assert!(!nothing(11).balanced);
}

#[test]
fn a_lane_without_recent_ranges_is_told_whole() {
    let lane = stretch(10, 0, 30).lane;
    let row = |from| {
        vec![StartRow {
            topic: "rides".to_owned(),
            partition: 0,
            from,
        }]
    };
    assert_eq!(
        stretches(vec![lane.clone()], Vec::new())[0].recounted_from,
        30
    );
    assert_eq!(stretches(vec![lane.clone()], row(20))[0].recounted_from, 20);
    assert_eq!(stretches(vec![lane], row(3))[0].recounted_from, 10);
}

#[test]
fn a_second_verdict_among_the_latest_is_taken_from_the_offsets() {
    let all = CountedRow {
        topic: "rides".to_owned(),
        partition: 0,
        accepted: 14,
        ..CountedRow::default()
    };
    let repeated = with_latest(vec![all.clone()], counted(3, 0, 0, 2));
    let account_of = |rows| account(stretch(10, 15, 29), rows, Vec::new());
    let found = account_of(repeated);
    assert_eq!(
        (found.missing, found.repeated, found.balanced),
        (0, 1, false)
    );
    let once = with_latest(vec![all], counted(3, 0, 0, 3));
    assert!(account_of(once).balanced);
}
