# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced by the scripts that try things in a fresh Debian root: makes one.
#
#   make_root SUITE ROOT ARCHIVES PACKAGE,...
#
# Packages come from where the apt of this machine gets its own, and are kept in
# ARCHIVES for the next time. /proc and /dev are mounted there: call it in a mount
# namespace.

# Where apt gets the packages with this label from; anywhere else but on Debian, the
# address that Debian's documents name.
mirror() {
    local found
    # shellcheck disable=SC2016  # apt expands these words
    found=$(apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(SITE)' \
        'Created-By: Packages' 2>/dev/null | sed -n "s/^Debian|$1|//p" | sort -u) || :
    echo "${found%%$'\n'*}"
}

make_root() {
    local suite=$1 root=$2 archives=$3 packages=$4 debian security
    debian=$(mirror Debian)
    security=$(mirror Debian-Security)
    : "${debian:=http://deb.debian.org/debian}"
    : "${security:=http://deb.debian.org/debian-security}"
    eval "$(apt-config shell http_proxy Acquire::http::Proxy)"
    export http_proxy=${http_proxy-}

    mkdir -p "$archives/partial"
    rm -rf --one-file-system "$root"
    debootstrap --variant=minbase --include="$packages" --cache-dir="$archives" \
        "$suite" "$root" "$debian" >"$root.log" || return
    cp /etc/resolv.conf "$root/etc/resolv.conf"
    apt-config dump | sed -nE '/^Acquire::(https?|Check-Valid-Until)\b.* "[^"]/p' \
        >"$root/etc/apt/apt.conf.d/90host"
    {
        echo "deb $debian $suite main"
        echo "deb $debian $suite-updates main"
        echo "deb $security $suite-security main"
    } >"$root/etc/apt/sources.list"
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    mount --bind "$archives" "$root/var/cache/apt/archives"
}

remove_root() {
    umount -R "$1/proc" "$1/dev" "$1/var/cache/apt/archives" 2>/dev/null || true
    rm -rf --one-file-system "$1"
}
