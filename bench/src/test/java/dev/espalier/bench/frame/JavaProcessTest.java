package dev.espalier.bench.frame;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

class JavaProcessTest {
  /// Says its arguments, one a line.
  static final class Echo {
    public static void main(String[] arguments) {
      List.of(arguments).forEach(System.out::println);
    }
  }

  private static String result(String... arguments) throws IOException, InterruptedException {
    return new JavaProcess(List.of("-Xmx64m"), Echo.class, List.of(arguments)).result("rate ");
  }

  @Test
  void resultIsTheLastLineWithTheLabel() throws IOException, InterruptedException {
    assertThat(result("rate 1", "rate 2", "done")).isEqualTo("2");
  }

  @Test
  void processWithoutResultIsAnError() {
    assertThatThrownBy(() -> result("done"))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("[done]")
        .hasMessageContaining("status 0");
  }
}
