package dev.espalier.cli.client;

import dev.espalier.api.model.ErrorCode;

/// How a command ended, as the shell sees it.
public enum ExitStatus {
  OK(0, "done"),
  INTERNAL(1, "something failed that should not; the message says what"),
  USAGE(2, "the command line is wrong: an unknown option, a missing argument, a bad value"),
  INVALID_JOB(3, "the job file, or a setting to try, is not valid; every problem is listed"),
  NOT_FOUND(4, "there is no such job, branch, program, token or file"),
  CONFLICT(5, "the job is in the wrong state for it, or the idempotency key was used before"),
  UNAUTHENTICATED(6, "no token, or one that the server does not take"),
  UNREACHABLE(7, "the server cannot be reached or is not ready"),
  JOB_FAILED(8, "the job that was followed failed"),
  JOB_CANCELED(9, "the job that was followed was canceled"),
  DIFFERENT(10, "the replayed decisions are not the recorded ones"),
  WRONG_PROGRAM(11, "the program that was checked is not right"),
  INTERRUPTED(130, "stopped by Ctrl-C");

  private final int code;
  private final String meaning;

  ExitStatus(int code, String meaning) {
    this.code = code;
    this.meaning = meaning;
  }

  /// {@return how a command ends that failed here, and not at the server}
  ///
  /// @param otherwise for what is neither missing nor a wrong job
  public static ExitStatus of(ErrorCode code, ExitStatus otherwise) {
    return switch (code) {
      case NOT_FOUND -> NOT_FOUND;
      case INVALID_JOB -> INVALID_JOB;
      default -> otherwise;
    };
  }

  public int code() {
    return code;
  }

  /// {@return what it says, for the table of exit codes}
  public String meaning() {
    return meaning;
  }
}
