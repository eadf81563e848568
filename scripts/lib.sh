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

# Whether a process that this script started still runs; a number that went to somebody else's process does not count.
running() { [[ -n $1 ]] && jobs -rp | grep -qx "$1"; }

# How long a process may take to end, in tenths of a second: above the gateway's drain_timeout.
stop_tries=350

# Has a process that this script started end, if it runs.
end() { # PID
    running "$1" || return 0
    kill -TERM "$1" 2>/dev/null || true
    local try
    for ((try = 0; try < stop_tries; try++)); do
        running "$1" || return 0
        sleep 0.1
    done
    warn "process $1 did not end by itself; killing it"
    kill -KILL "$1" 2>/dev/null || true
}
