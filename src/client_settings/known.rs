//! The clients that are known: file, notation, keys and ways of each. What was seen in a client, and what only its
//! documentation states, is in docs/installing.md.

use super::document::Notation;
use super::places::UserFile;
use super::{Asked, Client, DeepLink, LocalForm, Reference, RemoteForm, TokenForm, Words};

const SEPARATE: Words = Words::Separate("command", "args");

/// `{command, args, env}` with what precedes it.
const fn local(fixed: &'static str) -> LocalForm {
    LocalForm { fixed, named: None, words: SEPARATE, variables: "env" }
}

/// `{url, headers}` with what precedes it; some clients have another key for the address.
const fn remote(fixed: &'static str, url: &'static str) -> RemoteForm {
    RemoteForm { fixed, named: None, url, token: TokenForm::Header("headers") }
}

const RESTART: &str = "restart it";

/// Every client, in the order of the help page.
pub(crate) static CLIENTS: [Client; 12] = [
    Client {
        word: "claude-code",
        title: "Claude Code",
        user: Some(UserFile {
            moved_by: Some(("CLAUDE_CONFIG_DIR", ".claude.json")),
            ..UserFile::everywhere(&["~/.claude.json"])
        }),
        project: &[".mcp.json"],
        notation: Notation::Json,
        key: "mcpServers",
        local: local(r#"{"type": "stdio"}"#),
        remote: Some(remote(r#"{"type": "http"}"#, "url")),
        reference: Reference::Text("${NAME}"),
        asked: Some(Asked { program: "claude", arguments: &["mcp", "get", "NAME"] }),
        deep_link: None,
        add: Some([
            "claude mcp add --transport http {name} {url}",
            "claude mcp add --transport http {name} {url} --header \"Authorization: Bearer {token}\"",
        ]),
        then: "start a new session; in a project it asks each person to approve the server",
    },
    Client {
        word: "claude-desktop",
        title: "Claude Desktop",
        user: Some(UserFile {
            linux: &["$CONFIG/Claude/claude_desktop_config.json"],
            macos: &["~/Library/Application Support/Claude/claude_desktop_config.json"],
            windows: &["%APPDATA%/Claude/claude_desktop_config.json"],
            moved_by: None,
        }),
        project: &[],
        notation: Notation::Json,
        key: "mcpServers",
        local: local("{}"),
        // It ignores addresses in this file: those are added in its settings, under Connectors.
        remote: None,
        reference: Reference::None,
        asked: None,
        deep_link: None,
        add: None,
        then: RESTART,
    },
    Client {
        word: "cursor",
        title: "Cursor",
        user: Some(UserFile::everywhere(&["~/.cursor/mcp.json"])),
        project: &[".cursor/mcp.json"],
        notation: Notation::Json,
        key: "mcpServers",
        local: local("{}"),
        remote: Some(remote("{}", "url")),
        reference: Reference::Text("${env:NAME}"),
        asked: None,
        deep_link: Some(DeepLink::Cursor),
        add: None,
        then: "switch the server on under Settings > MCP",
    },
    Client {
        word: "windsurf",
        title: "Windsurf",
        user: Some(UserFile::everywhere(&["~/.codeium/windsurf/mcp_config.json"])),
        project: &[],
        notation: Notation::Json,
        key: "mcpServers",
        local: local("{}"),
        // With `url` it does not connect.
        remote: Some(remote("{}", "serverUrl")),
        reference: Reference::Text("${env:NAME}"),
        asked: None,
        deep_link: None,
        add: None,
        then: "press the refresh button of its MCP servers",
    },
    Client {
        word: "vscode",
        title: "VS Code",
        user: Some(UserFile {
            linux: &["$CONFIG/Code/User/mcp.json"],
            macos: &["~/Library/Application Support/Code/User/mcp.json"],
            windows: &["%APPDATA%/Code/User/mcp.json"],
            moved_by: None,
        }),
        project: &[".vscode/mcp.json"],
        notation: Notation::Json,
        // `mcpServers` is silently ignored.
        key: "servers",
        local: local(r#"{"type": "stdio"}"#),
        remote: Some(remote(r#"{"type": "http"}"#, "url")),
        reference: Reference::Input,
        asked: None,
        deep_link: Some(DeepLink::VsCode),
        add: None,
        then: "start the server with the lens above its entry",
    },
    Client {
        word: "codex",
        title: "Codex",
        user: Some(UserFile {
            moved_by: Some(("CODEX_HOME", "config.toml")),
            ..UserFile::everywhere(&["~/.codex/config.toml"])
        }),
        project: &[".codex/config.toml"],
        notation: Notation::Toml,
        key: "mcp_servers",
        local: local("{}"),
        remote: Some(RemoteForm {
            fixed: "{}",
            named: None,
            url: "url",
            token: TokenForm::Variable("bearer_token_env_var"),
        }),
        reference: Reference::List("env_vars", None),
        asked: Some(Asked { program: "codex", arguments: &["mcp", "get", "NAME"] }),
        deep_link: None,
        add: Some([
            "codex mcp add {name} --url {url}",
            "export TOOLWRIGHT_LINK_TOKEN={token}\ncodex mcp add {name} --url {url} --bearer-token-env-var TOOLWRIGHT_LINK_TOKEN",
        ]),
        then: "start a new session",
    },
    Client {
        word: "gemini",
        title: "Gemini CLI",
        user: Some(UserFile::everywhere(&["~/.gemini/settings.json"])),
        project: &[".gemini/settings.json"],
        notation: Notation::Json,
        key: "mcpServers",
        local: local("{}"),
        remote: Some(remote(r#"{"type": "http"}"#, "url")),
        reference: Reference::Text("${NAME}"),
        asked: Some(Asked { program: "gemini", arguments: &["mcp", "list"] }),
        deep_link: None,
        // Without the scope it writes into the folder, and there replaces the servers that others put in.
        add: Some([
            "gemini mcp add --scope user --transport http {name} {url}",
            "gemini mcp add --scope user --transport http {name} {url} --header \"Authorization: Bearer {token}\"",
        ]),
        then: "start a new session; it starts no server in a folder that is not trusted",
    },
    Client {
        word: "opencode",
        title: "opencode",
        user: Some(UserFile::everywhere(&["$CONFIG/opencode/opencode.jsonc", "$CONFIG/opencode/opencode.json"])),
        project: &["opencode.jsonc", "opencode.json"],
        notation: Notation::Json,
        key: "mcp",
        local: LocalForm {
            fixed: r#"{"type": "local"}"#,
            named: None,
            words: Words::Joined("command"),
            variables: "environment",
        },
        remote: Some(remote(r#"{"type": "remote"}"#, "url")),
        reference: Reference::Text("{env:NAME}"),
        asked: Some(Asked { program: "opencode", arguments: &["mcp", "list"] }),
        deep_link: None,
        add: None,
        then: "start a new session",
    },
    Client {
        word: "copilot",
        title: "Copilot CLI",
        user: Some(UserFile::everywhere(&["~/.copilot/mcp-config.json"])),
        project: &[".github/mcp.json"],
        notation: Notation::Json,
        key: "mcpServers",
        local: local(r#"{"type": "local", "tools": ["*"]}"#),
        remote: Some(remote(r#"{"type": "http", "tools": ["*"]}"#, "url")),
        reference: Reference::Text("${NAME}"),
        asked: None,
        deep_link: None,
        add: None,
        then: "start a new session",
    },
    Client {
        word: "zed",
        title: "Zed",
        user: Some(UserFile {
            windows: &["%APPDATA%/Zed/settings.json"],
            ..UserFile::everywhere(&["$CONFIG/zed/settings.json"])
        }),
        project: &[".zed/settings.json"],
        notation: Notation::Json,
        key: "context_servers",
        local: local(r#"{"source": "custom"}"#),
        remote: Some(remote("{}", "url")),
        reference: Reference::None,
        asked: None,
        deep_link: None,
        add: None,
        then: "nothing: it reads the file again by itself",
    },
    Client {
        word: "goose",
        title: "Goose",
        user: Some(UserFile {
            windows: &["%APPDATA%/Block/goose/config/config.yaml"],
            ..UserFile::everywhere(&["~/.config/goose/config.yaml"])
        }),
        project: &[],
        notation: Notation::Yaml,
        key: "extensions",
        local: LocalForm {
            fixed: r#"{"enabled": true, "type": "stdio", "timeout": 300}"#,
            named: Some("name"),
            words: Words::Separate("cmd", "args"),
            variables: "envs",
        },
        remote: Some(RemoteForm {
            fixed: r#"{"enabled": true, "type": "streamable_http", "timeout": 300}"#,
            named: Some("name"),
            url: "uri",
            token: TokenForm::Header("headers"),
        }),
        reference: Reference::List("env_keys", Some("${NAME}")),
        asked: None,
        deep_link: Some(DeepLink::Goose),
        add: None,
        then: "start a new session",
    },
    Client {
        word: "librechat",
        title: "LibreChat",
        user: None,
        project: &["librechat.yaml"],
        notation: Notation::Yaml,
        key: "mcpServers",
        local: local(r#"{"type": "stdio", "serverInstructions": true}"#),
        remote: Some(remote(r#"{"type": "streamable-http", "serverInstructions": true}"#, "url")),
        reference: Reference::Text("${NAME}"),
        asked: None,
        deep_link: None,
        add: None,
        then: "restart its server",
    },
];
