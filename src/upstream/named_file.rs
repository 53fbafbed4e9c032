//! A file that a variable names → how a message names it. People paste the secret itself where the path of its file
//! belongs, so what does not look like a path is never repeated.

use std::path::Path;

/// The beginning of a message about the file: ``` `VARIABLE` names `path` ```, or the variable alone.
pub(crate) fn named_file(variable: &str, path: &Path) -> String {
    // A secret is in no folder that is there.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if folder.is_some_and(Path::is_dir) {
        format!("`{variable}` names `{}`", path.display())
    } else {
        format!("`{variable}` names a file (not shown: it may be the value itself, in place of the path of its file)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_path_into_a_folder_is_repeated() {
        let folder = std::env::temp_dir();
        let path = folder.join("token-of-no-one.txt");
        assert_eq!(named_file("X_FILE", &path), format!("`X_FILE` names `{}`", path.display()));
        for secret in ["ATATT3xFfGF0=ABC", "s3cr/et+base64==", "/s3cret/s3cret", "s3cret.s3cret.s3cret", ""] {
            let shown = named_file("X_FILE", Path::new(secret));
            assert!(
                shown.starts_with("`X_FILE` names a file") && (secret.is_empty() || !shown.contains(secret)),
                "{shown}"
            );
        }
    }
}
