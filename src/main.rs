//! The program: the command line of the library → an exit code.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// With it a call takes a fifth less processor time than with that of the system.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    toolwright::cli::main()
}
