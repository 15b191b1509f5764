#!/usr/bin/env bash
# Installs the Debian packages that zq is built, tested and checked with: the one list of them.
# Works as root or through sudo; does nothing, fast, when all are there. `--list` only prints.
set -euo pipefail

packages=(
    # compilers and build tools
    build-essential cmake ninja-build pkg-config ccache git
    # libraries the programs are made of
    libzmq3-dev libmsgpack-cxx-dev libsqlite3-dev libabsl-dev libmimalloc-dev libssl-dev libspdlog-dev libfmt-dev
    libcli11-dev libtomlplusplus-dev nlohmann-json3-dev libvalijson-dev libexpected-dev
    # tests: GoogleTest, benchmarks (against Redis too), the independent Python client, hosts as network namespaces
    libgtest-dev libbenchmark-dev libhiredis-dev python3 python3-zmq python3-msgpack iproute2
    # examples and checks: the review worker's cppcheck, formatting, lint, the sanitizer builds
    cppcheck patch clang-format clang-tidy clang libclang-rt-dev
)

if [[ "${1:-}" == --list ]]; then
    printf '%s\n' "${packages[@]}"
    exit 0
elif [[ $# -gt 0 ]]; then
    echo "usage: scripts/install-packages.sh [--list]" >&2
    exit 2
fi

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    echo "install-packages: this is not Debian; install the counterparts of: ${packages[*]}" >&2
    exit 1
fi

missing=()
for package in "${packages[@]}"; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [[ "$state" == installed ]] || missing+=("$package")
done
if [[ ${#missing[@]} -eq 0 ]]; then
    echo "packages: all ${#packages[@]} are installed"
    exit 0
fi

as_root=()
if [[ $(id -u) -ne 0 ]]; then
    if ! command -v sudo >/dev/null; then
        echo "install-packages: neither root nor sudo; as root run: apt-get install ${missing[*]}" >&2
        exit 1
    fi
    as_root=(sudo)
fi
echo "packages: installing ${missing[*]}"
apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 "$@" </dev/null; }
apt update
apt install -y --no-install-recommends "${missing[@]}" >/dev/null
echo "packages: done"
