#!/bin/sh
# Compiles the kernels to PTX, which is kept in the repository, and marks it with the hash of its
# source and of this file. Needs nvcc 13.0; without an argument it writes the file that is kept.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
target=${1:-$here/../resources/dev/espalier/ps/gpu/espalier.ptx}
mkdir -p "$(dirname "$target")"
nvcc -ptx -arch=compute_80 -O3 -fmad=false -o "$target.new" "$here/espalier.cu"
hash=$(cat "$here/device.h" "$here/espalier.cu" "$here/build.sh" | sha256sum | cut -d ' ' -f 1)
{ echo "// sha256 of the source: $hash"; cat "$target.new"; } >"$target"
rm "$target.new"
