//! What the ingestor wrote is right, and found right, also while it is writing.

use verify::Outcome;

use crate::platform::{Platform, traffic};

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_wrong_while_the_ingestor_writes_and_after() {
    let platform = Platform::new().await;
    let emissions = traffic(31, 4, 1_500);
    let (nothing, _) = platform.verified().await;
    assert!(matches!(nothing, Outcome::CannotSay(_)), "{nothing}");
    let member = platform.start();
    platform.known().await;
    for portion in emissions.chunks(emissions.len() / 6 + 1) {
        platform.send(portion);
        let (outcome, _) = platform.verified().await;
        assert_eq!(outcome, Outcome::Right, "{outcome}");
    }
    platform.settled(emissions.len()).await;
    member.stop().await;

    let (outcome, reports) = platform.verified().await;
    assert_eq!(outcome, Outcome::Right, "{outcome}");
    for report in &reports {
        println!("{report}");
        assert!(report.compared > 0, "{report}");
    }
    let offsets = reports
        .iter()
        .find(|report| report.subject == "offsets")
        .unwrap();
    assert_eq!(offsets.compared, u64::try_from(emissions.len()).unwrap());
    assert_eq!(offsets.vouched.unwrap().offsets, 0);
    assert_eq!(reports.len(), 22);

    // Each takes its part of the statements about the ledger.
    platform.retired_lanes(600).await;
    let (outcome, _) = platform.verified().await;
    assert_eq!(outcome, Outcome::Right, "{outcome}");
}
