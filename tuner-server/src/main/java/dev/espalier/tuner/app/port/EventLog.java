package dev.espalier.tuner.app.port;

import dev.espalier.api.rest.StreamEvent;
import dev.espalier.tuner.core.session.SessionEffect;
import dev.espalier.tuner.core.session.SessionEvent;
import java.util.List;

/// The append-only log of every job: the events its session took, and all that followed from them.
public interface EventLog {
  /// Appends in one transaction: the events, the decisions among the effects, the changes of job,
  /// branches, rounds, schedule and evaluations that the effects carry, and the metric points.
  ///
  /// @return what the live stream has to say of it, in order, numbered
  /// @throws dev.espalier.api.model.EspalierException `DATABASE_AWAY` when the database cannot be
  ///   reached; nothing was written then
  /// @throws OtherWriterException when `firstSequence` is not the next one
  List<StreamEvent> append(Commit commit);

  /// Reads a part of a job's log: after weeks the whole is larger than memory.
  ///
  /// @param after sequence of the event before the part; 0 for the first part
  /// @return events in order, some hundred at most; empty behind the last one
  List<SessionEvent> read(String job, long after);

  /// Another runner writes to the job's log, so whoever meets this knows no more how the job
  /// stands.
  final class OtherWriterException extends IllegalStateException {
    private static final long serialVersionUID = 1;

    public OtherWriterException(String message) {
      super(message);
    }
  }

  /// What one step of a runner has to make durable.
  ///
  /// @param firstSequence sequence of the first of `events`; one more than the last one logged
  /// @param events in the order the session took them; may be empty for the effects of the start
  /// @param effects of these events, in order; commands among them are not stored
  record Commit(
      String job,
      long firstSequence,
      List<SessionEvent> events,
      List<SessionEffect> effects,
      List<MetricPoint> points) {
    public Commit {
      events = List.copyOf(events);
      effects = List.copyOf(effects);
      points = List.copyOf(points);
    }
  }

  /// The training loss of one clock; a branch gives each of its clocks once.
  ///
  /// @param seconds branch seconds at the end of the clock
  record MetricPoint(int branch, long clock, double seconds, double loss) {}
}
