package dev.espalier.api.model;

import static java.util.Objects.requireNonNull;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// A failure of the world or of the user's input, with a stable code.
public final class EspalierException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final ErrorCode code;
  private final transient List<Problem> problems;

  public EspalierException(ErrorCode code, String message) {
    this(code, message, List.of(), null);
  }

  public EspalierException(ErrorCode code, String message, @Nullable Throwable cause) {
    this(code, message, List.of(), cause);
  }

  public EspalierException(ErrorCode code, String message, List<Problem> problems) {
    this(code, message, problems, null);
  }

  private EspalierException(
      ErrorCode code, String message, List<Problem> problems, @Nullable Throwable cause) {
    super(message, cause);
    this.code = requireNonNull(code, "code");
    this.problems = List.copyOf(problems);
  }

  /// A failure because of one input.
  ///
  /// @param pointer to it, see `Problem`
  /// @param message names it, its value and the bound
  /// @param rejected its value; null when it is missing
  public static EspalierException of(
      ErrorCode code, String pointer, String message, @Nullable Object rejected) {
    String value = rejected == null ? "" : rejected.toString();
    return new EspalierException(code, message, List.of(new Problem(pointer, message, value)));
  }

  public ErrorCode code() {
    return code;
  }

  /// {@return all that is wrong with the input; empty where the failure is not the input's}
  public List<Problem> problems() {
    return problems;
  }
}
