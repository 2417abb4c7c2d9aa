package dev.espalier.tuner.rest;

import dev.espalier.api.model.Problem;
import java.util.List;

/// The body of every answer that is not a success (RFC 9457).
///
/// @param type stable name of the kind of problem
/// @param title the same in words
/// @param detail what went wrong this time
/// @param instance path of the request
/// @param code see `ErrorCode`
/// @param traceId also in the server's log and the `X-Trace-Id` header
/// @param errors each thing that is wrong with the input
record ProblemView(
    String type,
    String title,
    int status,
    String detail,
    String instance,
    String code,
    String traceId,
    List<Problem> errors) {}
