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

  /// A failure in our own terms; anything but a [PsException] is a fault of its own.
  public static PsException of(Throwable failure) {
    return failure instanceof PsException known
        ? known
        : new PsException(PsFault.INTERNAL, "the parameter server failed: " + failure, failure);
  }

  /// The class of this failure.
  public PsFault fault() {
    return fault;
  }
}
