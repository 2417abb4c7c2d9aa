package dev.espalier.sdk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import java.util.Map;
import java.util.Optional;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

class ProgramEnvironmentTest {
  private static ProgramEnvironment environment(String text) {
    return new ProgramEnvironment(Map.of("size", text), Optional.empty(), 0, 1, 1);
  }

  @Test
  void numbersAreReadFromTheirTexts() {
    assertThat(environment(" 12 ").integer("size")).isEqualTo(12);
    assertThat(environment("1e-3").decimal("size")).isEqualTo(1e-3);
    assertThat(environment("128, 64").integers("size")).containsExactly(128, 64);
    assertThat(environment("").integers("size")).isEmpty();
  }

  @Test
  void whatIsNoNumberNamesTheArgument() {
    assertInvalid(
        () -> environment("3000000000").integer("size"),
        "argument size must be a whole number from -2147483648 to 2147483647 but is '3000000000'");
    assertInvalid(
        () -> environment("much").decimal("size"), "argument size must be a number but is 'much'");
    assertInvalid(
        () -> environment("1,2.5").integers("size"),
        "argument size must be a whole number from -2147483648 to 2147483647 but is '2.5'");
    assertInvalid(() -> environment("1").integer("rank"), "argument rank is missing; there are");
  }

  private static void assertInvalid(ThrowingCallable reading, String message) {
    assertThatThrownBy(reading)
        .isInstanceOfSatisfying(
            EspalierException.class,
            e -> {
              assertThat(e.code()).isEqualTo(ErrorCode.INVALID_JOB);
              assertThat(e.getMessage()).startsWith(message);
            });
  }
}
