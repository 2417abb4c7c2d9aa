#!/bin/sh
# Compiles the work of GpuBenchmark to PTX, which is kept in the repository, and marks it with the hash
# of its source and of this file. Needs nvcc 13.0.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
main=$here/../../main/cuda
target=$here/../resources/dev/espalier/ps/gpu/layer.ptx
mkdir -p "$(dirname "$target")"
nvcc -ptx -arch=compute_80 -O3 -I "$main" -o "$target.new" "$here/layer.cu"
hash=$(cat "$main/device.h" "$here/layer.cu" "$here/build.sh" | sha256sum | cut -d ' ' -f 1)
{ echo "// sha256 of the source: $hash"; cat "$target.new"; } >"$target"
rm "$target.new"
