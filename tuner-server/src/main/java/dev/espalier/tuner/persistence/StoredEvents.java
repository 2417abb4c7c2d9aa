package dev.espalier.tuner.persistence;

import dev.espalier.tuner.core.session.SessionEvent;
import java.util.List;
import org.springframework.jdbc.core.JdbcTemplate;

/// Reads the log of a job in parts, for it may be larger than memory.
final class StoredEvents {
  private static final int MAX_EVENTS = 500;

  /// Of the events before the last one of a part.
  private static final int MAX_EVENT_BYTES = 1 << 20;

  private static final String PART =
      """
      select event from (
        select sequence, event, sum(octet_length(event)) over (order by sequence)
          - octet_length(event) as before
        from (
          select sequence, event::text as event from session_event
          where job_id = ? and sequence > ? and sequence <= ? order by sequence limit ?
        ) as part
      ) as sized
      where before <= ? order by sequence
      """;

  private StoredEvents() {}

  /// {@return a part of a job's log, in order; at least one event where there is any}
  ///
  /// @param after sequence of the event before the part
  /// @param until sequence that the part does not go beyond
  static List<SessionEvent> read(
      JdbcTemplate sql, DocumentCodec codec, String job, long after, long until) {
    return sql.query(
        PART,
        (row, number) -> codec.readEvent(row.getString(1)),
        job,
        after,
        until,
        MAX_EVENTS,
        MAX_EVENT_BYTES);
  }
}
