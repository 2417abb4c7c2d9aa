package dev.espalier.tuner.app;

import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.MetricSpec;
import dev.espalier.api.model.TimeModel;
import dev.espalier.api.model.WorkerReport;
import dev.espalier.api.rest.PrintableText;
import dev.espalier.tuner.core.session.SessionEvent;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// Puts the reports of one generation's workers together into whole events.
///
/// Thread confined to its job's runner.
final class ReportAssembler {
  /*
   * All workers execute the same commands in the same order, so all report the same clocks and
   * evaluations in the same order. The first worker's order is taken for everyone's: its head is
   * emitted as soon as every other worker has the same item. A clock's value is thus final when the
   * last worker has reported it (Cui et al. 2018, section 4.5).
   *
   * Reports may come twice: a worker sends again what was not acknowledged, and after a restart of
   * the server all that was not yet logged comes again. Clocks below the branch's logged count, and
   * evaluations and checkpoints that were logged, are consumed without an event.
   *
   * A report is acknowledged when every item in it has been consumed and the events are durable.
   */

  private final int workers;
  private final Optional<TimeModel> time;
  private final List<MetricSpec> validation;
  private final int generation;
  private final List<WorkerState> states = new ArrayList<>();
  private final Map<BranchId, Long> nextClocks = new HashMap<>();
  private final Map<Long, Map<Integer, WorkerReport>> checkpoints = new TreeMap<>();
  private final Map<Long, BranchId> evaluationBranches = new HashMap<>();
  private final Map<Long, BranchId> checkpointBranches = new HashMap<>();
  private final List<Pending> readyReports = new ArrayList<>();
  private final Map<Long, List<Pending>> checkpointReports = new HashMap<>();
  private boolean readyDone;

  ReportAssembler(
      int generation, int workers, Optional<TimeModel> time, List<MetricSpec> validation) {
    this.generation = generation;
    this.workers = workers;
    this.time = time;
    this.validation = List.copyOf(validation);
    for (int worker = 0; worker < workers; worker++) {
      states.add(new WorkerState());
    }
  }

  /// One clock or evaluation of one worker; `report` counts its unconsumed items.
  private record Item(Key key, double value, long samples, double seconds, Pending report) {}

  private sealed interface Key {
    record ClockKey(BranchId branch, long clock) implements Key {}

    record EvaluationKey(WorkerReport.Evaluated report) implements Key {
      long evaluation() {
        return report.evaluation();
      }
    }
  }

  private static final class Pending {
    private final long sequence;
    private int open;

    private Pending(long sequence, int open) {
      this.sequence = sequence;
      this.open = open;
    }
  }

  private static final class WorkerState {
    private final Deque<Item> items = new ArrayDeque<>();
    private final Deque<Pending> reports = new ArrayDeque<>();
    private long lastSequence;
    private WorkerReport.Ready ready = new WorkerReport.Ready(0, 0);
  }

  /// Tells which branch an evaluation or checkpoint that was asked for belongs to.
  void expectEvaluation(long evaluation, BranchId branch) {
    evaluationBranches.put(evaluation, branch);
  }

  void expectCheckpoint(long checkpoint, BranchId branch) {
    checkpointBranches.put(checkpoint, branch);
  }

  /// Takes note of an event that is in the log, so that its reports make no second one.
  void logged(SessionEvent event) {
    switch (event) {
      case SessionEvent.WorkersReady _ -> readyDone = true;
      case SessionEvent.Progressed progressed ->
          nextClocks.put(progressed.branch(), progressed.fromClock() + progressed.losses().size());
      case SessionEvent.Evaluated evaluated -> evaluationBranches.remove(evaluated.evaluation());
      case SessionEvent.CheckpointWritten written ->
          checkpointBranches.remove(written.checkpoint());
      case SessionEvent.CheckpointFailed failed -> checkpointBranches.remove(failed.checkpoint());
      case SessionEvent.WorkersLost _, SessionEvent.ProgramFailed _, SessionEvent.Requested _ -> {}
    }
  }

  /// Takes note that a worker's link is gone. Until all are ready another process may take its
  /// number, which counts its reports from 1 and may have other data; the same one sends again what
  /// was not confirmed, and nothing was.
  void left(int worker) {
    if (!readyDone) {
      WorkerState gone = states.set(worker, new WorkerState());
      readyReports.removeAll(gone.reports);
    }
  }

  /// Takes a report in; repeats are recognised by their sequence.
  ///
  /// @return an event that this report completes out of order: ready, checkpoint or failure
  Optional<SessionEvent> add(int worker, long sequence, WorkerReport report, double atSeconds) {
    WorkerState state = states.get(worker);
    if (sequence <= state.lastSequence) {
      return Optional.empty();
    }
    state.lastSequence = sequence;
    int items =
        report instanceof WorkerReport.Progressed progressed ? progressed.seconds().size() : 1;
    Pending pending = new Pending(sequence, items);
    state.reports.add(pending);
    return switch (report) {
      case WorkerReport.Progressed progressed -> {
        queueClocks(state, progressed, pending);
        yield Optional.empty();
      }
      case WorkerReport.Evaluated evaluated -> {
        state.items.add(
            new Item(
                new Key.EvaluationKey(evaluated),
                Double.NaN,
                evaluated.samples(),
                evaluated.seconds(),
                pending));
        yield Optional.empty();
      }
      case WorkerReport.Ready ready -> {
        readyReports.add(pending);
        state.ready = ready;
        yield ready(atSeconds);
      }
      case WorkerReport.CheckpointWritten(long checkpoint, long _) ->
          checkpoint(worker, checkpoint, report, pending, atSeconds);
      case WorkerReport.CheckpointFailed(long checkpoint, String _) ->
          checkpoint(worker, checkpoint, report, pending, atSeconds);
      case WorkerReport.Forked _ -> {
        pending.open = 0;
        yield Optional.empty();
      }
      case WorkerReport.Failed(ErrorCode code, String message) -> {
        pending.open = 0;
        yield Optional.of(
            new SessionEvent.ProgramFailed(atSeconds, code.name(), PrintableText.of(message)));
      }
    };
  }

  private static void queueClocks(
      WorkerState state, WorkerReport.Progressed progressed, Pending pending) {
    for (int i = 0; i < progressed.seconds().size(); i++) {
      state.items.add(
          new Item(
              new Key.ClockKey(progressed.branch(), progressed.fromClock() + i),
              progressed.lossSums().get(i),
              progressed.samples().get(i),
              progressed.seconds().get(i),
              pending));
    }
  }

  /// A part of something that all workers report is consumed when the whole is, not before: the
  /// next server must hear it again.
  private static void close(List<Pending> parts) {
    parts.forEach(part -> part.open = 0);
  }

  private Optional<SessionEvent> ready(double atSeconds) {
    boolean all = states.stream().noneMatch(state -> state.ready.trainingSamples() == 0);
    if (readyDone || all) {
      close(readyReports);
    }
    if (readyDone || !all) {
      return Optional.empty();
    }
    readyDone = true;
    WorkerReport.Ready first = states.getFirst().ready;
    for (int worker = 1; worker < workers; worker++) {
      WorkerReport.Ready other = states.get(worker).ready;
      if (!other.equals(first)) {
        return Optional.of(
            new SessionEvent.ProgramFailed(
                atSeconds, ErrorCode.INVALID_DATA.name(), differ(first, worker, other)));
      }
    }
    return Optional.of(
        new SessionEvent.WorkersReady(
            atSeconds,
            generation,
            workers,
            first.trainingSamples(),
            first.defaultBatchSize(),
            first.probeSamples()));
  }

  /// Each worker would go through other samples than the ones that it is thought to.
  private static String differ(WorkerReport.Ready first, int worker, WorkerReport.Ready other) {
    return "workers must have the same data, but worker 0 opens %s and worker %d %s"
        .formatted(inWords(first), worker, inWords(other));
  }

  private static String inWords(WorkerReport.Ready ready) {
    return "%d training and %d probe samples, %d a clock"
        .formatted(ready.trainingSamples(), ready.probeSamples(), ready.defaultBatchSize());
  }

  private Optional<SessionEvent> checkpoint(
      int worker, long checkpoint, WorkerReport report, Pending pending, double atSeconds) {
    BranchId branch = checkpointBranches.get(checkpoint);
    if (branch == null) {
      pending.open = 0;
      return Optional.empty();
    }
    checkpointReports.computeIfAbsent(checkpoint, _ -> new ArrayList<>()).add(pending);
    Map<Integer, WorkerReport> parts =
        checkpoints.computeIfAbsent(checkpoint, _ -> new HashMap<>());
    parts.put(worker, report);
    if (parts.size() < workers) {
      return Optional.empty();
    }
    checkpoints.remove(checkpoint);
    checkpointBranches.remove(checkpoint);
    close(checkpointReports.getOrDefault(checkpoint, List.of()));
    checkpointReports.remove(checkpoint);
    long sizeBytes = 0;
    for (WorkerReport part : parts.values()) {
      if (part instanceof WorkerReport.CheckpointFailed(long _, String message)) {
        return Optional.of(
            new SessionEvent.CheckpointFailed(
                atSeconds, checkpoint, branch, PrintableText.of(message)));
      }
      if (part instanceof WorkerReport.CheckpointWritten(long _, long bytes)) {
        sizeBytes += bytes;
      }
    }
    return Optional.of(
        new SessionEvent.CheckpointWritten(atSeconds, checkpoint, branch, sizeBytes));
  }

  /// {@return the events that are complete now, in order; consecutive clocks of a branch as one}
  List<SessionEvent> drain(JobClock clock) {
    var events = new ArrayList<SessionEvent>();
    var run = new ClockRun(workers);
    while (headIsComplete()) {
      List<Item> parts = states.stream().map(state -> state.items.removeFirst()).toList();
      parts.forEach(part -> part.report().open--);
      switch (parts.getFirst().key()) {
        case Key.ClockKey(BranchId branch, long number) -> {
          if (!run.continues(branch, number)) {
            run.flush(events, clock);
          }
          List<Double> seconds = secondsOf(parts);
          clock.advance(Collections.max(seconds));
          run.add(branch, number, meanLoss(parts), seconds);
          nextClocks.put(branch, number + 1);
        }
        case Key.EvaluationKey evaluation -> {
          run.flush(events, clock);
          evaluated(evaluation.evaluation(), parts, clock).ifPresent(events::add);
        }
      }
    }
    run.flush(events, clock);
    return events;
  }

  private boolean headIsComplete() {
    states.forEach(this::dropLogged);
    Item first = states.getFirst().items.peekFirst();
    if (first == null) {
      return false;
    }
    for (WorkerState state : states) {
      Item head = state.items.peekFirst();
      if (head == null || !same(first.key(), head.key())) {
        return false;
      }
    }
    return true;
  }

  /// A worker may send again what is in the log, while another no longer has to.
  private void dropLogged(WorkerState state) {
    while (!state.items.isEmpty() && isLogged(state.items.getFirst().key())) {
      state.items.removeFirst().report().open--;
    }
  }

  private boolean isLogged(Key key) {
    return switch (key) {
      case Key.ClockKey(BranchId branch, long number) ->
          number < nextClocks.getOrDefault(branch, 0L);
      case Key.EvaluationKey evaluation -> !evaluationBranches.containsKey(evaluation.evaluation());
    };
  }

  private static boolean same(Key one, Key other) {
    return switch (one) {
      case Key.ClockKey clock -> clock.equals(other);
      case Key.EvaluationKey evaluation ->
          other instanceof Key.EvaluationKey that && that.evaluation() == evaluation.evaluation();
    };
  }

  private Optional<SessionEvent> evaluated(long evaluation, List<Item> parts, JobClock clock) {
    BranchId branch = evaluationBranches.remove(evaluation);
    if (branch == null) {
      return Optional.empty();
    }
    double seconds =
        time.isPresent()
            ? time.get().perSampleSeconds() * largestSamples(parts)
            : parts.stream().mapToDouble(Item::seconds).max().orElse(0);
    clock.advance(seconds);
    List<WorkerReport.Evaluated> reports =
        parts.stream().map(part -> ((Key.EvaluationKey) part.key()).report()).toList();
    var metrics = new TreeMap<String, Double>();
    validation.forEach(
        metric -> metric.joined(reports).ifPresent(value -> metrics.put(metric.name(), value)));
    return Optional.of(
        new SessionEvent.Evaluated(
            clock.now(),
            evaluation,
            branch,
            metrics,
            seconds,
            WorkerReport.Evaluated.joinedLosses(reports, validation),
            WorkerReport.Evaluated.joinedBlocks(reports, WorkerReport.Evaluated::scores)));
  }

  /// {@return seconds of a clock, of each worker}
  private List<Double> secondsOf(List<Item> parts) {
    return time.isPresent()
        ? Collections.nCopies(workers, time.get().secondsOf(largestSamples(parts)))
        : parts.stream().map(Item::seconds).toList();
  }

  private static long largestSamples(List<Item> parts) {
    return parts.stream().mapToLong(Item::samples).max().orElse(0);
  }

  private static double meanLoss(List<Item> parts) {
    double sum = 0;
    long samples = 0;
    for (Item part : parts) {
      sum += part.value();
      samples += part.samples();
    }
    return samples == 0 ? Double.NaN : sum / samples;
  }

  /// {@return per worker the highest report whose items are all consumed, as are those before it}
  long[] consumed() {
    long[] sequences = new long[workers];
    for (int worker = 0; worker < workers; worker++) {
      Deque<Pending> reports = states.get(worker).reports;
      while (!reports.isEmpty() && reports.getFirst().open == 0) {
        sequences[worker] = reports.removeFirst().sequence;
      }
    }
    return sequences;
  }

  /// Collects consecutive clocks of one branch.
  private static final class ClockRun {
    private BranchId branch = BranchId.ROOT;
    private long from;
    private final List<Double> losses = new ArrayList<>();
    private final List<Double> seconds = new ArrayList<>();
    private final double[] ofWorkers;

    /// Added up as those of the workers are: where all are equally slow the two are the same
    /// number, however many clocks came together.
    private double ofSlowest;

    ClockRun(int workers) {
      this.ofWorkers = new double[workers];
    }

    boolean continues(BranchId next, long clock) {
      return losses.isEmpty() || (branch.equals(next) && clock == from + losses.size());
    }

    void add(BranchId next, long clock, double loss, List<Double> clockSeconds) {
      if (losses.isEmpty()) {
        branch = next;
        from = clock;
      }
      losses.add(loss);
      double slowest = Collections.max(clockSeconds);
      seconds.add(slowest);
      ofSlowest += slowest;
      for (int worker = 0; worker < ofWorkers.length; worker++) {
        ofWorkers[worker] += clockSeconds.get(worker);
      }
    }

    /// Workers that may drift apart are not all slow in the same clocks, so the run took what the
    /// slowest of them took in all, which may be less than the sum of the slowest in each clock.
    private List<Double> elapsed() {
      double slowest = Arrays.stream(ofWorkers).max().orElse(0);
      double sum = ofSlowest;
      return slowest < sum
          ? seconds.stream().map(clock -> clock * slowest / sum).toList()
          : List.copyOf(seconds);
    }

    void flush(List<SessionEvent> events, JobClock clock) {
      if (!losses.isEmpty()) {
        events.add(new SessionEvent.Progressed(clock.now(), branch, from, losses, elapsed()));
        losses.clear();
        seconds.clear();
        Arrays.fill(ofWorkers, 0);
        ofSlowest = 0;
      }
    }
  }
}
