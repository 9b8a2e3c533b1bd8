use super::*;

fn stretch(first: u64, from: u64, next: u64) -> Stretch {
    Stretch {
        lane: Lane {
            topic: "rides".to_owned(),
            partition: 0,
            first_offset: first,
            next_offset: next,
            known_until: Some(next),
        },
        recounted_from: from,
        forgotten: 0,
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
    assert_eq!(
        stretches(vec![lane.clone()], Vec::new())[0].recounted_from,
        30
    );
    let from = |first| stretches(vec![lane.clone()], decided(0, first, 29))[0].recounted_from;
    assert_eq!((from(20), from(3)), (20, 10));
}

fn decided(partition: u64, first: u64, last: u64) -> Vec<RecentRow> {
    vec![RecentRow {
        topic: "rides".to_owned(),
        partition,
        first,
        last,
    }]
}

#[test]
fn what_the_ledger_has_beyond_what_is_known_is_forgotten_and_unbalances() {
    let forgotten = |known_until, last| {
        let lane = Lane {
            known_until,
            ..stretch(10, 0, 30).lane
        };
        stretches(vec![lane], decided(0, 20, last))[0].forgotten
    };
    assert_eq!(forgotten(Some(30), 29), 0);
    assert_eq!(forgotten(Some(30), 34), 5);
    assert_eq!(forgotten(Some(35), 34), 0, "it is being written");
    assert_eq!(forgotten(None, 34), 0, "it stands still");
    let gone_back = Stretch {
        forgotten: 5,
        ..stretch(10, 15, 30)
    };
    let account = account(gone_back, counted(15, 0, 0, 15), Vec::new());
    assert_eq!((account.missing, account.balanced), (0, false));
}

#[test]
fn a_partition_that_only_the_ledger_knows_is_shown() {
    let known = stretch(10, 0, 30).lane;
    let recent = [decided(0, 20, 29), decided(1, 4, 8)].concat();
    let stretches = stretches(vec![known], recent);
    assert_eq!(stretches[0].forgotten, 0);
    assert_eq!(
        (stretches[1].lane.partition, stretches[1].forgotten),
        (1, 5)
    );
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
