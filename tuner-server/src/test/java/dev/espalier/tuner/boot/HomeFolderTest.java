package dev.espalier.tuner.boot;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class HomeFolderTest {
  @Test
  void homeIsWhereTheShellSaysThatItIs() {
    assertThat(HomeFolder.of(Map.of("HOME", "/home/ann")))
        .isEqualTo(Path.of("/home/ann/.espalier"));
    assertThat(HomeFolder.of(Map.of("HOME", "/home/ann", "ESPALIER_HOME", "~/mine")))
        .isEqualTo(Path.of("/home/ann/mine"));
    assertThat(HomeFolder.of(Map.of("HOME", "/home/ann", "ESPALIER_HOME", "/srv/e")))
        .isEqualTo(Path.of("/srv/e"));
    assertThat(HomeFolder.of(Map.of()))
        .isEqualTo(Path.of(System.getProperty("user.home"), ".espalier"));
  }

  @Test
  void argumentGoesFirst() {
    String[] arguments = {"--espalier.home=~/one"};

    assertThat(HomeFolder.find(arguments, Map.of("HOME", "/home/ann", "ESPALIER_HOME", "/srv/e")))
        .isEqualTo(Path.of("/home/ann/one"));
  }
}
