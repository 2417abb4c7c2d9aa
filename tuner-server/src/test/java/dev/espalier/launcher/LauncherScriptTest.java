package dev.espalier.launcher;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Runs the script `espalier` in a tree of its own, where `java` and `mvn` are small scripts that
/// write down how they were called.
final class LauncherScriptTest {
  private static final String BUILDS =
      """
      #!/bin/sh
      echo "$@" >>"$TREE/mvn.calls"
      sleep "${MVN_SECONDS:-0}"
      mkdir -p "$TREE/tuner-server/target/lib" "$TREE/trial-runtime/target/lib"
      : >"$TREE/tuner-server/target/tuner-server-0.1.0.jar"
      : >"$TREE/trial-runtime/target/trial-runtime-0.1.0.jar"
      """;

  /// What a JVM does when it is to leave a cache: each of them in its own way, and only if none of
  /// the user's settings reaches it.
  private static final String REHEARSES =
      """
      #!/bin/sh
      out=
      for option; do
        case $option in -XX:AOTCacheOutput=*) out=${option#*=} ;; esac
      done
      [ -z "${ESPALIER_HTTP_PORT:-}${ESPALIER_TOKEN:-}" ] || exit 1
      case "$*" in
        *-Da=1*) exit 1 ;;
        *' server --home home '*)
          mkdir home
          echo secret >home/token
          echo '12:00 INFO  event=server-ready dashboard=http://127.0.0.1:1 worker-port=2 home=h'
          trap 'echo cache of server >$out; exit 143' TERM
          while :; do sleep 0.1; done
          ;;
        *' job submit job.yaml '*'http://127.0.0.1:1 '*)
          echo cache of command >$out
          echo '{ "id" : "job_7" }'
          ;;
        *' --job job_7 --tuner 127.0.0.1:2 '*)
          [ "$ESPALIER_WORKER_SECRET" = secret ] || exit 1
          [ -z "$out" ] || echo cache of worker >$out
          [ -z "$out" ] || echo AOTCache creation is complete
          ;;
        *) printf '%s\\n' "$0" "$@" ;;
      esac
      """;

  @TempDir private Path tree;

  private Path source;

  @BeforeEach
  void growTree() throws IOException {
    executable("espalier", Files.readString(repository().resolve("espalier")));
    jdk("jdk25", "25.0.3");
    executable("bin/mvn", BUILDS);
    source = tree.resolve("api/src/main/java/A.java");
    Files.createDirectories(source.getParent());
    Files.createDirectories(tree.resolve("api/src/main/protobuf"));
    Files.createDirectories(tree.resolve(".mvn"));
    Files.writeString(
        tree.resolve("pom.xml"), "<project>\n  <version>0.1.0</version>\n</project>\n");
    Files.writeString(source, "class A {}");
  }

  @Test
  void buildsOnceAndHandsItsArgumentsToTheCommandLine() throws Exception {
    Outcome first = espalier(Map.of(), "job", "submit", "my job.yaml");
    Outcome second = espalier(Map.of(), "version");

    assertThat(first.exitCode()).as(first.errors()).isZero();
    assertThat(first.errors()).contains("Building Espalier (first time");
    assertThat(first.output())
        .contains("-cp\n" + tree + "/tuner-server/target/tuner-server-0.1.0.jar:")
        .contains("-Despalier.home.dist=" + tree + "\n")
        .endsWith("dev.espalier.cli.Espalier\njob\nsubmit\nmy job.yaml\n");
    assertThat(second.errors()).isEmpty();
    assertThat(mavenCalls()).hasSize(1);
  }

  @Test
  void aLocaleThatKnowsAsciiOnlyGivesWayToOneThatKnowsAllLetters() throws Exception {
    executable("jdk25/bin/java", "#!/bin/sh\necho \"${LC_ALL:-}|${LC_CTYPE:-}|${LANG:-}\"\n");

    assertThat(espalier(Map.of(), "version").output()).isEqualTo("|C.UTF-8|\n");
    assertThat(espalier(Map.of("LANG", "POSIX"), "version").output()).isEqualTo("|C.UTF-8|POSIX\n");
    assertThat(espalier(Map.of("LANG", "tr_TR.UTF-8", "LC_ALL", "C"), "version").output())
        .isEqualTo("C.UTF-8||tr_TR.UTF-8\n");
    assertThat(espalier(Map.of("LANG", "tr_TR.UTF-8"), "version").output())
        .isEqualTo("||tr_TR.UTF-8\n");
  }

  @Test
  void buildsAgainWhenASourceIsNewerOrGone() throws Exception {
    espalier(Map.of(), "version");
    Files.setLastModifiedTime(source, FileTime.from(Instant.now().plusSeconds(5)));
    Outcome changed = espalier(Map.of(), "version");

    assertThat(changed.errors()).contains("Building Espalier (sources changed)");
    assertThat(mavenCalls()).hasSize(2);

    Files.delete(source);
    Files.setLastModifiedTime(source.getParent(), FileTime.from(Instant.now().plusSeconds(5)));
    espalier(Map.of(), "version");

    assertThat(mavenCalls()).hasSize(3);
  }

  @Test
  void runsWhatIsThereWhenToldToSkipTheBuild() throws Exception {
    espalier(Map.of(), "build");
    Files.setLastModifiedTime(source, FileTime.from(Instant.now().plusSeconds(5)));
    Outcome outcome = espalier(Map.of("ESPALIER_SKIP_BUILD", "1"), "version");

    assertThat(outcome.exitCode()).isZero();
    assertThat(mavenCalls()).hasSize(1);
  }

  @Test
  void saysThatNothingIsBuiltWhenToldToSkipTheBuild() throws Exception {
    for (List<String> command : List.of(List.of("version"), List.of("bench", "main"))) {
      Outcome outcome =
          espalier(Map.of("ESPALIER_SKIP_BUILD", "1"), command.toArray(String[]::new));

      assertThat(outcome.exitCode()).isEqualTo(69);
      assertThat(outcome.errors())
          .contains("ESPALIER_SKIP_BUILD is set, but there is no " + tree, "Unset it");
    }
  }

  @Test
  void saysThatItCannotBuildInAFolderThatIsNotItsOwn() throws Exception {
    Files.setPosixFilePermissions(tree, PosixFilePermissions.fromString("r-xr-xr-x"));
    assumeFalse(Files.isWritable(tree), "this user may write anywhere");
    Outcome outcome = espalier(Map.of(), "version");
    Files.setPosixFilePermissions(tree, PosixFilePermissions.fromString("rwxr-xr-x"));

    assertThat(outcome.exitCode()).isEqualTo(73);
    assertThat(outcome.errors()).contains("cannot write to " + tree, "run ./espalier build once");
    assertThat(mavenCalls()).isEmpty();
  }

  @Test
  void namesTheJdkThatItUses() throws Exception {
    Outcome outcome = espalier(Map.of(), "jdk");

    assertThat(outcome.output()).isEqualTo(tree + "/jdk25\n");
    assertThat(mavenCalls()).isEmpty();
  }

  @Test
  void failingBuildShowsItsErrorsAndTheLog() throws Exception {
    executable("bin/mvn", "#!/bin/sh\necho '[INFO] much'\necho '[ERROR] A.java: no'\nexit 1\n");

    Outcome outcome = espalier(Map.of(), "version");

    assertThat(outcome.exitCode()).isEqualTo(70);
    assertThat(outcome.output()).isEmpty();
    assertThat(outcome.errors())
        .contains("[ERROR] A.java: no")
        .doesNotContain("much")
        .contains(tree + "/target/espalier-build.log");
  }

  @Test
  void buildThatFailsWithoutAWordOfMavensShowsTheEndOfItsOutput() throws Exception {
    executable("bin/mvn", "#!/bin/sh\necho 'Error: could not find the main class'\nexit 1\n");

    Outcome outcome = espalier(Map.of(), "version");

    assertThat(outcome.exitCode()).isEqualTo(70);
    assertThat(outcome.errors()).contains("could not find the main class");
  }

  @Test
  void passesOverJdksThatAreTooOld() throws Exception {
    jdk("jdk17", "17.0.15");

    Outcome outcome =
        espalier(Map.of("ESPALIER_JDK", tree + "/jdk17", "JAVA_HOME", tree + "/jdk25"), "version");

    assertThat(outcome.output()).contains("jdk25/bin/java");
  }

  @Test
  void prefersTheJdkThatIsNamedForEspalier() throws Exception {
    jdk("jdk26", "26");

    Outcome outcome =
        espalier(Map.of("ESPALIER_JDK", tree + "/jdk26", "JAVA_HOME", tree + "/jdk25"), "version");

    assertThat(outcome.output()).contains("jdk26/bin/java");
  }

  @Test
  void givesTheServerRoomAndHonourTheUsersOptions() throws Exception {
    Outcome server = espalier(Map.of("JAVA_OPTS", "-Da=1 -Db=2"), "server");
    Outcome small = espalier(Map.of("ESPALIER_JAVA_OPTS", "-Xmx99m"), "demo");

    assertThat(server.output())
        .contains("-Xmx768m\n", "-XX:+ExitOnOutOfMemoryError\n", "-Da=1\n-Db=2\n");
    assertThat(small.output()).contains("-Xmx99m\n").doesNotContain("-Xmx768m");
  }

  @Test
  void testGivesMavensExitCodeAndClosesWithTheCountOfAllModules() throws Exception {
    executable(
        "bin/mvn",
        """
        #!/bin/sh
        echo "$@" >>"$TREE/mvn.calls"
        for module in api db; do
          mkdir -p "$TREE/$module/target/surefire-reports"
          echo "Tests run: 3, Failures: 1, Errors: 0, Skipped: 1, Time elapsed: 0.1 s" \
            >"$TREE/$module/target/surefire-reports/X.txt"
        done
        exit 3
        """);

    Outcome outcome = espalier(Map.of(), "test", "-pl", "api");

    assertThat(outcome.exitCode()).isEqualTo(3);
    assertThat(outcome.output()).endsWith("Tests run: 6, Failures: 2, Errors: 0, Skipped: 2\n");
    assertThat(mavenCalls()).singleElement().asString().endsWith("verify -pl api");
  }

  @Test
  void twoCallsAtOnceBuildOnce() throws Exception {
    Map<String, String> slow = Map.of("MVN_SECONDS", "1");
    Process first = start(slow, "version");
    Process second = start(slow, "version");

    assertThat(first.waitFor(30, TimeUnit.SECONDS)).isTrue();
    assertThat(second.waitFor(30, TimeUnit.SECONDS)).isTrue();
    assertThat(first.exitValue() + second.exitValue()).isZero();
    assertThat(mavenCalls()).hasSize(1);
  }

  @Test
  void cleanRemovesWhatWasBuilt() throws Exception {
    espalier(Map.of(), "build");

    // It needs nothing to be installed.
    Outcome outcome = espalier(Map.of("ESPALIER_JDK", "", "PATH", "/usr/bin:/bin"), "clean");

    assertThat(outcome.exitCode()).isZero();
    assertThat(tree.resolve("target")).doesNotExist();
    assertThat(tree.resolve("tuner-server/target")).doesNotExist();
    assertThat(source).exists();
  }

  @Test
  void buildRehearsesStartsAndLaterOnesUseTheirCaches() throws Exception {
    executable("jdk25/bin/java", REHEARSES);

    Outcome build =
        espalier(
            Map.of("ESPALIER_HTTP_PORT", "7070", "JAVA_OPTS", "-Da=1", "ESPALIER_TOKEN", "mine"),
            "build");
    Outcome command = espalier(Map.of(), "version");
    Outcome server = espalier(Map.of(), "server");

    assertThat(build.errors()).contains("Preparing fast starts").doesNotContain("slower");
    assertThat(Files.readString(cache("tuner-server", "server"))).isEqualTo("cache of server\n");
    assertThat(Files.readString(cache("tuner-server", "command"))).isEqualTo("cache of command\n");
    assertThat(Files.readString(cache("trial-runtime", "worker"))).isEqualTo("cache of worker\n");
    assertThat(tree.resolve("target").toFile().list())
        .noneMatch(name -> name.startsWith("rehearsal"));
    assertThat(command.output())
        .contains("-XX:AOTCache=" + cache("tuner-server", "command") + "\n")
        .contains("-XX:+VerifySharedSpaces\n-Xlog:aot*=off\n-Xlog:cds*=off\n");
    assertThat(server.output()).contains("-XX:AOTCache=" + cache("tuner-server", "server") + "\n");
  }

  @Test
  void buildWhoseRehearsalFailsSaysSoAndLeavesNoCache() throws Exception {
    Outcome build = espalier(Map.of(), "build");

    assertThat(build.exitCode()).isZero();
    assertThat(build.errors())
        .contains("starts will be slower", tree + "/target/espalier-prepare.log");
    assertThat(espalier(Map.of(), "version").output()).doesNotContain("AOTCache");
  }

  @Test
  void cachesGoWithTheJarsThatTheyWereMadeOf() throws Exception {
    espalier(Map.of(), "version");
    Files.writeString(cache("tuner-server", "server"), "of the jars before");
    Files.setLastModifiedTime(source, FileTime.from(Instant.now().plusSeconds(5)));
    espalier(Map.of(), "version");

    assertThat(cache("tuner-server", "server")).doesNotExist();
  }

  @Test
  void cacheGivesWayToOptionsThatTheJvmRefusesBesideIt() throws Exception {
    espalier(Map.of(), "version");
    Files.writeString(cache("tuner-server", "command"), "");
    for (String other : List.of("-Xshare:off", "-XX:SharedArchiveFile=a", "-XX:AOTMode=off")) {
      for (String variable : List.of("JAVA_OPTS", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS")) {
        assertThat(espalier(Map.of(variable, other), "version").output())
            .as("%s=%s", variable, other)
            .doesNotContain("-XX:AOTCache");
      }
    }
    assertThat(espalier(Map.of("JAVA_OPTS", "-Xmx99m"), "version").output())
        .contains("-XX:AOTCache");
  }

  @Test
  void cacheOfAnotherVersionOfJavaIsNotUsed() throws Exception {
    espalier(Map.of(), "version");
    Files.writeString(cache("tuner-server", "command"), "");
    jdk("jdk26", "26");

    assertThat(espalier(Map.of("ESPALIER_JDK", tree + "/jdk26"), "version").output())
        .doesNotContain("-XX:AOTCache");
  }

  /// As after a `mvn package` by hand: the JVM would take the classes of the cache all the same.
  @Test
  void cacheThatIsOlderThanAJarIsNotUsed() throws Exception {
    espalier(Map.of(), "version");
    Path cache = Files.writeString(cache("tuner-server", "command"), "");
    assertThat(espalier(Map.of(), "version").output()).contains("-XX:AOTCache");
    Path library = Files.writeString(tree.resolve("tuner-server/target/lib/api-0.1.0.jar"), "");
    Files.setLastModifiedTime(
        library, FileTime.from(Files.getLastModifiedTime(cache).toInstant().plusSeconds(5)));

    assertThat(espalier(Map.of(), "version").output()).doesNotContain("-XX:AOTCache");
  }

  private Path cache(String module, String name) {
    return tree.resolve(module).resolve("target").resolve(name + "-25.aot");
  }

  private record Outcome(int exitCode, String output, String errors) {}

  private Outcome espalier(Map<String, String> environment, String... arguments)
      throws IOException, InterruptedException {
    Process process = start(environment, arguments);
    assertThat(process.waitFor(30, TimeUnit.SECONDS)).as("the script ends").isTrue();
    return new Outcome(
        process.exitValue(),
        new String(process.getInputStream().readAllBytes(), UTF_8),
        new String(process.getErrorStream().readAllBytes(), UTF_8));
  }

  private Process start(Map<String, String> environment, String... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of(tree.resolve("espalier").toString()));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().clear();
    builder.environment().put("PATH", tree.resolve("bin") + ":/usr/bin:/bin");
    builder.environment().put("TREE", tree.toString());
    builder.environment().put("ESPALIER_JDK", tree.resolve("jdk25").toString());
    builder.environment().putAll(environment);
    return builder.start();
  }

  private List<String> mavenCalls() throws IOException {
    Path calls = tree.resolve("mvn.calls");
    return Files.exists(calls) ? Files.readAllLines(calls) : List.of();
  }

  private void jdk(String name, String version) throws IOException {
    executable(name + "/bin/javac", "#!/bin/sh\n");
    executable(name + "/bin/java", "#!/bin/sh\nprintf '%s\\n' \"$0\" \"$@\"\n");
    Files.writeString(tree.resolve(name + "/release"), "JAVA_VERSION=\"" + version + "\"\n");
  }

  private void executable(String name, String text) throws IOException {
    Path file = tree.resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private static Path repository() throws IOException {
    for (Path folder = Path.of("").toAbsolutePath(); folder != null; folder = folder.getParent()) {
      if (Files.isExecutable(folder.resolve("espalier"))) {
        return folder;
      }
    }
    throw new IOException("no script espalier in " + Path.of("").toAbsolutePath() + " or above");
  }
}
