#!/usr/bin/env bash
# How long building takes: a clean release build (Jitbit only) beside one of a scratch copy that
# has no build dependencies and a build.rs that copies generated/, and `cargo check` after a
# one-line edit in src/server. Prints user seconds (the machine may be shared) and wall seconds.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export CARGO_TERM_QUIET=true CARGO_INCREMENTAL=1
TIMEFORMAT='%U user, %R wall'

copy() {
  mkdir -p "$work/$1"
  git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$work/$1" 2>/dev/null
}

build() {
  cargo build --release --no-default-features --features jitbit --manifest-path "$work/$1/Cargo.toml" --target-dir "$work/$1-target"
}

copy ours
copy scratch
cargo fetch --locked
echo "clean release build:"
{ time build ours; } 2>&1 | sed 's/^/  with the generator:    /'

# The index is the one file that stands in OUT_DIR only.
index=$(find "$work/ours-target/release/build" -name index.rs -path '*toolwright*' | head -n 1)
cp "$index" "$work/scratch/generated/index.rs"
python3 - "$work/scratch/Cargo.toml" <<'PYTHON'
import re, sys
path = sys.argv[1]
text = open(path).read()
text = re.sub(r"\[build-dependencies\]\n(?:.+\n)*", "", text)
open(path, "w").write(text)
PYTHON
cat >"$work/scratch/build.rs" <<'RUST'
//! Copies generated/ to OUT_DIR.
use std::{env, fs, path::Path};
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
fn main() {
    println!("cargo::rerun-if-changed=generated");
    copy(Path::new("generated"), Path::new(&env::var("OUT_DIR").unwrap()));
}
RUST
{ time build scratch; } 2>&1 | grep " user, " | sed 's/^/  without the generator: /'

echo "cargo check after a one-line edit in src/server:"
check() {
  cargo check --manifest-path "$work/ours/Cargo.toml" --target-dir "$work/ours-target"
}
check
# A line of code, so that more than a comment is checked again.
sed -i 's/.with_title("Toolwright")/.with_title("Toolwright, edited")/' "$work/ours/src/server/mod.rs"
{ time check; } 2>&1 | sed 's/^/  /'
