package dev.espalier.tuner.app;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongPredicate;
import java.util.function.LongSupplier;

/// The turn of a request to a job, which is taken or refused in it. Whoever asks waits for that.
final class Turn {
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private final Optional<LongPredicate> isExpected;
  private final CompletableFuture<Void> answer = new CompletableFuture<>();

  /// @param isExpected whether the request is meant for a version of the job; empty for any
  Turn(Optional<LongPredicate> isExpected) {
    this.isExpected = isExpected;
  }

  /// Takes the request if it is meant for the job as it stands.
  ///
  /// @param version of the job; asked only where it matters
  /// @return whether it is taken; not when nobody waits for it any more
  boolean take(LongSupplier version) {
    if (isExpected.isPresent()) {
      long now = version.getAsLong();
      if (!isExpected.get().test(now)) {
        refuse(
            new EspalierException(
                ErrorCode.VERSION_MISMATCH,
                "the job changed meanwhile: it is in version " + now + "; nothing was changed"));
        return false;
      }
    }
    return answer.complete(null);
  }

  /// Lets the request go without its turn.
  void refuse(EspalierException why) {
    answer.completeExceptionally(why);
  }

  /// Waits for the decision.
  ///
  /// @throws EspalierException why the request was refused; `NOT_READY` when its turn does not come
  void await() {
    try {
      answer.get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException _) {
      refuse(
          new EspalierException(
              ErrorCode.NOT_READY,
              "the request's turn did not come within "
                  + PATIENCE.toSeconds()
                  + " s; nothing was changed"));
      decided();
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      refuse(new EspalierException(ErrorCode.NOT_READY, "interrupted; nothing was changed"));
      decided();
    } catch (ExecutionException _) {
      decided();
    }
  }

  private void decided() {
    try {
      answer.join();
    } catch (CompletionException refused) {
      throw refused.getCause() instanceof EspalierException why ? why : refused;
    }
  }
}
