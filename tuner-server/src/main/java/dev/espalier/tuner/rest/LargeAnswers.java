package dev.espalier.tuner.rest;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import java.io.IOException;
import java.util.concurrent.Semaphore;

/// Answers that may be long are written as they are read, and few at a time: memory and connections
/// of the server are for its jobs first.
final class LargeAnswers {
  static final int AT_A_TIME = 4;

  private final Semaphore places = new Semaphore(AT_A_TIME);

  /// Writes an answer.
  interface Writing {
    void write() throws IOException;
  }

  /// Writes an answer if there is a place for it.
  ///
  /// @throws EspalierException `TOO_MANY_REQUESTS` where there is none
  void give(Writing answer) throws IOException {
    if (!places.tryAcquire()) {
      throw new EspalierException(
          ErrorCode.TOO_MANY_REQUESTS,
          AT_A_TIME + " recordings and logs are being sent at this moment; try again later");
    }
    try {
      answer.write();
    } finally {
      places.release();
    }
  }
}
