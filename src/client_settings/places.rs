//! A client, a system and its variables → the path of the file with the client's settings.

use std::path::{Path, PathBuf};

use crate::config::Environment;

/// The settings of a person, by system: the first file that is there, else the last.
///
/// A path begins with `~/` (the home folder), `$CONFIG/` (the user's configuration folder) or `%APPDATA%/`.
#[derive(Debug)]
pub(crate) struct UserFile {
    pub(super) linux: &'static [&'static str],
    pub(super) macos: &'static [&'static str],
    pub(super) windows: &'static [&'static str],
    /// A variable that names the client's folder, and the file in it.
    pub(super) moved_by: Option<(&'static str, &'static str)>,
}

impl UserFile {
    /// The same path on every system.
    pub(super) const fn everywhere(paths: &'static [&'static str]) -> Self {
        Self { linux: paths, macos: paths, windows: paths, moved_by: None }
    }

    /// A path, for a text.
    pub(super) fn example(&self) -> Option<&'static str> {
        self.linux.last().copied()
    }
}

/// An operating system, as far as paths differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum System {
    Linux,
    MacOs,
    Windows,
}

impl System {
    /// The one that this program runs on.
    pub(crate) const fn this() -> Self {
        if cfg!(windows) {
            Self::Windows
        } else if cfg!(target_os = "macos") {
            Self::MacOs
        } else {
            Self::Linux
        }
    }
}

/// The path of a person's settings; `None` where the variables do not state the folder.
pub(crate) fn user_file(file: &UserFile, system: System, env: Environment<'_>) -> Option<PathBuf> {
    if let Some((variable, name)) = file.moved_by
        && let Some(folder) = set(variable, env)
    {
        return Some(folder.join(name));
    }
    let paths = match system {
        System::Linux => file.linux,
        System::MacOs => file.macos,
        System::Windows => file.windows,
    };
    let paths: Vec<PathBuf> = paths.iter().filter_map(|path| resolve(path, system, env)).collect();
    first_there(paths)
}

/// The path of a folder's settings.
pub(crate) fn project_file(paths: &[&str], folder: &Path) -> Option<PathBuf> {
    first_there(paths.iter().map(|path| folder.join(path)).collect())
}

fn first_there(mut paths: Vec<PathBuf>) -> Option<PathBuf> {
    match paths.iter().position(|path| path.exists()) {
        Some(index) => Some(paths.swap_remove(index)),
        None => paths.pop(),
    }
}

fn resolve(path: &str, system: System, env: Environment<'_>) -> Option<PathBuf> {
    let home = || set("HOME", env).or_else(|| set("USERPROFILE", env));
    let (folder, rest) = path.split_once('/')?;
    let folder = match folder {
        "~" => home(),
        // Clients look at this variable where their systems have it.
        "$CONFIG" if system == System::Linux => set("XDG_CONFIG_HOME", env).or_else(|| Some(home()?.join(".config"))),
        "$CONFIG" => Some(home()?.join(".config")),
        "%APPDATA%" => set("APPDATA", env),
        _ => None,
    };
    Some(folder?.join(rest))
}

fn set(variable: &str, env: Environment<'_>) -> Option<PathBuf> {
    env(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::super::find;
    use super::*;

    fn of(word: &str, system: System, variables: &[(&str, &str)]) -> Option<String> {
        let env = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        let path = user_file(find(word)?.user.as_ref()?, system, &env)?;
        Some(path.to_str().unwrap().to_owned())
    }

    #[test]
    fn each_system_has_its_own_path() {
        let (home, windows) = ([("HOME", "/h")], [("USERPROFILE", "C:/u"), ("APPDATA", "C:/u/AppData")]);
        for (word, linux, macos, on_windows) in [
            ("claude-code", "/h/.claude.json", "/h/.claude.json", "C:/u/.claude.json"),
            (
                "claude-desktop",
                "/h/.config/Claude/claude_desktop_config.json",
                "/h/Library/Application Support/Claude/claude_desktop_config.json",
                "C:/u/AppData/Claude/claude_desktop_config.json",
            ),
            ("cursor", "/h/.cursor/mcp.json", "/h/.cursor/mcp.json", "C:/u/.cursor/mcp.json"),
            (
                "vscode",
                "/h/.config/Code/User/mcp.json",
                "/h/Library/Application Support/Code/User/mcp.json",
                "C:/u/AppData/Code/User/mcp.json",
            ),
            ("codex", "/h/.codex/config.toml", "/h/.codex/config.toml", "C:/u/.codex/config.toml"),
            ("zed", "/h/.config/zed/settings.json", "/h/.config/zed/settings.json", "C:/u/AppData/Zed/settings.json"),
            (
                "goose",
                "/h/.config/goose/config.yaml",
                "/h/.config/goose/config.yaml",
                "C:/u/AppData/Block/goose/config/config.yaml",
            ),
        ] {
            assert_eq!(of(word, System::Linux, &home).as_deref(), Some(linux));
            assert_eq!(of(word, System::MacOs, &home).as_deref(), Some(macos));
            assert_eq!(of(word, System::Windows, &windows).as_deref(), Some(on_windows));
        }
    }

    #[test]
    fn a_variable_moves_a_file_and_without_a_home_there_is_none() {
        let moved = [("HOME", "/h"), ("CODEX_HOME", "/elsewhere")];
        assert_eq!(of("codex", System::Linux, &moved).as_deref(), Some("/elsewhere/config.toml"));
        let moved = [("HOME", "/h"), ("XDG_CONFIG_HOME", "/c")];
        assert_eq!(of("zed", System::Linux, &moved).as_deref(), Some("/c/zed/settings.json"));
        assert_eq!(of("cursor", System::Linux, &[("HOME", "")]), None);
    }
}
