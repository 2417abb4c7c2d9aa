package dev.espalier.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.fault.PsFault;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;

final class FaultsTest {
  @Test
  void faultsOfOthersAreFoundBelowWhatAProgramMadeOfThem() {
    var lost = new PsException(PsFault.LINK_LOST, "the shard of worker 1 cannot be reached");
    var wrapped = new IllegalStateException("clock 3", new CompletionException(lost));
    var suppressing = new IllegalStateException("clock 3");
    suppressing.addSuppressed(wrapped);
    lost.addSuppressed(suppressing);

    assertThat(Faults.behind(wrapped)).contains(lost);
    assertThat(Faults.behind(suppressing)).contains(lost);
    assertThat(Faults.behind(new IllegalStateException("clock 3"))).isEmpty();
  }

  /// What it made of a mistake of its own says more than the mistake.
  @Test
  void mistakesOfTheProgramAreItsOwn() {
    var mistake = new PsException(PsFault.BAD_REQUEST, "there is no row 7");

    assertThat(Faults.behind(new IllegalStateException("user 7", mistake))).isEmpty();
    assertThat(Faults.behind(new CompletionException(mistake))).contains(mistake);
  }
}
