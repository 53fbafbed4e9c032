//! Several servers of one store, and a server after a restart: each approval has one ticket.

use toolwright::call::Caller;
use toolwright::store::TicketState;

use super::*;

impl Site {
    /// Another server with the same store and site, with help desks of its own.
    fn another(&self, desks: &HelpDesks) -> Server {
        let confirm = Confirm::parse(&["write".to_owned()]).unwrap();
        let approvals = Approvals::in_store(confirm, self.store.clone()).with_help_desks(desks.clone());
        let toolbox = toolbox(&self.sandbox, &everything(), Defaults::Everything);
        Server::new(toolbox.with_approvals(Some(Arc::new(approvals))))
    }
}

#[tokio::test]
async fn several_servers_raise_one_ticket_and_any_of_them_goes_on() {
    let slow = json!({"operation": "createCustomerRequest",
        "answer": {"status": 201, "body": {"issueKey": "APPR-7"}, "delay_ms": 600}});
    let (one, two) = (desks("jitbit", &at_jsm(), HOUR), desks("jitbit", &at_jsm(), HOUR));
    let site = site(
        "servers",
        jsm(vec![slow, once(approvals("pending", ANN))], vec![approvals("approved", ANN)]),
        one.clone(),
    )
    .await;
    let client = site.client(Era::Handshake, false, yes()).await;
    let _other = site.another(&two);
    let first = client.call(REPLY, reply());
    let rounds = async {
        for _ in 0..20 {
            tokio::time::sleep(Duration::from_millis(50)).await;
            tokio::join!(round(&one, &site), round(&two, &site));
        }
    };
    let (result, ()) = tokio::join!(first, rounds);
    let id = id_in(&result);
    assert_eq!(site.called("createCustomerRequest").len(), 1);
    // The first server is gone; the other one reads the decision.
    for _ in 0..3 {
        let due = site.store.ticket_of(&id).await.unwrap().unwrap();
        site.store.put_ticket(&due, Duration::ZERO).await.unwrap();
        round(&two, &site).await;
    }
    let stored = site.store.approval(&id).await.unwrap().unwrap();
    assert_eq!(stored.state, toolwright::store::ApprovalState::Approved, "{stored:?}");
    assert!(!is_error(&client.call(REPLY, reply()).await));
    assert_eq!(site.called("createCustomerRequest").len(), 1);
}

#[tokio::test]
async fn a_server_that_was_ended_while_it_raised_leaves_no_second_ticket() {
    let desks = desks("jitbit", &at_jsm(), HOUR);
    let script = jsm(vec![once(answer("createCustomerRequest", 503, json!({})))], vec![approvals("approved", ANN)]);
    let site = site("ended", script, desks.clone()).await;
    let client = site.client(Era::Handshake, false, yes()).await;
    let id = id_in(&client.call(REPLY, reply()).await);
    // As a server leaves it that is killed between the claim and the vendor's answer.
    assert!(site.store.begin_ticket(&id).await.unwrap());
    assert!(!site.store.begin_ticket(&id).await.unwrap(), "once");
    let before = site.called("createCustomerRequest").len();
    let result = client.call(REPLY, reply()).await;
    assert!(is_error(&result) && text(&result).contains("toolwright approve"), "{}", text(&result));
    round(&desks, &site).await;
    assert_eq!(site.called("createCustomerRequest").len(), before);
    assert_eq!(site.store.ticket_of(&id).await.unwrap().unwrap().state, TicketState::Lost);
}

#[tokio::test]
async fn a_restart_goes_on_with_the_same_ticket() {
    let desks_before = desks("jitbit", &at_jsm(), HOUR);
    let script = jsm(vec![once(approvals("pending", ANN))], vec![approvals("approved", ANN)]);
    let site = site("restart", script, desks_before).await;
    let client = site.client(Era::Handshake, false, yes()).await;
    let id = id_in(&client.call(REPLY, reply()).await);
    drop(client);
    let desks_after = desks("jitbit", &at_jsm(), HOUR);
    let confirm = Confirm::parse(&["write".to_owned()]).unwrap();
    let approvals = Approvals::in_store(confirm, site.store.clone()).with_help_desks(desks_after.clone());
    let toolbox =
        Arc::new(toolbox(&site.sandbox, &everything(), Defaults::Everything).with_approvals(Some(Arc::new(approvals))));
    toolbox.connect_help_desks();
    let arguments = reply().as_object().unwrap().clone();
    let caller = Caller { client: Some("desk 1".to_owned()), ..Caller::default() };
    let waits = toolbox.call_as(&caller, REPLY, arguments.clone()).await.unwrap_err().to_string();
    assert!(waits.contains(&id) && waits.contains("APPR-7"), "{waits}");
    assert!(toolbox.call_as(&caller, REPLY, arguments).await.is_ok());
    assert_eq!(site.called("createCustomerRequest").len(), 1);
}
