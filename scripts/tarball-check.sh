#!/usr/bin/env bash
# scripts/tarball-check.sh FOLDER: does an unpacked tarball run where there is nothing but the C library? Every
# library must come from the folder or from glibc; as root, `zq version` also runs in an otherwise empty root.
set -euo pipefail
folder=$(realpath "$1")

glibc='^(linux-vdso|ld-linux|libc|libm|libpthread|libdl|librt|libresolv|libanl|libutil|libnsl)[-.]'
strangers=$(env -i ldd "$folder"/bin/* | awk -v own="$folder/" '
    /=>/ { path = $3; if (path == "not") print $1, "not found"; else if (index(path, own) != 1) print $1 }' |
    sort -u | grep -vE "$glibc" || true)
if [[ -n $strangers ]]; then
    echo "tarball: these libraries would come from the machine: $strangers" >&2
    exit 1
fi

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir "$root/elsewhere"
cp -r "$folder" "$root/elsewhere/zq"
for program in zq zq-coordinator zq-worker; do
    env -i "$root/elsewhere/zq/bin/$program" --version >/dev/null
done
if [[ $(id -u) -eq 0 ]]; then
    env -i ldd "$root"/elsewhere/zq/bin/* | grep -oE '/[^ ]+' | grep -v "^$root" | sort -u | grep -v ':$' |
        while read -r library; do
            mkdir -p "$root$(dirname "$library")"
            cp -L "$library" "$root$library"
        done
    # Without /proc the loader has to be told what $ORIGIN is.
    for program in zq zq-coordinator zq-worker; do
        env -i LD_ORIGIN_PATH=/elsewhere/zq/bin "$(command -v chroot)" "$root" "/elsewhere/zq/bin/$program" --version >/dev/null
    done
fi
echo "tarball: runs from another folder with glibc alone"
