package dev.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.cli.client.Json;
import org.junit.jupiter.api.Test;

final class DoctorCommandTest {
  @Test
  void sectionsAreParagraphs() {
    assertThat(
            DoctorCommand.lines(
                Json.parse(
                    """
                    {
                      "memory": {"totalGibibytes": 23.4},
                      "gpu": {"devices": [{"name": "NVIDIA H200", "multiprocessors": 132}]},
                      "none": {"devices": [], "reason": "no driver"},
                      "uses": ["updates: vector-512 kernels, because"]
                    }
                    """)))
        .containsExactly(
            "memory",
            "  total gibibytes             23.4",
            "gpu",
            "  devices                     name NVIDIA H200, multiprocessors 132",
            "none",
            "  devices                     none",
            "  reason                      no driver",
            "uses",
            "  updates: vector-512 kernels, because");
  }
}
