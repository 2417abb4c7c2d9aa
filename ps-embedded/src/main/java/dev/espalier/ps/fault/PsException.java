package dev.espalier.ps.fault;

import java.io.Serial;
import org.jspecify.annotations.Nullable;

/// A failure of the parameter server, classified by a [PsFault].
public final class PsException extends RuntimeException {
  @Serial private static final long serialVersionUID = 1L;

  private final PsFault fault;

  /// Creates a failure.
  ///
  /// @param fault its class
  /// @param message what happened, with the numbers
  public PsException(PsFault fault, String message) {
    this(fault, message, null);
  }

  /// Creates a failure with a cause.
  ///
  /// @param fault its class
  /// @param message what happened, with the numbers
  /// @param cause what led to it
  public PsException(PsFault fault, String message, @Nullable Throwable cause) {
    super(message, cause);
    this.fault = fault;
  }

  /// The class of this failure.
  public PsFault fault() {
    return fault;
  }
}
