//! How large the files of a call may be: for the format that reads them, and for the request that carries them.

/// Bytes in a megabyte, as messages count them.
pub const MEGABYTE: u64 = 1024 * 1024;

/// The largest file that a call may carry, in bytes.
pub const LARGEST_FILE: u64 = 10 * MEGABYTE;

/// The most bytes that all files of a call may have together.
pub const LARGEST_FILES: u64 = 20 * MEGABYTE;
