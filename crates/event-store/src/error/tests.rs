use super::*;

fn at() -> At {
    At {
        operation: Operation::Select,
        subject: "bookings".to_owned(),
    }
}

#[test]
fn too_many_parts_passes_and_an_unknown_table_does_not() {
    let server = |text| StoreError::of_text(at(), Some(500), text);
    assert!(server("Code: 252. DB::Exception: Too many parts").is_retryable());
    assert!(!server("Code: 60. DB::Exception: Unknown table").is_retryable());
}

#[test]
fn a_proxy_without_its_server_is_no_answer_of_the_server() {
    let error = StoreError::of_text(at(), Some(504), "<html>gateway timeout</html>");
    assert!(matches!(error, StoreError::Status { status: 504, .. }));
    assert!(error.is_retryable());
    let error = StoreError::of_text(at(), None, "502 Bad Gateway");
    assert!(matches!(error, StoreError::Status { status: 502, .. }));
}

#[test]
fn a_message_of_any_length_is_cut() {
    let text = format!("Code: 62. DB::Exception: {}", "ọ".repeat(10_000));
    let StoreError::Server { message, .. } = StoreError::of_text(at(), None, &text) else {
        panic!("not a server error");
    };
    assert_eq!(message.chars().count(), MESSAGE_LIMIT);
}
