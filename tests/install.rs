//! `toolwright install`: an empty home, and homes as people have them → the clients' files. What comes out for each client
//! is in tests/install/; `UPDATE_EXPECTED=1` writes it anew, for you to review.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::common::network::fresh_folder;

/// Every client with settings of a person.
const OF_A_PERSON: &[&str] = &[
    "claude-code",
    "claude-desktop",
    "cursor",
    "windsurf",
    "vscode",
    "codex",
    "gemini",
    "opencode",
    "copilot",
    "zed",
    "goose",
];

/// Every client with settings of a folder.
const OF_A_FOLDER: &[&str] =
    &["claude-code", "cursor", "vscode", "codex", "gemini", "opencode", "copilot", "zed", "librechat"];

/// A home, and a folder in it in which commands run.
struct Home {
    folder: PathBuf,
    variables: Vec<(&'static str, String)>,
}

impl Home {
    /// An empty one.
    fn new(name: &str) -> Self {
        let folder = fresh_folder(&format!("install-{name}"));
        fs::create_dir_all(folder.join("work")).unwrap();
        Self { folder, variables: Vec::new() }
    }

    fn with(mut self, variable: &'static str, value: &str) -> Self {
        self.variables.push((variable, value.to_owned()));
        self
    }

    /// Runs the program with nothing of this process's environment.
    fn run(&self, words: &str) -> Ran {
        self.run_with(words, "")
    }

    fn run_with(&self, words: &str, path: &str) -> Ran {
        self.run_program(env!("CARGO_BIN_EXE_toolwright"), words, path)
    }

    fn run_program(&self, program: impl AsRef<std::ffi::OsStr>, words: &str, path: &str) -> Ran {
        let output = Command::new(program)
            .args(words.split_whitespace())
            .env_clear()
            .envs([("HOME", self.folder.to_str().unwrap()), ("NO_COLOR", "1"), ("PATH", path)])
            .envs(self.variables.iter().map(|(name, value)| (*name, value)))
            .current_dir(self.folder.join("work"))
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap();
        Ran { output, home: self.folder.to_str().unwrap().to_owned() }
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.folder.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Every file with its text, paths relative to the home.
    fn files(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        collect(&self.folder, &mut found);
        let mut files: Vec<(String, String)> = found
            .into_iter()
            .map(|path| {
                let text = fs::read_to_string(&path).unwrap();
                let path = path.strip_prefix(&self.folder).unwrap().to_str().unwrap().to_owned();
                (path, text.replace(self.folder.to_str().unwrap(), "~"))
            })
            .collect();
        files.sort();
        files
    }

    /// Every folder and file, relative to the home.
    fn everything(&self) -> Vec<PathBuf> {
        let mut waiting = vec![self.folder.clone()];
        let mut found = Vec::new();
        while let Some(folder) = waiting.pop() {
            for entry in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
                found.push(entry.strip_prefix(&self.folder).unwrap().to_owned());
                if entry.is_dir() {
                    waiting.push(entry);
                }
            }
        }
        found.sort();
        found
    }
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() { collect(&entry, found) } else { found.push(entry) }
    }
}

/// What a run printed.
struct Ran {
    output: Output,
    home: String,
}

impl Ran {
    fn code(&self) -> Option<i32> {
        self.output.status.code()
    }

    fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.output.stdout).replace(&self.home, "~")
    }

    fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.output.stderr).replace(&self.home, "~")
    }

    fn both(&self) -> String {
        format!("{}{}", self.stdout(), self.stderr())
    }

    #[track_caller]
    fn succeeds(self) -> Self {
        assert_eq!(self.code(), Some(0), "{}", self.both());
        self
    }

    #[track_caller]
    fn fails(self, code: i32, part: &str) -> Self {
        assert!(self.code() == Some(code) && self.both().contains(part), "{part}: {:?}: {}", self.code(), self.both());
        self
    }
}

/// Compares a text with the committed one.
#[track_caller]
fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/install").join(name);
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        fs::write(&path, text).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    let differences = similar::TextDiff::from_lines(expected.as_str(), text).unified_diff().to_string();
    assert!(expected == text, "{} differs (UPDATE_EXPECTED=1 writes it):\n{differences}", path.display());
}

/// The files of a home as a text.
fn shown(files: &[(String, String)]) -> String {
    let files = files.iter().map(|(path, text)| format!("== {path}\n{}\n", text.trim_end()));
    files.collect::<Vec<_>>().concat()
}

const FLAGS: &str = "--command /opt/toolwright --yes";

#[test]
fn each_client_gets_what_it_understands_and_is_left_as_it_was() {
    let home = Home::new("all")
        .with("JITBIT_URL", "https://acme.jitbit.com")
        .with("JITBIT_TOKEN", "s3cret")
        .with("JUMPCLOUD_API_KEY_FILE", "../keys/jumpcloud");
    home.write("keys/jumpcloud", "jca_s3cret");
    let before = home.everything();
    let words = format!("install {} {FLAGS} --vendor jitbit -- --methods read,write", OF_A_PERSON.join(" "));
    let ran = home.run(&words).succeeds();
    assert!(!ran.both().contains("s3cret"), "{}", ran.both());
    let files = home.files();
    let secret = ".config/toolwright/secrets/JITBIT_TOKEN";
    let holders: Vec<&str> =
        files.iter().filter(|(_, text)| text.contains("s3cret")).map(|(path, _)| path.as_str()).collect();
    assert_eq!(holders, [secret, "keys/jumpcloud"], "a secret is in no client's file");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(home.folder.join(secret)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    golden("stdio.txt", &shown(&files));
    // A second time changes nothing.
    let again = home.run(&words).succeeds();
    assert_eq!(again.both().matches("has it already").count(), OF_A_PERSON.len(), "{}", again.both());
    assert!(again.stdout().is_empty() && home.files() == files);
    // A secret stays as long as one client refers to it, and one that no client had is a person's own.
    home.run("install cursor --uninstall --yes").succeeds();
    home.write(".config/toolwright/secrets/own", "0wn");
    home.run("install zed --uninstall --yes").succeeds();
    assert_eq!((home.read(secret).as_str(), home.read(".config/toolwright/secrets/own").as_str()), ("s3cret", "0wn"));
    fs::remove_file(home.folder.join(".config/toolwright/secrets/own")).unwrap();
    home.run(&format!("install {} --uninstall --yes", OF_A_PERSON.join(" "))).succeeds();
    assert_eq!(home.everything(), before, "uninstalling leaves nothing");
}

#[test]
fn each_client_gets_an_address_in_its_own_words() {
    let home = Home::new("http");
    let clients: Vec<&str> = OF_A_PERSON.iter().copied().filter(|word| *word != "claude-desktop").collect();
    let before = home.everything();
    let words = format!("install {} --yes --http https://mcp.example.com", clients.join(" "));
    home.run(&words).succeeds();
    golden("http.txt", &shown(&home.files()));
    // Its file would be ignored.
    home.run("install claude-desktop --yes --http https://mcp.example.com").fails(2, "Connectors");
    home.run(&format!("install {} --uninstall --yes --name helpdesk", clients.join(" "))).succeeds();
    assert_eq!(home.everything(), before);
}

#[test]
fn a_folder_that_people_share_gets_no_secret() {
    let home = Home::new("project").with("JITBIT_URL", "https://acme.jitbit.com").with("JITBIT_TOKEN", "s3cret");
    let before = home.everything();
    let clients = OF_A_FOLDER.join(" ");
    home.run(&format!("install {clients} --project --yes")).succeeds();
    let files = home.files();
    assert!(files.iter().all(|(path, text)| path.starts_with("work/") && !text.contains("s3cret")), "{files:?}");
    golden("project.txt", &shown(&files));
    home.run(&format!("install {clients} --project --uninstall --yes")).succeeds();
    assert_eq!(home.everything(), before);
    // The address of a link is a key.
    let link = "https://mcp.example.com/c/t0ken/mcp";
    home.run(&format!("install cursor --project --yes --http {link}")).fails(2, "which is a key");
    let ran = home.run(&format!("install cursor --yes --http {link}")).succeeds();
    assert!(home.read(".cursor/mcp.json").contains(link) && !ran.both().contains("t0ken"), "{}", ran.both());
    for (words, part) in [
        ("install claude-desktop --project --yes --sandbox", "no settings of a folder"),
        ("install librechat --yes --sandbox", "--project=DIR"),
        ("install cursor --project=nowhere --yes --sandbox", "is no folder"),
    ] {
        home.run(words).fails(2, part);
    }
}

#[test]
fn a_token_of_an_address_stays_out_of_every_file() {
    let home = Home::new("token");
    let words = "--yes --http https://mcp.example.com/mcp --token-variable HELPDESK_TOKEN";
    let clients = ["claude-code", "cursor", "windsurf", "vscode", "codex", "gemini", "opencode", "copilot", "goose"];
    home.run(&format!("install {} {words}", clients.join(" "))).succeeds();
    golden("token.txt", &shown(&home.files()));
    let ran = home.run(&format!("install zed {words}")).fails(2, "takes a token from nowhere but its file");
    assert!(ran.stderr().contains("context_servers"), "what to paste: {}", ran.stderr());
    home.run("install cursor --yes --http https://mcp.example.com --token-variable toolwright_link_x.y")
        .fails(2, "and not the token");
}

#[test]
fn what_is_printed_can_be_pasted_and_nothing_is_written() {
    let home = Home::new("print");
    let before = home.everything();
    let words = format!("install {} --print --sandbox --command /opt/toolwright", OF_A_PERSON.join(" "));
    let ran = home.run(&words).succeeds();
    golden("print.txt", &ran.both());
    let ran = home.run("install cursor vscode goose --print --http https://mcp.example.com/mcp").succeeds();
    golden("print-http.txt", &ran.both());
    assert_eq!(home.everything(), before);
}

#[test]
fn comments_and_foreign_entries_stay_and_the_file_is_kept_beside() {
    let home = Home::new("foreign");
    let vscode = ".config/Code/User/mcp.json";
    let foreign = "{\n  // mine\n  \"servers\": {\n    \"other\": { \"command\": \"x\", \"env\": { \"K\": \"k3y\" } },\n  },\n}\n";
    home.write(vscode, foreign);
    let codex = "# mine\nmodel = \"m\"\n\n[mcp_servers.other]\ncommand = \"x\"\n";
    home.write(".codex/config.toml", codex);
    let goose = "GOOSE_MODEL: m # mine\nextensions:\n  developer:\n    enabled: true\n    type: builtin\n";
    home.write(".config/goose/config.yaml", goose);
    let ran = home.run(&format!("install vscode codex goose {FLAGS} --sandbox")).succeeds();
    assert!(!ran.both().contains("k3y"), "what is foreign is not shown: {}", ran.both());
    for (path, text) in [(vscode, foreign), (".codex/config.toml", codex), (".config/goose/config.yaml", goose)] {
        let now = home.read(path);
        assert!(now.contains("mine") && now.contains("helpdesk") && now.len() > text.len(), "{now}");
        assert_eq!(home.read(&format!("{path}.toolwright-backup")), text);
    }
    home.run("install vscode codex goose --uninstall --yes").succeeds();
    for (path, text) in [(vscode, foreign), (".codex/config.toml", codex), (".config/goose/config.yaml", goose)] {
        assert_eq!(home.read(path).replace(['\n', ' '], ""), text.replace(['\n', ' '], ""), "{path}");
    }
    assert_eq!(home.files().len(), 3, "{:?}", home.everything());
}

/// What a client ignores without a word, or does otherwise than the one beside it.
#[test]
fn the_traps_of_clients() {
    let home = Home::new("traps");
    home.run("install windsurf vscode claude-desktop --yes --sandbox").succeeds();
    let entry = |path: &str, key: &str| {
        let whole: serde_json::Value = serde_json::from_str(&home.read(path)).unwrap();
        assert_eq!(whole.as_object().unwrap().keys().collect::<Vec<_>>(), [key], "{path}");
        whole[key]["helpdesk"].clone()
    };
    // `mcpServers` is nothing to VS Code.
    assert_eq!(entry(".config/Code/User/mcp.json", "servers")["type"], "stdio");
    // Programs that a desktop starts may have another PATH than a shell.
    let desktop = entry(".config/Claude/claude_desktop_config.json", "mcpServers");
    assert!(Path::new(desktop["command"].as_str().unwrap()).is_absolute(), "{desktop}");
    // Windsurf does not connect to a `url`.
    home.run("install windsurf --yes --http https://mcp.example.com --replace").succeeds();
    let windsurf = entry(".codeium/windsurf/mcp_config.json", "mcpServers");
    assert!(windsurf["serverUrl"].is_string() && windsurf.get("url").is_none(), "{windsurf}");
    // Files with comments are changed, and not written anew.
    for (client, path) in [("opencode", ".config/opencode/opencode.jsonc"), ("zed", ".config/zed/settings.json")] {
        let text = "{\n  // mine\n  \"theme\": \"dark\", /* at night */\n}\n";
        home.write(path, text);
        home.run(&format!("install {client} --yes --sandbox")).succeeds();
        let with = home.read(path);
        assert!(with.contains("// mine") && with.contains("/* at night */") && with.contains("helpdesk"), "{with}");
        home.run(&format!("install {client} --uninstall --yes")).succeeds();
        assert_eq!(home.read(path).replace([' ', '\n', ','], ""), text.replace([' ', '\n', ','], ""));
    }
    // `mcp__NAME__TOOL` fits the 64 characters that some models take.
    let longest = toolwright::catalog::Catalog::compiled().entries().iter().map(|entry| entry.tool.name.len()).max();
    assert!("mcp__".len() + "jumpcloud".len() + "__".len() + longest.unwrap() <= 64);
}

#[test]
fn a_file_that_can_not_be_read_is_left_as_it_is() {
    for (client, path, text, part) in [
        ("cursor", ".cursor/mcp.json", "{\"mcpServers\": {\"a\": \"s3cret\"", "line 1, column"),
        ("cursor", ".cursor/mcp.json", "{\"mcpServers\": []}", "no map of servers"),
        ("codex", ".codex/config.toml", "[mcp_servers.a]\nkey = \"s3cret\n", "line 2"),
        ("goose", ".config/goose/config.yaml", "extensions: {a: [s3cret\n", "no valid YAML"),
        ("goose", ".config/goose/config.yaml", "extensions: {a: {cmd: x}}\n", "put this into it yourself"),
        ("gemini", ".gemini/settings.json", "[1]", "something else than a map"),
    ] {
        let home = Home::new("unreadable");
        home.write(path, text);
        let before = home.everything();
        let ran = home.run(&format!("install {client} {FLAGS} --sandbox")).fails(2, part);
        assert!(ran.both().contains("left as it is") && !ran.both().contains("s3cret"), "{}", ran.both());
        assert_eq!(home.read(path), text);
        assert_eq!(home.everything(), before);
    }
    let home = Home::new("unreadable");
    fs::create_dir_all(home.folder.join(".cursor")).unwrap();
    fs::write(home.folder.join(".cursor/mcp.json"), [0xff, 0xfe, 0x00]).unwrap();
    home.run(&format!("install cursor {FLAGS} --sandbox")).fails(2, "can't be read");
    // The file of one client is no reason to leave the others out.
    home.run(&format!("install cursor windsurf {FLAGS} --sandbox")).fails(2, "Cursor");
    assert!(home.read(".codeium/windsurf/mcp_config.json").contains("helpdesk"));
}

#[test]
fn nothing_is_written_without_a_yes() {
    let home = Home::new("asked");
    let ran = home.run("install cursor --sandbox").fails(2, "--yes");
    assert!(ran.stdout().contains("+    \"helpdesk\": {"), "the change is shown first: {}", ran.stdout());
    assert_eq!(home.everything(), [PathBuf::from("work")]);
}

#[test]
fn another_servers_entry_is_not_replaced_and_a_wrong_entry_of_ours_is_shown_without_secrets() {
    let home = Home::new("taken");
    let path = ".cursor/mcp.json";
    home.write(path, "{\"mcpServers\": {\"helpdesk\": {\"command\": \"theirs\"}}}\n");
    home.run(&format!("install cursor {FLAGS} --sandbox")).fails(2, "--replace");
    assert!(home.read(path).contains("theirs"));
    home.run("install cursor --uninstall --yes --name helpdesk").fails(2, "another program's");
    home.run("install cursor --uninstall --yes").succeeds();
    assert!(home.read(path).contains("theirs"));
    home.run(&format!("install cursor {FLAGS} --sandbox --replace")).succeeds();
    assert!(!home.read(path).contains("theirs"));
    // As people write it by hand.
    home.write(path, "{\"mcpServers\": {\"jitbit\": {\"command\": \"C:\\\\t\\\\toolwright.exe\", \"args\": [\"serve\"], \"env\": {\"JITBIT_TOKEN\": \"s3cret\"}}}}\n");
    let ran = home.run(&format!("install cursor {FLAGS} --sandbox --name jitbit")).succeeds();
    assert!(ran.stdout().contains("***") && !ran.both().contains("s3cret"), "{}", ran.both());
}

#[test]
fn a_program_of_another_name_finds_its_entry_again() {
    let home = Home::new("another-name");
    let renamed = home.folder.join("toolwright-0.2.0-linux");
    // A symbolic link would be followed: the system tells a program where its file is.
    fs::hard_link(env!("CARGO_BIN_EXE_toolwright"), &renamed)
        .or_else(|_| fs::copy(env!("CARGO_BIN_EXE_toolwright"), &renamed).map(drop))
        .unwrap();
    let run = |words: &str| home.run_program(&renamed, words, "").succeeds();
    run("install cursor --sandbox --yes");
    assert!(home.read(".cursor/mcp.json").contains("toolwright-0.2.0-linux"));
    run("install cursor --sandbox --yes -- --methods read");
    run("install cursor --uninstall --yes");
    assert!(!home.folder.join(".cursor").exists());
    home.run("install cursor --sandbox --command our-helpdesk --yes").succeeds();
    let is_left = |words: &str| home.run(words).succeeds().both().contains("nothing of this server");
    assert!(is_left("install cursor --uninstall --yes"));
    home.write(
        ".codex/config.toml",
        "[mcp_servers.helpdesk]\ncommand = \"our-helpdesk\"\nargs = [\"other.js\", \"serve\"]\n",
    );
    assert!(is_left("install codex --uninstall --command our-helpdesk --yes"));
    home.run("install codex --sandbox --command our-helpdesk --yes").fails(2, "another server by the name");
    home.run("install cursor --uninstall --command our-helpdesk --yes").succeeds();
    assert!(!home.folder.join(".cursor").exists());
}

#[test]
fn what_a_server_would_refuse_is_refused_before_a_file_is_touched() {
    let home = Home::new("refused");
    for (words, part) in [
        ("install cursor --yes", "no credentials"),
        ("install cursor --yes --sandbox --name far-too-long", "1 to 9 characters"),
        ("install cursor --yes --sandbox --name Jitbit", "1 to 9 characters"),
        ("install cursor --yes --sandbox -- --methods POST", "POST"),
        ("install cursor --yes --sandbox -- --nonsense", "--nonsense"),
        ("install cursor --yes --sandbox -- --http 127.0.0.1:1", "give `toolwright install` its address"),
        ("install cursor --yes --http not-an-address", "no address of a server"),
        ("install cursor --yes --http https://u:s3cret@mcp.example.com", "no address of a server"),
        ("install cursors --yes --sandbox", "cursor"),
        ("install cursor --yes --vendor jitbits --sandbox", "jitbit"),
    ] {
        let ran = home.run(words).fails(2, part);
        assert!(!ran.both().contains("s3cret"), "{}", ran.both());
    }
    assert_eq!(home.everything(), [PathBuf::from("work")]);
}

#[cfg(unix)]
#[test]
fn a_link_to_a_file_stays_one_and_its_mode_is_kept() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = Home::new("links");
    home.write("dotfiles/mcp.json", "{\"mcpServers\": {\"other\": {}}}");
    fs::set_permissions(home.folder.join("dotfiles/mcp.json"), fs::Permissions::from_mode(0o640)).unwrap();
    fs::create_dir_all(home.folder.join(".cursor")).unwrap();
    std::os::unix::fs::symlink("../dotfiles/mcp.json", home.folder.join(".cursor/mcp.json")).unwrap();
    home.run(&format!("install cursor {FLAGS} --sandbox")).succeeds();
    assert!(home.folder.join(".cursor/mcp.json").is_symlink());
    assert!(home.read("dotfiles/mcp.json").contains("helpdesk"));
    let mode = fs::metadata(home.folder.join("dotfiles/mcp.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
}

/// A stand-in for a client's program, which prints this and ends so.
#[cfg(unix)]
fn program(home: &Home, name: &str, prints: &str, code: u8) {
    use std::os::unix::fs::PermissionsExt as _;
    let asked = home.folder.join("asked").display().to_string();
    home.write(&format!("bin/{name}"), &format!("#!/bin/sh\necho \"$@\" >>{asked}\necho '{prints}'\nexit {code}\n"));
    fs::set_permissions(home.folder.join("bin").join(name), fs::Permissions::from_mode(0o755)).unwrap();
}

#[cfg(unix)]
#[test]
fn a_clients_own_program_is_asked_and_its_no_is_an_error() {
    let home = Home::new("asked-client");
    let path = home.folder.join("bin").to_str().unwrap().to_owned();
    program(&home, "claude", "helpdesk: Status: Connected s3cret", 0);
    program(&home, "codex", "No MCP server named helpdesk", 1);
    program(&home, "gemini", "other: x - Connected", 0);
    let install = |client: &str| home.run_with(&format!("install {client} {FLAGS} --sandbox"), &path);
    let ran = install("claude-code").succeeds();
    assert!(ran.stderr().contains("`claude mcp get helpdesk` confirms it, connected"), "{}", ran.stderr());
    assert!(!ran.both().contains("s3cret"), "{}", ran.both());
    install("codex").fails(1, "`codex mcp get helpdesk` does not show it");
    install("gemini").fails(1, "not among its servers");
    assert_eq!(home.read("asked"), "mcp get helpdesk\nmcp get helpdesk\nmcp list\n");
    // It is never asked to change its file: `gemini mcp add` would replace the servers that are there.
    assert!(!home.read("asked").contains("add"));
}
