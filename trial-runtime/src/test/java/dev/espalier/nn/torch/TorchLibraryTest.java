package dev.espalier.nn.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class TorchLibraryTest {
  @Test
  void oneThreadUnlessTheEnvironmentSaysMore() {
    assertThat(TorchLibrary.threads(null)).isEqualTo(1);
    assertThat(TorchLibrary.threads(" ")).isEqualTo(1);
    assertThat(TorchLibrary.threads(" 4 ")).isEqualTo(4);
  }

  @ParameterizedTest
  @ValueSource(strings = {"four", "0", "-1", "1.5", "99999999999"})
  void whatIsNoNumberOfThreadsIsNamed(String text) {
    assertThatThrownBy(() -> TorchLibrary.threads(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("ESPALIER_TORCH_THREADS must be a whole number in [1, 9999] but is " + text);
  }
}
