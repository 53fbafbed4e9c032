//! The way to a vendor through a company's network: proxies, authorities, client certificates, private networks; and what
//! of a call the log shows.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::io::AsyncWriteExt as _;

use crate::common::network::{Answer, Authority, Proxy, TlsSite, call_lines, fresh_folder, run, toolwright, written};

const HOST: &str = "helpdesk.company.test";

fn stats() -> Arc<Answer> {
    Arc::new(|_| (200, json!({"planted-answer": "4nswer-text"}).to_string(), Duration::ZERO))
}

#[tokio::test]
async fn https_goes_through_the_proxy_that_the_environment_names() {
    let folder = fresh_folder("network-proxy");
    let (company, other) = (Authority::new(), Authority::new());
    let site = TlsSite::start(&company.server(&[HOST]), None, stats()).await;
    let proxy = Proxy::start(site.address).await;
    let (known, unknown) = (written(&folder, "ca.pem", &company.pem), written(&folder, "other.pem", &other.pem));
    let url = format!("https://{HOST}");
    let base = [("JITBIT_URL", url.as_str()), ("JITBIT_TOKEN", "t0ken")];
    let call = ["call", "jitbit_get_stats"];
    for trusted in
        [("SSL_CERT_FILE", known.as_str()), ("JITBIT_CA_CERT_FILE", &known), ("JITBIT_CA_CERT", &company.pem)]
    {
        for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
            let before = site.arrived().len();
            let variables = [&base[..], &[trusted, (name, proxy.url.as_str())]].concat();
            let (code, stdout, stderr) = run(&call, &variables).await;
            assert_eq!(code, Some(0), "{trusted:?} {name}: {stderr}");
            assert!(stdout.contains("4nswer-text"), "{stdout}");
            let arrived = site.arrived();
            let [request] = &arrived[before..] else { panic!("{arrived:?}") };
            assert_eq!((request.host.as_str(), request.authorization.as_deref()), (HOST, Some("Bearer t0ken")));
        }
    }
    assert!(proxy.asked().iter().all(|asked| *asked == format!("CONNECT {HOST}:443")), "{:?}", proxy.asked());
    // An authority that is not known, and one that signs for others: nothing is sent.
    let before = site.arrived().len();
    for trusted in [("SSL_CERT_FILE", unknown.as_str()), ("JITBIT_CA_CERT_FILE", &unknown)] {
        let (code, _, stderr) = run(&call, &[&base[..], &[trusted, ("HTTPS_PROXY", &proxy.url)]].concat()).await;
        assert!(code == Some(1) && stderr.contains("certificate"), "{stderr}");
    }
    // A host that is called directly: the proxy is not asked.
    let asked = proxy.asked().len();
    let direct = [("HTTPS_PROXY", proxy.url.as_str()), ("NO_PROXY", ".company.test"), ("SSL_CERT_FILE", &known)];
    let (code, _, stderr) = run(&call, &[&base[..], &direct].concat()).await;
    assert!(code == Some(1) && stderr.contains("no connection to the vendor"), "{stderr}");
    assert_eq!((proxy.asked().len(), site.arrived().len()), (asked, before));
}

#[tokio::test]
async fn this_machine_is_never_called_through_a_proxy() {
    let folder = fresh_folder("network-loopback");
    let company = Authority::new();
    let site = TlsSite::start(&company.server(&["localhost", "127.0.0.1"]), None, stats()).await;
    let proxy = Proxy::start(site.address).await;
    let known = written(&folder, "ca.pem", &company.pem);
    let proxies = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    let proxies: Vec<(&str, &str)> = proxies.iter().map(|name| (*name, proxy.url.as_str())).collect();
    let (code, _, stderr) = run(&["call", "jitbit_get_stats", "--sandbox"], &proxies).await;
    assert_eq!(code, Some(0), "{stderr}");
    for host in ["127.0.0.1", "localhost"] {
        let url = format!("https://{host}:{}", site.address.port());
        let own = [("JITBIT_URL", url.as_str()), ("JITBIT_TOKEN", "t0ken"), ("SSL_CERT_FILE", &known)];
        let (code, _, stderr) = run(&["call", "jitbit_get_stats"], &[&proxies[..], &own].concat()).await;
        assert_eq!(code, Some(0), "{host}: {stderr}");
    }
    // Without encryption, a proxy would read the credentials.
    let clear = format!("http://127.0.0.1:{}", site.address.port());
    let own = [("JITBIT_URL", clear.as_str()), ("JITBIT_TOKEN", "t0ken")];
    assert_eq!(run(&["call", "jitbit_get_stats"], &[&proxies[..], &own].concat()).await.0, Some(1));
    assert_eq!(proxy.asked(), Vec::<String>::new());
}

#[tokio::test]
async fn a_client_certificate_is_shown_to_the_vendor() {
    let folder = fresh_folder("network-mtls");
    let (company, clients) = (Authority::new(), Authority::new());
    let site = TlsSite::start(&company.server(&["localhost"]), Some(&clients), stats()).await;
    let own = clients.client();
    let stranger = Authority::new().client();
    let url = format!("https://localhost:{}", site.address.port());
    let known = written(&folder, "ca.pem", &company.pem);
    let certificate = written(&folder, "client.pem", &own.certificate);
    let key = written(&folder, "client.key", &own.key);
    let both = written(&folder, "both.pem", &format!("{}{}", own.certificate, own.key));
    let base = [("JITBIT_URL", url.as_str()), ("JITBIT_TOKEN", "t0ken"), ("JITBIT_CA_CERT_FILE", &known)];
    let call = ["call", "jitbit_get_stats"];
    let pair = [("JITBIT_CLIENT_CERT_FILE", certificate.as_str()), ("JITBIT_CLIENT_KEY_FILE", &key)];
    for shown in [
        &pair[..],
        &[("JITBIT_CLIENT_CERT_FILE", both.as_str())],
        &[("JITBIT_CLIENT_CERT", own.certificate.as_str()), ("JITBIT_CLIENT_KEY", &own.key)],
    ] {
        let (code, stdout, stderr) = run(&call, &[&base[..], shown].concat()).await;
        assert!(code == Some(0) && stdout.contains("4nswer-text"), "{stderr}");
    }
    let arrived = site.arrived().len();
    let other = [("JITBIT_CLIENT_CERT", stranger.certificate.as_str()), ("JITBIT_CLIENT_KEY", &stranger.key)];
    for shown in [&[][..], &other] {
        let (code, _, stderr) = run(&call, &[&base[..], shown].concat()).await;
        assert_eq!(code, Some(1), "{stderr}");
    }
    assert_eq!(site.arrived().len(), arrived, "nothing arrives without the certificate");
    // What doctor shows, and what is wrong with a configuration, without a secret.
    let (_, shown, _) = run(&["doctor", "--vendor", "jitbit"], &[&base[..], &pair].concat()).await;
    let line =
        "certification authorities from JITBIT_CA_CERT_FILE; client certificate from JITBIT_CLIENT_CERT_FILE and";
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words(&shown).contains(line), "{shown}");
    let secret = own.key.lines().nth(1).unwrap();
    for (variables, expected) in [
        (&pair[..1], "`JITBIT_CLIENT_CERT` is set and `JITBIT_CLIENT_KEY` is not"),
        (&pair[1..], "`JITBIT_CLIENT_KEY` is set and `JITBIT_CLIENT_CERT` is not"),
        (&[pair[0], ("JITBIT_CLIENT_KEY", "s3cret")], "`JITBIT_CLIENT_KEY` holds no private key"),
        (&[("JITBIT_CLIENT_CERT", own.key.as_str()), pair[1]], "`JITBIT_CLIENT_CERT` holds no certificate"),
        (&[pair[0], ("JITBIT_CLIENT_KEY_FILE", "s3cret-key")], "`JITBIT_CLIENT_KEY_FILE` names a file (not shown"),
        (&[("JITBIT_CA_CERT", "s3cret")], "`JITBIT_CA_CERT` holds no certificate"),
    ] {
        let (code, stdout, stderr) = run(&call, &[&base[..2], variables].concat()).await;
        assert!(code == Some(2) && stderr.contains(expected), "{expected}: {stderr}");
        assert!(!format!("{stdout}{stderr}").contains(secret) && !stderr.contains("s3cret"), "{stderr}");
    }
}

#[tokio::test]
async fn http_on_a_private_network_needs_the_flag_that_says_so() {
    let at = |url: &'static str| [("JITBIT_URL", url), ("JITBIT_TOKEN", "t0ken")];
    let plan = ["call", "jitbit_get_stats", "--dry-run"];
    let flagged = [&plan[..], &["--unencrypted-on-private-network"]].concat();
    for private in ["http://10.1.2.3", "http://helpdesk.company.test:8080"] {
        let (code, _, stderr) = run(&plan, &at(private)).await;
        assert!(code == Some(2) && stderr.contains("with `--unencrypted-on-private-network`"), "{stderr}");
        let (code, stdout, stderr) = run(&flagged, &at(private)).await;
        assert!(code == Some(0) && stdout.contains(private), "{stderr}");
    }
    let (code, _, stderr) = run(&flagged, &at("http://192.0.2.7")).await;
    assert!(code == Some(2) && stderr.contains("leads to a public address"), "{stderr}");
    for command in ["serve", "doctor"] {
        let (_, stdout, stderr) = run(&[command, "--unencrypted-on-private-network"], &at("http://192.0.2.7")).await;
        assert!(format!("{stdout}{stderr}").contains("leads to a public"), "{command}: {stdout}{stderr}");
    }
}

#[tokio::test]
async fn what_is_pasted_in_place_of_a_path_is_not_shown() {
    let base = [("JITBIT_URL", "https://helpdesk.company.test")];
    let (code, stdout, stderr) = run(
        &["call", "jitbit_get_stats"],
        &[&base[..], &[("JITBIT_TOKEN_FILE", "eyJhbGciOi.s3cret/t0ken.s1gn")]].concat(),
    )
    .await;
    assert_eq!(code, Some(2), "{stderr}");
    assert!(stderr.contains("`JITBIT_TOKEN_FILE` names a file (not shown"), "{stderr}");
    assert!(!format!("{stdout}{stderr}").contains("s3cret"), "{stderr}");
    let missing = format!("{}/missing.txt", env!("CARGO_TARGET_TMPDIR"));
    let (_, _, stderr) =
        run(&["call", "jitbit_get_stats"], &[&base[..], &[("JITBIT_TOKEN_FILE", missing.as_str())]].concat()).await;
    assert!(stderr.contains(&missing), "a path is shown: {stderr}");
}

/// What `serve` logs at the finest level while it calls a vendor.
async fn logged(site: &TlsSite, authority: &str, flags: &[&str]) -> String {
    let url = format!("https://localhost:{}", site.address.port());
    let variables = [
        ("JITBIT_URL", url.as_str()),
        ("JITBIT_TOKEN", "pl4nted-token"),
        ("JITBIT_CA_CERT", authority),
        ("RUST_LOG", "trace"),
    ];
    let arguments = [&["serve", "--methods", "all", "--tags", "all"], flags].concat();
    let before = site.arrived().len();
    let mut server = toolwright(&arguments, &variables)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let arguments = json!({"username": "pat", "email": "pl4nted@example.com", "password": "pl4nted-password"});
    let mut input = server.stdin.take().unwrap();
    input.write_all(call_lines("jitbit_create_user", &arguments).as_bytes()).await.unwrap();
    site.wait_for(before + 1).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    drop(input);
    let output = server.wait_with_output().await.unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains("4nswer-text"), "the call was answered");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test]
async fn the_log_shows_messages_only_where_a_flag_asks_for_them() {
    let company = Authority::new();
    let site = TlsSite::start(&company.server(&["localhost"]), None, stats()).await;
    let log = logged(&site, &company.pem, &[]).await;
    for planted in ["pl4nted", "4nswer", "planted-answer"] {
        assert!(!log.contains(planted), "{planted} in {log}");
    }
    for flags in [&["--log-messages"][..], &["--log-messages", "--log-format", "json"]] {
        let log = logged(&site, &company.pem, flags).await;
        assert!(log.contains("pl4nted-password") && log.contains("4nswer-text"), "{log}");
        assert!(!log.contains("pl4nted-token"), "our own credentials are never shown");
    }
}
