#!/usr/bin/env bash
# Checks the shell scripts, the Dockerfile and the workflows.
# A checker that is not installed is skipped with a message, or fails if PCC_TEST_REQUIRE lists `lint`.
set -euo pipefail
cd "$(dirname "$0")/.."
status=0

check() {
  if command -v "$1" >/dev/null; then
    "$@" || status=1
  elif [[ " ${PCC_TEST_REQUIRE:-} " =~ [\ ,]lint[\ ,] ]]; then
    echo "lint.sh: PCC_TEST_REQUIRE asks for lint, and $1 is not installed" >&2
    status=1
  else
    echo "lint.sh: skipped: $1 is not installed (see 'Linters' in CONTRIBUTING.md)" >&2
  fi
}

check shellcheck .ci/run scripts/*.sh
check hadolint Dockerfile
check actionlint .github/workflows/*.yml
exit "$status"
