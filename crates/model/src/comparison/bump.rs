//! The largest change → the next version number, as Semantic Versioning has it.

use serde::Serialize;

use super::change::Impact;

/// Which part of a version number is raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Bump {
    /// None: nothing differs.
    None,
    /// The last.
    Patch,
    /// The middle.
    Minor,
    /// The first.
    Major,
}

impl Bump {
    /// Returns the step that a change of this impact asks for.
    pub fn for_impact(impact: Impact) -> Self {
        match impact {
            Impact::Breaks => Self::Major,
            Impact::Changes | Impact::Adds => Self::Minor,
            Impact::Words => Self::Patch,
        }
    }

    /// Returns the step's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Patch => "patch",
            Self::Minor => "minor",
            Self::Major => "major",
        }
    }
}

/// Returns the version after `version`; before 1.0.0 the middle part stands for the first, and the last for the middle.
/// `None` where `version` is none such as `0.1.0` or `v0.1.0`.
pub fn next_version(version: &str, bump: Bump) -> Option<String> {
    let parts: Vec<u64> =
        version.trim_start_matches('v').split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let [major, minor, patch] = parts[..] else { return None };
    let next = match (bump, major) {
        (Bump::None, _) => (major, minor, patch),
        (Bump::Major, 0) => (0, minor + 1, 0),
        (Bump::Major, _) => (major + 1, 0, 0),
        (Bump::Minor, 1..) => (major, minor + 1, 0),
        (Bump::Minor | Bump::Patch, _) => (major, minor, patch + 1),
    };
    Some(format!("{}.{}.{}", next.0, next.1, next.2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn before_one_the_middle_part_says_that_calls_break() {
        for (version, bump, expected) in [
            ("0.1.4", Bump::Major, Some("0.2.0")),
            ("v0.1.4", Bump::Minor, Some("0.1.5")),
            ("0.1.4", Bump::Patch, Some("0.1.5")),
            ("1.2.3", Bump::Major, Some("2.0.0")),
            ("1.2.3", Bump::Minor, Some("1.3.0")),
            ("1.2.3", Bump::Patch, Some("1.2.4")),
            ("1.2.3", Bump::None, Some("1.2.3")),
            ("main", Bump::Major, None),
            ("1.2", Bump::Major, None),
        ] {
            assert_eq!(next_version(version, bump).as_deref(), expected, "{version} {bump:?}");
        }
    }
}
