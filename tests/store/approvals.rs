//! Approvals: one decision, and one call that may send, whoever asks at the same time.

use futures_util::future::join_all;
use toolwright::store::{ApprovalKind, ApprovalState, Decision, StoredApproval};

use super::*;

fn waiting(id: &str, caller: &str) -> StoredApproval {
    let now = SystemTime::UNIX_EPOCH
        + Duration::from_secs(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs());
    StoredApproval {
        id: id.to_owned(),
        kind: ApprovalKind::Change,
        state: ApprovalState::Pending,
        channel: "command line".to_owned(),
        caller: caller.to_owned(),
        caller_name: format!("Caller „{caller}“"),
        client: None,
        not_by: String::new(),
        tool: "jitbit_close_ticket".to_owned(),
        key: "key".to_owned(),
        digest: "digest".to_owned(),
        plan: r#"{"does":"close"}"#.to_owned(),
        asked: now,
        ends: now + Duration::from_secs(600),
        decided: None,
        decided_by: None,
        reason: None,
        scope: None,
        claimed: None,
        outcome: None,
    }
}

fn decision(is_approved: bool) -> Decision {
    Decision { is_approved, by: "ops".to_owned(), reason: Some("why".to_owned()), scope: None, lasts: None }
}

pub(super) async fn approvals(store: &Store) {
    let first = waiting("first", "a");
    store.create_approval(&first).await.unwrap();
    assert_eq!(store.approval("first").await.unwrap(), Some(first.clone()));
    assert_eq!(store.approvals(true).await.unwrap(), [first]);
    assert!(!store.claim_approval("first", "a", "digest").await.unwrap(), "it is not approved");
    let (yes, no) = (decision(true), decision(false));
    let decided = join_all((0..4).map(|n| store.decide_approval("first", if n % 2 == 0 { &yes } else { &no }))).await;
    assert_eq!(decided.into_iter().filter(|one| *one.as_ref().unwrap()).count(), 1, "one decides");
    store.create_approval(&waiting("second", "a")).await.unwrap();
    assert!(store.decide_approval("second", &yes).await.unwrap());
    for (caller, digest) in [("b", "digest"), ("a", "other")] {
        assert!(!store.claim_approval("second", caller, digest).await.unwrap(), "{caller} {digest}");
    }
    let claimed = join_all((0..4).map(|_| store.claim_approval("second", "a", "digest"))).await;
    assert_eq!(claimed.into_iter().filter(|one| matches!(one, Ok(true))).count(), 1, "one sends");
    assert!(!store.withdraw_approval("second", "ops", None).await.unwrap(), "it is too late for that");
    store.end_approval("second", "answered").await.unwrap();
    let second = store.approval("second").await.unwrap().unwrap();
    assert_eq!((second.state, second.outcome.as_deref()), (ApprovalState::Done, Some("answered")));
    assert_eq!(second.decided_by.as_deref(), Some("ops"));

    let over = StoredApproval { ends: at(0) - Duration::from_secs(900_000_000), ..waiting("over", "a") };
    store.create_approval(&over).await.unwrap();
    assert!(!store.decide_approval("over", &yes).await.unwrap(), "its time has passed");
    for number in 0..50 {
        store.create_approval(&waiting(&format!("flood {number}"), "b")).await.unwrap();
    }
    let error = store.create_approval(&waiting("one more", "b")).await.unwrap_err();
    assert!(matches!(error, StoreError::Refused(_)), "{error}");
    store.create_approval(&waiting("of another", "c")).await.unwrap();
    assert_eq!(store.approvals_of("b", "jitbit_close_ticket").await.unwrap().len(), 50);
    assert!(store.approval("over").await.unwrap().is_none(), "what ended long ago is forgotten");
}
