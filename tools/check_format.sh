#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every C file is as clang-format 14 (Debian 12's, the pinned one) lays it out. Exit 77, skipped, without it.
set -eu
cd "${1:-$(dirname "$0")/..}"
command -v clang-format-14 >/dev/null || { echo "clang-format-14 is not installed"; exit 77; }
find src tests -name '*.[ch]' -print0 | xargs -0 clang-format-14 --dry-run -Werror
