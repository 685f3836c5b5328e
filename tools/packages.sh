#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Sourced by ./run and ./test: `install_packages SECTION...` installs what packages.txt names and the machine lacks.
# With nothing missing it uses neither network nor root.

packages_of() { # SECTION...
    local section
    for section in "$@"; do
        sed -n "/^\[$section\]/,/^\[/{/^[a-z0-9]/p}" packages.txt
    done
}

missing_of() { # PACKAGE...
    comm -23 <(printf '%s\n' "$@" | sort) \
        <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^installed //p' | sort -u)
}

install_packages() { # SECTION...
    local missing as_root=() apt=(apt-get -o DPkg::Lock::Timeout=300)
    command -v apt-get >/dev/null || return 0 # not Debian: meson says what is missing
    # shellcheck disable=SC2046 # one word per package
    mapfile -t missing < <(missing_of $(packages_of "$@"))
    [ ${#missing[@]} -eq 0 ] && return 0
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null; then
            printf '%s\n' "These Debian packages are missing, and there is neither root nor sudo here. As root, run:" \
                "  apt-get update && apt-get install -y --no-install-recommends ${missing[*]}" >&2
            exit 1
        fi
        as_root=(sudo)
    fi
    echo "Installing ${#missing[@]} Debian packages: ${missing[*]}"
    "${as_root[@]}" "${apt[@]}" -q update
    without_services "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        "${apt[@]}" -q install -y --no-install-recommends "${missing[@]}"
}

# runs a command that installs packages, without starting the services (nginx) that they bring: see invoke-rc.d(8)
without_services() { # COMMAND...
    local policy=/usr/sbin/policy-rc.d status=0
    if [ -e "$policy" ]; then
        "$@"
        return
    fi
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
    "${as_root[@]}" chmod 755 "$policy"
    "$@" || status=$?
    "${as_root[@]}" rm -f "$policy"
    return "$status"
}
