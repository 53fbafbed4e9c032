//! Rules for every tool that is compiled in, one test each.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;
use toolwright::call::arguments::{ArgumentFacts, ArgumentSchema};
use toolwright::catalog::Catalog;
use toolwright_model::workflow::ACROSS_VENDORS;
use toolwright_model::{Effect, HELD_BACK_TAGS, INCLUDE, MAX_TOOL_NAME, Risk, Tool, Verb, is_tool_name, kebab_case};

/// Runs a rule over every tool and reports all that break it.
#[track_caller]
fn every_tool(rule: impl Fn(&str, &Tool) -> Result<(), String>) {
    let catalog = Catalog::compiled();
    assert!(!catalog.entries().is_empty(), "no tool is compiled in");
    let broken: Vec<String> = catalog
        .entries()
        .iter()
        .filter_map(|entry| Some(format!("{}: {}", entry.tool.name, rule(&entry.vendor, &entry.tool).err()?)))
        .collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

fn require(holds: bool, otherwise: impl Into<String>) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise.into()) }
}

#[test]
fn names_are_portable_and_start_with_the_vendor() {
    every_tool(|vendor, tool| {
        require(is_tool_name(&tool.name) && tool.name.len() <= MAX_TOOL_NAME, "no tool name")?;
        let across = vendor == ACROSS_VENDORS;
        require(across || tool.name.starts_with(&format!("{vendor}_")), "does not start with the vendor")
    });
}

#[test]
fn names_and_aliases_lead_to_one_tool() {
    let catalog = Catalog::compiled();
    let mut owners: HashMap<&str, &str> = HashMap::new();
    for entry in catalog.entries() {
        for name in std::iter::once(&entry.tool.name).chain(&entry.tool.aliases) {
            assert_eq!(owners.insert(name, &entry.tool.name), None, "`{name}` is taken twice");
            assert_eq!(catalog.get(name).map(|found| &found.tool.name), Some(&entry.tool.name));
        }
    }
}

#[test]
fn every_effect_is_reviewed() {
    every_tool(|_, tool| require(tool.reviewed(), "its effect is not reviewed"));
}

#[test]
fn tools_that_notify_or_disrupt_are_no_reads() {
    every_tool(|_, tool| {
        let touches = tool.risks.contains(&Risk::Notifies) || tool.risks.contains(&Risk::Disruptive);
        require(!touches || tool.effect != Some(Effect::Read), "a read that notifies or disrupts")
    });
}

#[test]
fn annotations_follow_from_effect_and_verb() {
    every_tool(|_, tool| {
        let hints = tool.annotations;
        let read = tool.effect == Some(Effect::Read);
        require(hints.read_only_hint == read, "readOnlyHint")?;
        require(hints.open_world_hint, "openWorldHint")?;
        let additive = tool.effect == Some(Effect::Write) && tool.verb == Verb::Create;
        require(hints.destructive_hint != (read || additive), "destructiveHint")?;
        require(hints.idempotent_hint || !read, "a read can be repeated: idempotentHint")
    });
}

#[test]
fn descriptions_are_short_and_begin_with_a_short_clause() {
    every_tool(|_, tool| {
        let text = &tool.description;
        require((40..=600).contains(&text.chars().count()), format!("{} characters", text.chars().count()))?;
        let first = text.split(['.', ';', ':']).next().unwrap_or_default();
        require(first.chars().count() <= 80, format!("the first clause is longer than 80: `{first}`"))?;
        require(text.ends_with('.'), "no full stop")?;
        let marked = text.contains("http") || text.contains('`') || text.contains("**") || text.contains('<');
        require(!marked, "markup or an address in a description")
    });
}

#[test]
fn descriptions_begin_differently() {
    let catalog = Catalog::compiled();
    let mut heads: HashMap<String, &str> = HashMap::new();
    for entry in catalog.entries() {
        let head: String = entry.tool.description.chars().take(80).collect();
        let other = heads.insert(head, &entry.tool.name);
        assert_eq!(other, None, "{} opens with the same words", entry.tool.name);
    }
}

#[test]
fn tools_named_in_a_description_exist() {
    let catalog = Catalog::compiled();
    every_tool(|vendor, tool| {
        let prefix = format!("{vendor}_");
        let schema = tool.input_schema.get();
        let words = tool.description.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let words = words.chain(schema.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'));
        for name in words.filter(|word| word.starts_with(&prefix)) {
            require(catalog.get(name).is_some(), format!("names `{name}`, which is no tool"))?;
        }
        Ok(())
    });
}

#[test]
fn tags_are_kebab_case_and_core_tools_are_ready_to_use() {
    every_tool(|_, tool| {
        for tag in &tool.tags {
            require(kebab_case(tag) == *tag, format!("tag `{tag}`"))?;
        }
        let held = HELD_BACK_TAGS.iter().any(|tag| tool.tags.contains(*tag));
        require(!(tool.is_core() && held), "core and held back")?;
        require(!(tool.is_core() && tool.risks.iter().any(|risk| risk.is_gated())), "core and refused by default")
    });
    let catalog = Catalog::compiled();
    for vendor in catalog.vendors() {
        let core = catalog.entries().iter().filter(|e| e.vendor == vendor.id && e.tool.is_core()).count();
        assert!((1..=40).contains(&core), "{}: {core} core tools", vendor.id);
    }
}

#[test]
fn input_schemas_are_portable() {
    every_tool(|_, tool| {
        let schema = Value::Object(tool.parsed_input_schema());
        let faults = toolwright_model::portability_faults(&schema);
        if !faults.is_empty() {
            return Err(faults.join("; "));
        }
        ArgumentSchema::compile(schema.as_object().unwrap(), &ArgumentFacts::default())
            .map(drop)
            .map_err(|error| error.to_string())
    });
}

#[test]
fn arguments_are_described_and_constants_hidden() {
    const HIDDEN: [&str; 5] = ["x-org-id", "x-experimentalapi", "x-atlassian-token", "authorization", "date"];
    every_tool(|_, tool| {
        let schema = Value::Object(tool.parsed_input_schema());
        for (name, property) in schema["properties"].as_object().unwrap() {
            let text = property["description"].as_str().unwrap_or_default();
            require((5..=200).contains(&text.chars().count()), format!("`{name}` is described by `{text}`"))?;
            require(!HIDDEN.contains(&name.to_lowercase().as_str()), format!("`{name}` is not a model's to choose"))?;
            require(name != "id", "a bare `id` says nothing")?;
        }
        Ok(())
    });
}

#[test]
fn every_argument_has_a_place_and_every_place_an_argument() {
    every_tool(|_, tool| {
        if tool.workflow.is_some() {
            // The build checks where each of its inputs goes.
            return Ok(());
        }
        let schema = Value::Object(tool.parsed_input_schema());
        let arguments = schema["properties"].as_object().unwrap().keys();
        let arguments = arguments.filter(|name| !tool.is_own_argument(name));
        // What adds to another argument, or chooses the operation, is not sent.
        let adds = tool.calls.iter().flat_map(|call| &call.bindings).any(|binding| !binding.include.is_empty());
        let arguments = arguments.filter(|name| !(adds && *name == INCLUDE));
        let arguments: BTreeSet<&String> = arguments.filter(|name| !tool.chooses_by(name)).collect();
        for call in &tool.calls {
            let bound: BTreeSet<&String> = call.bindings.iter().map(|binding| &binding.argument).collect();
            require(bound == arguments, "bindings and schema name different arguments")?;
        }
        require(!tool.calls.is_empty(), "calls no operation")
    });
}

#[cfg(feature = "jitbit")]
mod jitbit {
    use serde_json::json;

    use super::*;

    fn tool(catalog: &Catalog, name: &str) -> Value {
        catalog.get(name).unwrap_or_else(|| panic!("no tool `{name}`")).details()
    }

    #[test]
    fn the_tools_of_jitbits_own_server_have_its_parameters() {
        let catalog = Catalog::compiled();
        let search = tool(&catalog, "jitbit_search_tickets");
        let properties = &search["inputSchema"]["properties"];
        assert_eq!(
            properties.as_object().unwrap().keys().collect::<Vec<_>>(),
            ["query", "limit", "detail", "fields", "jq", "cursor", "all"]
        );
        assert_eq!(properties["query"]["minLength"], 3);
        assert_eq!(search["inputSchema"]["required"], json!(["query"]));
        let list = tool(&catalog, "jitbit_list_tickets");
        let limits = |tool: &Value| {
            let limit = &tool["inputSchema"]["properties"]["limit"];
            [limit["minimum"].clone(), limit["maximum"].clone(), limit["default"].clone()]
        };
        for tool in [&search, &list] {
            assert_eq!(limits(tool), [json!(1), json!(100), json!(25)]);
        }
        let properties = &list["inputSchema"]["properties"];
        let names: Vec<&String> = properties.as_object().unwrap().keys().collect();
        assert_eq!(names, ["mode", "status", "limit", "offset", "detail", "fields", "jq", "cursor", "all"]);
        assert_eq!(properties["mode"]["enum"], json!(["all", "unanswered", "unclosed", "unassigned", "handledbyme"]));
        assert_eq!(properties["status"]["type"], "string", "an id or a name");
        assert_eq!(list["inputSchema"].get("required"), None);
        let get = tool(&catalog, "jitbit_get_ticket");
        let names: Vec<&String> = get["inputSchema"]["properties"].as_object().unwrap().keys().collect();
        assert_eq!(names, ["ticketId", "detail", "fields", "jq", "cursor"]);
        assert_eq!(get["inputSchema"]["required"], json!(["ticketId"]));
        assert!(get["description"].as_str().unwrap().contains("all comments"));
        for name in [
            "jitbit_create_ticket",
            "jitbit_update_ticket",
            "jitbit_close_ticket",
            "jitbit_add_comment",
            "jitbit_reply_to_customer",
            "jitbit_add_internal_note",
            "jitbit_list_comments",
            "jitbit_get_ticket_record",
        ] {
            tool(&catalog, name);
        }
    }

    #[test]
    fn operations_with_misleading_methods_have_their_reviewed_effect() {
        let catalog = Catalog::compiled();
        let by_path = |method: &str, path: &str| {
            let found: Vec<_> = catalog
                .entries()
                .iter()
                .filter(|e| e.tool.calls.iter().any(|call| call.method == method && call.path == path))
                .collect();
            assert!(!found.is_empty(), "{method} {path}");
            found
        };
        for entry in by_path("GET", "/api/Close") {
            assert_eq!(entry.tool.effect, Some(Effect::Write), "GET Close closes");
            assert!(entry.tool.risks.contains(&Risk::Notifies));
        }
        for (method, path) in [
            ("GET", "/api/DeleteFile"),
            ("POST", "/api/deleteTicket"),
            ("POST", "/api/MergeTickets"),
            ("POST", "/api/DeleteUser"),
        ] {
            for entry in by_path(method, path) {
                assert_eq!(entry.tool.effect, Some(Effect::Destructive), "{method} {path}");
                assert!(entry.tool.risks.contains(&Risk::Irreversible), "{method} {path}");
            }
        }
        for entry in by_path("POST", "/api/Authorization") {
            assert_eq!(entry.tool.effect, Some(Effect::Read), "POST Authorization only asks who calls");
        }
        for path in ["/api/comment", "/api/ticket", "/api/ForwardTicket"] {
            for entry in by_path("POST", path) {
                assert!(entry.tool.risks.contains(&Risk::Notifies), "POST {path} sends mail");
            }
        }
    }

    #[test]
    fn every_endpoint_has_a_tool_or_is_skipped_by_name() {
        let catalog = Catalog::compiled();
        let reached: BTreeSet<(&str, &str)> = catalog
            .entries()
            .iter()
            .filter(|entry| entry.vendor == "jitbit")
            .flat_map(|entry| entry.tool.calls.iter().map(|call| (call.method.as_str(), call.path.as_str())))
            .collect();
        assert_eq!(reached.len(), 70);
        let unverified: BTreeSet<&str> = catalog
            .entries()
            .iter()
            .filter(|entry| entry.vendor == "jitbit" && entry.tool.tags.contains("unverified"))
            .filter_map(|entry| Some(entry.tool.calls.first()?.path.as_str()))
            .collect();
        assert_eq!(unverified.len(), 8, "{unverified:?}");
        let report = std::fs::read_to_string("generated/jitbit/report.md").unwrap();
        let skipped = report.split("## Skipped").nth(1).unwrap();
        for path in ["/api/AddCategoryTechPermission", "/api/RemoveCategoryTechPermission"] {
            assert!(skipped.contains(path), "{path} is not named as left out");
        }
    }
}

/// Under the vendors' names for them, every tool is there, is called by either name, and no text has the other one.
#[test]
fn official_names_lead_to_the_same_tools() {
    let (ours, official) = (Catalog::compiled(), Catalog::under_official_names());
    assert_eq!(ours.entries().len(), official.entries().len());
    let mut renamed: Vec<&str> = Vec::new();
    for entry in ours.entries() {
        let found = official.get(&entry.tool.name).unwrap();
        assert_eq!(found.tool.calls.len(), entry.tool.calls.len(), "{}", entry.tool.name);
        for name in [&entry.tool.name].into_iter().chain(&entry.tool.aliases) {
            assert_eq!(official.get(name).map(|it| &it.tool.name), Some(&found.tool.name), "{name}");
        }
        if found.tool.name != entry.tool.name {
            assert!(entry.tool.aliases.contains(&found.tool.name), "{}", found.tool.name);
            renamed.push(&entry.tool.name);
        }
    }
    for entry in official.entries() {
        let text = format!("{} {}", entry.tool.description, entry.tool.input_schema.get());
        let words: BTreeSet<&str> = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
        let left: Vec<&&str> = renamed.iter().filter(|name| words.contains(**name)).collect();
        assert!(left.is_empty(), "{}: {left:?}", entry.tool.name);
        let steps = entry.tool.workflow.iter().flat_map(|workflow| workflow.tools());
        assert!(steps.into_iter().all(|step| official.get(step).is_some_and(|it| it.tool.name == step)));
    }
    #[cfg(feature = "jsm")]
    {
        // The six of the document about JSM.
        let long: Vec<&str> = official
            .entries()
            .iter()
            .map(|entry| entry.tool.name.as_str())
            .filter(|name| name.contains("_jira_service_management_"))
            .collect();
        assert_eq!(long.len(), 6, "{long:?}");
    }
}
