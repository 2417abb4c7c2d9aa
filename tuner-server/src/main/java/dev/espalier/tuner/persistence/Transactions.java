package dev.espalier.tuner.persistence;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.sql.SQLTransientException;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.hibernate.TransactionException;
import org.hibernate.exception.JDBCConnectionException;
import org.jspecify.annotations.Nullable;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.TransactionTimedOutException;
import org.springframework.transaction.support.TransactionSynchronizationManager;
import org.springframework.transaction.support.TransactionTemplate;

/// Runs work in transactions, and says in one code when the database is away.
final class Transactions {
  private static final String STATEMENT_CANCELLED = "57014";

  /// What a primary says that has become a standby.
  static final String READ_ONLY = "25006";

  /// What a database says that answers and is of no use, by its code.
  private static final Map<String, String> REFUSALS =
      Map.of(
          "53100",
          "has no room left on its disk",
          "53200",
          "has no memory left",
          "53300",
          "has no connection left to give",
          READ_ONLY,
          "is read-only");

  private final PlatformTransactionManager manager;
  private final TransactionTemplate writing;
  private final TransactionTemplate reading;
  private final Semaphore readers;
  private final Duration patience;

  Transactions(PlatformTransactionManager manager) {
    this.manager = manager;
    writing = new TransactionTemplate(manager);
    reading = new TransactionTemplate(manager);
    reading.setReadOnly(true);
    readers = new Semaphore(Integer.MAX_VALUE);
    patience = Duration.ZERO;
  }

  private Transactions(Transactions all, int most, Duration patience, Duration longest) {
    writing = all.writing;
    reading = new TransactionTemplate(all.manager, all.reading);
    reading.setTimeout(Math.toIntExact(longest.toSeconds()));
    manager = all.manager;
    readers = new Semaphore(most, true);
    this.patience = patience;
  }

  /// {@return the same transactions, of which at most so many read at a time: what people look at
  /// must leave connections to what decides}
  ///
  /// @param patience how long a reader waits for its turn
  /// @param longest how long it may read then, in whole seconds
  Transactions withReaders(int most, Duration patience, Duration longest) {
    return new Transactions(this, most, patience, longest);
  }

  <T> T write(Supplier<T> work) {
    return run(writing, work);
  }

  void write(Runnable work) {
    run(
        writing,
        () -> {
          work.run();
          return true;
        });
  }

  <T> T read(Supplier<T> work) {
    if (TransactionSynchronizationManager.isActualTransactionActive()) {
      // Part of a work that has had its turn.
      return run(reading, work);
    }
    awaitTurn();
    try {
      return run(reading, work);
    } finally {
      readers.release();
    }
  }

  private void awaitTurn() {
    try {
      if (readers.tryAcquire(patience.toMillis(), TimeUnit.MILLISECONDS)) {
        return;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    throw new EspalierException(
        ErrorCode.TOO_MANY_REQUESTS, "too much is being read at this moment; try again later");
  }

  private static <T> T run(TransactionTemplate template, Supplier<T> work) {
    // A rollback on a broken connection fails too, and hides why the work failed.
    var first = new AtomicReference<@Nullable RuntimeException>();
    try {
      return template.execute(status -> {
        try {
          return work.get();
        } catch (RuntimeException e) {
          first.set(e);
          throw e;
        }
      });
    } catch (RuntimeException e) {
      boolean isLimited = template.getTimeout() != TransactionDefinition.TIMEOUT_DEFAULT;
      if (isLimited && (isTooLong(e) || isTooLong(first.get()))) {
        throw new EspalierException(
            ErrorCode.TOO_MANY_REQUESTS,
            "reading this took longer than "
                + template.getTimeout()
                + " s; ask for less, or try again later",
            e);
      }
      if (isAway(e) || isAway(first.get())) {
        String why = awayWords(e).or(() -> awayWords(first.get())).orElse("cannot be reached");
        throw new EspalierException(ErrorCode.DATABASE_AWAY, "the database " + why, e);
      }
      if (isGivenUp(e) || isGivenUp(first.get())) {
        throw new EspalierException(
            ErrorCode.DATABASE_AWAY,
            "the database has given up what it was asked, because of something else that it does",
            e);
      }
      throw e;
    }
  }

  /// {@return whether a failure says that a transaction has used up its time}
  private static boolean isTooLong(@Nullable Throwable failure) {
    return isCausedBy(
        failure,
        cause -> cause instanceof TransactionTimedOutException,
        state -> state.equals(STATEMENT_CANCELLED));
  }

  /// {@return why a database that answers is of no use now; empty when it does not answer}
  private static Optional<String> awayWords(@Nullable Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      // A pool that could not connect names what came of it.
      if (cause instanceof SQLTransientConnectionException all
          && all.getCause() == null
          && all.getNextException() == null) {
        return Optional.of("is asked too much at this moment: all connections are in use");
      }
      if (cause instanceof SQLException sql && sql.getSQLState() != null) {
        String words = REFUSALS.get(sql.getSQLState());
        if (words != null) {
          return Optional.of(words);
        }
      }
    }
    return Optional.empty();
  }

  /// {@return whether a failure says that the database, not the work, is at fault}
  private static boolean isAway(@Nullable Throwable failure) {
    // Hibernate rolls back by itself when a statement fails; that the rollback failed too is all it
    // says then.
    // 08 connection, 57P shutdown and starting up, 53 out of connections, disk or memory.
    return isCausedBy(
        failure,
        cause ->
            cause instanceof SQLTransientException
                || cause instanceof JDBCConnectionException
                || cause instanceof TransactionException,
        state ->
            state.startsWith("08")
                || state.startsWith("57P")
                || state.startsWith("53")
                || state.equals(READ_ONLY));
  }

  /// {@return whether the same work may go well when it is done again}
  private static boolean isGivenUp(@Nullable Throwable failure) {
    // 40 deadlock and rolled back, 55P03 somebody else holds the lock, or an administrator
    // cancelled.
    return isCausedBy(
        failure,
        _ -> false,
        state ->
            state.startsWith("40") || state.equals("55P03") || state.equals(STATEMENT_CANCELLED));
  }

  private static boolean isCausedBy(
      @Nullable Throwable failure, Predicate<Throwable> isIt, Predicate<String> isItsState) {
    return Stream.iterate(failure, Objects::nonNull, Throwable::getCause)
        .anyMatch(cause ->
            isIt.test(cause)
                || cause instanceof SQLException sql
                    && sql.getSQLState() != null
                    && isItsState.test(sql.getSQLState()));
  }
}
