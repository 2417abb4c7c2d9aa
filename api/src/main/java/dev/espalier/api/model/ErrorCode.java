package dev.espalier.api.model;

/// Everything that can go wrong, as one list for REST, gRPC, the command line and logs.
public enum ErrorCode {
  INVALID_JOB(Kind.USER, 422),
  INVALID_REQUEST(Kind.USER, 400),
  INVALID_DATA(Kind.USER, 422),
  INVALID_SETTING(Kind.USER, 422),
  UNAUTHENTICATED(Kind.USER, 401),
  FORBIDDEN(Kind.USER, 403),
  NOT_FOUND(Kind.USER, 404),
  WRONG_STATE(Kind.CONFLICT, 409),
  REQUEST_IN_PROGRESS(Kind.CONFLICT, 409),
  VERSION_MISMATCH(Kind.CONFLICT, 412),
  KEY_REUSED(Kind.CONFLICT, 422),
  TOO_MANY_REQUESTS(Kind.RESOURCE, 429),
  OUT_OF_MEMORY_BUDGET(Kind.RESOURCE, 507),
  /// The server is starting or going down; the same again in a moment.
  NOT_READY(Kind.RESOURCE, 503),
  DATABASE_AWAY(Kind.RESOURCE, 503),
  WORKERS_LOST(Kind.RESOURCE, 503),
  PORT_IN_USE(Kind.RESOURCE, 500),
  CHECKPOINT_FAILED(Kind.RESOURCE, 507),
  CHECKPOINT_MISSING(Kind.RESOURCE, 507),
  /// It is there, but a worker cannot open it now; another one may.
  CHECKPOINT_UNREADABLE(Kind.RESOURCE, 507),
  PROGRAM_FAILED(Kind.USER, 500),
  INTERNAL(Kind.INTERNAL, 500);

  private final Kind kind;
  private final int httpStatus;

  ErrorCode(Kind kind, int httpStatus) {
    this.kind = kind;
    this.httpStatus = httpStatus;
  }

  public Kind kind() {
    return kind;
  }

  public int httpStatus() {
    return httpStatus;
  }

  /// Who must act.
  public enum Kind {
    USER,
    CONFLICT,
    RESOURCE,
    INTERNAL
  }
}
