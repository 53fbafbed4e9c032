//! specs/ → OUT_DIR: the typed clients of the vendors whose cargo features are on, by `toolwright_codegen` and progenitor.

use std::process::ExitCode;

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=../../specs");
    let feature = |name: &str| std::env::var_os(format!("CARGO_FEATURE_{}", name.to_uppercase())).is_some();
    let out = std::env::var_os("OUT_DIR").expect("cargo sets it for build scripts");
    let built = toolwright_codegen::build_clients("../../specs".as_ref(), out.as_ref(), feature);
    built.map_or_else(
        |errors| {
            // Cargo ends a message at the line.
            for finding in &errors {
                println!("cargo::error={}", finding.to_string().replace('\n', " "));
            }
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    )
}
