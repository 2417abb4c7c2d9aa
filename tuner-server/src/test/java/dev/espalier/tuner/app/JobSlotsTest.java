package dev.espalier.tuner.app;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class JobSlotsTest {
  @Test
  void jobsWaitInTheOrderInWhichTheyAsked() {
    var slots = new JobSlots(1);
    JobSlots.Slot first = queued(slots);
    JobSlots.Slot second = queued(slots);
    JobSlots.Slot third = queued(slots);
    assertThat(first.isTaken()).isTrue();
    assertThat(second.isTaken()).isFalse();

    first.close();
    first.close();
    assertThat(second.isTaken()).isTrue();
    assertThat(third.isTaken()).isFalse();

    second.close();
    assertThat(third.isTaken()).isTrue();
  }

  @Test
  void whoRunsAlreadyCountsBeyondTheLimit() {
    var slots = new JobSlots(1);
    JobSlots.Slot first = queued(slots);
    JobSlots.Slot resumed = queued(slots);
    JobSlots.Slot fresh = queued(slots);
    resumed.insist();
    assertThat(resumed.isTaken()).isTrue();

    first.close();
    assertThat(fresh.isTaken()).as("one still runs").isFalse();
    resumed.close();
    assertThat(fresh.isTaken()).isTrue();
  }

  @Test
  void nobodyBeginsWhenAllStop() {
    var slots = new JobSlots(1);
    JobSlots.Slot first = queued(slots);
    JobSlots.Slot second = queued(slots);
    slots.stop();
    first.close();
    assertThat(second.isTaken()).isFalse();
  }

  @Test
  void whoGivesUpWaitingIsForgotten() {
    var slots = new JobSlots(1);
    JobSlots.Slot first = queued(slots);
    JobSlots.Slot second = queued(slots);
    JobSlots.Slot third = queued(slots);
    second.close();
    second.insist();
    assertThat(second.isTaken()).isFalse();
    first.close();
    assertThat(third.isTaken()).isTrue();
  }

  private static JobSlots.Slot queued(JobSlots slots) {
    JobSlots.Slot slot = slots.slot();
    slot.ask();
    return slot;
  }
}
