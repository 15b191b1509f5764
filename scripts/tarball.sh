#!/usr/bin/env bash
# Makes build/zq-VERSION-linux-ARCH.tar.gz: the programs with every library they need but the C library, for
# a Debian machine of the same release or later that has no compiler. Unpack it anywhere and run bin/zq.
set -euo pipefail
cd "$(dirname "$0")/.."

build=build/tarball
version=$(sed -n 's/^project(zq VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
name=zq-$version-linux-$(uname -m)
stage=$build/$name

scripts/install-packages.sh
# DT_RPATH (old dtags) and not DT_RUNPATH: it is also followed for the libraries' own libraries.
cmake --preset release -B "$build" -DZQ_TESTS=OFF -DCMAKE_INSTALL_RPATH='$ORIGIN/../lib' \
    -DCMAKE_EXE_LINKER_FLAGS=-Wl,--disable-new-dtags >/dev/null
cmake --build "$build" --target zq zq-coordinator zq-worker -j "$(nproc)"

rm -rf "$stage"
cmake --install "$build" --component programs --prefix "$stage" --strip >/dev/null
mkdir -p "$stage/lib" "$stage/share/zq" "$stage/share/doc/zq/third-party"
cp -r examples "$stage/share/zq/"

# What glibc itself provides, and so every Debian machine has.
is_glibc() {
    case $1 in
        linux-vdso.so.* | ld-linux*.so.* | libc.so.* | libm.so.* | libpthread.so.* | libdl.so.* | librt.so.* | \
            libresolv.so.* | libanl.so.* | libutil.so.* | libnsl.so.1) return 0 ;;
    esac
    return 1
}

# ldd lists the libraries' own libraries too.
ldd "$stage"/bin/* | awk '$2 == "=>" && $3 ~ /^\// { print $1, $3 }' | sort -u |
    while read -r library path; do
        is_glibc "$library" && continue
        file=$(readlink -f "$path")
        install -m 644 "$file" "$stage/lib/$library"
        # dpkg knows some files under /lib that lie in /usr/lib.
        package=$({ dpkg-query -S "$file" || dpkg-query -S "${file#/usr}"; } 2>/dev/null | head -n 1 | cut -d : -f 1 || true)
        if [[ -n $package && -e /usr/share/doc/$package/copyright ]]; then
            cp -L "/usr/share/doc/$package/copyright" "$stage/share/doc/zq/third-party/$package"
        fi
    done

scripts/tarball-check.sh "$stage"

tar -C "$build" --owner=0 --group=0 --numeric-owner -czf "build/$name.tar.gz" "$name"
echo "build/$name.tar.gz ($(du -h "build/$name.tar.gz" | cut -f 1))"
