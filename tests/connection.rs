//! Environment variables → a vendor's connection: address, credentials, settings, and the errors
//! where they conflict.

use serde_json::json;
use toolwright::config::setup_options;
use toolwright_model::Vendor;

use crate::common::acme::{Site, call, resolved, toolbox, vendor};

const CLOUD: &str = "11111111-2222-4333-8444-555555555555";

/// A site of one's own, or the vendor's gateway.
fn desk() -> Vendor {
    vendor(
        r#"
        [[addresses]]
        name = "gateway"
        variable = "DESK_CLOUD_ID"
        holds = "uuid"
        example = "22222222-2222-4333-8444-555555555555"
        hint = "https://yourcompany.example.com/cloud shows it"
        root = "https://api.example.com/ex/{DESK_CLOUD_ID}"

        [[addresses]]
        name = "site"
        variable = "DESK_URL"
        example = "https://yourcompany.example.com"
        strip = ["/rest"]
        pages = ["/browse/*", "/wiki"]

        [[credentials]]
        kind = "basic"
        user = "DESK_EMAIL"
        password = "DESK_API_TOKEN"

        [[credentials]]
        kind = "bearer"
        token = "DESK_ACCESS_TOKEN"
        at = ["gateway"]

        [[credentials]]
        kind = "oauth-refresh"
        client_id = "DESK_CLIENT_ID"
        client_secret = "DESK_CLIENT_SECRET"
        refresh_token_file = "DESK_REFRESH_TOKEN_FILE"
        endpoint = "https://login.example.com/token"
        at = ["gateway"]

        [[refusals]]
        status = 401
        at = ["site"]
        kinds = ["basic"]
        say = "A scoped token works with DESK_CLOUD_ID only."

        [[refusals]]
        status = 404
        apis = ["b"]
        say = "B is not for everybody."

        [[refusals]]
        status = 404
        at = ["gateway"]
        text = "no cloud"
        say = "DESK_CLOUD_ID is none of yours."
        "#,
    )
}

/// A directory in several regions, with two APIs at addresses of their own.
fn directory() -> Vendor {
    vendor(
        r#"
        [[addresses]]
        name = "custom"
        variable = "DIR_URL"
        example = "https://console.example.com"
        strip = ["/api"]
        also = [{ variable = "DIR_EVENTS_URL", example = "https://events.example.com" }]
        words = { login = "login.example.com" }
        roots = { a = "{DIR_URL}/api", b = "{DIR_EVENTS_URL}/v1" }

        [[addresses]]
        name = "region"
        variable = "DIR_REGION"
        example = "eu"
        default = "us"
        roots = { a = "https://{console}/api", b = "https://{events}/v1" }
        [addresses.values]
        us = { console = "console.example.com", events = "events.example.com", login = "login.example.com" }
        eu = { console = "console.eu.example.com", events = "events.eu.example.com", login = "login.eu.example.com" }

        [[credentials]]
        kind = "header"
        header = "x-api-key"
        value = "DIR_API_KEY"
        further = { "x-app-key" = "DIR_APP_KEY" }

        [[credentials]]
        kind = "oauth-client"
        client_id = "DIR_CLIENT_ID"
        client_secret = "DIR_CLIENT_SECRET"
        endpoint = "https://{login}/oauth2/token"
        scope = "api"

        [[settings]]
        title = "organization"
        header = "x-org-id"
        variable = "DIR_ORG_ID"
        allowed = "DIR_ORG_IDS"
        query = "organizationID"
        "#,
    )
}

#[test]
fn variables_set_the_address_and_the_credentials() {
    let basic = [("DESK_EMAIL", "pat@example.com"), ("DESK_API_TOKEN", "t0ken")];
    let bearer = [("DESK_ACCESS_TOKEN", "t0ken")];
    let refresh =
        [("DESK_CLIENT_ID", "c"), ("DESK_CLIENT_SECRET", "t0ken"), ("DESK_REFRESH_TOKEN_FILE", "/no/such/file")];
    let site = [("DESK_URL", "https://acme.example.com/rest/")];
    let cloud = [("DESK_CLOUD_ID", CLOUD)];
    for (variables, root, source) in [
        (
            [&site[..], &basic].concat(),
            "https://acme.example.com/",
            "user and password from DESK_EMAIL and DESK_API_TOKEN",
        ),
        ([&cloud[..], &basic].concat(), "https://api.example.com/ex/CLOUD/", "user and password from"),
        ([&cloud[..], &bearer].concat(), "https://api.example.com/ex/CLOUD/", "bearer token from DESK_ACCESS_TOKEN"),
        (
            [&cloud[..], &refresh].concat(),
            "https://api.example.com/ex/CLOUD/",
            "OAuth refresh token from DESK_CLIENT_ID",
        ),
        // Both addresses are set: the first at which the credentials work.
        ([&site[..], &cloud, &bearer].concat(), "https://api.example.com/ex/CLOUD/", "bearer"),
        ([&site[..], &cloud, &basic].concat(), "https://api.example.com/ex/CLOUD/", "user and password"),
        // Of several credentials, the first that are complete.
        ([&cloud[..], &refresh, &basic].concat(), "https://api.example.com/ex/CLOUD/", "user and password"),
        ([&cloud[..], &refresh, &basic[..1]].concat(), "https://api.example.com/ex/CLOUD/", "OAuth refresh token"),
    ] {
        let connection = resolved(&desk(), &variables).unwrap().unwrap();
        assert_eq!(connection.base.as_str(), root.replace("CLOUD", CLOUD), "{variables:?}");
        assert!(connection.credentials_source.starts_with(source), "{variables:?}: {}", connection.credentials_source);
        assert!(!format!("{connection:?}").contains("t0ken"), "{connection:?}");
    }
    assert!(resolved(&desk(), &[]).unwrap().is_none());
}

#[test]
fn conflicting_settings_are_explained() {
    for (variables, expected) in [
        (
            &[("DESK_URL", "https://acme.example.com"), ("DESK_ACCESS_TOKEN", "t0ken")][..],
            "`DESK_ACCESS_TOKEN` does not work at the address in `DESK_URL`\nhint: set `DESK_CLOUD_ID`, for example `22222222-2222-4333-8444-555555555555`; https://yourcompany.example.com/cloud shows it",
        ),
        (&[("DESK_CLOUD_ID", "acme"), ("DESK_ACCESS_TOKEN", "t0ken")], "`DESK_CLOUD_ID` is no UUID\nhint: for example"),
        (&[("DESK_CLOUD_ID", "11111111-2222-4333-8444-55555555555/"), ("DESK_ACCESS_TOKEN", "t0ken")], "is no UUID"),
        (&[("DESK_EMAIL", "pat@example.com"), ("DESK_API_TOKEN", "t0ken")], "`DESK_CLOUD_ID` or `DESK_URL` is not set"),
        (&[("DESK_ACCESS_TOKEN", "t0ken")], "`DESK_CLOUD_ID` is not set"),
        (&[("DESK_URL", "https://acme.example.com")], "`DESK_URL` is set, and no credentials are"),
        (&[("DESK_URL", "https://acme.example.com"), ("DESK_EMAIL", "pat@example.com")], "`DESK_API_TOKEN` is not set"),
        (
            &[
                ("DESK_CLOUD_ID", CLOUD),
                ("DESK_CLIENT_ID", "c"),
                ("DESK_CLIENT_SECRET", "t0ken"),
                ("DESK_REFRESH_TOKEN", "t0ken"),
            ],
            "`DESK_REFRESH_TOKEN` holds a refresh token, which is replaced each time it is used\nhint: put it into a file",
        ),
        (
            &[("DESK_CLOUD_ID", CLOUD), ("DESK_CLIENT_ID", "c")],
            "`DESK_CLIENT_SECRET`, `DESK_REFRESH_TOKEN_FILE` is not set",
        ),
    ] {
        let error = resolved(&desk(), variables).unwrap_err().to_string();
        assert!(error.contains(expected), "{variables:?}: {error}");
        assert!(!error.contains("t0ken"), "{error}");
    }
}

#[test]
fn what_is_pasted_along_with_a_credential_is_noticed_in_every_kind() {
    let desk_cloud = ("DESK_CLOUD_ID", CLOUD);
    for (vendor, variables, found) in [
        (desk(), [desk_cloud, ("DESK_ACCESS_TOKEN", "Bearer t0ken")].as_slice(), "`DESK_ACCESS_TOKEN` holds `Bearer`"),
        (desk(), &[desk_cloud, ("DESK_ACCESS_TOKEN", "authorization: bearer t0ken")], "holds `Authorization:` before"),
        (
            desk(),
            &[desk_cloud, ("DESK_EMAIL", "pat@example.com"), ("DESK_API_TOKEN", "BASIC t0ken")],
            "`DESK_API_TOKEN` holds `Basic`",
        ),
        (
            desk(),
            &[
                desk_cloud,
                ("DESK_CLIENT_ID", "c"),
                ("DESK_CLIENT_SECRET", "Bearer  t0ken"),
                ("DESK_REFRESH_TOKEN_FILE", "/no/such/file"),
            ],
            "`DESK_CLIENT_SECRET` holds `Bearer`",
        ),
        (directory(), &[("DIR_API_KEY", "x-api-key: t0ken"), ("DIR_APP_KEY", "k")], "`DIR_API_KEY` holds `x-api-key:`"),
        (directory(), &[("DIR_API_KEY", "k"), ("DIR_APP_KEY", "token t0ken")], "`DIR_APP_KEY` holds `Token`"),
        (
            directory(),
            &[("DIR_CLIENT_ID", "c"), ("DIR_CLIENT_SECRET", "bearer t0ken")],
            "`DIR_CLIENT_SECRET` holds `Bearer`",
        ),
    ] {
        let error = resolved(&vendor, variables).unwrap_err().to_string();
        assert!(error.contains(found) && error.contains("hint: give the value alone"), "{variables:?}: {error}");
        assert!(!error.contains("t0ken"), "{error}");
    }
    // A pass phrase and the name of a person may begin with such a word.
    for (user, password) in [("token smith", "basic training for all"), ("DOMAIN\\pat", "a: b")] {
        let variables = [("DESK_URL", "https://acme.example.com"), ("DESK_EMAIL", user), ("DESK_API_TOKEN", password)];
        assert!(resolved(&desk(), &variables).unwrap().is_some(), "{user}");
    }
}

#[test]
fn the_address_of_a_page_is_refused_with_the_root() {
    let basic = [("DESK_EMAIL", "pat@example.com"), ("DESK_API_TOKEN", "t0ken")];
    let with = |address: &str| {
        let connection = resolved(&desk(), &[&[("DESK_URL", address)][..], &basic].concat());
        connection.map(|connection| connection.unwrap().base.to_string()).map_err(|error| error.to_string())
    };
    for (address, page, root) in [
        ("https://acme.example.com/browse/ITS-1?focus=1", "/browse/ITS-1", "https://acme.example.com"),
        ("https://acme.example.com:8443/desk/Wiki/home", "/Wiki/home", "https://acme.example.com:8443/desk"),
    ] {
        let error = with(address).unwrap_err();
        let expected = format!("`DESK_URL` holds the address of a page, `{page}`\nhint: the root is needed: `{root}`");
        assert_eq!(error, expected, "{address}");
    }
    assert_eq!(with("https://acme.example.com/desk/rest").as_deref(), Ok("https://acme.example.com/desk/"));
    assert_eq!(with("https://acme.example.com/#/browse/1").as_deref(), Ok("https://acme.example.com/"));
}

#[test]
fn the_variable_that_gave_a_value_is_named() {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("desk-token.txt");
    std::fs::write(&path, "t0ken\n").unwrap();
    let file = path.to_string_lossy();
    let variables = [("DESK_CLOUD_ID", CLOUD), ("DESK_ACCESS_TOKEN_FILE", &*file)];
    let connection = resolved(&desk(), &variables).unwrap().unwrap();
    assert_eq!(connection.credentials_source, "bearer token from DESK_ACCESS_TOKEN_FILE");
    std::fs::write(&path, "Bearer t0ken\n").unwrap();
    let error = resolved(&desk(), &variables).unwrap_err().to_string();
    assert!(error.contains("`DESK_ACCESS_TOKEN_FILE` holds `Bearer`") && !error.contains("t0ken"), "{error}");
}

#[test]
fn an_error_lists_the_variables_to_set() {
    assert_eq!(
        setup_options(&desk()),
        "`DESK_CLOUD_ID` or `DESK_URL` with `DESK_EMAIL` and `DESK_API_TOKEN`; or `DESK_CLOUD_ID` with `DESK_ACCESS_TOKEN`; \
         or `DESK_CLOUD_ID` with `DESK_CLIENT_ID` and `DESK_CLIENT_SECRET` and `DESK_REFRESH_TOKEN_FILE`"
    );
    // A region need not be set.
    assert_eq!(
        setup_options(&directory()),
        "`DIR_API_KEY` and `DIR_APP_KEY`; or `DIR_CLIENT_ID` and `DIR_CLIENT_SECRET`"
    );
}

#[test]
fn a_region_chooses_the_address_of_every_api() {
    let key = [("DIR_API_KEY", "k3y"), ("DIR_APP_KEY", "k3y")];
    for (variables, a, b, place) in [
        (&[][..], "https://console.example.com/api/", "https://events.example.com/v1/", "DIR_REGION, which is not set"),
        (
            &[("DIR_REGION", "EU")],
            "https://console.eu.example.com/api/",
            "https://events.eu.example.com/v1/",
            "DIR_REGION",
        ),
        (
            &[
                ("DIR_URL", "https://dir.example.org/api"),
                ("DIR_EVENTS_URL", "https://ev.example.org"),
                ("DIR_REGION", "eu"),
            ],
            "https://dir.example.org/api/",
            "https://ev.example.org/v1/",
            "DIR_URL and DIR_EVENTS_URL",
        ),
    ] {
        let connection = resolved(&directory(), &[&key[..], variables].concat()).unwrap().unwrap();
        assert_eq!((connection.root("acme-a").as_str(), connection.root("acme-b").as_str()), (a, b));
        assert_eq!(connection.address_source, place);
    }
    for (variables, expected) in [
        (&[("DIR_REGION", "mars")][..], "`DIR_REGION` is none of `eu`, `us`"),
        (
            &[("DIR_URL", "https://dir.example.org")],
            "`DIR_EVENTS_URL` is not set\nhint: for example `https://events.example.com`",
        ),
        (
            &[("DIR_URL", "http://dir.example.org"), ("DIR_EVENTS_URL", "https://ev.example.org")],
            "`DIR_URL` is not encrypted",
        ),
        (
            &[("DIR_URL", "https://dir.example.org"), ("DIR_EVENTS_URL", "https://u:p@ev.example.org")],
            "`DIR_EVENTS_URL` holds credentials",
        ),
    ] {
        let error = resolved(&directory(), &[&key[..], variables].concat()).unwrap_err().to_string();
        assert!(error.contains(expected), "{variables:?}: {error}");
    }
    assert!(resolved(&directory(), &[("DIR_REGION", "eu")]).is_err(), "a region alone is half a configuration");
    assert!(resolved(&directory(), &[]).unwrap().is_none(), "a default alone is none");
}

#[test]
fn no_variable_changes_the_token_endpoint() {
    // Neither an address nor a region that a variable names leads a client's secret elsewhere.
    let variables = [
        ("DIR_CLIENT_ID", "c"),
        ("DIR_CLIENT_SECRET", "s3cret"),
        ("DIR_URL", "https://evil.example.org"),
        ("DIR_EVENTS_URL", "https://evil.example.org"),
        ("login", "evil.example.org"),
    ];
    let connection = resolved(&directory(), &variables).unwrap().unwrap();
    assert_eq!(connection.credentials_source, "OAuth service account from DIR_CLIENT_ID and DIR_CLIENT_SECRET");
    assert!(format!("{connection:?}").contains("Credentials(authorization: ***)"), "{connection:?}");
}

#[tokio::test]
async fn each_api_has_its_address_and_every_request_the_headers() {
    let site = Site::start("").await;
    let root = format!("http://{}", site.address);
    let (console, events) = (format!("{root}/console"), format!("{root}/events"));
    let variables = [
        ("DIR_API_KEY", "k"),
        ("DIR_APP_KEY", "a"),
        ("DIR_URL", &console),
        ("DIR_EVENTS_URL", &events),
        ("DIR_ORG_ID", "org-1"),
    ];
    let toolbox = toolbox(directory(), &variables);
    assert_eq!(call(&toolbox, "acme_get_a").await, Ok(json!({"path": "/console/api/who", "organization": "org-1"})));
    assert_eq!(call(&toolbox, "acme_get_b").await, Ok(json!({"path": "/events/v1/who", "organization": "org-1"})));
}

#[tokio::test]
async fn vendor_toml_explains_a_refused_credential() {
    let site = Site::start("").await;
    site.set(|state| state.refusals = 1);
    let root = format!("http://{}", site.address);
    let variables = [("DESK_URL", root.as_str()), ("DESK_EMAIL", "pat"), ("DESK_API_TOKEN", "t")];
    let error = call(&toolbox(desk(), &variables), "acme_get_a").await.unwrap_err();
    assert!(error.contains("A scoped token works with DESK_CLOUD_ID only."), "{error}");
    let cloud = resolved(&desk(), &[("DESK_CLOUD_ID", CLOUD), ("DESK_ACCESS_TOKEN", "t")]).unwrap().unwrap();
    assert_eq!(cloud.explain("acme-a", 401, ""), None, "that holds at the site only");
    assert_eq!(cloud.explain("acme-a", 404, "There is No Cloud here"), Some("DESK_CLOUD_ID is none of yours."));
    assert_eq!(cloud.explain("acme-a", 404, "no such ticket"), None);
    // What is about one API holds for it alone.
    assert_eq!(cloud.explain("acme-b", 404, "There is no cloud here"), Some("B is not for everybody."));
}

#[tokio::test]
async fn rate_limits_are_shared_by_the_apis_of_a_vendor() {
    let site = Site::start("").await;
    let root = format!("http://{}", site.address);
    let mut vendor = desk();
    vendor.limits.requests_per_minute = Some(1);
    let variables = [("DESK_URL", root.as_str()), ("DESK_EMAIL", "pat"), ("DESK_API_TOKEN", "t")];
    let toolbox = toolbox(vendor, &variables);
    assert!(call(&toolbox, "acme_get_a").await.is_ok());
    let error = call(&toolbox, "acme_get_b").await.unwrap_err();
    assert!(error.starts_with("not sent:") && error.contains("retry_after_seconds"), "{error}");
}
