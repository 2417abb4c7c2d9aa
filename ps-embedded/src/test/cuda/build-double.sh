#!/bin/sh
# Builds the double of the driver (see double.cpp) with g++.
#
#   build-double.sh TARGET
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
# Checked jumps go down a stack only; those of the double go from one stack to another.
exec g++ -std=c++20 -O2 -U_FORTIFY_SOURCE -ffp-contract=off -Wno-unknown-pragmas -shared -fPIC \
  -Wl,-soname,libcuda.so.1 -I "$here/../../main/cuda" -I "$here" -o "$1" "$here/double.cpp"
