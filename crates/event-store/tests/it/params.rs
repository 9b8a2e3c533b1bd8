use event_store::Params;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support;

#[tokio::test(flavor = "multi_thread")]
async fn values_of_every_kind_reach_a_select_unchanged() {
    let store = support::store().await;
    let text = "tab\t nl\n back\\slash 'quote' \"double\" {brace} ọ\0 ?";
    let id = Uuid::new_v4();
    let time: chrono::DateTime<chrono::Utc> = "2026-03-29T01:30:00.250Z".parse().unwrap();
    let params = Params::new()
        .with("text", text)
        .with("texts", [text, ""].as_slice())
        .with("id", id)
        .with("ids", [id, Uuid::nil()].as_slice())
        .with("numbers", [1_u64, u64::MAX].as_slice())
        .with("least", i64::MIN)
        .with("flag", true)
        .with("time", time);
    let sql = "SELECT {text:String}, {texts:Array(String)}, {id:UUID}, {ids:Array(UUID)},
        {numbers:Array(UInt64)}, {least:Int64}, {flag:Bool},
        toUnixTimestamp64Milli({time:DateTime64(3, 'UTC')})";
    let query = store.query(sql).params(&params);
    let query = query.setting("output_format_json_quote_64bit_integers", 0);
    let answer = query.fetch_bytes("JSONCompactEachRow").await.unwrap();
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    let expected = json!([
        text,
        [text, ""],
        id,
        [id, Uuid::nil()],
        [1, u64::MAX],
        i64::MIN,
        true,
        time.timestamp_millis(),
    ]);
    assert_eq!(answer, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parameter_is_a_value_and_never_sql() {
    let store = support::store().await;
    let params = Params::new().with("text", "' UNION ALL SELECT 'more");
    let query = store.query("SELECT {text:String}").params(&params);
    let rows: Vec<String> = query.fetch_all().await.unwrap();
    assert_eq!(rows, ["' UNION ALL SELECT 'more"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_select_can_change_nothing() {
    let store = support::store().await;
    let query = store.query("CREATE TABLE made (n UInt8) ENGINE = Memory");
    let error = query.fetch_bytes("TSV").await.unwrap_err();
    assert_eq!(error.server_code(), Some(164), "{error}");
}
