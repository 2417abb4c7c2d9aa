package dev.espalier.tuner.persistence;

import com.zaxxer.hikari.SQLExceptionOverride;
import java.sql.SQLException;

/// Takes connections out of the pool that lead to a database which has become read-only: after a
/// switch to another primary they would go on to answer, and to refuse all that is to be kept.
///
/// Made by the pool, which is told its name.
public final class StandbyConnections implements SQLExceptionOverride {
  @java.lang.Override
  public SQLExceptionOverride.Override adjudicate(SQLException failure) {
    return Transactions.READ_ONLY.equals(failure.getSQLState())
        ? SQLExceptionOverride.Override.MUST_EVICT
        : SQLExceptionOverride.Override.CONTINUE_EVICT;
  }
}
