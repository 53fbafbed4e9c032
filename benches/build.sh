#!/usr/bin/env bash
# How long building takes, in two checkouts: a clean release build, `cargo check` after a one-line edit in
# src/server, and the first `cargo spec lint` of a clean clone.
#
#     benches/build.sh BEFORE AFTER
#
# Prints a row for each, before and after in turns, in wall and user seconds (the machine may be shared). Exits 1
# where AFTER takes over 10 % more wall time. Works on copies; needs some gigabytes in TMPDIR.
set -euo pipefail

if (($# != 2)); then
  echo "usage: benches/build.sh BEFORE AFTER (two checkouts of this repository)" >&2
  exit 2
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export CARGO_TERM_QUIET=true CARGO_INCREMENTAL=1
unset CARGO_TARGET_DIR
TIMEFORMAT='%R %U'
sides=(before after)

copy() {
  mkdir -p "$work/$2"
  (cd "$1" && git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents --no-dereference -t "$work/$2")
  # Downloads are no part of a build.
  (cd "$work/$2" && cargo fetch --locked)
}

# Runs a command in the copy of one side; prints its wall and user seconds.
timed() {
  local side=$1
  shift
  (
    cd "$work/$side"
    { time "$@" >"$work/output" 2>&1; } 2>&1 || {
      cat "$work/output" >&2
      exit 1
    }
  )
}

status=0
# compare HEADING COMMAND...: the command in both copies.
compare() {
  local heading=$1 side seconds row=() wall=()
  shift
  for side in "${sides[@]}"; do
    seconds=$(timed "$side" "$@")
    wall+=("${seconds% *}")
    row+=("${seconds% *} s (${seconds#* } s user)")
  done
  local ratio
  ratio=$(awk "BEGIN { printf \"%.2f\", ${wall[1]} / ${wall[0]} }")
  printf '| %s | %s | %s | %s |\n' "$heading" "${row[0]}" "${row[1]}" "$ratio"
  if awk "BEGIN { exit !(${wall[1]} > 1.1 * ${wall[0]}) }"; then
    echo "$heading: over 10 % slower" >&2
    status=1
  fi
}

copy "$1" before
copy "$2" after
echo "| what | before | after | ratio |"
echo "|---|---|---|---|"
# Exit code 1 means findings.
compare "first \`cargo spec lint\`" bash -c 'cargo spec lint specs/jitbit/api.yaml || (($? == 1))'
for side in "${sides[@]}"; do
  # What the edit is measured against: everything checked once.
  timed "$side" cargo check >/dev/null
  # A line of code, so that more than a comment is checked again.
  sed -i 's/.with_title("Toolwright")/.with_title("Toolwright, edited")/' "$work/$side/src/server/mod.rs"
  grep -q 'Toolwright, edited' "$work/$side/src/server/mod.rs"
done
compare "\`cargo check\` after a one-line edit in src/server" cargo check
compare "clean release build" cargo build --release
exit "$status"
