# shellcheck shell=bash disable=SC2154 # $top is the caller's
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Which directories this project may build in, cache in and remove from: those
# that it made. Knows nothing of what is in them. Sourced by configure and by
# lib.sh, with $top set.

# The first line of config.env, which makes a build directory ours.
build_mark='# Written by configure; the environment has precedence.'
# What makes a cache ours; other programs know the file's name and first line
# (https://bford.info/cachedir).
cache_mark='Signature: 8a477f597d28d172789f06886806bc55
# The cache of smmuv3-sva: downloads, sources of Linux, ccache.'

refuse() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# no_space WHAT PATH: Meson, make and the kernel's build split at white space.
no_space() {
    case $2 in
    *[[:space:]]*) refuse "$1: white space in \"$2\" would break the build" ;;
    esac
}

is_empty() {
    [ -z "$(ls -A -- "$1")" ]
}

is_our_build() {
    [ "$(head -n 1 -- "$1/config.env" 2>/dev/null)" = "$build_mark" ]
}

is_our_cache() {
    cmp -s -- "$1/CACHEDIR.TAG" <(printf '%s\n' "$cache_mark")
}

# may_use WHAT DIR: DIR is none that could hold something of the user's. What
# "build" in our own source tree is, git knows, too.
may_use() {
    local what=$1 dir=$2 trunk=${2%/}
    no_space "$what" "$dir"
    case $top/ in
    "$trunk"/*) refuse "$what: $dir has the source tree in it; choose a directory of its own" ;;
    esac
    if [ -e "$dir" ] && [ ! -d "$dir" ]; then
        refuse "$what: $dir is no directory"
    fi
}

# may_build_in DIR
may_build_in() {
    may_use 'build directory' "$1"
    if [ "$1" != "$top/build" ] && [ -d "$1" ] && ! is_empty "$1" && ! is_our_build "$1"; then
        refuse "build directory: $1 is neither empty nor made by configure; choose another, a new one"
    fi
}

# may_cache_in DIR: "smmuv3-sva" is our name, and caches had no mark once.
may_cache_in() {
    may_use 'cache' "$1"
    case $1 in
    */smmuv3-sva) return ;;
    esac
    if [ -d "$1" ] && ! is_empty "$1" && ! is_our_cache "$1"; then
        refuse "cache: $1 is neither empty nor a cache of ours; choose another, or DIR/smmuv3-sva"
    fi
}
