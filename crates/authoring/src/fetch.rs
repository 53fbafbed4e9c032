//! A description from the network → a file in a folder of its own, removed when it is dropped.
//! Size and time are bounded; a description that refers to further files is fetched by hand.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::CommandError;
use crate::import::LARGEST_DESCRIPTION;

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
pub(super) fn fetch(address: &str) -> Result<Fetched, CommandError> {
    let failed = |what: String| CommandError::usage(format!("{address}: {what}"));
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
    download(url.as_str(), &fetched.path).map_err(failed)?;
    Ok(fetched)
}

/// A number that no other folder of this process has.
fn fresh() -> u128 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |time| time.as_nanos())
}

fn download(address: &str, path: &Path) -> Result<(), String> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(LONGEST))
        .http_status_as_error(false)
        // A description elsewhere is another file: the author names it.
        .max_redirects(0)
        .max_redirects_will_error(false)
        .build()
        .into();
    let response = agent.get(address).call().map_err(|error| error.to_string())?;
    let status = response.status();
    if !status.is_success() {
        let location = response.headers().get("location").and_then(|location| location.to_str().ok());
        let hint = location.map(|location| format!("; it points to {location}")).unwrap_or_default();
        return Err(format!("expected the description, found the status {status}{hint}"));
    }
    let mut file = std::fs::File::create(path).map_err(|error| error.to_string())?;
    // One byte more than is allowed shows that there is more.
    let mut body = response.into_body().into_reader().take(LARGEST_DESCRIPTION + 1);
    let size = std::io::copy(&mut body, &mut file).map_err(|error| error.to_string())?;
    if size > LARGEST_DESCRIPTION {
        return Err(format!("expected at most {LARGEST_DESCRIPTION} bytes, found more"));
    }
    Ok(())
}
