//! What the compiler knew → what this program was built of: version, commit, machine.

/// The version of the program.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The commit that it was built from, as far as the build named it: a release does, in `TOOLWRIGHT_COMMIT`.
pub(crate) const COMMIT: &str = match option_env!("TOOLWRIGHT_COMMIT") {
    Some(commit) => commit,
    None => "unknown",
};

/// The machine that it is for, such as `x86_64-linux-musl`.
pub(crate) fn target() -> String {
    let library = if cfg!(target_env = "musl") {
        "-musl"
    } else if cfg!(target_env = "gnu") {
        "-gnu"
    } else {
        ""
    };
    format!("{}-{}{library}", std::env::consts::ARCH, std::env::consts::OS)
}
