package dev.espalier.tuner.persistence;

import dev.espalier.api.rest.StreamEvent;
import org.springframework.jdbc.core.RowMapper;

/// Reads kept stream events.
final class StreamRows {
  private StreamRows() {}

  /// For the columns `job_id, sequence, type, event_time, data::text`.
  static RowMapper<StreamEvent> mapper(DocumentCodec codec) {
    return (row, number) ->
        new StreamEvent(
            row.getString(1),
            row.getLong(2),
            row.getString(3),
            row.getTimestamp(4).toInstant(),
            codec.readTree(row.getString(5)));
  }
}
