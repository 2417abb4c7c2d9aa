package dev.espalier.runtime.branch;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;

/// What went wrong in a program, for the one who wrote it: in which of its methods, at which line,
/// and what was thrown, without the wrappings.
public final class ProgramFailure {
  /// The runtime calls programs: what it calls is a method of `TrainingProgram`.
  private static final String CALLER = "dev.espalier.runtime.";

  /// What of the runtime is called by programs.
  private static final List<String> CALLED =
      List.of("dev.espalier.runtime.params.", "dev.espalier.runtime.branch.ClockContext");

  /// Code that a program calls, and not its own.
  private static final List<String> FOREIGN =
      List.of(
          "java.",
          "jdk.",
          "sun.",
          "dev.espalier.api.",
          "dev.espalier.ps.",
          "dev.espalier.runtime.",
          "dev.espalier.sdk.");

  private ProgramFailure() {}

  /// {@return a sentence such as `Program housing failed in clock at Housing.java:75:
  /// IllegalStateException: bad sample at row 17`; without the place where the trace of the failure
  /// does not tell it}
  public static String describe(String program, Throwable failure) {
    Throwable thrown = thrown(failure);
    String place = place(failure);
    return "Program "
        + program
        + " failed"
        + (place.isEmpty() ? place(thrown) : place)
        + ": "
        + what(root(thrown));
  }

  /// {@return what a task of the program's own threads threw, without what those who wait for such
  /// tasks wrap it in}
  public static Throwable thrown(Throwable failure) {
    boolean isWrapping =
        failure instanceof CompletionException || failure instanceof ExecutionException;
    Throwable cause = failure.getCause();
    return isWrapping && cause != null ? thrown(cause) : failure;
  }

  /// {@return what a method of a program returned}
  ///
  /// Whoever wrote the program may not have heard of its null marks.
  ///
  /// @throws EspalierException `PROGRAM_FAILED` for null
  public static <T> T requireReturned(String program, @Nullable T value, String method) {
    if (value == null) {
      throw new EspalierException(
          ErrorCode.PROGRAM_FAILED, "program %s returns null from %s".formatted(program, method));
    }
    return value;
  }

  private static String place(Throwable failure) {
    StackTraceElement[] trace = failure.getStackTrace();
    int caller = 0;
    while (caller < trace.length && !isCaller(trace[caller])) {
      caller++;
    }
    int last = caller;
    return Arrays.stream(trace, 0, last)
        .filter(frame -> FOREIGN.stream().noneMatch(frame.getClassName()::startsWith))
        .findFirst()
        .map(frame -> {
          // A thread of the program's own was called by none of its methods.
          String method = last == trace.length ? "" : " in " + trace[last - 1].getMethodName();
          return method + " at " + frame.getFileName() + ":" + frame.getLineNumber();
        })
        .orElse("");
  }

  private static boolean isCaller(StackTraceElement frame) {
    return frame.getClassName().startsWith(CALLER)
        && CALLED.stream().noneMatch(frame.getClassName()::startsWith);
  }

  /// A wrapping that says no more than what it wraps.
  private static Throwable root(Throwable failure) {
    Throwable cause = failure.getCause();
    return cause != null && cause.toString().equals(failure.getMessage()) ? root(cause) : failure;
  }

  private static String what(Throwable failure) {
    String name = failure.getClass().getSimpleName();
    String message = failure.getMessage() == null ? "" : ": " + failure.getMessage();
    String advice =
        failure instanceof OutOfMemoryError
            ? "; this worker has %d MiB of heap, by the server's worker-java-options"
                .formatted(Runtime.getRuntime().maxMemory() >> 20)
            : "";
    return name + message + advice;
  }
}
