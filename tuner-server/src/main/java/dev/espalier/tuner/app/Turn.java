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
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongPredicate;

/// The turn of a request to a job: in it the request is refused, or taken and then stored. Whoever
/// asks waits for that.
final class Turn {
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private final Optional<LongPredicate> isExpected;
  private final CompletableFuture<Void> answer = new CompletableFuture<>();
  private volatile Optional<EspalierException> ignored = Optional.empty();
  private final AtomicReference<State> state = new AtomicReference<>(State.WAITING);

  private enum State {
    WAITING,
    TAKEN,
    GIVEN_UP
  }

  /// @param isExpected whether the request is meant for a version of the job; empty for any
  Turn(Optional<LongPredicate> isExpected) {
    this.isExpected = isExpected;
  }

  /// Takes the request if it is meant for the job as it stands. Who takes it tells later that it is
  /// stored, or refuses it.
  ///
  /// @param version of the job
  /// @return whether it is taken; not when nobody waits for it any more
  boolean take(long version) {
    if (isExpected.isPresent() && !isExpected.get().test(version)) {
      refuse(
          new EspalierException(
              ErrorCode.VERSION_MISMATCH,
              "the job changed meanwhile: it is in version " + version + "; nothing was changed"));
      return false;
    }
    return state.compareAndSet(State.WAITING, State.TAKEN);
  }

  /// The session does not do what is asked for. It is stored all the same.
  void ignore(String why) {
    ignored =
        Optional.of(new EspalierException(ErrorCode.WRONG_STATE, why + "; nothing was changed"));
  }

  /// What was taken is a decision now, whatever becomes of this server.
  void stored() {
    ignored.ifPresentOrElse(answer::completeExceptionally, () -> answer.complete(null));
  }

  /// Lets the request go; nothing of it remains.
  void refuse(EspalierException why) {
    answer.completeExceptionally(why);
  }

  /// Waits until the request is stored.
  ///
  /// @throws EspalierException why the request was refused; `WRONG_STATE` when it was ignored;
  ///   `NOT_READY` when its turn does not come; `DATABASE_AWAY` when it was taken and cannot be
  ///   stored for so long that nobody can say any more what becomes of it
  void await() {
    try {
      answer.get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException _) {
      giveUp("no answer came within " + PATIENCE.toSeconds() + " s");
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      giveUp("it was interrupted");
    } catch (ExecutionException refused) {
      throw why(refused);
    }
  }

  private void giveUp(String reason) {
    if (state.compareAndSet(State.WAITING, State.GIVEN_UP)) {
      refuse(
          new EspalierException(
              ErrorCode.NOT_READY,
              "the request waited in vain, " + reason + "; nothing was changed"));
    }
    try {
      answer.getNow(null);
    } catch (CompletionException refused) {
      throw why(refused);
    }
    if (!answer.isDone()) {
      throw new EspalierException(
          ErrorCode.DATABASE_AWAY,
          "the request was taken, but is not known to be stored: "
              + reason
              + ", and the database may be away; if it comes back soon the request is carried out,"
              + " else it is lost: look at the job before you ask again");
    }
  }

  private static RuntimeException why(Exception refused) {
    return refused.getCause() instanceof EspalierException why
        ? why
        : new IllegalStateException(refused);
  }
}
