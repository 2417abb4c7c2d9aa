package dev.espalier.tuner.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.JobState;
import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.model.Shape;
import dev.espalier.api.rest.JobSpec;
import dev.espalier.api.rest.JobSpecReader;
import dev.espalier.runtime.Espalier;
import dev.espalier.sdk.TrainingProgram;
import dev.espalier.tuner.app.port.ProgramRegistry;
import dev.espalier.tuner.app.port.Stalls;
import dev.espalier.tuner.app.port.TunerMeters;
import dev.espalier.tuner.app.port.WorkerLauncher;
import dev.espalier.tuner.core.session.Decision;
import dev.espalier.tuner.core.session.JobPlan;
import dev.espalier.tuner.core.session.SessionEffect;
import dev.espalier.tuner.grpc.GrpcWorkerGateway;
import dev.espalier.tuner.grpc.WorkerServer;
import dev.espalier.tuner.grpc.WorkerSessionEndpoint;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.awaitility.Awaitility;

/// Runners, worker channel, workers and parameter server together, in one JVM: workers attach by
/// themselves and train a real model.
public final class TunerInMemory {
  private final MemoryEventLog log = new MemoryEventLog();
  private final MemoryJobStore jobs = new MemoryJobStore();
  private final List<Thread> workers = new ArrayList<>();
  private final Supplier<TrainingProgram> programs;
  private final Path checkpoints;

  private TunerInMemory(Supplier<TrainingProgram> programs, Path checkpoints) {
    this.programs = programs;
    this.checkpoints = checkpoints;
  }

  /// How a job went.
  ///
  /// @param message of the last state, in words
  /// @param evaluations of the mainline, in their order
  /// @param schedule what a job file that trains with the schedule found has under
  ///   `tuning.schedule`
  /// @param epochs passes over the data at the result
  /// @param result validation metrics there
  public record Trained(
      JobState state,
      String message,
      List<Map<String, Double>> evaluations,
      List<Decision> decisions,
      List<Map<String, Object>> schedule,
      double epochs,
      Map<String, Double> result) {}

  /// Trains to the end.
  ///
  /// @param document a job file with `launch: external`; with `local` the start of workers fails
  /// @param programs one object for each worker
  /// @param checkpoints folder to write below
  public static Trained train(
      Map<String, ?> document, Supplier<TrainingProgram> programs, Path checkpoints)
      throws Exception {
    return train(document, programs, checkpoints, Duration.ZERO);
  }

  /// The same with workers that come after a while.
  static Trained train(
      Map<String, ?> document,
      Supplier<TrainingProgram> programs,
      Path checkpoints,
      Duration untilWorkersCome)
      throws Exception {
    return new TunerInMemory(programs, checkpoints).train(document, untilWorkersCome);
  }

  private Trained train(Map<String, ?> document, Duration untilWorkersCome) throws Exception {
    var registry = new OneProgram(programs.get().describe());
    JobSpec spec = JobSpecReader.read(document, registry::find).spec().orElseThrow();
    var gateway = new GrpcWorkerGateway();
    try (WorkerServer server =
            WorkerServer.start(
                "127.0.0.1", 0, new WorkerSessionEndpoint(gateway, "token"::equals));
        var sessions = sessions(gateway, registry)) {
      sessions.resumeAll();
      String job = sessions.submit(spec, "test", Optional.empty());
      Thread.sleep(untilWorkersCome);
      int attached = spec.launch() == JobSpec.Launch.EXTERNAL ? spec.workers() : 0;
      for (int worker = 0; worker < attached; worker++) {
        workers.add(
            Thread.ofPlatform().daemon().start(() -> attach("127.0.0.1:" + server.port(), job)));
      }
      Awaitility.await().atMost(Duration.ofSeconds(100)).until(() -> last().state().isTerminal());
      for (Thread worker : workers) {
        worker.join(Duration.ofSeconds(20));
      }
      assertThat(workers).noneMatch(Thread::isAlive);
    }
    return new Trained(
        last().state(),
        last().message(),
        evaluations(),
        log.decisions(),
        schedule(),
        result().map(SessionEffect.ResultChanged::epoch).orElse(0.0),
        result().map(this::metricsOf).orElse(Map.of()));
  }

  private void attach(String tuner, String job) {
    try {
      Espalier.attach(tuner, job, "token", programs.get());
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private SessionDirectory sessions(GrpcWorkerGateway gateway, ProgramRegistry registry) {
    var ports =
        new RunnerPorts(
            jobs,
            log,
            _ -> {},
            gateway,
            new NoLauncher(),
            new NoMeters(),
            new Stalls(),
            new WorkerLeases.Times(Duration.ofSeconds(30), Duration.ofSeconds(10), Duration.ZERO),
            job -> checkpoints.resolve(job).toString());
    return new SessionDirectory(ports, registry, _ -> "", 4);
  }

  private SessionEffect.JobChanged last() {
    return log.effects().stream()
        .filter(SessionEffect.JobChanged.class::isInstance)
        .map(SessionEffect.JobChanged.class::cast)
        .reduce((_, last) -> last)
        .orElse(new SessionEffect.JobChanged(JobState.QUEUED, "", "", ""));
  }

  private Optional<SessionEffect.ResultChanged> result() {
    return log.effects().stream()
        .filter(SessionEffect.ResultChanged.class::isInstance)
        .map(SessionEffect.ResultChanged.class::cast)
        .reduce((_, last) -> last);
  }

  /// Known by its value: another start, or a stretch that the mainline left, may have been
  /// evaluated at the same clock.
  private Map<String, Double> metricsOf(SessionEffect.ResultChanged result) {
    return evaluated().stream()
        .filter(evaluation -> evaluation.mainlineClock() == result.mainlineClock())
        .map(SessionEffect.MainlineEvaluated::metrics)
        .filter(metrics -> metrics.containsValue(result.value()))
        .reduce((_, last) -> last)
        .orElseThrow();
  }

  private List<Map<String, Object>> schedule() {
    return result().stream()
        .flatMap(result -> result.path().stream())
        .map(TunerInMemory::entry)
        .toList();
  }

  private static Map<String, Object> entry(JobPlan.ScheduleStep step) {
    var entry = new TreeMap<String, Object>();
    entry.put("fromClock", step.fromClock());
    entry.put("setting", step.setting().values());
    if (step.shape() instanceof Shape.LinearToZero fall) {
      entry.put("cooldown", Map.of("fromClock", fall.fromClock(), "untilClock", fall.untilClock()));
    }
    return entry;
  }

  private List<SessionEffect.MainlineEvaluated> evaluated() {
    return log.effects().stream()
        .filter(SessionEffect.MainlineEvaluated.class::isInstance)
        .map(SessionEffect.MainlineEvaluated.class::cast)
        .toList();
  }

  private List<Map<String, Double>> evaluations() {
    return log.effects().stream()
        .filter(SessionEffect.MainlineEvaluated.class::isInstance)
        .map(effect -> ((SessionEffect.MainlineEvaluated) effect).metrics())
        .toList();
  }

  private record OneProgram(ProgramDescriptor descriptor) implements ProgramRegistry {
    @Override
    public List<ProgramDescriptor> programs() {
      return List.of(descriptor);
    }

    @Override
    public Optional<ProgramDescriptor> find(String name) {
      return Optional.of(descriptor).filter(program -> program.name().equals(name));
    }
  }

  private static final class NoLauncher implements WorkerLauncher {
    @Override
    public void launch(
        String job, JobSpec spec, int generation, String secret, ExitListener onExit) {
      throw new EspalierException(ErrorCode.INTERNAL, "workers cannot be started: no processes");
    }

    @Override
    public boolean hasStarted(String job) {
      return false;
    }

    @Override
    public void watch(String job, int workers, ExitListener onExit) {}

    @Override
    public void kill(String job) {}

    @Override
    public void discard(String job) {}

    @Override
    public List<Path> logs(String job) {
      return List.of();
    }
  }

  static final class NoMeters implements TunerMeters {
    @Override
    public void roundStarted(String job) {}

    @Override
    public void clocks(String job, long count) {}

    @Override
    public void forked(double seconds) {}

    @Override
    public void reportLatency(double seconds) {}

    @Override
    public void branches(String job, int live) {}

    @Override
    public void tuningShare(String job, double share) {}

    @Override
    public void ended(String job) {}
  }
}
