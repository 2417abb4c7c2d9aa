#!/bin/sh
# Runs the tests and measurements of the device tier from the bundle that run.sh builds. Needs a
# driver, and python3 with PyTorch and a g++ for the neural networks and the comparison (left out where
# there is none).
#
# Each phase has a limit of time, so that one that hangs costs no other its turn; what is short and what
# is measured comes before the long tests. Phases, all of them unless PHASES names some:
#   brief     tests of moves, failures and shards on a device
#   gpu       measurements of the device tier
#   engines   tests of the networks of libtorch
#   neural    a network under the tuner, its tables on the host
#   device    the same with its tables on the device
#   tight     the same on a device that cannot hold them all
#   compare   against the optimizers of PyTorch
#   rest      all other tests of the device tier
#
# NEURAL_ARGS are options of `espalier bench neural`.
#
# go.sh [OUT [MEBIBYTES [SECTION...]]]: reports to OUT (default ./out): gpu.json, neural.json,
# device.json, tight.json, torch.json, summary.txt, and all logs in logs.tar.gz.
set -u
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "${1:-$here/out}"
out=$(cd "${1:-$here/out}" && pwd)
mebibytes=${2:-512}
[ $# -gt 2 ] && shift 2 || shift $#
logs=$here/logs
rm -rf "$logs"
mkdir -p "$logs"
: >"$out/summary.txt"
cd "$here"
java="jre/bin/java ${JAVA_OPTS:-} -Xmx6g -XX:MaxDirectMemorySize=8g --enable-native-access=ALL-UNNAMED --add-modules=jdk.incubator.vector -Djava.library.path=$here/natives"
product=$(echo lib/*.jar | tr ' ' ':')
tests=ps-tests:runtime-tests:$(echo test-lib/*.jar | tr ' ' ':'):$product
door=$here/native/libespalier_torch.so
export ESPALIER_TORCH=$door
status=0

say() { echo "$*" | tee -a "$out/summary.txt"; }

# phase NAME SECONDS COMMAND...
phase() {
  name=$1 limit=$2
  shift 2
  start=$(date +%s)
  code=0
  timeout -k 5 "$limit" "$@" >"$logs/$name.log" 2>&1 || code=$?
  [ $code -eq 0 ] || status=1
  say "$name: exit status $code after $(($(date +%s) - start)) s"
  [ $code -eq 0 ] || tail -15 "$logs/$name.log"
}

wanted() { [ -z "${PHASES:-}" ] || case " $PHASES " in *" $1 "*) ;; *) return 1 ;; esac; }

# tests NAME SECONDS SELECTION...
tests() {
  wanted "$1" || return 0
  name=$1 limit=$2
  shift 2
  # shellcheck disable=SC2086
  phase "$name" "$limit" $java -jar console.jar execute --class-path "$tests" "$@" \
    --include-classname '.*Test' --details=tree --disable-banner --disable-ansi-colors
  grep -E '^\[.*tests (found|successful|failed|skipped|aborted)' "$logs/$name.log" | tee -a "$out/summary.txt"
  grep -E '\[X\]' "$logs/$name.log" | head -20 | tee -a "$out/summary.txt"
}

# neural NAME SECONDS JAVA_OPTIONS
neural() {
  wanted "$1" || return 0
  data=
  [ -n "$(ls data)" ] && data="--data data"
  [ -e /dev/nvidiactl ] && engine=cuda || engine=torch
  # shellcheck disable=SC2086
  phase "$1" "$2" $java $3 -cp "$product" dev.espalier.bench.Bench neural --engines $engine \
    --seconds 30 $data --out "$out/$1.json" ${NEURAL_ARGS:-}
  tail -12 "$logs/$1.log"
}

timeout -k 5 300 sh native/build.sh "" "$door" >"$logs/native.log" 2>&1 &
builder=$!

tests brief 150 --select-class dev.espalier.ps.shard.DeviceShardTest \
  --select-class dev.espalier.ps.gpu.WorkingSetTest --select-class dev.espalier.ps.PinnedRowsTest \
  --select-class dev.espalier.ps.DeviceParameterServerTest \
  --select-class dev.espalier.runtime.params.GpuMemoryTest
# Nothing is built beside what is measured.
wait $builder
built=$?
if wanted gpu; then
  # shellcheck disable=SC2086
  phase gpu 150 $java -cp "$tests" dev.espalier.ps.gpu.GpuBenchmark "$out/gpu.json" "$mebibytes" "$@"
  cat "$logs/gpu.log"
  [ -s "$out/gpu.json" ] || status=1
fi
if [ $built -eq 0 ]; then
  tests engines 90 --select-class dev.espalier.nn.torch.TorchNetworkTest
  neural neural 120 ""
  neural device 120 -Despalier.gpu.bytes=8589934592
  neural tight 90 "-Despalier.gpu.bytes=16777216"
else
  say "no neural networks: $(tail -1 "$logs/native.log")"
fi
if wanted compare && [ -s "$out/gpu.json" ] && python3 -c 'import torch; torch.zeros(1).cuda()' 2>/dev/null; then
  phase compare 90 python3 compare.py "$out/gpu.json" "$mebibytes" "$out/torch.json"
  cat "$logs/compare.log"
fi
tests rest 240 --select-package dev.espalier.ps.gpu --select-class dev.espalier.ps.DeviceLoopbackTest \
  --exclude-classname '.*WorkingSetTest'
tar -C "$logs" -czf "$out/logs.tar.gz" .
exit $status
