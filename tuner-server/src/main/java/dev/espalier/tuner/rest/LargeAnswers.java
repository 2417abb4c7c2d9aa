package dev.espalier.tuner.rest;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import java.io.IOException;
import java.util.concurrent.Semaphore;

/// Answers that may be long are written as they are read, and few at a time: memory and connections
/// of the server are for its jobs first.
final class LargeAnswers {
  static final int AT_A_TIME = 4;

  private final int atATime;
  private final String what;
  private final Semaphore places;

  /// @param atATime how many at most
  /// @param what they are, such as `recordings and logs are being sent`
  LargeAnswers(int atATime, String what) {
    this.atATime = atATime;
    this.what = what;
    this.places = new Semaphore(atATime);
  }

  /// Writes an answer.
  interface Writing {
    void write() throws IOException;
  }

  /// Makes what an answer is written from.
  interface Making<T> {
    T make() throws IOException;
  }

  /// Writes an answer if there is a place for it.
  ///
  /// @throws EspalierException `TOO_MANY_REQUESTS` where there is none
  void give(Writing answer) throws IOException {
    try (var _ = place()) {
      answer.write();
    }
  }

  /// Makes something if there is a place for it.
  ///
  /// @throws EspalierException `TOO_MANY_REQUESTS` where there is none
  <T> T make(Making<T> answer) throws IOException {
    try (var _ = place()) {
      return answer.make();
    }
  }

  private Place place() {
    if (!places.tryAcquire()) {
      throw new EspalierException(
          ErrorCode.TOO_MANY_REQUESTS, atATime + " " + what + " at this moment; try again later");
    }
    return places::release;
  }

  /// Given back at its end.
  private interface Place extends AutoCloseable {
    @Override
    void close();
  }
}
