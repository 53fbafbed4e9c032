#!/usr/bin/env bash
# Compares every API with the source that specs/<vendor>/vendor.toml names; where something changed, takes over the facts on a
# branch and opens a pull request with the report. For cron, at the top of a clone that may push:
#   23 4 * * *  cd /srv/toolwright && deploy/drift/vendor-changes.sh
# Needs git with a name to commit by, cargo, python3 and gh (signed in, or GH_TOKEN). Exit codes: 0 nothing new or a pull
# request is open, 1 a person has to act first, 3 a source can't be read.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

branch=${TOOLWRIGHT_DRIFT_BRANCH:-vendor-changes}
base=${TOOLWRIGHT_DRIFT_BASE:-main}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [[ -n $(git status --porcelain) ]]; then
  echo "the working tree has changes: nothing was done" >&2
  exit 1
fi
subject="Vendors' interfaces changed"
git fetch --quiet origin "$base"
# The branch is made anew: what a person added to it must not be lost.
if [[ -n $(git ls-remote --heads origin "$branch") ]]; then
  git fetch --quiet origin "$branch"
  if [[ $(git log -1 --format=%s FETCH_HEAD) != "$subject" ]]; then
    echo "$branch has commits of a person: merge it, or delete it" >&2
    exit 1
  fi
fi
git checkout --quiet -B "$branch" "origin/$base"
# The tree was clean: what a failed run leaves would stop the next one.
trap 'git reset --quiet --hard; git clean --quiet --force -d specs generated; rm -rf "$work"' EXIT

status=0
cargo spec check --format markdown >"$work/report.md" || status=$?
case $status in
  0) echo "nothing changed"; exit 0 ;;
  1 | 2) ;;
  *) echo "a source can't be read" >&2; exit 3 ;;
esac

# What was read for the report is read again for the update; the report of each update says what was taken over.
code=0
cargo spec check --format json >"$work/report.json" || code=$?
if ((code > 2)); then
  echo "a source can't be read" >&2
  exit 3
fi
apis=$(python3 -c '
import json, sys
reports = json.load(open(sys.argv[1]))
for report in reports if isinstance(reports, list) else [reports]:
    if report["changes"]:
        print(report["api"])
' "$work/report.json")
left=0
while read -r api; do
  [[ -n $api ]] || continue
  code=0
  cargo spec update --api "$api" --format markdown >/dev/null 2>"$work/update.txt" || code=$?
  {
    printf '\n## Taken over: `%s`\n\n```text\n' "$api"
    head -c 4000 "$work/update.txt"
    printf '\n```\n'
  } >>"$work/report.md"
  case $code in
    0) ;;
    1) left=1 ;;
    *) echo "$api could not be updated" >&2; exit 3 ;;
  esac
done <<<"$apis"

if [[ -z $(git status --porcelain) ]]; then
  cat "$work/report.md"
  echo "the differences change none of our files: decide about them by hand" >&2
  exit 1
fi
git add --all specs generated
git commit --quiet --message "$subject"
git push --quiet --force origin "$branch"
title=$subject
if ((status == 2)); then title="$title: calls break"; fi
if ((left)); then title="$title, something is left to decide"; fi
if gh pr view "$branch" --json state --jq .state 2>/dev/null | grep -qx OPEN; then
  gh pr edit "$branch" --title "$title" --body-file "$work/report.md"
else
  gh pr create --head "$branch" --base "$base" --title "$title" --body-file "$work/report.md"
fi
