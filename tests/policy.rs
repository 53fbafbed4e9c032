//! What the selection offers and what it holds back, whichever way in.

use rmcp::ServiceExt as _;
use rmcp::model::CallToolRequestParams;
use serde_json::{Value, json};
use toolwright::call::Failure;
use toolwright::catalog::{Catalog, CatalogEntry};
use toolwright::error::Audience;
use toolwright::policy::{Defaults, Selection, SelectionWords};
use toolwright_model::{Effect, HELD_BACK_TAGS, Risk};

use crate::common::{call, everything, nothing, sandbox, toolbox};

fn words(pairs: &[(&str, &str)]) -> SelectionWords {
    let mut words = SelectionWords::default();
    for (flag, values) in pairs {
        let list = match *flag {
            "vendor" => &mut words.vendors,
            "methods" => &mut words.methods,
            "tags" => &mut words.tags,
            "tools" => &mut words.tools,
            "exclude" => &mut words.exclude,
            "allow" => &mut words.allow,
            other => panic!("no flag `{other}`"),
        };
        list.extend(values.split(',').map(str::to_owned));
    }
    words
}

fn selected(pairs: &[(&str, &str)], defaults: Defaults) -> Vec<String> {
    let catalog = Catalog::compiled();
    let selection = Selection::resolve(&words(pairs), defaults, &catalog).unwrap();
    let offered = catalog.entries().iter().filter(|entry| selection.decide(entry).is_ok());
    offered.map(|entry| entry.tool.name.clone()).collect()
}

fn refused(pairs: &[(&str, &str)]) -> String {
    Selection::resolve(&words(pairs), Defaults::CoreReads, &Catalog::compiled()).unwrap_err().to_string()
}

fn all(test: impl Fn(&CatalogEntry) -> bool) -> Vec<String> {
    Catalog::compiled().entries().iter().filter(|e| test(e)).map(|e| e.tool.name.clone()).collect()
}

fn is_held(entry: &CatalogEntry) -> bool {
    HELD_BACK_TAGS.iter().any(|tag| entry.tool.tags.contains(*tag))
}

fn is_gated(entry: &CatalogEntry) -> bool {
    entry.tool.risks.iter().any(|risk| risk.is_gated())
}

#[test]
fn serve_offers_core_reads() {
    let expected = all(|e| e.tool.is_core() && e.tool.effect == Some(Effect::Read));
    assert_eq!(selected(&[], Defaults::CoreReads), expected);
    assert!(!expected.is_empty());
}

#[test]
fn call_offers_every_read_that_no_tag_or_risk_holds_back() {
    let expected = all(|e| e.tool.effect == Some(Effect::Read) && !is_held(e) && !is_gated(e));
    assert_eq!(selected(&[], Defaults::Reads), expected);
}

#[test]
fn catalog_lists_every_tool() {
    assert_eq!(selected(&[], Defaults::Everything), all(|_| true));
}

#[test]
fn methods_are_effects_or_verbs() {
    let by_effect = selected(&[("methods", "write")], Defaults::Reads);
    assert_eq!(by_effect, all(|e| e.tool.effect == Some(Effect::Write) && !is_held(e) && !is_gated(e)));
    let by_verb = selected(&[("methods", "search")], Defaults::Reads);
    assert_eq!(by_verb, all(|e| e.tool.verb.as_str() == "search" && !is_held(e) && !is_gated(e)));
    let all_methods = selected(&[("methods", "all")], Defaults::Reads);
    assert_eq!(all_methods, all(|e| !is_held(e) && !is_gated(e)));
}

#[test]
fn tags_replace_core_and_open_what_they_hold_back() {
    let tagged = selected(&[("tags", "comments")], Defaults::CoreReads);
    assert!(tagged.contains(&"jitbit_list_comments".to_owned()));
    assert!(!tagged.contains(&"jitbit_list_tickets".to_owned()));
    let unverified = selected(&[("tags", "unverified")], Defaults::CoreReads);
    assert_eq!(unverified, all(|e| e.tool.tags.contains("unverified") && e.tool.effect == Some(Effect::Read)));
    let any = selected(&[("tags", "all")], Defaults::CoreReads);
    assert_eq!(any, all(|e| e.tool.effect == Some(Effect::Read) && !is_gated(e)));
}

#[test]
fn a_name_does_not_open_what_a_tag_holds_back() {
    assert!(selected(&[("tools", "jitbit_list_sections")], Defaults::CoreReads).is_empty());
    assert!(selected(&[("tools", "jitbit_delete_*"), ("methods", "all")], Defaults::CoreReads).is_empty());
}

#[test]
fn tools_replace_core_and_exclude_wins() {
    let names = selected(&[("tools", "jitbit_list_*"), ("exclude", "*_users,*tickets")], Defaults::CoreReads);
    assert!(names.contains(&"jitbit_list_comments".to_owned()));
    assert!(names.iter().all(|name| !name.ends_with("_users") && !name.ends_with("tickets")), "{names:?}");
}

#[test]
fn gated_risks_open_only_by_their_own_name() {
    for risk in Risk::GATED {
        let with = all(|e| e.tool.risks.contains(&risk));
        let open: Vec<&str> = Risk::GATED.iter().filter(|other| **other != risk).map(|other| other.as_str()).collect();
        let offered = selected(&[("methods", "all"), ("tags", "all"), ("allow", &open.join(","))], Defaults::CoreReads);
        for name in with {
            assert!(!offered.contains(&name), "{name} was opened without `--allow {risk}`");
        }
    }
    let names = selected(&[("methods", "all"), ("allow", "irreversible")], Defaults::Reads);
    assert!(names.contains(&"jitbit_merge_tickets".to_owned()));
}

/// As a document about JSM has it: the tags of a server, and that it only reads.
#[test]
fn readonly_among_the_tags_keeps_only_what_reads() {
    let reads = |name: &String| Catalog::compiled().get(name).unwrap().tool.effect == Some(Effect::Read);
    let both = selected(&[("methods", "all"), ("tags", "tickets")], Defaults::CoreReads);
    let some = selected(&[("methods", "all"), ("tags", "tickets,readonly")], Defaults::CoreReads);
    assert!(some.iter().all(reads) && both.iter().filter(|name| reads(name)).eq(&some), "{some:?}");
    assert!(some.contains(&"jitbit_get_ticket".to_owned()) && !both.iter().all(reads));
    let alone = selected(&[("methods", "all"), ("tags", "readonly")], Defaults::CoreReads);
    assert!(alone.iter().all(reads) && alone.contains(&"jitbit_list_companies".to_owned()), "{alone:?}");
    assert!(!alone.contains(&"jitbit_list_tags".to_owned()), "what is held back by a tag stays so");
}

#[test]
fn unknown_words_are_errors() {
    for (flag, value, expected) in [
        ("vendor", "jitbt", "unknown vendor `jitbt`\nhint: did you mean `jitbit`?"),
        ("methods", "reed", "unknown method `reed`\nhint: did you mean `read`?"),
        ("methods", "GET", "`GET` is an HTTP method"),
        ("tags", "cor", "unknown tag `cor`\nhint: did you mean `core`?"),
        (
            "allow",
            "everything",
            "unknown risk `everything`\nhint: there are reveals_secret, weakens_security, irreversible, runs_code",
        ),
        ("allow", "irreversibel", "unknown risk `irreversibel`\nhint: did you mean `irreversible`?"),
        ("tags", "read-only", "unknown tag `read-only`\nhint: did you mean `readonly`?"),
        ("tools", "jitbit_serch_tickets", "`--tools jitbit_serch_tickets` matches no tool\nhint: did you mean"),
        ("exclude", "nothing_*", "`--exclude nothing_*` matches no tool"),
        ("tools", "[", "is no glob"),
    ] {
        let message = refused(&[(flag, value)]);
        assert!(message.contains(expected), "{flag} {value}: {message}");
    }
}

#[test]
fn a_refusal_names_every_flag_that_is_needed() {
    let catalog = Catalog::compiled();
    let selection = Selection::resolve(&SelectionWords::default(), Defaults::Reads, &catalog).unwrap();
    let refusal = selection.decide(catalog.get("jitbit_delete_ticket").unwrap()).unwrap_err();
    assert_eq!(refusal.flags, ["--methods destructive", "--tags unverified", "--allow irreversible"]);
    let typed = words(&[("methods", "destructive"), ("tags", "unverified"), ("allow", "irreversible")]);
    let opened = Selection::resolve(&typed, Defaults::Reads, &catalog).unwrap();
    assert_eq!(opened.decide(catalog.get("jitbit_delete_ticket").unwrap()), Ok(()));
}

#[test]
fn a_refusal_is_written_for_its_reader() {
    let catalog = Catalog::compiled();
    for (pairs, person, model) in [
        (
            &[("tags", "comments"), ("vendor", "jitbit")][..],
            "its effect is `write`; it has none of the tags `comments`\nhint: `--methods read,write --tags comments,",
            "its effect is `write`; it has none of the tags `comments`\nhint: ",
        ),
        (
            &[("tools", "jitbit_get_ticket")],
            "matches none of `--tools`",
            "not among the tools that were selected by name",
        ),
        (
            &[("exclude", "jitbit_close_*")],
            "by `--exclude`, which wins over every other flag",
            "it is excluded by name\n",
        ),
    ] {
        let selection = Selection::resolve(&words(pairs), Defaults::CoreReads, &catalog).unwrap();
        let refusal = selection.decide(catalog.get("jitbit_close_ticket").unwrap()).unwrap_err();
        let text = refusal.text(Audience::Person);
        assert!(text.contains(person), "{pairs:?}: {text}");
        let text = refusal.text(Audience::Model);
        assert!(text.contains(model) && text.contains("ask the administrator"), "{pairs:?}: {text}");
        assert!(!text.contains("--"), "{pairs:?}: {text}");
    }
}

/// Every tool that changes something, by every name it has.
fn changing() -> Vec<String> {
    Catalog::compiled()
        .entries()
        .iter()
        .filter(|entry| entry.tool.effect != Some(Effect::Read) || is_gated(entry))
        .flat_map(|entry| std::iter::once(entry.tool.name.clone()).chain(entry.tool.aliases.clone()))
        .collect()
}

#[tokio::test]
async fn by_default_the_toolbox_changes_nothing() {
    let sandbox = sandbox(None).await;
    for defaults in [Defaults::Reads, Defaults::CoreReads] {
        let toolbox = toolbox(&sandbox, &SelectionWords::default(), defaults);
        for name in changing() {
            let failure = call(&toolbox, &name, nothing()).await.unwrap_err();
            assert!(matches!(failure, Failure::Refused { .. }), "{name}: {failure}");
        }
    }
    assert!(sandbox.record().is_empty());
}

#[tokio::test]
async fn by_default_the_server_changes_nothing() {
    let sandbox = sandbox(None).await;
    let toolbox = toolbox(&sandbox, &SelectionWords::default(), Defaults::CoreReads);
    let (client_side, server_side) = tokio::io::duplex(1 << 20);
    let server = tokio::spawn(async move {
        Box::pin(toolwright::server::Server::new(toolbox).serve(server_side)).await.unwrap().waiting().await
    });
    let client = ().serve(client_side).await.unwrap();
    let listed: Vec<String> = client.list_all_tools().await.unwrap().into_iter().map(|t| t.name.into_owned()).collect();
    for name in changing() {
        assert!(!listed.contains(&name), "{name} is listed");
        let result = client.call_tool(CallToolRequestParams::new(name.clone())).await.unwrap();
        assert_eq!(result.is_error, Some(true), "{name}");
    }
    assert!(sandbox.record().is_empty());
    client.cancel().await.unwrap();
    server.await.unwrap().unwrap();
}

#[tokio::test]
async fn tools_opened_by_flags_can_be_called() {
    let sandbox = sandbox(None).await;
    let toolbox = toolbox(&sandbox, &everything(), Defaults::Reads);
    let arguments: Value = json!({"ticketId": 31877, "suppressNotification": true});
    call(&toolbox, "jitbit_close_ticket", arguments).await.unwrap();
    let recorded = sandbox.record();
    assert_eq!(recorded[0].method, "GET");
    assert_eq!(recorded[0].path, "/api/Close");
}
