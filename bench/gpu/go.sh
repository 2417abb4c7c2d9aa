#!/bin/sh
# Runs the tests and measurements of the device tier from the bundle that run.sh builds. Needs a
# driver, and python3 with PyTorch for the comparison (left out where there is none).
#
# TESTS=no leaves the tests out, NEURAL=no the neural networks; NEURAL_ARGS are options of
# `espalier bench neural`.
#
# go.sh [OUT [MEBIBYTES [SECTION...]]]: reports to OUT (default ./out).
set -u
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here/out}
mebibytes=${2:-512}
[ $# -gt 2 ] && shift 2 || shift $#
mkdir -p "$out"
cd "$here"
java="jre/bin/java ${JAVA_OPTS:-} -Xmx6g --enable-native-access=ALL-UNNAMED --add-modules=jdk.incubator.vector -Djava.library.path=$here/natives"
classes=$(ls "$here"/lib/*.jar | tr '\n' ':')classes:test-classes
status=0
if [ "${TESTS:-yes}" = yes ]; then
  # shellcheck disable=SC2086
  $java -jar console.jar execute --class-path "$classes" --select-package dev.espalier.ps.gpu \
    --select-class dev.espalier.ps.DeviceLoopbackTest --select-class dev.espalier.ps.DeviceParameterServerTest \
    --select-class dev.espalier.ps.PinnedRowsTest \
    --include-classname '.*Test' --details=tree --disable-banner --disable-ansi-colors \
    >"$out/tests.log" 2>&1 || status=1
  grep -E '^\[.*(tests|containers) (found|successful|failed|skipped|aborted)' "$out/tests.log"
  grep -E '\[X\]' "$out/tests.log" | head -20
fi
# shellcheck disable=SC2086
$java -cp "$classes" dev.espalier.ps.gpu.GpuBenchmark "$out/gpu.json" "$mebibytes" "$@" \
  2>"$out/bench.err" | tee "$out/bench.log"
[ -s "$out/gpu.json" ] || status=1
tail -5 "$out/bench.err"
if python3 -c 'import torch' 2>/dev/null; then
  python3 compare.py "$out/gpu.json" "$mebibytes" "$out/torch.json" 2>&1 | tee "$out/torch.log"
else
  echo "python3 has no PyTorch: no comparison"
fi
engines=java,torch
[ -e /dev/nvidiactl ] && engines=$engines,cuda
if [ "${NEURAL:-yes}" != yes ]; then
  :
elif ! sh neural/native/build.sh "" "$here/neural/native/libespalier_torch.so" >"$out/native.log" 2>&1; then
  echo "no neural networks: $(tail -1 "$out/native.log")"
else
  data=
  [ -n "$(ls data)" ] && data="--data data"
  # shellcheck disable=SC2086
  ESPALIER_TORCH=$here/neural/native/libespalier_torch.so $java -cp "neural/*" \
    dev.espalier.bench.Bench neural --engines $engines $data --out "$out/neural.json" \
    ${NEURAL_ARGS:-} 2>"$out/neural.err" | tee "$out/neural.log"
  [ -s "$out/neural.json" ] || { tail -5 "$out/neural.err"; status=1; }
fi
exit $status
