package dev.espalier.tuner.persistence;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import java.sql.SQLException;
import java.sql.SQLTransientException;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.hibernate.TransactionException;
import org.hibernate.exception.JDBCConnectionException;
import org.jspecify.annotations.Nullable;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.TransactionTimedOutException;
import org.springframework.transaction.support.TransactionSynchronizationManager;
import org.springframework.transaction.support.TransactionTemplate;

/// Runs work in transactions, and says in one code when the database is away.
final class Transactions {
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
      if (isAway(e) || isAway(first.get())) {
        throw new EspalierException(
            ErrorCode.DATABASE_AWAY, "the database cannot be reached; try again later", e);
      }
      if (isTooLong(e) || isTooLong(first.get())) {
        throw new EspalierException(
            ErrorCode.TOO_MANY_REQUESTS,
            "reading this took longer than "
                + template.getTimeout()
                + " s; ask for less, or try again later",
            e);
      }
      throw e;
    }
  }

  /// {@return whether a failure says that a transaction has used up its time}
  private static boolean isTooLong(@Nullable Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof TransactionTimedOutException
          // 57014: the statement was cancelled.
          || cause instanceof SQLException sql && "57014".equals(sql.getSQLState())) {
        return true;
      }
    }
    return false;
  }

  /// {@return whether a failure says that the database, not the work, is at fault}
  static boolean isAway(@Nullable Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      // Hibernate rolls back by itself when a statement fails; that the rollback failed too is all
      // it says then.
      if (cause instanceof SQLTransientException
          || cause instanceof JDBCConnectionException
          || cause instanceof TransactionException) {
        return true;
      }
      if (cause instanceof SQLException sql && sql.getSQLState() != null) {
        String state = sql.getSQLState();
        // 08 connection, 57P shutdown and starting up, 53 out of connections, disk or memory,
        // 25006 a standby took over.
        if (state.startsWith("08")
            || state.startsWith("57P")
            || state.startsWith("53")
            || state.equals("25006")) {
          return true;
        }
      }
    }
    return false;
  }
}
