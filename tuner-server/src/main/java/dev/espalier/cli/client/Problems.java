package dev.espalier.cli.client;

import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;

/// Turns an answer that is no success into words and an exit status.
final class Problems {
  private Problems() {}

  static CommandFailure failure(int httpStatus, JsonNode problem) {
    return new CommandFailure(
        statusOf(httpStatus, problem.path("code").asString("")), words(httpStatus, problem));
  }

  private static ExitStatus statusOf(int httpStatus, String code) {
    return switch (code) {
      case "INVALID_JOB", "INVALID_DATA", "INVALID_SETTING" -> ExitStatus.INVALID_JOB;
      case "WRONG_STATE", "REQUEST_IN_PROGRESS", "VERSION_MISMATCH", "KEY_REUSED" ->
          ExitStatus.CONFLICT;
      case "NOT_READY", "DATABASE_AWAY", "WORKERS_LOST" -> ExitStatus.UNREACHABLE;
      default -> statusOf(httpStatus);
    };
  }

  private static ExitStatus statusOf(int httpStatus) {
    return switch (httpStatus) {
      case 400, 405, 406, 413, 415 -> ExitStatus.USAGE;
      case 401, 403 -> ExitStatus.UNAUTHENTICATED;
      case 404 -> ExitStatus.NOT_FOUND;
      case 409, 412 -> ExitStatus.CONFLICT;
      case 422 -> ExitStatus.INVALID_JOB;
      case 429, 502, 503, 504 -> ExitStatus.UNREACHABLE;
      default -> ExitStatus.INTERNAL;
    };
  }

  private static String words(int httpStatus, JsonNode problem) {
    var lines = new ArrayList<String>();
    String title = problem.path("title").asString("");
    String detail = problem.path("detail").asString("");
    if (!detail.isEmpty() || !title.isEmpty()) {
      lines.add(detail.isEmpty() ? title : detail);
    } else {
      // The server itself says why.
      lines.add(
          httpStatus >= 502 && httpStatus <= 504
              ? "the server is not reached: what stands before it answers " + httpStatus
              : "the server answered " + httpStatus);
    }
    JsonNode errors = problem.path("errors");
    boolean isSaid =
        errors.size() == 1 && errors.path(0).path("message").asString("").equals(detail);
    if (isSaid) {
      lines.set(0, line(errors.path(0)));
    } else {
      errors.forEach(error -> lines.add("  " + line(error)));
    }
    if (httpStatus == 401) {
      lines.add(
          "Give a token with --token-file FILE or ESPALIER_TOKEN; if all are lost, start the server"
              + " with --new-token.");
    }
    if (httpStatus >= 500 && problem.has("traceId")) {
      lines.add("The server's log has more under " + problem.path("traceId").asString("") + ".");
    }
    return String.join("\n", withoutRepeats(lines));
  }

  private static String line(JsonNode error) {
    String pointer = error.path("pointer").asString("");
    String message = error.path("message").asString("");
    return pointer.isEmpty() ? message : pointer + ": " + message;
  }

  private static List<String> withoutRepeats(List<String> lines) {
    return lines.stream().distinct().toList();
  }
}
