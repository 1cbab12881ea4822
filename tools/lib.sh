# shellcheck shell=bash disable=SC2034 # variables for those who source this
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the tools share: where things are, one line per long step with the time
# it took, and a failure that names the step, its log and the likely cause.
# Sourced by the scripts of tools/; not run by itself.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
. "$top/tools/where.sh"

# What was said to our make (T=..., -j) is not meant for Linux's.
unset MAKEFLAGS MFLAGS MAKEOVERRIDES

# The build directory and the options that configure remembered.
build=${SVA_BUILD_DIR:-$(cat "$top/.build-dir" 2>/dev/null || printf '%s/build' "$top")}
build=$(realpath -m -- "$build")
no_space 'source tree' "$top"
may_build_in "$build"
if is_our_build "$build"; then
    # shellcheck source=/dev/null
    . "$build/config.env"
fi
cache=$(realpath -m -- "${SVA_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/smmuv3-sva}")
may_cache_in "$cache"
logs=$build/logs
# QEMU's configure and Meson want the distribution's Python: another one that
# happens to come first in PATH would not see the distribution's modules, and what
# the user has it look at besides may hide those that QEMU brings.
unset PYTHONPATH PYTHONHOME
python=${SVA_PYTHON:-/usr/bin/python3}
# The thread sanitizer has been tried with clang alone.
cc=${SVA_CC:-$([ "${SVA_TSAN:-no}" = yes ] && echo clang || echo gcc)}
export CCACHE_DIR=${CCACHE_DIR:-$cache/ccache}
# A first build costs a tenth less when ccache does not preprocess for itself.
export CCACHE_DEPEND=1

jobs_default() {
    nproc 2>/dev/null || echo 2
}
jobs=${SVA_JOBS:-$(jobs_default)}

say() {
    printf '%s\n' "$*"
}

die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# The cache is there, and marked as ours.
make_cache() {
    mkdir -p "$cache"
    is_our_cache "$cache" || printf '%s\n' "$cache_mark" >"$cache/CACHEDIR.TAG"
}

# in_cache COMMAND...: no other build changes the cache meanwhile. Whoever
# waited looks again whether there is still something to do.
in_cache() {
    make_cache
    (
        flock -n 8 || {
            say "  waiting for another build that fills $cache"
            flock 8
        }
        "$@"
    ) 8>"$cache/lock"
}

# likely_cause LOG: prints one line of advice when the log shows a well-known
# cause, nothing otherwise.
likely_cause() {
    local log=$1
    if grep -qiE 'No space left on device' "$log"; then
        say "likely cause: a file system is full; now there is $(df -h "$build" "$cache" |
            awk 'NR > 1 && !seen[$6]++ {print n $4 " free on " $6; n = ", "}' ORS='')"
    elif grep -qE '404  Not Found' "$log"; then
        say "likely cause: the mirror in this machine's apt sources does not have that version (yet, or any more)"
    elif grep -qiE 'Could not resolve|Temporary failure|Could not connect|Connection (refused|timed out)|Network is unreachable|Failed to fetch' "$log"; then
        say "likely cause: no network, or the mirror in this machine's apt sources does not answer"
    elif grep -qiE 'NO_PUBKEY|EXPKEYSIG' "$log"; then
        say "likely cause: this machine's debian-archive-keyring is too old; upgrade that package"
    elif grep -qiE "does not have a Release file" "$log"; then
        say "likely cause: the mirror in this machine's apt sources does not carry that suite"
    elif grep -qiE 'Unable to (locate|find) (a )?(source )?package' "$log"; then
        say "likely cause: the package index has no such package; its suite may have moved on"
    elif grep -qiE 'Killed signal|out of memory|Cannot allocate memory' "$log"; then
        say "likely cause: not enough memory; try SVA_JOBS=1"
    elif grep -qiE 'command not found|Program .* not found or not executable|Dependency "[^"]*" not found|not found, tried pkgconfig' "$log"; then
        say "likely cause: a missing package; tools/packages --list names those that are needed"
    fi
}

# step NAME WHAT COMMAND...: runs one long step with its output in
# $logs/NAME.log, says what it does and how long it took.
step() {
    local name=$1 what=$2 log start status
    shift 2
    mkdir -p "$logs"
    log=$logs/$name.log
    start=$(date +%s)
    printf '  %-52s ' "$what ..."
    # Not "if COMMAND": a function's own commands would then fail unnoticed.
    set +e
    local TIMEFORMAT="$name: %R s, of processors %U s user and %S s system"
    {
        time (
            set -e
            "$@"
        )
    } >"$log" 2>&1 </dev/null
    status=$?
    set -e
    if [ $status = 0 ]; then
        printf '%4d s\n' $(($(date +%s) - start))
        return 0
    fi
    printf 'FAILED\n'
    {
        printf '%s\n' '--- last lines of the log ---'
        tail -n 25 "$log"
        printf '%s\n' '-----------------------------'
        say "error: step '$name' ($what) failed; log: $log"
        likely_cause "$log"
    } >&2
    exit 1
}

# digest_of FILE...: one word that changes when a file's name or content does.
digest_of() {
    cat -- "$@" | sha256sum | cut -c1-16
}
