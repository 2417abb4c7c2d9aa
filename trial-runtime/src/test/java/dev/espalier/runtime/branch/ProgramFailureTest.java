package dev.espalier.runtime.branch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.api.model.EspalierException;
import java.io.UncheckedIOException;
import java.nio.file.NoSuchFileException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;

final class ProgramFailureTest {
  private static final StackTraceElement CALLER =
      frame("dev.espalier.runtime.branch.BranchExecutor", "runClocks", "BranchExecutor.java", 162);
  private static final StackTraceElement CLOCK =
      frame("house.Housing", "clock", "Housing.java", 75);

  @Test
  void saysInWhichMethodAndAtWhichLine() {
    var failure = new IllegalStateException("bad sample at row 17");
    failure.setStackTrace(
        new StackTraceElement[] {frame("house.Reader", "row", "Reader.java", 12), CLOCK, CALLER});

    assertThat(ProgramFailure.describe("housing", failure))
        .isEqualTo(
            "Program housing failed in clock at Reader.java:12: IllegalStateException: bad sample at"
                + " row 17");
  }

  @Test
  void pointsAtTheProgramAndNotAtWhatItCalled() {
    var failure = new IllegalArgumentException("array must have 33 values");
    failure.setStackTrace(
        new StackTraceElement[] {
          frame("dev.espalier.ps.Rows", "add", "Rows.java", 9),
          frame("dev.espalier.runtime.params.PsTable", "add", "PsTable.java", 90),
          frame("dev.espalier.sdk.ParameterTable", "addAll", "ParameterTable.java", 110),
          CLOCK,
          CALLER
        });

    assertThat(ProgramFailure.describe("housing", failure)).contains("in clock at Housing.java:75");
  }

  @Test
  void pointsAtTheProgramThatAskedItsContextForWhatThereIsNot() {
    var failure = new IllegalArgumentException("there is no table lien");
    failure.setStackTrace(
        new StackTraceElement[] {
          frame("dev.espalier.runtime.params.PsBackend", "table", "PsBackend.java", 9),
          frame("dev.espalier.runtime.branch.ClockContext", "table", "ClockContext.java", 90),
          CLOCK,
          CALLER
        });
    assertThat(ProgramFailure.describe("housing", failure)).contains("in clock at Housing.java:75");

    failure.setStackTrace(
        new StackTraceElement[] {
          frame("dev.espalier.api.model.Setting", "value", "Setting.java", 29), CLOCK, CALLER
        });
    assertThat(ProgramFailure.describe("housing", failure)).contains("in clock at Housing.java:75");
  }

  @Test
  void unwrapsWhatAddsNothing() {
    var failure = new UncheckedIOException(new NoSuchFileException("/data/housing.csv"));
    failure.setStackTrace(new StackTraceElement[] {CALLER});

    assertThat(ProgramFailure.describe("housing", failure))
        .isEqualTo("Program housing failed: NoSuchFileException: /data/housing.csv");
  }

  @Test
  void nullIsToldByTheMethodThatReturnedIt() {
    assertThat(ProgramFailure.requireReturned("housing", 1, "open")).isEqualTo(1);
    assertThatThrownBy(() -> ProgramFailure.requireReturned("housing", null, "open"))
        .isInstanceOf(EspalierException.class)
        .hasMessage("program housing returns null from open");
  }

  @Test
  void saysHowMuchMemoryThereWas() {
    assertThat(ProgramFailure.describe("housing", new OutOfMemoryError("Java heap space")))
        .contains("OutOfMemoryError: Java heap space; this worker has ")
        .endsWith(" MiB of heap, by the server's worker-java-options");
  }

  private static StackTraceElement frame(String type, String method, String file, int line) {
    return new StackTraceElement(type, method, file, line);
  }

  @Test
  void whatAThreadOfTheProgramThrewIsToldWithoutThoseWhoWaitedForIt() {
    var failure = new IllegalStateException("bad sample at row 17");
    failure.setStackTrace(
        new StackTraceElement[] {
          frame("house.Reader", "row", "Reader.java", 12),
          frame("java.lang.Thread", "run", "Thread.java", 1474)
        });
    var waited = new CompletionException(new ExecutionException(failure));
    waited.setStackTrace(new StackTraceElement[0]);

    assertThat(ProgramFailure.thrown(waited)).isSameAs(failure);
    assertThat(ProgramFailure.describe("housing", waited))
        .isEqualTo(
            "Program housing failed at Reader.java:12: IllegalStateException: bad sample at row 17");
  }
}
