package dev.espalier.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.api.model.JobState;
import dev.espalier.programs.logreg.SparseLogisticRegression;
import dev.espalier.sdk.Evaluation;
import dev.espalier.sdk.ForwardingProgram;
import dev.espalier.sdk.ProgramContext;
import dev.espalier.sdk.TrainingProgram;
import dev.espalier.tuner.app.TunerInMemory;
import dev.espalier.tuner.app.TunerInMemory.Trained;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The schedule that a policy found is trained again without a tuner, and gives the same model.
@Timeout(200)
final class ScheduleTest {
  @TempDir private Path folder;

  @ParameterizedTest
  @CsvSource({"mltuner, 1", "pbt, 1", "hyperband, 1", "racing, 5"})
  void theScheduleFoundGivesTheSameModelBitForBit(String policy, int steps) throws Exception {
    Set<Long> digestsFound = ConcurrentHashMap.newKeySet();
    Trained found =
        train(
            Map.of(
                "policy",
                policy,
                "searcher",
                "random",
                "probeClocks",
                5,
                "maxTrials",
                5,
                "retune",
                Map.of("plateauEpochs", 1, "max", 1),
                "converge",
                Map.of("plateauEpochs", 2),
                "runs",
                Map.of("max", 4, "population", 4, "truncation", 0.5)),
            3,
            "found",
            digestsFound::add);
    var lastDigest = new AtomicLong();
    Trained again =
        train(
            Map.of(
                "policy",
                "fixed",
                "holdOut",
                policy.equals("racing"),
                "racing",
                Map.of("probe", "validation"),
                "schedule",
                found.schedule()),
            found.epochs(),
            "again",
            lastDigest::set);

    assertThat(found.state()).as(found.message()).isEqualTo(JobState.COMPLETED);
    assertThat(found.schedule()).hasSizeGreaterThanOrEqualTo(steps);
    assertThat(again.evaluations().getLast()).isEqualTo(found.result());
    assertThat(digestsFound).as("models that were evaluated").contains(lastDigest.get());
  }

  private Trained train(
      Map<String, Object> tuning, double maxEpochs, String name, LongConsumer digests)
      throws Exception {
    var document = new HashMap<String, Object>();
    document.put("program", "logreg");
    document.put("launch", "external");
    document.put("workers", 2);
    document.put("seed", 5);
    document.put("tuning", tuning);
    document.put("stop", Map.of("maxEpochs", maxEpochs));
    document.put(
        "tunables",
        Map.of(
            "learningRate", Map.of("type", "log", "min", 1e-3, "max", 1),
            "batchSize", Map.of("type", "choice", "values", List.of(64, 128))));
    document.put(
        "time", Map.of("model", Map.of("perClockSeconds", 1e-3, "perSampleSeconds", 1e-5)));
    return TunerInMemory.train(
        document, () -> new Watched(new SparseLogisticRegression(), digests), folder.resolve(name));
  }

  /// A program that tells a digest of all parameters whenever its first worker evaluates.
  private static final class Watched extends ForwardingProgram {
    private final LongConsumer digests;

    Watched(TrainingProgram program, LongConsumer digests) {
      super(program);
      this.digests = digests;
    }

    @Override
    public Evaluation evaluate(ProgramContext context) {
      if (context.worker() == 0) {
        var bits = ByteBuffer.allocate(Long.BYTES + Float.BYTES * 100_000);
        bits.putLong(context.clock());
        for (float value : context.table("weights").readAll()) {
          bits.putFloat(value);
        }
        var crc = new CRC32C();
        crc.update(bits.flip());
        digests.accept(crc.getValue());
      }
      return super.evaluate(context);
    }
  }
}
