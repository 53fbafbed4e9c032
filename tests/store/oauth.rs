//! Authorizations: what is taken once is taken once, whoever comes at the same time.

use std::time::Duration;

use toolwright::store::{
    AuthorizationCode, Consent, Giver, Login, Rotation, Store, StoreError, StoredToken, TakenCode, TokenDigest,
    TokenKind,
};

use super::{at, link};

fn digest(text: &str) -> TokenDigest {
    TokenDigest::of(text)
}

fn token(text: &str, kind: TokenKind, ends: u64) -> StoredToken {
    let (link, client) = ("of client".to_owned(), "client".to_owned());
    StoredToken { token: digest(text), kind, link, client, expires: at(ends) }
}

/// Leaves what it found.
pub(super) async fn authorizations(store: &Store) {
    let before = store.links().await.unwrap().len();
    for giver in [Giver::Link("person".to_owned()), Giver::Person("{\"name\":\"ann\"}".to_owned())] {
        let consent = Consent {
            ticket: digest("ticket"),
            browser: digest("browser"),
            giver,
            request: "{}".to_owned(),
            expires: at(600),
        };
        store.create_consent(&consent).await.unwrap();
        let take = |browser: &str, now| store.take_consent(digest("ticket"), digest(browser), at(now));
        assert_eq!(take("another", 1).await.unwrap(), None);
        assert_eq!(take("browser", 600).await.unwrap(), None, "too late");
        assert_eq!(take("browser", 1).await.unwrap(), Some(consent));
        assert_eq!(take("browser", 1).await.unwrap(), None, "once");
    }
    let (sign_in, browser, request) = (digest("sign-in"), digest("browser"), "{}".to_owned());
    store.create_login(&Login { sign_in, browser, request: request.clone(), expires: at(600) }).await.unwrap();
    let take = |browser: &str, now| store.take_login(sign_in, digest(browser), at(now));
    assert_eq!(take("another", 1).await.unwrap(), None);
    assert_eq!(take("browser", 600).await.unwrap(), None, "too late");
    let logins = futures_util::future::join_all((0..8).map(|_| take("browser", 1))).await;
    assert_eq!(logins.into_iter().filter(|taken| *taken == Ok(Some(request.clone()))).count(), 1, "once");

    let code = AuthorizationCode {
        code: digest("code"),
        link: "of client".to_owned(),
        client: "client".to_owned(),
        redirect: "http://127.0.0.1/".to_owned(),
        challenge: "challenge".to_owned(),
        expires: at(60),
    };
    let of_client = link("of client", Some("person"), None);
    let error = store.authorize(&of_client, &code).await.unwrap_err();
    assert!(matches!(error, StoreError::Refused(_)), "without the person's link: {error}");
    store.create_link(&link("person", None, None)).await.unwrap();
    store.authorize(&of_client, &code).await.unwrap();
    assert_eq!(store.take_code(digest("unknown"), at(1)).await.unwrap(), TakenCode::Unknown);
    let several = (0..8).map(|_| store.take_code(digest("code"), at(1)));
    let taken: Vec<TakenCode> = futures_util::future::join_all(several).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(taken.iter().filter(|taken| **taken == TakenCode::First(code.clone())).count(), 1, "{taken:?}");
    assert_eq!(taken.iter().filter(|taken| **taken == TakenCode::Again("of client".to_owned())).count(), 7);

    let first = token("refresh 1", TokenKind::Refresh, 1_000);
    store.create_tokens(&[token("access 1", TokenKind::Access, 100), first.clone()]).await.unwrap();
    assert_eq!(store.oauth_token(digest("refresh 1")).await.unwrap(), Some(first));
    assert_eq!(store.oauth_token(digest("refresh 9")).await.unwrap(), None);
    let next = [token("access 2", TokenKind::Access, 200), token("refresh 2", TokenKind::Refresh, 1_100)];
    let rotate = |from: &str, client: &'static str, now| {
        let (from, next) = (digest(from), &next);
        async move { store.rotate(from, client, next, at(now)).await.unwrap() }
    };
    assert_eq!(rotate("refresh 1", "another", 1).await, Rotation::Refused);
    assert_eq!(rotate("access 1", "client", 1).await, Rotation::Refused);
    assert_eq!(rotate("refresh 1", "client", 1_000).await, Rotation::Refused, "too late");
    assert_eq!(store.oauth_token(digest("access 2")).await.unwrap(), None, "nothing came of these");
    assert_eq!(rotate("refresh 1", "client", 1).await, Rotation::Done);
    assert_eq!(rotate("refresh 1", "client", 1).await, Rotation::Reused("of client".to_owned()));
    assert!(store.oauth_token(digest("access 2")).await.unwrap().is_some());

    assert_eq!(store.revoke_link("person", at(2)).await.unwrap(), 2, "with the client's");
    assert_eq!(rotate("refresh 2", "client", 3).await, Rotation::Refused, "what it was for has ended");
    store.sweep_oauth(at(2_000)).await.unwrap();
    assert_eq!(store.oauth_token(digest("refresh 2")).await.unwrap(), None);
    assert_eq!(store.sweep_links(at(2) + Duration::from_hours(25)).await.unwrap(), 2);
    store.sweep_oauth(at(2_000) + Duration::from_hours(48)).await.unwrap();
    assert_eq!(store.take_code(digest("code"), at(1)).await.unwrap(), TakenCode::Unknown);
    assert_eq!(store.links().await.unwrap().len(), before);
}
