use super::*;
use crate::tests::everywhere;

fn row(method: &str, refunded: i64, refunds: i128) -> PaymentRow {
    PaymentRow {
        of_method: u8::from(method != "all"),
        method: if method == "all" {
            String::new()
        } else {
            method.to_owned()
        },
        succeeded: 3,
        failed: 1,
        refunded,
        processing_ms: 100,
        processing_count: 3,
        processing_times: vec![33.0, 1_234.349_999_999_9],
        revenue: vec![("NGN".to_owned(), 300_000), ("USD".to_owned(), 1_050)],
        refunds: if refunds == 0 {
            Vec::new()
        } else {
            vec![("NGN".to_owned(), refunds)]
        },
        ..PaymentRow::default()
    }
}

#[test]
fn refunds_stand_under_the_method_that_settling_found() {
    let card = RefundRow {
        method: "card".to_owned(),
        currency: "NGN".to_owned(),
        refunded: 1,
        refunds: 100,
    };
    let rows = vec![row("all", 3, 350), row("card", 0, 0), row("", 3, 350)];
    let payments = assemble(&everywhere(false), rows, vec![card], None);
    let json = serde_json::to_value(&payments).unwrap();
    assert_eq!(json["success_rate"], 75.0);
    assert_eq!(json["avg_processing_time_ms"], 33.33);
    assert_eq!(json["p95_processing_time_ms"], 1234.35);
    assert_eq!(json["other_currencies"]["USD"]["total_revenue"], "10.50");
    let methods = json["by_method"].as_array().unwrap();
    assert_eq!(methods.len(), 2);
    assert_eq!(
        (&methods[0]["method"], &methods[0]["total_refunded"]),
        (&"card".into(), &"1.00".into())
    );
    assert_eq!(
        (&methods[1]["method"], &methods[1]["total_refunded"]),
        (&"unknown".into(), &"2.50".into())
    );
    assert_eq!(methods[1]["payments_success"], 0);
    assert_eq!(methods[1]["total_revenue"], "0.00");
}

#[test]
fn without_successes_there_are_no_times() {
    let rows = vec![PaymentRow {
        processing_times: vec![f64::NAN, f64::NAN],
        ..PaymentRow::default()
    }];
    let json = serde_json::to_value(assemble(&everywhere(false), rows, Vec::new(), None)).unwrap();
    for field in [
        "success_rate",
        "avg_processing_time_ms",
        "p50_processing_time_ms",
        "p95_processing_time_ms",
    ] {
        assert_eq!(json[field], serde_json::Value::Null, "{field}");
    }
    assert_eq!(json["total_revenue"], "0.00");
    assert_eq!(json["by_method"], serde_json::json!([]));
}
