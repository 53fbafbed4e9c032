//! The program: the command line of the library → an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    toolwright::cli::main()
}
