package dev.espalier.cli.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

final class PatienceTest {
  private final AtomicLong now = new AtomicLong();
  private final ArrayList<String> told = new ArrayList<>();
  private final Patience patience =
      new Patience(URI.create("http://train:7070"), told::add, now::get);

  @Test
  void serverThatComesBackIsGivenTenMinutesAnew() {
    patience.lost("no route");
    pass(Duration.ofMinutes(9));
    patience.lost("refused");
    assertThat(patience.note()).contains("no route");
    patience.back();
    assertThat(patience.note()).isEmpty();
    patience.lost("refused");
    pass(Duration.ofMinutes(9));
    patience.lost("refused");

    assertThat(told).hasSize(3);
    assertThat(told.get(1)).isEqualTo("The server is back; going on.");
  }

  @Test
  void serverThatStaysAwayIsGivenUp() {
    patience.lost("no route");
    pass(Duration.ofMinutes(11));

    assertThatThrownBy(() -> patience.lost("no route"))
        .isInstanceOf(CommandFailure.class)
        .hasMessageContaining("http://train:7070 did not come back within 10 minutes");
  }

  @Test
  void refusalIsNotWaitedFor() {
    var refusal = new CommandFailure(ExitStatus.NOT_FOUND, "there is no such job");

    assertThatThrownBy(() ->
            patience.insist(() -> {
              throw refusal;
            }))
        .isSameAs(refusal);
    assertThat(told).isEmpty();
  }

  private void pass(Duration time) {
    now.addAndGet(time.toNanos());
  }
}
