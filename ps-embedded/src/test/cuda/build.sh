#!/bin/sh
# Compiles the work of GpuBenchmark to PTX, which is kept in the repository. Needs nvcc 13.0.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$here/../resources/dev/espalier/ps/gpu"
nvcc -ptx -arch=compute_80 -O3 -I "$here/../../main/cuda" \
  -o "$here/../resources/dev/espalier/ps/gpu/layer.ptx" "$here/layer.cu"
