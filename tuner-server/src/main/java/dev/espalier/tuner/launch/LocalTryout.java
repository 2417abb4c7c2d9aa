package dev.espalier.tuner.launch;

import dev.espalier.api.model.EspalierException;
import dev.espalier.api.rest.JobSpec;
import dev.espalier.tuner.app.port.JobTryout;
import java.util.LinkedHashMap;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Opens the programs of jobs in worker processes.
public final class LocalTryout implements JobTryout {
  private static final Logger log = LoggerFactory.getLogger(LocalTryout.class);
  private static final JsonMapper JSON = JsonMapper.builder().build();

  /// Less than whoever asks waits for an answer.
  private static final long PATIENCE_SECONDS = 20;

  /// Each holds the data of a job in memory.
  private static final int AT_A_TIME = 1;

  private final WorkerCommand command;
  private final DescribedPrograms programs;
  private final Semaphore processes = new Semaphore(AT_A_TIME);

  public LocalTryout(WorkerCommand command, DescribedPrograms programs) {
    this.command = command;
    this.programs = programs;
  }

  @Override
  public Optional<Opened> open(JobSpec spec, String data) {
    if (!processes.tryAcquire()) {
      return Optional.empty();
    }
    try {
      var request = new LinkedHashMap<String, Object>();
      request.put("program", spec.program());
      request.put("arguments", spec.arguments());
      request.put("data", data);
      request.put("workers", spec.workers());
      request.put("seed", spec.seed());
      byte[] answer =
          command.answer(
              programs.jarsOf(spec.program()),
              "open",
              JSON.writeValueAsBytes(request),
              PATIENCE_SECONDS);
      JsonNode opened = JSON.readTree(answer);
      String problem = opened.path("problem").asString("");
      return Optional.of(
          problem.isEmpty()
              ? new Opened.Shaped(
                  opened.path("trainingSamples").asLong(), opened.path("defaultBatchSize").asInt())
              : new Opened.Refused(problem));
    } catch (EspalierException failure) {
      log.info("program={} was not tried out: {}", spec.program(), failure.getMessage());
      return Optional.empty();
    } finally {
      processes.release();
    }
  }
}
