//! What a process that evaluates a filter may use. Where the system has no such bounds, the
//! deadline and the bound on the result remain.

/// The most memory, in bytes.
pub(super) const MEMORY: u64 = 256_000_000;
/// The most processor time, in seconds: should nobody be left to end the process.
#[cfg(unix)]
const PROCESSOR: u64 = 10;

/// Bounds this process from now on: memory, processor time, no file beside those that are open,
/// no image of its memory left on a disk.
#[cfg(unix)]
pub(super) fn set() -> std::io::Result<()> {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let bounds = [
        (Resource::As, MEMORY),
        (Resource::Cpu, PROCESSOR),
        (Resource::Core, 0),
        (Resource::Nofile, 3),
        (Resource::Fsize, 0),
    ];
    for (resource, most) in bounds {
        let bound = Rlimit { current: Some(most), maximum: Some(most) };
        match setrlimit(resource, bound) {
            Ok(()) => {}
            // Some systems know no bound on memory; the others hold.
            Err(_) if cfg!(not(target_os = "linux")) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

#[cfg(not(unix))]
pub(super) fn set() -> std::io::Result<()> {
    Ok(())
}
