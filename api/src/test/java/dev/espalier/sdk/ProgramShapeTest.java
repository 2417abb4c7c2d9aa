package dev.espalier.sdk;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.api.model.HeldOut;
import dev.espalier.api.model.ProbeSource;
import java.util.List;
import org.junit.jupiter.api.Test;

final class ProgramShapeTest {
  private static final HeldOut TWENTIETH = new HeldOut(1_000, 0.05, ProbeSource.VALIDATION);

  private static final List<TableDeclaration> TABLES =
      List.of(TableDeclaration.dense("weights", 2, 2, "sgd"));

  @Test
  void aDefaultBatchIsNoLargerThanWhatThereIsToTrainOn() {
    var whole = new ProgramShape(TABLES, 16_012, 16_012);

    assertThat(whole.batchSize(HeldOut.NOTHING, 1)).isEqualTo(16_012);
    assertThat(whole.batchSize(HeldOut.NOTHING, 3)).isEqualTo(5_337);
    assertThat(whole.batchSize(TWENTIETH, 1)).isEqualTo(15_212);
    assertThat(whole.withValidationSamples(800).batchSize(TWENTIETH, 1)).isEqualTo(16_012);
    assertThat(new ProgramShape(TABLES, 16_012, 64).batchSize(TWENTIETH, 4)).isEqualTo(64);
    assertThat(new ProgramShape(TABLES, 2, 64).batchSize(HeldOut.NOTHING, 4)).isEqualTo(1);
  }
}
