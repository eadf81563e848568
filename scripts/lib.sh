# shellcheck shell=bash
# What the scripts share: where the repository is, how to speak, and where cargo puts what it builds.
# Sourced, never run. Leaves the caller in the repository's root.

if ((BASH_VERSINFO[0] < 5)); then
    echo "bash 5 or newer is needed (this is $BASH_VERSION)" >&2
    exit 1
fi

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit

# In CI the lock file is what is tested; a developer who adds a dependency is allowed to change it.
locked=()
[[ -z ${CI:-} ]] || locked=(--locked)
# Read by the scripts that source this.
export root

say() { printf '%s\n' "$@"; }
warn() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { warn "$@"; exit 1; }
# Programs only: a function of the same name does not count.
have() { type -P "$1" >/dev/null; }

# Where cargo builds, whoever configured it: CARGO_TARGET_DIR, a config file, or nobody.
target_dir() {
    cargo metadata --no-deps --format-version 1 "${locked[@]}" | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p'
}

# The folder for tools that only the checks need; it goes with `cargo clean`.
tools_dir() { printf '%s/tools\n' "$(target_dir)"; }
