package dev.espalier.cli.client;

import static java.util.Objects.requireNonNull;

import org.jspecify.annotations.Nullable;

/// The end of a command that could not do what it was asked, in words for its user.
public final class CommandFailure extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final ExitStatus status;

  /// @param message one or more lines, each a sentence
  public CommandFailure(ExitStatus status, String message) {
    this(status, message, null);
  }

  /// @param message one or more lines, each a sentence
  public CommandFailure(ExitStatus status, String message, @Nullable Throwable cause) {
    super(message, cause);
    this.status = requireNonNull(status, "status");
  }

  public ExitStatus status() {
    return status;
  }

  /// {@return the sentences}
  public String words() {
    return requireNonNull(getMessage(), "message");
  }
}
