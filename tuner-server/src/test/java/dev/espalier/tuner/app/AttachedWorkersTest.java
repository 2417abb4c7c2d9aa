package dev.espalier.tuner.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.api.model.JobState;
import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.rest.JobSpec;
import dev.espalier.api.rest.JobSpecReader;
import dev.espalier.programs.nn.MultilayerPerceptron;
import dev.espalier.runtime.Espalier;
import dev.espalier.tuner.app.port.ProgramRegistry;
import dev.espalier.tuner.app.port.TunerMeters;
import dev.espalier.tuner.app.port.WorkerLauncher;
import dev.espalier.tuner.core.session.Decision;
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
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Runners, worker channel, workers and parameter server together, in one JVM: two workers attach
/// by themselves and train a real model.
@Timeout(120)
class AttachedWorkersTest {
  private final MemoryEventLog log = new MemoryEventLog();
  private final MemoryJobStore jobs = new MemoryJobStore();
  private final List<Thread> workers = new ArrayList<>();

  @Test
  void fixedSettingTrainsToTheEnd() throws Exception {
    List<SessionEffect> effects =
        train(
            Map.of(
                "tuning",
                Map.of("policy", "fixed", "setting", Map.of("learningRate", 0.05)),
                "stop",
                Map.of("maxEpochs", 2)));

    assertThat(lastState(effects).state()).isEqualTo(JobState.COMPLETED);
    assertThat(evaluations(effects)).hasSizeGreaterThanOrEqualTo(2);
    assertThat(evaluations(effects).getLast().metrics().get("accuracy"))
        .isGreaterThan(evaluations(effects).getFirst().metrics().get("accuracy") - 0.05);
  }

  @Test
  void tunedJobFindsASettingAndDecidesTheSameEveryTime() throws Exception {
    Map<String, Object> tuned =
        Map.of(
            "tuning", Map.of("policy", "mltuner", "searcher", "random", "maxTrials", 6),
            "stop", Map.of("maxEpochs", 2));

    List<SessionEffect> first = train(tuned);
    List<Decision> decisions = log.decisions();
    List<SessionEffect> second = new AttachedWorkersTest().train(tuned);

    assertThat(lastState(first).state()).isEqualTo(JobState.COMPLETED);
    assertThat(decisions).extracting(Decision::key).anyMatch(key -> key.endsWith("adopt"));
    assertThat(decisionsOf(second)).isEqualTo(decisions);
  }

  private List<SessionEffect> train(Map<String, Object> more) throws Exception {
    var document = new TreeMap<String, Object>(more);
    document.put("program", "mlp");
    document.put("launch", "external");
    document.put("workers", 2);
    document.put("arguments", Map.of("hidden", List.of(16)));
    document.put(
        "time", Map.of("model", Map.of("perClockSeconds", 2e-4, "perSampleSeconds", 7e-6)));
    ProgramDescriptor program = new MultilayerPerceptron().describe();
    JobSpec spec =
        JobSpecReader.read(
                document, name -> Optional.of(program).filter(p -> p.name().equals(name)))
            .spec()
            .orElseThrow();
    var gateway = new GrpcWorkerGateway();
    try (WorkerServer server =
            WorkerServer.start(
                "127.0.0.1", 0, new WorkerSessionEndpoint(gateway, "token"::equals));
        var sessions = sessions(gateway, program)) {
      String job = sessions.submit(spec, "test");
      for (int worker = 0; worker < 2; worker++) {
        workers.add(
            Thread.ofPlatform().daemon().start(() -> attach("127.0.0.1:" + server.port(), job)));
      }
      Awaitility.await()
          .atMost(Duration.ofSeconds(100))
          .until(() -> lastState(log.effects()).state().isTerminal());
      for (Thread worker : workers) {
        worker.join(Duration.ofSeconds(20));
      }
      assertThat(workers).noneMatch(Thread::isAlive);
    }
    return log.effects();
  }

  private static void attach(String tuner, String job) {
    try {
      Espalier.attach(tuner, job, "token", new MultilayerPerceptron());
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private SessionDirectory sessions(GrpcWorkerGateway gateway, ProgramDescriptor program) {
    var ports =
        new RunnerPorts(
            jobs,
            log,
            _ -> {},
            gateway,
            new NoLauncher(),
            new NoMeters(),
            new WorkerLeases.Times(Duration.ofSeconds(30), Duration.ofSeconds(10)),
            _ -> "");
    return new SessionDirectory(ports, new OneProgram(program), _ -> "", 4);
  }

  private static SessionEffect.JobChanged lastState(List<SessionEffect> effects) {
    return effects.stream()
        .filter(SessionEffect.JobChanged.class::isInstance)
        .map(SessionEffect.JobChanged.class::cast)
        .reduce((_, last) -> last)
        .orElse(new SessionEffect.JobChanged(JobState.QUEUED, "", "", ""));
  }

  private static List<SessionEffect.MainlineEvaluated> evaluations(List<SessionEffect> effects) {
    return effects.stream()
        .filter(SessionEffect.MainlineEvaluated.class::isInstance)
        .map(SessionEffect.MainlineEvaluated.class::cast)
        .toList();
  }

  private static List<Decision> decisionsOf(List<SessionEffect> effects) {
    return effects.stream()
        .filter(SessionEffect.Decide.class::isInstance)
        .map(effect -> ((SessionEffect.Decide) effect).decision())
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
      throw new IllegalStateException("external workers are not launched");
    }

    @Override
    public void kill(String job) {}

    @Override
    public List<Path> logs(String job) {
      return List.of();
    }
  }

  private static final class NoMeters implements TunerMeters {
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
