//! An http(s) address → a temporary file with the description, deleted on drop. Size and time are
//! bounded. Files that the description refers to are not fetched.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::CommandError;
use crate::import::LARGEST_DESCRIPTION;

/// The longest time for the whole request.
const TIMEOUT: Duration = Duration::from_mins(1);

/// A fetched file in a temporary folder of its own.
pub(crate) struct Fetched {
    folder: PathBuf,
    pub(crate) path: PathBuf,
}

impl Drop for Fetched {
    fn drop(&mut self) {
        // What can't be removed stays in the system's temporary folder.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Fetches the description at `address`.
pub(crate) fn fetch(address: &str) -> Result<Fetched, CommandError> {
    let failed = |what: String| CommandError::usage(format!("{address}: {what}"));
    let url = url::Url::parse(address).map_err(|error| failed(format!("not a URL: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(failed("expected an http or https URL, or the path of a file".to_owned()));
    }
    let json = url.path().to_lowercase().ends_with(".json");
    let folder = std::env::temp_dir().join(format!("toolwright-{}-{}", std::process::id(), unique()));
    std::fs::create_dir(&folder)?;
    // JSON is parsed faster as JSON. Everything else is read as YAML, of which JSON is a subset.
    let path = folder.join(if json { "description.json" } else { "description.yaml" });
    let fetched = Fetched { folder, path };
    download(url.as_str(), &fetched.path).map_err(failed)?;
    Ok(fetched)
}

/// A number that distinguishes folders of this process.
fn unique() -> u128 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |time| time.as_nanos())
}

fn download(address: &str, path: &Path) -> Result<(), String> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(TIMEOUT))
        .http_status_as_error(false)
        // The author must see and name the address from which the description really comes.
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
    // One byte above the bound is enough to detect an excess.
    let mut body = response.into_body().into_reader().take(LARGEST_DESCRIPTION + 1);
    let size = std::io::copy(&mut body, &mut file).map_err(|error| error.to_string())?;
    if size > LARGEST_DESCRIPTION {
        return Err(format!("expected at most {LARGEST_DESCRIPTION} bytes, found more"));
    }
    Ok(())
}
