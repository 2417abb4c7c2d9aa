package dev.espalier.tuner.app.port;

import java.time.Instant;
import java.util.Map;

/// Answers to requests with an `Idempotency-Key`, so that a repeated request gets the same one.
public interface AnswerStore {
  /// Claims a key for a request, unless it is taken.
  ///
  /// @param requestSha256 of all that makes requests differ
  /// @param notBefore older claims are forgotten first
  Claim claim(String owner, String key, byte[] requestSha256, Instant now, Instant notBefore);

  /// Keeps the answer of a claimed key.
  void keep(String owner, String key, Answer answer);

  /// Gives a key back whose request came to nothing.
  void release(String owner, String key);

  /// Gives all keys back whose requests were cut off when the server ended.
  void releaseRunning();

  /// What became of a claim.
  sealed interface Claim {
    /// The key is the caller's: do the work, then `keep` or `release`.
    record Granted() implements Claim {}

    /// The first request is still being worked on.
    record Running() implements Claim {}

    /// The key was used for another request.
    record OtherRequest() implements Claim {}

    /// The request was answered before.
    record Answered(Answer answer) implements Claim {}
  }

  /// An answer as it is sent again.
  ///
  /// @param headers by name
  @SuppressWarnings("ArrayRecordComponent")
  record Answer(int status, Map<String, String> headers, byte[] body) {}
}
