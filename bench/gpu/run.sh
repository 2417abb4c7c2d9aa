#!/bin/sh
# Tests and measures the device tier, here or on a bare machine that has only a driver.
#
#   bench/gpu/run.sh                   build the bundle and run it here
#   bench/gpu/run.sh --to [USER@]HOST  build it, copy it there by ssh, run it, bring the reports back
#   bench/gpu/run.sh --pack FILE       build it only, as one file, which runs anywhere:
#                                      mkdir D && tar -xJf FILE -C D && DATA=FOLDER D/go.sh OUT
#
# The bundle (110 MB, 46 as one file) has a run-time image of Java, the classes of the parameter server
# and of `espalier bench neural`, those of their tests that concern a device, the binding to the driver,
# and the source of the door to libtorch, which is compiled there against the PyTorch of its python3.
# Needs a JDK 25 and Maven here; reports come as a table, as logs and as JSON (target/gpu/out).
#
# GO_ENV  variables for go.sh on that machine, such as "PHASES=gpu"
# DATA    a folder with fashion-mnist, cifar10-10k, tinyshakespeare or some of them, for the neural
#         networks: used here, sent along by --to, and no part of the one file, beside which it travels
#         (30, 33 and 1 MB as .tar.gz)
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
bundle=$root/target/gpu
pack=$root/target/gpu.tar.xz
case ${DATA:-/} in /*) ;; *) DATA=$PWD/$DATA ;; esac
host=
case "${1:-}" in
  "") ;;
  --to) host=${2:?run.sh: --to needs a host} ;;
  --pack) pack=${2:?run.sh: --pack needs a file} ;;
  *) echo "run.sh: unknown argument $1; see the head of this file" >&2; exit 2 ;;
esac
: "${JAVA_HOME:?run.sh: set JAVA_HOME to a JDK 25}"
modules=java.base,java.logging,java.management,java.xml,java.sql,java.compiler,java.instrument,java.naming,jdk.management,jdk.unsupported,jdk.incubator.vector

cd "$root"
mvn -B -q -ntp -Pbench -Dmaven.test.skip=true package
mvn -B -q -ntp -pl trial-runtime -am -DskipTests test-compile
mvn -B -q -ntp -pl ps-embedded dependency:copy-dependencies -DincludeScope=test -DoutputDirectory=target/gpu-lib
junit=$(ls ps-embedded/target/gpu-lib | sed -n 's/^junit-jupiter-api-\(.*\)\.jar$/\1/p')
mvn -B -q -ntp -pl ps-embedded dependency:copy -DoutputDirectory=target/gpu-console \
  -Dartifact="org.junit.platform:junit-platform-console-standalone:$junit"

rm -rf "$bundle"
mkdir -p "$bundle/lib" "$bundle/test-lib" "$bundle/natives" "$bundle/native"
# Not compressed, so that the one file is compressed better.
"$JAVA_HOME/bin/jlink" --add-modules "$modules" --strip-debug --no-header-files --no-man-pages \
  --compress zip-0 --output "$bundle/jre"
cp bench/target/bench-*.jar bench/target/lib/*.jar "$bundle/lib"
# What only a server needs.
(cd "$bundle/lib" && rm -f ./*-tests.jar embedded-postgres-* postgresql-* hibernate-* flyway-* spring-* \
  tomcat-* netty-* springdoc-* swagger-* jcuda-natives-* proto-google-* commons-compress-* prometheus-* \
  grpc-services-* HikariCP-* aspectjweaver-* jmh-* byte-buddy-* jaxb-* xz-* zstd-*)
for name in assertj byte-buddy-[0-9]; do
  cp ps-embedded/target/gpu-lib/$name*.jar "$bundle/test-lib"
done
cp ps-embedded/target/gpu-console/*.jar "$bundle/console.jar"
(cd "$bundle/natives" && "$JAVA_HOME/bin/jar" xf "$root"/ps-embedded/target/gpu-lib/jcuda-natives-*.jar \
  && mv lib/libJCudaDriver-*.so . && rm -rf lib META-INF)
cp -r ps-embedded/target/test-classes "$bundle/ps-tests"
cp -r trial-runtime/target/test-classes "$bundle/runtime-tests"
cp bench/gpu/go.sh bench/gpu/compare.py "$bundle"
cp trial-runtime/src/main/native/build.sh trial-runtime/src/main/native/espalier_torch.cpp "$bundle/native"
[ "${1:-}" = "" ] && exec "$bundle/go.sh" "$bundle/out"

tar -C "$bundle" -cf - . | xz -T0 >"$pack"
du -sh "$bundle" "$pack"
[ -n "$host" ] || exit 0
ssh "$host" 'rm -rf espalier-gpu && mkdir espalier-gpu && tar -C espalier-gpu -xJf -' <"$pack"
for set in fashion-mnist cifar10-10k tinyshakespeare; do
  [ -z "${DATA:-}" ] || [ ! -d "$DATA/$set" ] || tar -C "$DATA" -czf - "$set" \
    | ssh "$host" 'mkdir -p espalier-gpu/data && tar -C espalier-gpu/data -xzf -'
done
status=0
ssh "$host" ${GO_ENV:-} espalier-gpu/go.sh || status=$?
mkdir -p "$bundle/out"
ssh "$host" 'tar -C espalier-gpu/out -czf - .' | tar -C "$bundle/out" -xzf -
exit $status
