//! A link → what to type or to paste into each client, ready to use.

use crate::client_settings::of_link;

/// The configuration of each client.
pub(super) fn all(name: &str, url: &str, second: Option<&str>) -> String {
    let texts = of_link(name, url, second).into_iter().map(|client| {
        let title = client.file.map_or_else(|| client.title.to_owned(), |file| format!("{}: {file}", client.title));
        let text = client.text.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n");
        format!("{title}\n{text}\n")
    });
    texts.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client_settings::CLIENTS;

    #[test]
    fn every_client_gets_the_url_and_the_second_token() {
        let url = "https://mcp.example.com/c/t0ken/mcp";
        for second in [None, Some("toolwright_link_s3cond")] {
            let text = all("ACME & Co", url, second);
            let sections: Vec<&str> = text.split("\n\n").collect();
            assert_eq!(sections.len(), CLIENTS.len());
            for section in &sections {
                assert!(section.contains(url), "{section}");
                assert!(second.is_none_or(|second| section.contains(second)), "{section}");
            }
            assert!(text.contains("claude mcp add --transport http acme-co https://"), "{text}");
            assert!(text.contains("codex mcp add acme-co --url https://"), "{text}");
            // Windsurf does not connect to a `url`, and VS Code ignores `mcpServers`.
            for (title, key) in [("Windsurf", "\"serverUrl\""), ("VS Code", "\"servers\""), ("Goose", "uri:")] {
                let section = sections.iter().find(|section| section.starts_with(title)).unwrap();
                assert!(section.contains(key) && !section.contains("\"url\"") || title == "VS Code", "{section}");
            }
        }
        assert!(all("漢字", url, None).contains("mcp add helpdesk --url"));
    }
}
