//! A description from the network → a file in a folder of its own, removed when it is dropped.
//! Size and time are bounded; a description that refers to further files is fetched by hand.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::cli::Failed;
use crate::codegen::import::LARGEST_DESCRIPTION;
use crate::error::ConfigError;

/// How long fetching may take in all.
const LONGEST: Duration = Duration::from_secs(60);

/// The fetched file.
pub(super) struct Fetched {
    folder: PathBuf,
    pub(super) path: PathBuf,
}

impl Drop for Fetched {
    fn drop(&mut self) {
        // What can't be removed lies in the system's folder for such files.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Fetches the description at `address`.
pub(super) fn fetch(address: &str) -> Result<Fetched, Failed> {
    let failed = |what: String| Failed::from(ConfigError::new(format!("{address}: {what}")));
    let url = url::Url::parse(address).map_err(|error| failed(format!("no address: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(failed("expected an address by http or https, or the path of a file".to_owned()));
    }
    let json = url.path().to_lowercase().ends_with(".json");
    let folder = std::env::temp_dir().join(format!("toolwright-{}-{}", std::process::id(), fresh()));
    std::fs::create_dir(&folder)?;
    // JSON is read faster as JSON; everything else is YAML, which JSON is too.
    let path = folder.join(if json { "description.json" } else { "description.yaml" });
    let fetched = Fetched { folder, path };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(download(url, &fetched.path)).map_err(failed)?;
    Ok(fetched)
}

/// A number that no other folder of this process has.
fn fresh() -> u128 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |time| time.as_nanos())
}

async fn download(url: url::Url, path: &Path) -> Result<(), String> {
    let client = crate::upstream::http_client(LONGEST, None, &[]).map_err(|error| error.to_string())?;
    let mut response = client.get(url).send().await.map_err(|error| plain(&error))?;
    let status = response.status();
    if !status.is_success() {
        let location = response.headers().get("location").and_then(|location| location.to_str().ok());
        let hint = location.map(|location| format!("; it points to {location}")).unwrap_or_default();
        return Err(format!("expected the description, found the status {status}{hint}"));
    }
    let mut file = std::fs::File::create(path).map_err(|error| error.to_string())?;
    let mut size = 0_u64;
    while let Some(chunk) = response.chunk().await.map_err(|error| plain(&error))? {
        size += chunk.len() as u64;
        if size > LARGEST_DESCRIPTION {
            return Err(format!("expected at most {LARGEST_DESCRIPTION} bytes, found more"));
        }
        file.write_all(&chunk).map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// The innermost cause says most.
fn plain(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
