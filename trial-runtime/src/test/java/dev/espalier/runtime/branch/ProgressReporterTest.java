package dev.espalier.runtime.branch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.WorkerReport;
import dev.espalier.sdk.Progress;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ProgressReporterTest {
  private static final long MILLI = 1_000_000;

  private final List<WorkerReport> reports = new ArrayList<>();
  private final ProgressReporter reporter = new ProgressReporter(reports::add, 0);

  private void addAt(long clock, long millis) {
    reporter.add(BranchId.ROOT, clock, new Progress(1, 1), 1, millis * MILLI);
  }

  @Test
  void slowClocksAreReportedAsTheyEnd() {
    addAt(0, 1000);
    assertThat(reports).hasSize(1);
    addAt(1, 2000);
    assertThat(reports).hasSize(2);
  }

  @Test
  void fastClocksAreReportedTogether() {
    for (int clock = 0; clock < 30; clock++) {
      addAt(clock, 10 * clock);
    }
    assertThat(reports).hasSize(2);
    reporter.flush();
    assertThat(reports)
        .extracting(report -> ((WorkerReport.Progressed) report).fromClock())
        .containsExactly(0L, 12L, 23L);
  }
}
