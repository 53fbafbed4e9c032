//! A client's own program, where it is installed → whether the client sees the server.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use super::super::CommandError;
use super::super::printer::Printer;
use super::super::selection::environment;
use super::super::store::blocking;
use super::server::Scope;
use crate::client_settings::Client;

/// Clients start the server to look at it, and some take their time.
const WAIT: Duration = Duration::from_secs(60);
/// The endings that programs have on Windows.
const ENDINGS: [&str; 3] = ["", ".exe", ".cmd"];

/// Asks the client; returns false where it does not see the server.
pub(super) fn ask(client: &Client, name: &str, scope: &Scope, printer: &mut Printer) -> Result<bool, CommandError> {
    let Some(asked) = client.asked else { return Ok(true) };
    let Some(program) = find(asked.program, environment("PATH").as_deref()) else { return Ok(true) };
    let arguments: Vec<&str> = asked.arguments.iter().map(|word| if *word == "NAME" { name } else { *word }).collect();
    let line = format!("{} {}", asked.program, arguments.join(" "));
    let mut seen = Seen::Unknown;
    blocking(async {
        seen = run(&program, &arguments, scope.folder(), name).await;
        Ok(())
    })?;
    match &seen {
        Seen::Yes(status) => printer.note(&format!("{}: `{line}` confirms it{status}", client.title)),
        Seen::No(why) => printer.note(&format!("{}: `{line}` does not show it: {why}", client.title)),
        Seen::Unknown => printer.note(&format!("{}: `{line}` gave no answer; try it yourself", client.title)),
    }
    Ok(!matches!(seen, Seen::No(_)))
}

/// What a client's program shows.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    /// The server, and the state that the client gives it.
    Yes(String),
    No(String),
    Unknown,
}

async fn run(program: &Path, arguments: &[&str], folder: Option<&Path>, name: &str) -> Seen {
    let mut command = tokio::process::Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    if let Some(folder) = folder {
        command.current_dir(folder);
    }
    let Ok(Ok(output)) = tokio::time::timeout(WAIT, command.output()).await else { return Seen::Unknown };
    let text = [output.stdout, output.stderr].concat();
    judged(output.status.success(), &String::from_utf8_lossy(&text), name)
}

/// Clients' words for a state, and what they mean: the server is there, with a remark, or why it is not. The first that is
/// found counts, so `disconnected` is before `connected`.
const STATES: [(&str, Result<&str, &str>); 6] = [
    ("disconnected", Err("its connection failed")),
    ("failed", Err("its connection failed")),
    ("pending", Ok(", to be approved")),
    // Gemini starts no server in a folder that is not trusted.
    ("disabled", Ok(", disabled in this folder")),
    ("connected", Ok(", connected")),
    ("enabled: false", Err("it is disabled")),
];

/// Reads what a client printed. Of that only the state is repeated: other lines may hold secrets of other servers.
fn judged(succeeded: bool, text: &str, name: &str) -> Seen {
    if !succeeded {
        return Seen::No("it ended with an error".to_owned());
    }
    let names_it =
        |line: &&str| line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).any(|word| word == name);
    let mut lines = text.lines().skip_while(|line| !names_it(line)).peekable();
    if lines.peek().is_none() {
        return Seen::No("it is not among its servers".to_owned());
    }
    let state = lines.find_map(|line| {
        let line = line.to_ascii_lowercase();
        STATES.iter().find(|(word, _)| line.contains(word)).map(|(_, meaning)| *meaning)
    });
    match state.unwrap_or(Ok("")) {
        Ok(remark) => Seen::Yes(remark.to_owned()),
        Err(why) => Seen::No(why.to_owned()),
    }
}

/// The path of a program that is on `PATH`.
fn find(program: &str, path: Option<&str>) -> Option<PathBuf> {
    let endings = if cfg!(windows) { &ENDINGS[1..] } else { &ENDINGS[..1] };
    let names: Vec<String> = endings.iter().map(|ending| format!("{program}{ending}")).collect();
    let folders: Vec<PathBuf> = std::env::split_paths(path?).collect();
    folders.iter().flat_map(|folder| names.iter().map(|name| folder.join(name))).find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_servers_own_name_and_its_own_state_count() {
        let claude = "jitbit:\n  Scope: User config\n  Status: ✔ Connected\n  Environment:\n    K=s3cret\n";
        let gemini = "Configured MCP servers:\n\n✓ other: x (stdio) - Connected\n✗ jitbit: toolwright serve (stdio) - Disconnected\n";
        for (succeeded, text, expected) in [
            (true, claude, Seen::Yes(", connected".to_owned())),
            (true, "jitbit\n  enabled: true\n", Seen::Yes(String::new())),
            (true, "other-jitbit: ✔ Connected\njitbits: x", Seen::No("it is not among its servers".to_owned())),
            (false, claude, Seen::No("it ended with an error".to_owned())),
            (true, "jitbit: x - ✗ Failed to connect", Seen::No("its connection failed".to_owned())),
            (true, "jitbit: ⏸ Pending approval", Seen::Yes(", to be approved".to_owned())),
            (true, "○ jitbit: x (stdio) - Disabled", Seen::Yes(", disabled in this folder".to_owned())),
            (true, "✓ jitbit \u{1b}[90mconnected", Seen::Yes(", connected".to_owned())),
        ] {
            assert_eq!(judged(succeeded, text, "jitbit"), expected, "{text}");
        }
        assert_eq!(judged(true, gemini, "jitbit"), Seen::No("its connection failed".to_owned()));
    }
}
