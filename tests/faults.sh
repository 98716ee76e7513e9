#!/usr/bin/env bash
# Runs the tests of full and failing disks, which plain `cargo test` leaves out.
#
# Needs Linux, root (it mounts small disks) and strace (`apt-get install strace`); and a container
# must allow both: --cap-add SYS_ADMIN --cap-add SYS_PTRACE. Takes about two minutes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [ "$(id -u)" -ne 0 ]; then
    echo "error: this mounts disks, so run it as root" >&2
    exit 64
fi
if ! command -v strace >/dev/null; then
    echo "error: strace is missing; install it with: apt-get install strace" >&2
    exit 64
fi

# One after another: each mounts its disk, and what is slow on a full one is not the point.
cargo test --package tests --test faults --locked -- --ignored --nocapture --test-threads=1 "$@"
