#!/bin/sh
# Compiles the library of the engines `torch` and `cuda` against a libtorch.
#
#   build.sh [LIBTORCH [TARGET]]
#
# LIBTORCH is a folder with include and lib: an unpacked libtorch, or the folder `torch` of a Python
# installation. Without it: that of python3 if it has PyTorch, else the system's (Debian and Ubuntu:
# apt-get install libtorch-dev). TARGET defaults to where the worker looks for it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
libtorch=${1:-}
target=${2:-$here/../../../target/native/libespalier_torch.so}
if [ -z "$libtorch" ]; then
  libtorch=$(python3 -c 'import os, torch; print(os.path.dirname(torch.__file__))' 2>/dev/null || true)
fi
# What newer versions need is more than the system's old one takes.
standards="c++20 c++17"
if [ -n "$libtorch" ]; then
  set -- "-I$libtorch/include" "-I$libtorch/include/torch/csrc/api/include" "-L$libtorch/lib" \
    "-Wl,-rpath,$libtorch/lib"
  [ -f "$libtorch/lib/libtorch_cuda.so" ] && cuda="-Wl,--no-as-needed -ltorch_cuda" || cuda=
elif [ -f /usr/include/torch/csrc/api/include/torch/torch.h ]; then
  set -- -I/usr/include/torch/csrc/api/include
  cuda=
  standards=c++17
else
  echo "build.sh: found no libtorch; name its folder, or install libtorch-dev" >&2
  exit 1
fi
mkdir -p "$(dirname "$target")"
for standard in $standards; do
  # shellcheck disable=SC2086
  if "${CXX:-g++}" -O2 "-std=$standard" -shared -fPIC -w "$here/espalier_torch.cpp" "$@" \
    $cuda -ltorch -ltorch_cpu -lc10 -o "$target"; then
    echo "built $target"
    exit 0
  fi
done
exit 1
