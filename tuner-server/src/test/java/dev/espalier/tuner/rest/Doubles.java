package dev.espalier.tuner.rest;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.Goal;
import dev.espalier.api.model.MetricSpec;
import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.model.Tunable;
import dev.espalier.api.rest.JobSpec;
import dev.espalier.tuner.app.port.JobStore;
import dev.espalier.tuner.app.port.JobTryout;
import dev.espalier.tuner.app.port.ModelExporter;
import dev.espalier.tuner.app.port.ProgramRegistry;
import dev.espalier.tuner.app.port.WorkerGateway;
import dev.espalier.tuner.app.port.WorkerLauncher;
import dev.espalier.tuner.grpc.GrpcWorkerGateway;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/// What a server needs besides its own configuration, without running any job.
@Configuration(proxyBeanMethods = false)
public class Doubles {
  @Bean
  public RecordingJobService jobService(JobStore store) {
    return new RecordingJobService(store);
  }

  @Bean
  public ProgramRegistry programs() {
    var program =
        new ProgramDescriptor(
            "toy",
            "A program for tests.",
            false,
            List.of(),
            List.of(new Tunable.LogRange(Tunable.LEARNING_RATE, 1e-5, 1, 0.01)),
            List.of(new MetricSpec("accuracy", Goal.MAXIMIZE, MetricSpec.Aggregate.MEAN)));
    return new ProgramRegistry() {
      @Override
      public List<ProgramDescriptor> programs() {
        return List.of(program);
      }

      @Override
      public Optional<ProgramDescriptor> find(String name) {
        return name.equals("toy") ? Optional.of(program) : Optional.empty();
      }
    };
  }

  @Bean
  public JobTryout tryout() {
    return (spec, data) ->
        switch (spec.name()) {
          case "too large" -> Optional.of(new JobTryout.Opened.Refused("it takes too much memory"));
          case "few samples" -> Optional.of(new JobTryout.Opened.Shaped(3, 8));
          default -> Optional.of(new JobTryout.Opened.Shaped(100_000, 8));
        };
  }

  @Bean
  public WorkerGateway gateway() {
    return new GrpcWorkerGateway();
  }

  @Bean
  public LogFiles workers() {
    return new LogFiles();
  }

  @Bean
  public ModelExporter modelExporter() {
    return (job, spec, data, snapshot) -> {
      throw new EspalierException(ErrorCode.CHECKPOINT_FAILED, "no worker reads it here");
    };
  }

  /// Starts nothing; knows the log files that a test gave it.
  public static final class LogFiles implements WorkerLauncher {
    private final Map<String, List<Path>> logs = new ConcurrentHashMap<>();

    public void put(String job, List<Path> files) {
      logs.put(job, files);
    }

    @Override
    public void launch(
        String job, JobSpec spec, int generation, String secret, ExitListener onExit) {}

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
      return logs.getOrDefault(job, List.of());
    }
  }
}
