use super::history::{History, Ride, days, ride};
use serde_json::{json, to_value};
use simulator::event::{Method, PaymentStep};

fn success(amount: i64, method: Method, processing_ms: u32) -> PaymentStep {
    PaymentStep::Success {
        amount,
        method,
        processing_ms,
        card_last4: None,
    }
}

fn failed(history: &mut History, clock: &str, ride: Ride, method: Method) {
    let step = PaymentStep::Failed {
        amount: 1,
        method,
        processing_ms: Some(9),
        error: ("51", ""),
    };
    history.payment(clock, ride, "NGN", step);
}

/// Three naira payments succeed in 100, 200 and 400 ms, a dollar payment in 1000 ms; one fails; one goes back.
fn payments() -> History {
    let mut history = History::new();
    history
        .initiated("2024-03-04 07:00", ride(1), Method::Card)
        .payment(
            "2024-03-04 07:01",
            ride(1),
            "NGN",
            success(150_000, Method::Card, 100),
        )
        .initiated("2024-03-04 08:00", ride(2), Method::Wallet)
        .payment(
            "2024-03-04 08:01",
            ride(2),
            "NGN",
            success(50_050, Method::Wallet, 200),
        )
        .initiated("2024-03-05 07:00", ride(3), Method::Card)
        .payment(
            "2024-03-05 07:01",
            ride(3),
            "NGN",
            success(100, Method::Card, 400),
        )
        .initiated("2024-03-05 09:00", ride(4), Method::Card)
        .payment(
            "2024-03-05 09:01",
            ride(4),
            "USD",
            success(1_999, Method::Card, 1_000),
        );
    failed(&mut history, "2024-03-05 10:00", ride(5), Method::Ussd);
    let refund = PaymentStep::Refunded {
        refund: 40_000,
        original: 50_050,
        reason: "",
    };
    history.payment("2024-03-05 11:00", ride(2), "NGN", refund);
    history
}

#[test]
fn counts_rates_times_and_sums_are_exact_and_currencies_are_never_mixed() {
    let answer = to_value(payments().key.payments(&days("2024-03-04", "2024-03-05"))).unwrap();
    let mut totals = answer.clone();
    totals.as_object_mut().unwrap().remove("by_method");
    assert_eq!(
        totals,
        json!({
            "payments_initiated": 4, "payments_success": 4,
            "payments_failed": 1, "payments_refunded": 1,
            "success_rate": 80.0,
            "avg_processing_time_ms": 425.0,
            // of 100, 200, 400, 1000: in the middle; and at 0.95 · 3 = 2.85: 400 + 0.85 · 600
            "p50_processing_time_ms": 300.0, "p95_processing_time_ms": 910.0,
            "total_revenue": "2001.50", "total_refunded": "400.00",
            "other_currencies": {"USD": {"total_revenue": "19.99", "total_refunded": "0.00"}},
        })
    );
}

#[test]
fn methods_have_the_same_fields_and_a_refund_counts_under_that_of_its_payment() {
    let answer = to_value(payments().key.payments(&days("2024-03-04", "2024-03-05"))).unwrap();
    let methods = answer["by_method"].as_array().unwrap();
    let names: Vec<_> = methods
        .iter()
        .map(|entry| entry["method"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["card", "ussd", "wallet"]);
    assert_eq!(
        methods[2],
        json!({
            "method": "wallet",
            "payments_initiated": 1, "payments_success": 1,
            "payments_failed": 0, "payments_refunded": 1,
            "success_rate": 100.0, "avg_processing_time_ms": 200.0,
            "p50_processing_time_ms": 200.0, "p95_processing_time_ms": 200.0,
            "total_revenue": "500.50", "total_refunded": "400.00", "other_currencies": {},
        })
    );
    assert_eq!(methods[1]["success_rate"], json!(0.0));
    assert_eq!(methods[1]["avg_processing_time_ms"], json!(null));
    assert_eq!(methods[0]["total_revenue"], json!("1501.00"));
    assert_eq!(
        methods[0]["other_currencies"]["USD"]["total_revenue"],
        json!("19.99")
    );
}

#[test]
fn a_refund_of_a_payment_that_was_never_seen_has_no_method() {
    let mut history = History::new();
    let refund = PaymentStep::Refunded {
        refund: 5,
        original: 5,
        reason: "",
    };
    history.payment("2024-03-05 11:00", ride(2), "NGN", refund);
    let answer = to_value(history.key.payments(&days("2024-03-05", "2024-03-05"))).unwrap();
    assert_eq!(answer["by_method"][0]["method"], json!("unknown"));
    assert_eq!(answer["by_method"][0]["total_refunded"], json!("0.05"));
}

#[test]
fn nothing_is_null_and_zero_in_the_right_places() {
    let answer = to_value(payments().key.payments(&days("2024-05-01", "2024-05-01"))).unwrap();
    assert_eq!(
        answer,
        json!({
            "payments_initiated": 0, "payments_success": 0,
            "payments_failed": 0, "payments_refunded": 0,
            "success_rate": null, "avg_processing_time_ms": null,
            "p50_processing_time_ms": null, "p95_processing_time_ms": null,
            "total_revenue": "0.00", "total_refunded": "0.00",
            "other_currencies": {}, "by_method": [],
        })
    );
}
