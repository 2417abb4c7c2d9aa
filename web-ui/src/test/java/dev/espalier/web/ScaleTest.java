package dev.espalier.web;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.graalvm.polyglot.Value;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

final class ScaleTest {
  private static PageModules modules;
  private static Value scale;

  @BeforeAll
  static void loadModule() {
    modules = new PageModules();
    scale = modules.load("scale.js");
  }

  @AfterAll
  static void closeEngine() {
    modules.close();
  }

  @Test
  void axesInvertWhatTheyPlace() {
    for (String kind : new String[] {"linear", "logarithmic"}) {
      Value axis = scale.invokeMember(kind, 0.001, 10.0, 300, 20);
      for (double value : new double[] {0.001, 0.03, 1, 7, 10}) {
        double pixel = axis.invokeMember("at", value).asDouble();
        assertThat(axis.invokeMember("invert", pixel).asDouble()).isCloseTo(value, within(1e-9));
      }
    }
  }

  @Test
  void linearTicksAreRound() {
    assertThat(modules.text(scale.invokeMember("linearTicks", 0.13, 2.4, 5)))
        .isEqualTo("[0.5,1,1.5,2]");
    assertThat(modules.text(scale.invokeMember("linearTicks", 0, 4480, 6)))
        .isEqualTo("[0,1000,2000,3000,4000]");
  }

  @Test
  void logarithmicTicksAreDecadesOrFinerWhereTheRangeIsShort() {
    assertThat(modules.text(scale.invokeMember("logTicks", 0.0001, 1, 5)))
        .isEqualTo("[0.0001,0.001,0.01,0.1,1]");
    assertThat(modules.text(scale.invokeMember("logTicks", 0.15, 2.5, 5)))
        .isEqualTo("[0.2,0.5,1,2]");
  }
}
