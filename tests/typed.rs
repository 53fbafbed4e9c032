//! The typed client of the cargo feature `typed`, against the sandbox: the requests are those of
//! the description, the answers become Rust types.

#[path = "../examples/jitbit_typed.rs"]
#[allow(dead_code, unreachable_pub, reason = "the example has a main of its own")]
mod example;

use std::time::Duration;

use toolwright::clients::jitbit::{Client, types};

use crate::common::{connection, sandbox};

#[tokio::test]
async fn the_example_lists_tickets() {
    let sandbox = sandbox(None).await;
    let connection = connection(&sandbox.address("jitbit"), Duration::from_secs(5));
    let lines = example::unclosed(&connection, 25).await.unwrap();
    assert!(!lines.is_empty() && lines.iter().all(|line| line.starts_with('#')), "{lines:?}");
    assert_eq!(sandbox.record()[0].query, "count=25&mode=unclosed");
}

#[tokio::test]
async fn writes_are_forms_and_answers_are_typed() {
    let sandbox = sandbox(None).await;
    let connection = connection(&sandbox.address("jitbit"), Duration::from_secs(5));
    let client = Client::new_with_client(connection.address(), connection.http_client().unwrap());
    let body = types::CreateTicketBody::builder().category_id(18).subject("Printer").body("It jams.").priority_id(1);
    let number: i64 = client.create_ticket().body(body).send().await.unwrap().into_inner();
    assert!(number > 0);
    client.close_ticket().id(number).suppress_notification(true).send().await.unwrap();
    let user: types::User = client.authorize().send().await.unwrap().into_inner();
    assert!(user.user_id.is_some());
    let recorded = sandbox.record();
    assert!(recorded.iter().all(toolwright::sandbox::Recorded::is_accepted), "{recorded:?}");
    assert_eq!(recorded[0].body.as_deref(), Some(&b"body=It+jams.&categoryId=18&priorityId=1&subject=Printer"[..]));
}

#[tokio::test]
async fn every_read_without_arguments_becomes_a_type() {
    let sandbox = sandbox(None).await;
    let connection = connection(&sandbox.address("jitbit"), Duration::from_secs(5));
    let client = Client::new_with_client(connection.address(), connection.http_client().unwrap());
    client.list_categories().send().await.unwrap();
    client.list_priorities().send().await.unwrap();
    client.list_users().send().await.unwrap();
    client.list_companies().send().await.unwrap();
    client.list_assets().send().await.unwrap();
    client.list_articles().send().await.unwrap();
    client.get_stats().send().await.unwrap();
    client.get_ticket().id(7).send().await.unwrap();
    client.list_comments().id(7).send().await.unwrap();
    assert!(sandbox.record().iter().all(toolwright::sandbox::Recorded::is_accepted));
}
