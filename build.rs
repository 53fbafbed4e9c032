//! specs/ → OUT_DIR. No logic of its own: the generator is `src/codegen`, mounted here together
//! with the model it writes, so that the compiler refuses anything else of the crate in it.

#![allow(missing_docs, reason = "the mounted modules are documented where the library mounts them")]

#[allow(dead_code, unreachable_pub, unused_imports, reason = "the library uses the rest")]
#[path = "src/codegen/mod.rs"]
mod codegen;
#[allow(dead_code, unreachable_pub, unused_imports, reason = "the library uses the rest")]
#[path = "src/model/mod.rs"]
mod model;

use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it for build scripts"));
    // A vendor is built when its cargo feature is on.
    let wanted =
        |vendor: &str| std::env::var_os(format!("CARGO_FEATURE_{}", vendor.to_uppercase().replace('-', "_"))).is_some();
    // Without a vendor nothing of specs/ is read: what changes there must not build `cargo spec` anew.
    let others = ["CARGO_FEATURE_AUTHORING", "CARGO_FEATURE_DEFAULT", "CARGO_FEATURE_TYPED"];
    let features = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    if features.filter(|name| name.starts_with("CARGO_FEATURE_")).any(|name| !others.contains(&name.as_str())) {
        println!("cargo::rerun-if-changed=specs");
    }
    let typed = std::env::var_os("CARGO_FEATURE_TYPED").is_some();
    let files = codegen::generate("specs".as_ref(), wanted).and_then(|generated| {
        let mut tree = generated.tree.clone();
        if typed {
            tree.extend(codegen::typed_clients(&generated)?);
        }
        tree.insert("index.rs", generated.index);
        Ok(tree)
    });
    let tree = match files {
        Ok(tree) => tree,
        Err(errors) => {
            for error in &errors {
                // One line each: Cargo ends the message at the line.
                println!("cargo::error={}", error.to_string().replace('\n', " "));
            }
            return ExitCode::FAILURE;
        }
    };
    if let Err(error) = tree.write_to(&out) {
        println!("cargo::error={error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
