//! A link → what to type or to paste into each client, ready to use.

use serde_json::{Value, json};

/// How clients name the server where the link's name leaves nothing.
const NAME: &str = "toolwright";
/// The variable that holds a second token for a client that takes none in its file.
const VARIABLE: &str = "TOOLWRIGHT_LINK_TOKEN";

/// The configuration of each client.
pub(super) fn all(name: &str, url: &str, second: Option<&str>) -> String {
    let name = server_name(name);
    let header = second.map(|token| format!("Authorization: Bearer {token}"));
    let flag = |flag: &str| header.as_ref().map(|header| format!(" {flag} \"{header}\"")).unwrap_or_default();
    let headers = second.map(|token| json!({"Authorization": format!("Bearer {token}")}));
    let with_headers = |mut server: Value| {
        if let Some(headers) = &headers {
            server["headers"] = headers.clone();
        }
        server
    };
    let codex = match second {
        Some(token) => {
            format!("export {VARIABLE}={token}\ncodex mcp add {name} --url {url} --bearer-token-env-var {VARIABLE}")
        }
        None => format!("codex mcp add {name} --url {url}"),
    };
    let desktop = match &header {
        // It has no field for a header; the bridge adds it.
        Some(header) => {
            file("mcpServers", &name, &json!({"command": "npx", "args": ["-y", "mcp-remote", url, "--header", header]}))
        }
        None => format!("Settings > Connectors > Add custom connector, with the URL\n{url}"),
    };
    let sections = [
        ("Claude Code", format!("claude mcp add --transport http {name} {url}{}", flag("--header"))),
        ("Claude Desktop", desktop),
        ("Codex", codex),
        ("Gemini CLI", format!("gemini mcp add --transport http {name} {url}{}", flag("--header"))),
        ("Cursor: .cursor/mcp.json", file("mcpServers", &name, &with_headers(json!({"url": url})))),
        ("Windsurf: mcp_config.json", file("mcpServers", &name, &with_headers(json!({"serverUrl": url})))),
        ("VS Code: .vscode/mcp.json", file("servers", &name, &with_headers(json!({"type": "http", "url": url})))),
        ("opencode: opencode.json", file("mcp", &name, &with_headers(json!({"type": "remote", "url": url})))),
    ];
    let text = sections.map(|(client, text)| {
        let text = text.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n");
        format!("{client}\n{text}\n")
    });
    text.join("\n")
}

fn file(key: &str, name: &str, server: &Value) -> String {
    let mut whole = json!({});
    whole[key] = json!({});
    whole[key][name] = server.clone();
    format!("{whole:#}")
}

/// A name that each client takes: of `a-z`, `0-9` and `-`.
fn server_name(name: &str) -> String {
    let text: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    let parts: Vec<&str> = text.split('-').filter(|part| !part.is_empty()).collect();
    if parts.is_empty() { NAME.to_owned() } else { parts.join("-") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_client_gets_the_url_and_the_second_token() {
        let url = "https://mcp.example.com/c/t0ken/mcp";
        for second in [None, Some("toolwright_link_s3cond")] {
            let text = all("Contractor: ACME & Co", url, second);
            let sections: Vec<&str> = text.split("\n\n").collect();
            assert_eq!(sections.len(), 8);
            for section in sections {
                assert!(section.contains(url), "{section}");
                assert!(second.is_none_or(|second| section.contains(second)), "{section}");
            }
            assert!(text.contains("claude mcp add --transport http contractor-acme-co https://"), "{text}");
        }
    }

    #[test]
    fn a_name_can_hold_no_command() {
        for (name, expected) in [("", NAME), ("$(rm -rf /)", "rm-rf"), ("Ünï", "n"), ("\"; x", "x"), ("漢字", NAME)]
        {
            assert_eq!(server_name(name), expected);
        }
    }
}
