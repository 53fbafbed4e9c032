//! A server → what a person types or pastes into each client to have it.

use super::{CLIENTS, Client, Connection, Server, Token, server_name};

/// How clients name the server where its name leaves nothing.
const NAME: &str = "helpdesk";

/// What a person does in one client.
#[derive(Debug, Clone)]
pub(crate) struct ClientText {
    /// The client's name.
    pub(crate) title: &'static str,
    /// The file that the text goes into; `None` where it is typed: a command, or a step in the client's settings.
    pub(crate) file: Option<&'static str>,
    /// The text.
    pub(crate) text: String,
    /// What remains to do then.
    pub(crate) then: &'static str,
}

/// How each client connects to the address of a link. The text holds the second token, if there is one.
pub(crate) fn of_link(name: &str, url: &str, second: Option<&str>) -> Vec<ClientText> {
    let connection =
        Connection::Remote { url: url.to_owned(), token: second.map(|token| Token::Shown(token.to_owned())) };
    let server = Server { name: named(name), connection };
    let text = |client: &Client| {
        let is_typed = client.add.is_some() || (client.remote.is_none() && second.is_none());
        ClientText {
            title: client.title,
            file: (!is_typed).then(|| client.file_name()),
            text: remote(client, &server, url, second),
            then: client.then,
        }
    };
    CLIENTS.iter().map(text).collect()
}

/// How each client starts a program on its own machine; the variables that the program needs are the person's to add.
pub(crate) fn of_program(name: &str, command: &str, arguments: &[String]) -> Vec<ClientText> {
    let connection =
        Connection::Local { command: command.to_owned(), arguments: arguments.to_vec(), variables: Vec::new() };
    let server = Server { name: named(name), connection };
    let text = |client: &Client| {
        let entry = client.entry(&server);
        let text = entry.map(|entry| client.snippet(&server.name, &entry)).unwrap_or_default();
        ClientText { title: client.title, file: Some(client.file_name()), text, then: client.then }
    };
    CLIENTS.iter().map(text).collect()
}

fn named(name: &str) -> String {
    Some(server_name(name)).filter(|name| !name.is_empty()).unwrap_or_else(|| NAME.to_owned())
}

fn remote(client: &Client, server: &Server, url: &str, second: Option<&str>) -> String {
    if let Some([without, with]) = client.add {
        let command = if second.is_some() { with } else { without };
        return command
            .replace("{name}", &server.name)
            .replace("{url}", url)
            .replace("{token}", second.unwrap_or_default());
    }
    if let Some(entry) = client.entry(server) {
        return client.snippet(&server.name, &entry);
    }
    match second {
        // It has no field for a header; the bridge adds it.
        Some(token) => {
            let header = format!("Authorization: Bearer {token}");
            let arguments = ["-y", "mcp-remote", url, "--header", &header].map(str::to_owned).to_vec();
            let bridge = Connection::Local { command: "npx".to_owned(), arguments, variables: Vec::new() };
            let server = Server { name: server.name.clone(), connection: bridge };
            let snippet = client.entry(&server).map(|entry| client.snippet(&server.name, &entry));
            snippet.unwrap_or_default()
        }
        None => format!("Settings > Connectors > Add custom connector, with the URL\n{url}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_client_starts_the_program_with_the_flags() {
        let arguments = ["serve", "--tags", "tickets"].map(str::to_owned);
        let texts = of_program("jitbit", "toolwright", &arguments);
        assert_eq!(texts.len(), CLIENTS.len());
        for ClientText { title, file, text, .. } in texts {
            assert!(file.is_some_and(|file| !file.is_empty()), "{title}");
            for word in ["toolwright", "serve", "--tags", "tickets", "jitbit"] {
                assert!(text.contains(word), "{title}: {word} is missing in {text}");
            }
        }
    }
}
