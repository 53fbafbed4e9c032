//! Faulty answers of a vendor → what a model gets, one test for each kind, over real sockets.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use toolwright::call::Failure;
use toolwright::client_runtime::{self, Inputs, Operation, Place};
use toolwright::error::CallError;
use toolwright::mcp_result::{OUTCOME, STATUS};
use toolwright::policy::Defaults;
use toolwright::sandbox::Sandbox;
use toolwright::upstream::Upstream;

use crate::common::{call, connection, everything, jitbit_at, meta, nothing, result, sandbox, text, toolbox};

/// A sandbox that answers `getTicket` with this, and the result of one call.
pub(crate) async fn answered(answer: Value) -> (Sandbox, rmcp::model::CallToolResult) {
    let script = json!([{"operation": "getTicket", "answer": answer}]).to_string();
    let sandbox = sandbox(Some(&script)).await;
    let toolbox = toolbox(&sandbox, &everything(), Defaults::Reads);
    let result = result(&toolbox, "jitbit_get_ticket_record", json!({"ticketId": 7})).await;
    (sandbox, result)
}

/// An upstream that answers every request with these bytes, or never (`None`).
async fn raw_upstream(answer: Option<impl AsRef<[u8]> + Send + Sync + Copy + 'static>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                match answer {
                    Some(answer) => {
                        let _ = stream.write_all(answer.as_ref()).await;
                    }
                    // Until the client gives up and closes.
                    None => while stream.read(&mut request).await.is_ok_and(|read| read > 0) {},
                }
            });
        }
    });
    address
}

#[track_caller]
pub(crate) fn assert_rejected(result: &rmcp::model::CallToolResult, status: u16, parts: &[&str]) {
    assert_eq!(result.is_error, Some(true));
    assert_eq!(meta(result, OUTCOME), Some(&json!("rejected")));
    assert_eq!(meta(result, STATUS), Some(&json!(status)));
    for part in parts {
        assert!(text(result).contains(part), "`{part}` is not in: {}", text(result));
    }
}

#[tokio::test]
async fn status_400_shows_the_vendors_message() {
    let (_sandbox, result) = answered(json!({"status": 400, "body": "id is malformed"})).await;
    assert_rejected(&result, 400, &["400 Bad Request (its words, untrusted): id is malformed"]);
}

#[tokio::test]
async fn status_401_is_not_repeated_and_warns_of_a_lockout() {
    let (sandbox, result) = answered(json!({"status": 401, "body": "Unauthorized"})).await;
    assert_rejected(&result, 401, &["401", "don't try again", "toolwright doctor"]);
    assert_eq!(sandbox.record().len(), 1, "a refused login is never repeated");
}

#[tokio::test]
async fn status_404_with_an_empty_body_is_reported() {
    let (_sandbox, result) = answered(json!({"status": 404})).await;
    assert_rejected(&result, 404, &["404 Not Found with an empty body"]);
}

#[tokio::test]
async fn status_429_names_the_limit() {
    let (_sandbox, result) =
        answered(json!({"status": 429, "headers": {"Retry-After": "90"}, "body": "slow down"})).await;
    assert_rejected(&result, 429, &["429", "slow down", "rate limit", "retry_after_seconds: 90"]);
}

#[tokio::test]
async fn status_500_with_html_does_not_show_the_page() {
    let page = format!("<html>{}</html>", "x".repeat(10_000));
    let answer = json!({"status": 500, "headers": {"Content-Type": "text/html"}, "body": page});
    let (_sandbox, result) = answered(answer).await;
    assert_rejected(&result, 500, &["500 Internal Server Error", "(an HTML page)"]);
    assert!(text(&result).len() < 200);
}

#[tokio::test]
async fn a_long_refusal_is_cut() {
    let (_sandbox, result) = answered(json!({"status": 500, "body": "y".repeat(100_000)})).await;
    assert_rejected(&result, 500, &["yyy…"]);
    assert!(text(&result).len() < 2_200);
}

#[tokio::test]
async fn html_where_data_was_expected_is_an_error() {
    let answer =
        json!({"status": 200, "headers": {"Content-Type": "text/html; charset=utf-8"}, "body": "<html>Sign in</html>"});
    let (_sandbox, result) = answered(answer).await;
    assert_eq!(result.is_error, Some(true));
    assert!(text(&result).contains("HTML page") && text(&result).contains("login page"), "{}", text(&result));
}

#[tokio::test]
async fn an_html_attachment_is_no_login_page_however_it_is_named() {
    for disposition in ["attachment; filename=report.html", "attachment; FileName*=UTF-8''Bericht%20%E2%82%AC.html"] {
        let headers = json!({"Content-Type": "text/html", "Content-Disposition": disposition});
        let (_sandbox, result) =
            answered(json!({"status": 200, "headers": headers, "body": "<html>Quarterly report</html>"})).await;
        assert_eq!(result.is_error, Some(false), "{disposition}: {result:?}");
    }
}

#[tokio::test]
async fn an_empty_body_is_no_error() {
    let (_sandbox, result) = answered(json!({"status": 200})).await;
    assert_eq!(result.is_error, Some(false));
    assert_eq!(text(&result), "done: the vendor answered 200 with an empty body");
}

#[tokio::test]
async fn a_bare_integer_is_an_answer() {
    let sandbox = sandbox(None).await;
    let toolbox = toolbox(&sandbox, &everything(), Defaults::Reads);
    let arguments = json!({"categoryId": 18, "subject": "s", "body": "b"});
    let result = result(&toolbox, "jitbit_create_ticket", arguments).await;
    assert_eq!(result.is_error, Some(false));
    assert!(text(&result).parse::<u64>().is_ok(), "{}", text(&result));
}

#[tokio::test]
async fn an_answer_reaches_the_model_as_the_vendor_sent_it() {
    let body = json!({"TicketID": 7, "FieldOfNextYear": null, "Long": 12_345_678_901_234_567_u64});
    let script = json!([{"operation": "getTicket", "answer": {"status": 200, "body": body}}]).to_string();
    let sandbox = sandbox(Some(&script)).await;
    let toolbox = toolbox(&sandbox, &everything(), Defaults::Reads);
    let result = result(&toolbox, "jitbit_get_ticket_record", json!({"ticketId": 7, "detail": "full"})).await;
    assert_eq!(text(&result), body.to_string());
}

#[tokio::test]
async fn a_file_comes_with_its_type_and_name() {
    let sandbox = sandbox(None).await;
    let toolbox = toolbox(&sandbox, &everything(), Defaults::Reads);
    let result = result(&toolbox, "jitbit_download_attachment", json!({"fileId": 9901})).await;
    let [rmcp::model::ContentBlock::Image(image)] = result.content.as_slice() else { panic!("{result:?}") };
    assert_eq!(image.mime_type, "image/png");
    assert!(!image.data.is_empty());
}

#[tokio::test]
async fn a_vendor_that_never_answers_times_out() {
    let address = raw_upstream(None::<&str>).await;
    let toolbox = jitbit_at(&address, Duration::from_millis(300));
    let started = Instant::now();
    let result = result(&toolbox, "jitbit_get_ticket_record", json!({"ticketId": 7})).await;
    assert!(started.elapsed() < Duration::from_secs(5));
    assert_eq!(result.is_error, Some(true));
    assert_eq!(meta(&result, OUTCOME), Some(&json!("unknown")));
    assert!(text(&result).contains("did not answer in time"), "{}", text(&result));
    assert!(text(&result).contains("the call can be made again"), "{}", text(&result));
}

#[tokio::test]
async fn a_change_without_an_answer_is_not_repeated_and_explains_how_to_check() {
    let script = json!([{"operation": "*", "answer": {"close": true}}]).to_string();
    let sandbox = sandbox(Some(&script)).await;
    let toolbox = toolbox(&sandbox, &everything(), Defaults::Reads);
    for (tool, arguments, check) in [
        ("jitbit_close_ticket", json!({"ticketId": 7}), "`jitbit_get_ticket`"),
        ("jitbit_add_internal_note", json!({"ticketId": 7, "body": "b"}), "`jitbit_list_comments`"),
        ("jitbit_reply_to_customer", json!({"ticketId": 7, "body": "b"}), "`jitbit_list_comments`"),
        ("jitbit_create_ticket", json!({"categoryId": 1, "subject": "s", "body": "b"}), "_tickets"),
    ] {
        let result = result(&toolbox, tool, arguments).await;
        assert_eq!(meta(&result, OUTCOME), Some(&json!("unknown")), "{tool}");
        assert!(text(&result).contains("may have been done") && text(&result).contains(check), "{}", text(&result));
        assert_eq!(sandbox.take_record().len(), 1, "{tool}: a change is never repeated by us");
    }
}

#[tokio::test]
async fn slow_headers_time_out() {
    let address = raw_upstream_slowly("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Slow: 1234567890").await;
    let toolbox = jitbit_at(&address, Duration::from_millis(400));
    let result = result(&toolbox, "jitbit_get_ticket_record", json!({"ticketId": 7})).await;
    assert_eq!(meta(&result, OUTCOME), Some(&json!("unknown")));
    assert!(text(&result).contains("did not answer in time"), "{}", text(&result));
}

/// An upstream that sends one byte every 20 ms and never ends.
async fn raw_upstream_slowly(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                for byte in answer.as_bytes() {
                    let _ = stream.write_all(&[*byte]).await;
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            });
        }
    });
    address
}

#[tokio::test]
async fn an_answer_of_a_binary_type_is_returned_as_bytes() {
    let address =
        raw_upstream(Some("HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: 2\r\n\r\n{}"))
            .await;
    let toolbox = jitbit_at(&address, Duration::from_secs(5));
    let result = result(&toolbox, "jitbit_get_ticket_record", json!({"ticketId": 7})).await;
    assert!(matches!(result.content.as_slice(), [rmcp::model::ContentBlock::Resource(_)]), "{result:?}");
}

#[tokio::test]
async fn a_connection_that_closes_leaves_the_outcome_unknown() {
    let (_sandbox, result) = answered(json!({"close": true})).await;
    assert_eq!(meta(&result, OUTCOME), Some(&json!("unknown")));
}

#[tokio::test]
async fn a_body_that_breaks_off_is_no_answer() {
    let address = raw_upstream(Some("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"TicketID\"")).await;
    let result =
        result(&jitbit_at(&address, Duration::from_secs(5)), "jitbit_get_ticket_record", json!({"ticketId": 7})).await;
    assert_eq!(result.is_error, Some(true));
    assert!(text(&result).contains("broke off"), "{}", text(&result));
}

#[tokio::test]
async fn a_refused_connection_is_reported_as_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let result =
        result(&jitbit_at(&address, Duration::from_secs(5)), "jitbit_get_ticket_record", json!({"ticketId": 7})).await;
    assert_eq!(meta(&result, OUTCOME), Some(&json!("not_sent")));
    assert!(text(&result).contains("no connection to the vendor"), "{}", text(&result));
}

#[tokio::test]
async fn dropping_a_call_drops_the_request() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let toolbox = jitbit_at(&format!("http://{}", listener.local_addr().unwrap()), Duration::from_secs(60));
    let call = tokio::spawn(async move { call(&toolbox, "jitbit_get_stats", nothing()).await });
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut request = [0; 4096];
    assert!(stream.read(&mut request).await.unwrap() > 0);
    call.abort();
    let closed = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut request)).await;
    assert_eq!(closed.expect("the request outlived the call").unwrap_or(0), 0);
}

#[tokio::test]
async fn a_refused_mode_suggests_one_that_works() {
    let script = json!([{
        "operation": "listTickets",
        "when": {"query": {"mode": "unassigned"}},
        "answer": {"status": 400, "body": "bad mode"},
    }]);
    let sandbox = sandbox(Some(&script.to_string())).await;
    let toolbox = toolbox(&sandbox, &everything(), Defaults::Reads);
    let refused = result(&toolbox, "jitbit_list_tickets", json!({"mode": "unassigned"})).await;
    assert_rejected(&refused, 400, &["bad mode", "unclosed"]);
    let other = result(&toolbox, "jitbit_list_tickets", json!({"mode": "unclosed"})).await;
    assert_eq!(other.is_error, Some(false));
}

#[tokio::test]
async fn path_arguments_that_leave_their_segment_are_refused() {
    let sandbox = sandbox(None).await;
    let upstream = upstream(&sandbox);
    for (given, reason) in [
        ("", "is empty"),
        (".", "another path"),
        ("..", "another path"),
        ("..;", "another path"),
        ("%2e%2e;a", "another path"),
        ("a\\b", "backslash"),
        ("a\nb", "control character"),
        ("\u{7f}", "control character"),
    ] {
        let mut inputs = Inputs::default();
        inputs.insert(&Place::Path("id".to_owned()), json!(given));
        let error = client_runtime::send(&upstream, &rule(), inputs).await.unwrap_err();
        assert!(matches!(&error, CallError::NotSent(text) if text.contains(reason)), "{given:?}: {error}");
    }
    assert!(sandbox.record().is_empty());
}

/// What reads one rule of Jitbit.
fn rule() -> Operation {
    let request = json!({"method": "GET", "path": "/api/Rule/{id}"});
    serde_json::from_value(request).unwrap()
}

fn upstream(sandbox: &Sandbox) -> Upstream {
    let connection = connection(&sandbox.address("jitbit"), Duration::from_secs(5));
    Upstream::new(connection.base, connection.credentials, connection.timeout).unwrap()
}

#[tokio::test]
async fn path_arguments_are_encoded_as_one_segment() {
    let sandbox = sandbox(None).await;
    let upstream = upstream(&sandbox);
    for (given, path) in [
        ("a/b", "/api/Rule/a%2Fb"),
        ("..a/Stats", "/api/Rule/..a%2FStats"),
        ("%2e%2ea", "/api/Rule/%252e%252ea"),
        ("a;b", "/api/Rule/a%3Bb"),
        ("?x=1#y", "/api/Rule/%3Fx%3D1%23y"),
        ("ü b", "/api/Rule/%C3%BC%20b"),
    ] {
        let mut inputs = Inputs::default();
        inputs.insert(&Place::Path("id".to_owned()), json!(given));
        let _ = client_runtime::send(&upstream, &rule(), inputs).await;
        let arrived = sandbox.take_record();
        assert_eq!(arrived.len(), 1, "{given}");
        assert_eq!(arrived[0].path, path, "{given}");
    }
}

#[tokio::test]
async fn all_wrong_arguments_are_reported_at_once_and_nothing_is_sent() {
    let sandbox = sandbox(None).await;
    let toolbox = toolbox(&sandbox, &everything(), Defaults::Reads);
    let arguments = json!({"query": "ab", "limit": 500, "ofset": 1});
    let failure = call(&toolbox, "jitbit_search_tickets", arguments.clone()).await.unwrap_err();
    let Failure::Arguments { problems, .. } = &failure else { panic!("{failure}") };
    assert_eq!(problems.iter().map(|p| p.argument.as_str()).collect::<Vec<_>>(), ["query", "limit", "ofset"]);
    let result = result(&toolbox, "jitbit_search_tickets", arguments).await;
    assert_eq!(meta(&result, OUTCOME), Some(&json!("not_sent")));
    assert!(sandbox.record().is_empty());
}

#[tokio::test]
async fn unambiguous_types_are_converted() {
    let sandbox = sandbox(None).await;
    let toolbox = toolbox(&sandbox, &everything(), Defaults::Reads);
    let arguments = json!({"statusId": "[1, 2]", "limit": "5", "subscribedOnly": "True", "mode": "Unclosed"});
    call(&toolbox, "jitbit_filter_tickets", arguments).await.unwrap();
    let query = &sandbox.record()[0].query;
    for part in ["statusId=1&statusId=2", "count=5", "subscribedOnly=true", "mode=unclosed"] {
        assert!(query.contains(part), "{query}");
    }
}

#[tokio::test]
async fn errors_hold_no_credentials() {
    let address = raw_upstream(Some("HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\nOops")).await;
    let toolbox = jitbit_at(&address, Duration::from_secs(5));
    let result = result(&toolbox, "jitbit_get_ticket_record", json!({"ticketId": 7})).await;
    let shown = format!("{result:?} {:?}", connection(&address, Duration::from_secs(1)));
    assert!(!shown.contains("test-token"), "{shown}");
}

#[tokio::test]
async fn five_megabytes_are_cut_between_records() {
    let rows: Vec<Value> =
        (0..10_000).map(|n| json!({"IssueID": n, "Subject": "printer jams again ".repeat(25)})).collect();
    let script = json!([{"operation": "searchTickets", "answer": {"status": 200, "body": rows}}]).to_string();
    assert!(script.len() > 4_500_000);
    let sandbox = sandbox(Some(&script)).await;
    let toolbox = toolbox(&sandbox, &everything(), Defaults::Reads);
    let cut = result(&toolbox, "jitbit_search_tickets", json!({"query": "printer"})).await;
    assert!(text(&cut).len() <= 40_000 && serde_json::to_string(&cut).unwrap().len() < 64 * 1024);
    let answer: Value = serde_json::from_str(text(&cut)).unwrap();
    let shown = answer["items"].as_array().unwrap();
    assert_eq!(answer["page"]["returned"], json!(shown.len()));
    assert_eq!((&answer["page"]["has_more"], shown.last()), (&json!(true), rows.get(shown.len() - 1)));
    // The same answer, with the requested fields only.
    let arguments = json!({"query": "printer", "fields": ["IssueID"]});
    let fewer: Value = serde_json::from_str(text(&result(&toolbox, "jitbit_search_tickets", arguments).await)).unwrap();
    assert!(fewer["items"].as_array().unwrap().len() > 10 * shown.len());
}

#[tokio::test]
async fn a_compressed_answer_is_unpacked() {
    const PACKED: [u8; 34] = [
        31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 171, 86, 10, 201, 76, 206, 78, 45, 241, 116, 81, 178, 50, 175, 5, 0, 153, 51,
        176, 207, 14, 0, 0, 0,
    ];
    let head =
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Type: application/json\r\nContent-Length: 34\r\n\r\n";
    let answer: &'static [u8] = [head.as_bytes(), &PACKED].concat().leak();
    let toolbox = jitbit_at(&raw_upstream(Some(answer)).await, Duration::from_secs(5));
    assert_eq!(text(&result(&toolbox, "jitbit_get_ticket_record", json!({"ticketId": 7})).await), "{\"TicketID\":7}");
}

#[tokio::test]
async fn invalid_utf8_is_shown_with_replacement_characters() {
    let answer: &'static [u8] =
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n{\"a\": \"x\xffy\"}";
    let toolbox = jitbit_at(&raw_upstream(Some(answer)).await, Duration::from_secs(5));
    let result = result(&toolbox, "jitbit_get_ticket_record", json!({"ticketId": 7})).await;
    assert_eq!(text(&result), "{\"a\":\"x\u{fffd}y\"}");
}

#[tokio::test]
async fn invisible_characters_do_not_reach_the_model() {
    let body = json!({"Subject": "a\u{202e}b\u{1b}[31mc", "Body": "![x](https://evil.example/?q=1)"});
    let (_sandbox, shown) = answered(json!({"status": 200, "body": body})).await;
    let answer: Value = serde_json::from_str(text(&shown)).unwrap();
    assert_eq!(answer["Subject"], "abc");
    assert_eq!(answer["Body"], "⟦!⟧[image: x] (removed⟦dc360135⟧: evil.example)");
    let (_sandbox, refused) = answered(json!({"status": 400, "body": "bad\u{202e}\u{1b}[31m input"})).await;
    assert_rejected(&refused, 400, &["400 Bad Request (its words, untrusted): bad input"]);
}

/// What is no JSON, and what a model is told of it.
const BROKEN: [(&str, &[u8], &str); 9] = [
    ("application/json", br#"{"total":3,"items":[{"IssueID":"1"}"#, "breaks off after 35 bytes"),
    ("application/json", br#"[{"IssueID":NaN}]"#, "`NaN` in line 1, column 13 is no number"),
    ("application/json", br#"[{"IssueID":1},]"#, "nothing follows the comma before line 1, column 16"),
    ("application/json", b"{\"IssueID\":1}\n{\"IssueID\":2}\n", "another one begins in line 2, column 1"),
    ("application/json", b"Service temporarily unavailable", "is text and no JSON"),
    ("text/plain", b"Service temporarily unavailable", "is text and no JSON"),
    ("", b"Service temporarily unavailable", "is text and no JSON"),
    ("application/json", b"<!DOCTYPE html><html>Sign in</html>", "an HTML page"),
    ("text/plain", b"\n<html>Sign in</html>", "an HTML page"),
];

/// An upstream that answers every request with this body.
async fn upstream_of(content_type: &str, body: &[u8]) -> String {
    let content_type =
        if content_type.is_empty() { String::new() } else { format!("Content-Type: {content_type}\r\n") };
    let head = format!("HTTP/1.1 200 OK\r\n{content_type}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    let answer: &'static [u8] = Box::leak([head.as_bytes(), body].concat().into_boxed_slice());
    raw_upstream(Some(answer)).await
}

#[tokio::test]
async fn a_broken_answer_is_an_error_and_no_empty_list() {
    let deep = format!("[{}]", "[".repeat(200) + &"]".repeat(200));
    let too_deep = ("application/json", deep.as_bytes(), "nested more than 124 deep");
    for (content_type, body, expected) in BROKEN.into_iter().chain([too_deep]) {
        let toolbox = jitbit_at(&upstream_of(content_type, body).await, Duration::from_secs(5));
        let toolbox = toolbox.with_evaluator(toolwright::jq::Evaluator::new(env!("CARGO_BIN_EXE_toolwright")));
        for arguments in [json!({}), json!({"jq": ".items | length"}), json!({"all": true})] {
            let mut arguments = arguments;
            arguments["query"] = json!("printer");
            let result = result(&toolbox, "jitbit_search_tickets", arguments.clone()).await;
            let text = text(&result);
            assert_eq!(result.is_error, Some(true), "{content_type} {arguments}: {text}");
            assert!(text.contains(expected) && !text.contains("has_more"), "{content_type} {arguments}: {text}");
            assert!(!text.contains("temporarily"), "nothing of it is quoted: {text}");
        }
    }
}

#[tokio::test]
async fn a_byte_order_mark_is_skipped() {
    let toolbox =
        jitbit_at(&upstream_of("application/json", b"\xef\xbb\xbf[{\"IssueID\":1}]").await, Duration::from_secs(5));
    let result = result(&toolbox, "jitbit_search_tickets", json!({"query": "printer"})).await;
    let shown: Value = serde_json::from_str(text(&result)).unwrap();
    assert_eq!((&shown["items"], &shown["page"]["returned"]), (&json!([{"IssueID": 1}]), &json!(1)));
}

#[tokio::test]
async fn a_change_with_a_broken_answer_was_made_by_its_status() {
    let toolbox = jitbit_at(&upstream_of("application/json", b"{\"id\":").await, Duration::from_secs(5));
    let result_of = result(&toolbox, "jitbit_close_ticket", json!({"ticketId": 7})).await;
    assert_eq!((meta(&result_of, OUTCOME), meta(&result_of, STATUS)), (Some(&json!("answered")), Some(&json!(200))));
    let shown = text(&result_of);
    for part in ["answered 200", "breaks off after 6 bytes", "by its status the change was made", "`jitbit_get_ticket`"]
    {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    // A web page is no answer to the change.
    let toolbox = jitbit_at(&upstream_of("application/json", b"<html>Sign in</html>").await, Duration::from_secs(5));
    let page = result(&toolbox, "jitbit_close_ticket", json!({"ticketId": 7})).await;
    assert_eq!(meta(&page, OUTCOME), Some(&json!("unknown")), "{}", text(&page));
    // A mere word is shown.
    let toolbox = jitbit_at(&upstream_of("text/plain", b"OK").await, Duration::from_secs(5));
    let word = result(&toolbox, "jitbit_close_ticket", json!({"ticketId": 7})).await;
    assert_eq!(word.is_error, Some(false));
    let word: Value = serde_json::from_str(text(&word)).unwrap();
    assert_eq!((&word["text"], &word["untrusted"]), (&json!("OK"), &json!(["text"])));
}
