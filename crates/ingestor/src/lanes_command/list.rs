//! The lanes as a table.

use metadata_store::lanes::Lane;

const HEADER: [&str; 7] = ["LANE", "NEXT", "END", "LAG", "OWNER", "BATCH", "STOPPED"];

/// One line per lane; `-` stands for what is not known, or not so.
pub(super) fn table(lanes: &[Lane]) -> String {
    let rows: Vec<[String; 7]> = std::iter::once(HEADER.map(str::to_owned))
        .chain(lanes.iter().map(row))
        .collect();
    let mut widths = [0; 7];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    rows.iter().map(|row| line(row, &widths)).collect()
}

fn row(lane: &Lane) -> [String; 7] {
    let or_dash = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    let lag = lane.end_offset.map(|end| (end - lane.next_offset).max(0));
    [
        lane.id().to_string(),
        lane.next_offset.to_string(),
        or_dash(lane.end_offset.map(|end| end.to_string())),
        or_dash(lag.map(|lag| lag.to_string())),
        or_dash(lane.owner.clone()),
        or_dash(lane.open_batch.map(|batch| batch.to_string())),
        or_dash(lane.stopped_reason.clone()),
    ]
}

fn line(row: &[String; 7], widths: &[usize; 7]) -> String {
    let cells = row
        .iter()
        .zip(widths)
        .map(|(cell, width)| format!("{cell:<width$}"));
    let line = cells.collect::<Vec<_>>().join("  ");
    format!("{}\n", line.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use metadata_store::LaneId;
    use uuid::uuid;

    fn lane(partition: i32) -> Lane {
        let topic = "trip".to_owned();
        Lane::new(LaneId { topic, partition }, 1200)
    }

    #[test]
    fn what_is_not_known_is_a_dash_and_columns_stand_below_each_other() {
        let stopped = Lane {
            owner: Some("host-1".to_owned()),
            open_batch: Some(uuid!("01a20cc0-3e92-7574-a4f1-75f917497a8d")),
            end_offset: Some(1250),
            stopped_reason: Some("lost: gone".to_owned()),
            ..lane(10)
        };
        let expected = "\
LANE     NEXT  END   LAG  OWNER   BATCH                                 STOPPED
trip/9   1200  -     -    -       -                                     -
trip/10  1200  1250  50   host-1  01a20cc0-3e92-7574-a4f1-75f917497a8d  lost: gone
";
        assert_eq!(table(&[lane(9), stopped]), expected);
    }
}
