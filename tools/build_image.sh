#!/usr/bin/env bash
# Build the image with buildah where no registry can be reached: `make test-image`, as root.
#
# A stand-in takes the place of the base: Debian with Python 3.13, made by debootstrap. It is kept,
# unlike the image. DEBIAN_MIRROR names another mirror than debootstrap's own.
set -euo pipefail
cd "$(dirname "$0")/.."
# Works in containers, where neither namespaces nor overlay file systems can be counted on.
export BUILDAH_ISOLATION=chroot STORAGE_DRIVER=${STORAGE_DRIVER:-vfs}
base=localhost/roster-test-base

# In a process of its own, whose end removes the folder.
make_base() (
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates \
        trixie "$folder" ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"} >/dev/null
    # Where the official image has it.
    ln -s /usr/bin/python3 "$folder/usr/local/bin/python"
    rm -rf "$folder"/var/cache/apt/* "$folder"/var/lib/apt/lists/*
    container=$(buildah from scratch)
    buildah add -q "$container" "$folder" / >/dev/null
    buildah commit -q "$container" "$base" >/dev/null
    buildah rm "$container" >/dev/null
)

buildah inspect --type image "$base" >/dev/null 2>&1 || make_base
# The certificates of a network with an authority of its own, and its package index.
mounts=()
for path in /etc/ssl/certs /etc/pip.conf; do
    [ ! -e "$path" ] || mounts+=(-v "$path:$path:ro")
done
make image BUILDER=buildah BASE="$base" IMAGE=localhost/roster-test \
    ARGS="--pull-never ${mounts[*]} $*"
