//! Names: how the vendor's spelling becomes a tool name, a tag or a Rust identifier. The only
//! place where names are made.

/// The longest tool name: leaves room for the `mcp__server__` prefixes that clients add before
/// a limit of 64 characters.
pub const MAX_TOOL_NAME: usize = 48;

/// The tag of the tools that an assistant needs every day; `serve` offers these by default.
pub const CORE_TAG: &str = "core";
/// The word that opens every tag in a selection.
pub const ALL_TAGS: &str = "all";
/// Held back because the operation's effect is not stated.
pub const UNREVIEWED_TAG: &str = "unreviewed";
/// Held back because the endpoint was seen in a single client only.
pub const UNVERIFIED_TAG: &str = "unverified";
/// A tool with one of these tags is offered only when the tag is selected by name.
pub const HELD_BACK_TAGS: [&str; 4] = ["experimental", "undocumented", UNVERIFIED_TAG, UNREVIEWED_TAG];

/// Returns whether `name` can be a tool name: `[a-z0-9_]`, starting with a letter, at most
/// [`MAX_TOOL_NAME`] characters.
pub fn is_tool_name(name: &str) -> bool {
    name.len() <= MAX_TOOL_NAME
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// The name of an API's file without the ending, from its id and its vendor's.
pub fn api_stem<'a>(api: &'a str, vendor: &str) -> &'a str {
    api.strip_prefix(vendor).and_then(|rest| rest.strip_prefix('-')).unwrap_or("api")
}

/// An API's id, from the name of its file without the ending and its vendor's.
pub fn api_id(stem: &str, vendor: &str) -> String {
    if stem == "api" { vendor.to_owned() } else { format!("{vendor}-{stem}") }
}

/// Splits an identifier of any convention into lower-case words: `listTickets`, `HTTPServer2`,
/// `command.trigger` and `x-org-id` all come apart where a reader would part them.
fn words(text: &str) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    for (index, &c) in characters.iter().enumerate() {
        if !c.is_ascii_alphanumeric() {
            if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            continue;
        }
        let previous = index.checked_sub(1).map(|i| characters[i]);
        let next = characters.get(index + 1);
        let starts_word = c.is_ascii_uppercase()
            && previous.is_some_and(|p| {
                p.is_ascii_lowercase()
                    || p.is_ascii_digit()
                    || (p.is_ascii_uppercase() && next.is_some_and(char::is_ascii_lowercase))
            });
        if starts_word && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        word.push(c.to_ascii_lowercase());
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// Returns `text` in snake_case.
pub fn snake_case(text: &str) -> String {
    words(text).join("_")
}

/// What can't be the name of a client's function: Rust's words, and what a client has already.
const NO_FUNCTION_NAMES: &[&str] = &[
    "abstract",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "const",
    "continue",
    "crate",
    "do",
    "dyn",
    "else",
    "enum",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "override",
    "priv",
    "pub",
    "ref",
    "return",
    "self",
    "static",
    "struct",
    "super",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "unsafe",
    "unsized",
    "use",
    "virtual",
    "where",
    "while",
    "yield",
    // `impl Client`, and the traits that it implements.
    "api_version",
    "baseurl",
    "client",
    "exec",
    "inner",
    "new",
    "new_with_client",
    "post",
    "pre",
];

/// Returns the name of the function that calls the operation `id`.
pub fn function_name(id: &str) -> String {
    let name = snake_case(id);
    let usable = name.starts_with(|c: char| c.is_ascii_lowercase()) && !NO_FUNCTION_NAMES.contains(&name.as_str());
    if usable { name } else { format!("operation_{name}").trim_end_matches('_').to_owned() }
}

/// Returns `text` in kebab-case, the spelling of tags.
pub fn kebab_case(text: &str) -> String {
    words(text).join("-")
}

/// The longest name of an argument that every client and model provider takes.
pub const MAX_ARGUMENT_NAME: usize = 64;

/// Returns whether `name` can be an argument's name: `[a-zA-Z0-9_.-]`, at most [`MAX_ARGUMENT_NAME`] characters. With
/// any other, some model providers refuse the whole list of tools.
pub fn is_argument_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= MAX_ARGUMENT_NAME
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
}

/// Returns the nearest argument name to the vendor's spelling: `team_ids[]` is `team_ids`, `due[gte]` is `due_gte`,
/// `StartTime<` is `StartTime_before`; `None` where no letter is left.
pub fn argument_name(spelling: &str) -> Option<String> {
    if is_argument_name(spelling) {
        return Some(spelling.to_owned());
    }
    let mut name = String::new();
    for c in spelling.chars() {
        match c {
            '<' => name.push_str("_before"),
            '>' => name.push_str("_after"),
            c if c.is_ascii_alphanumeric() || "_.-".contains(c) => name.push(c),
            _ if name.is_empty() || name.ends_with('_') => {}
            _ => name.push('_'),
        }
    }
    name.truncate(MAX_ARGUMENT_NAME);
    let name = name.trim_end_matches('_');
    name.chars().any(|c| c.is_ascii_alphanumeric()).then(|| name.to_owned())
}

/// Returns the tag of a tool that a vendor's own tag becomes, in kebab-case: a word that means something here has the
/// vendor's id before it. `None` where no letter is left.
pub fn vendor_tag(vendor: &str, tag: &str) -> Option<String> {
    let tag = kebab_case(tag);
    let is_ours = tag == CORE_TAG || tag == ALL_TAGS || HELD_BACK_TAGS.contains(&tag.as_str());
    match tag.as_str() {
        "" => None,
        _ if is_ours => Some(format!("{vendor}-{tag}")),
        _ => Some(tag),
    }
}

/// Returns the words that name the resource of a path: its literal segments in snake_case,
/// without `api`, `rest` and version numbers, which don't describe the resource.
pub fn resource_words(path: &str) -> Vec<String> {
    path.split('/')
        .filter(|segment| !segment.is_empty() && !segment.starts_with('{'))
        .map(snake_case)
        .filter(|word| {
            let version = word.strip_prefix('v').unwrap_or(word);
            !word.is_empty()
                && word != "api"
                && word != "rest"
                && !version.chars().all(|c| c.is_ascii_digit() || c == '_')
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_part_where_a_reader_would() {
        for (text, expected) in [
            ("listTickets", "list_tickets"),
            ("HTTPServer2", "http_server2"),
            ("command.trigger", "command_trigger"),
            ("x-org-id", "x_org_id"),
            ("getV2Users", "get_v2_users"),
            ("__", ""),
            ("Überblick", "berblick"),
        ] {
            assert_eq!(snake_case(text), expected, "{text}");
        }
        assert_eq!(kebab_case("Custom Fields"), "custom-fields");
    }

    #[test]
    fn arguments_have_names_that_every_client_takes() {
        let long = "a".repeat(70);
        for (spelling, expected) in [
            ("a.b-C_1", Some("a.b-C_1")),
            ("team_ids[]", Some("team_ids")),
            ("dtEntryDate[gte]", Some("dtEntryDate_gte")),
            ("StartTime<", Some("StartTime_before")),
            ("StartTime>", Some("StartTime_after")),
            ("$filter", Some("filter")),
            ("@odata.count", Some("odata.count")),
            ("urn:ietf:params:2.0:User", Some("urn_ietf_params_2.0_User")),
            ("first name", Some("first_name")),
            ("取引先", None),
            ("[]", None),
            (&long, Some(&long[..64])),
        ] {
            assert_eq!(argument_name(spelling).as_deref(), expected, "{spelling}");
            assert_eq!(is_argument_name(spelling), expected == Some(spelling), "{spelling}");
        }
    }

    #[test]
    fn a_vendors_tag_is_none_of_ours() {
        for (tag, expected) in [
            ("Custom Fields", Some("custom-fields")),
            ("Core", Some("acme-core")),
            ("experimental", Some("acme-experimental")),
            ("all", Some("acme-all")),
            ("日本", None),
        ] {
            assert_eq!(vendor_tag("acme", tag).as_deref(), expected, "{tag}");
        }
    }

    #[test]
    fn functions_have_names_that_rust_takes() {
        for (id, expected) in [
            ("listTickets", "list_tickets"),
            ("2fa", "operation_2fa"),
            ("move", "operation_move"),
            ("new", "operation_new"),
            ("--", "operation"),
        ] {
            assert_eq!(function_name(id), expected, "{id}");
        }
    }

    #[test]
    fn a_resource_is_named_by_its_literal_segments() {
        assert_eq!(resource_words("/api/v2/users/{id}/memberOf"), ["users", "member_of"]);
        assert_eq!(resource_words("/rest/api/3/issue/{key}"), ["issue"]);
        assert!(resource_words("/{id}").is_empty());
    }

    #[test]
    fn tool_names_follow_the_rule() {
        assert!(is_tool_name("jitbit_list_tickets"));
        for bad in ["", "Jitbit", "1st", "a-b", "_a", &"a".repeat(49)] {
            assert!(!is_tool_name(bad), "{bad}");
        }
    }
}
