//! Limits of the system on a process that evaluates a filter. Where the system has none, the
//! deadline and the largest result remain.

/// The most memory, in bytes.
pub(super) const MEMORY: u64 = 256_000_000;
/// A variable of the child's environment: its allocator takes from the system what is needed. Otherwise it reserves a gigabyte
/// before [`MEMORY`] is set, and a filter could fill that.
pub(super) const NOTHING_RESERVED: (&str, &str) = ("MIMALLOC_DISALLOW_ARENA_ALLOC", "1");
/// The most processor time, in seconds, in case the parent ends before the child.
#[cfg(unix)]
const PROCESSOR: u64 = 10;

/// Limits this process from now on: memory, processor time, no further open files, no writes, no
/// core dump.
#[cfg(unix)]
pub(super) fn set() -> std::io::Result<()> {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let limits = [
        (Resource::As, MEMORY),
        (Resource::Cpu, PROCESSOR),
        (Resource::Core, 0),
        (Resource::Nofile, 3),
        (Resource::Fsize, 0),
    ];
    for (resource, most) in limits {
        let limit = Rlimit { current: Some(most), maximum: Some(most) };
        match setrlimit(resource, limit) {
            Ok(()) => {}
            // Some systems have no memory limit; the others apply.
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
