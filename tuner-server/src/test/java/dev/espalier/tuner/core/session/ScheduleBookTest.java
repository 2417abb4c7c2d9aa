package dev.espalier.tuner.core.session;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.api.model.BranchId;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class ScheduleBookTest {
  @Test
  void numbersAreNeverGivenTwice() {
    var book = new ScheduleBook();
    Set<Object> seen = new HashSet<>();
    for (int i = 0; i < 1000; i++) {
      assertThat(seen.add(book.nextBranch())).isTrue();
      assertThat(seen.add("evaluation " + book.nextEvaluation())).isTrue();
      assertThat(seen.add("checkpoint " + book.nextCheckpoint())).isTrue();
    }
    assertThat(book.branches()).isEqualTo(1000);
  }

  @Test
  void theFirstBranchIsTheRoot() {
    assertThat(new ScheduleBook().nextBranch()).isEqualTo(BranchId.ROOT);
  }

  @Test
  void clocksOfAllBranchesAreCountedTogether() {
    var book = new ScheduleBook();
    book.countClock();
    book.countClock();
    assertThat(book.clocks()).isEqualTo(2);
  }
}
