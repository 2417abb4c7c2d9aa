#!/bin/sh
# Runs the tests and measurements of the device tier from the bundle that run.sh builds. Needs a
# driver, and python3 with PyTorch and a g++ for the neural networks and the comparison.
#
# Phases, all of them unless PHASES names some, and the seconds that each may take at most, so that one
# that hangs costs no other its turn:
#   brief    150  tests of moves, failures and shards on a device
#   gpu      150  measurements of the device tier
#   engines   90  tests of the networks of libtorch, their tables on the host and on a device
#   neural   120  a network under the tuner, its tables on the host
#   device   120  the same with its tables on the device
#   tight     90  the same on a device that cannot hold them all
#   lstm      90  a language model, its tables on the device
#   compare   90  against the optimizers of PyTorch; needs gpu.json of this call, or in OUT
#   rest     240  all other tests of the device tier
# Where a call may take so long only, name phases that fit. These fit 500 seconds each, the most
# telling first: PHASES="gpu compare" (240), PHASES="brief engines device tight" (450),
# PHASES="lstm neural rest" (450, with the door of the call before).
#
# The door to libtorch is compiled while `brief` runs (at most 150 s), if a phase needs it and none is
# there, and left in OUT: ESPALIER_TORCH=FILE uses that one in the next call, on the same image.
#
# DATA         a folder with fashion-mnist, cifar10-10k, tinyshakespeare or some of them (default: data
#              beside this script); what is not there is generated, and summary.txt says which
# NEURAL_ARGS  options of `espalier bench neural` for `cnn`
#
# go.sh [OUT [MEBIBYTES [SECTION...]]]: reports to OUT (default ./out): gpu.json, neural.json,
# device.json, tight.json, lstm.json, torch.json, summary.txt, and all logs in logs.tar.gz, which is
# written after each phase. Exit status 1 when something that was wanted failed or could not run.
set -u
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "${1:-$here/out}"
out=$(cd "${1:-$here/out}" && pwd)
mebibytes=${2:-512}
[ $# -gt 2 ] && shift 2 || shift $#
data=${DATA:-$here/data}
door=${ESPALIER_TORCH:-$out/libespalier_torch.so}
case $data in /*) ;; *) data=$PWD/$data ;; esac
case $door in /*) ;; *) door=$PWD/$door ;; esac
export ESPALIER_TORCH=$door
logs=$here/logs
rm -rf "$logs"
mkdir -p "$logs"
: >"$out/summary.txt"
cd "$here"
java="jre/bin/java ${JAVA_OPTS:-} -Xmx6g -XX:MaxDirectMemorySize=8g --enable-native-access=ALL-UNNAMED --add-modules=jdk.incubator.vector -Djava.library.path=$here/natives -Dlogback.configurationFile=dev/espalier/runtime/worker-logback.xml"
product=$(echo lib/*.jar | tr ' ' ':')
tests=ps-tests:runtime-tests:$(echo test-lib/*.jar | tr ' ' ':'):$product
status=0

say() { echo "$*" | tee -a "$out/summary.txt"; }

wanted() { [ -z "${PHASES:-}" ] || case " $PHASES " in *" $1 "*) ;; *) return 1 ;; esac; }

needs_door() { wanted engines || wanted neural || wanted device || wanted tight || wanted lstm; }

left_out() {
  say "$1: left out: $2"
  status=1
}

keep_logs() { tar -C "$logs" -czf "$out/logs.tar.gz.new" . && mv "$out/logs.tar.gz.new" "$out/logs.tar.gz"; }

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
  keep_logs
}

# tests NAME SECONDS SELECTION...
tests() {
  wanted "$1" || return 0
  name=$1 limit=$2
  shift 2
  # shellcheck disable=SC2086
  phase "$name" "$limit" $java -jar console.jar execute --class-path "$tests" "$@" \
    --include-classname '.*Test' --details=tree --details-theme=ascii --disable-banner \
    --disable-ansi-colors
  grep -E '^\[.*tests (found|successful|failed|skipped|aborted)' "$logs/$name.log" | tee -a "$out/summary.txt"
  grep -E '\[(X|A|S)\]' "$logs/$name.log" | head -20 | tee -a "$out/summary.txt"
  sed -n '/^Failures/,/^Test run finished/p' "$logs/$name.log" | head -60
  # Tests that miss something are skipped, each with its reason.
  grep -Eq '^\[ +[1-9][0-9]* tests successful' "$logs/$name.log" || left_out "$name" "no test ended well"
}

# has SET...: whether some of these data sets are there
has() { for set in "$@"; do [ ! -d "$data/$set" ] || return 0; done; return 1; }

# neural NAME SECONDS SECONDS_OF_JOB JAVA_OPTIONS [PROGRAM]
neural() {
  wanted "$1" || return 0
  [ -e /dev/nvidiactl ] && engine=cuda || engine=torch
  program=${5:-cnn} sets="fashion-mnist cifar10-10k"
  arguments=${NEURAL_ARGS:-}
  [ "$program" = cnn ] || sets=tinyshakespeare arguments=
  # shellcheck disable=SC2086
  has $sets && where="--data $data" || where=
  # shellcheck disable=SC2086
  phase "$1" "$2" $java $4 -cp "$product" dev.espalier.bench.Bench neural --program $program \
    --engines $engine --seconds "$3" $where --out "$out/$1.json" $arguments
  tail -12 "$logs/$1.log"
  grep -E 'tables on|FAILED' "$logs/$1.log" | sort | uniq -c >>"$out/summary.txt"
}

build_door() {
  timeout -k 5 150 sh native/build.sh "" "$door.new" >"$logs/native.log" 2>&1 && mv "$door.new" "$door" \
    || echo "native/build.sh did not end well within 150 s, see native.log" >>"$logs/native.log"
}

builder=
if needs_door && [ ! -s "$door" ]; then
  build_door &
  builder=$!
fi
if needs_door; then
  if has fashion-mnist cifar10-10k tinyshakespeare; then
    say "data: real, of $data: $(cd "$data" && ls -d fashion-mnist cifar10-10k tinyshakespeare \
      2>/dev/null | tr '\n' ' ')"
  else
    say "data: generated ($data has none of fashion-mnist, cifar10-10k, tinyshakespeare)"
  fi
fi

tests brief 150 --select-class dev.espalier.ps.shard.DeviceShardTest \
  --select-class dev.espalier.ps.gpu.WorkingSetTest --select-class dev.espalier.ps.PinnedRowsTest \
  --select-class dev.espalier.ps.DeviceParameterServerTest \
  --select-class dev.espalier.runtime.params.GpuMemoryTest
# Nothing is built beside what is measured.
[ -z "$builder" ] || wait "$builder"
keep_logs
if wanted gpu; then
  rm -f "$out/gpu.json"
  # shellcheck disable=SC2086
  phase gpu 150 $java -cp "$tests" dev.espalier.ps.gpu.GpuBenchmark "$out/gpu.json" "$mebibytes" "$@"
  cat "$logs/gpu.log"
fi
if wanted compare; then
  if [ ! -s "$out/gpu.json" ]; then
    left_out compare "$out/gpu.json is not there; ask for the phase gpu, too"
  elif ! timeout -k 5 60 python3 -c 'import torch; torch.zeros(1).cuda()' >"$logs/compare.log" 2>&1; then
    left_out compare "$(tail -1 "$logs/compare.log")"
  else
    phase compare 90 python3 compare.py "$out/gpu.json" "$mebibytes" "$out/torch.json"
    cat "$logs/compare.log"
  fi
fi
if [ -s "$door" ]; then
  [ "$door" -ef "$out/libespalier_torch.so" ] || cp "$door" "$out/libespalier_torch.so"
  tests engines 90 --select-class dev.espalier.nn.torch.TorchNetworkTest
  neural device 120 30 -Despalier.gpu.bytes=8589934592
  neural tight 90 20 -Despalier.gpu.bytes=16777216
  neural lstm 90 20 -Despalier.gpu.bytes=8589934592 lstm
  neural neural 120 30 ""
elif needs_door; then
  for name in engines device tight lstm neural; do
    wanted $name && left_out $name "$(tail -1 "$logs/native.log")"
  done
fi
tests rest 240 --select-package dev.espalier.ps.gpu --select-class dev.espalier.ps.DeviceLoopbackTest \
  --exclude-classname '.*WorkingSetTest'
keep_logs
exit $status
