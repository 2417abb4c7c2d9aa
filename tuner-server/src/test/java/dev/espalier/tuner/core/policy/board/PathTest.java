package dev.espalier.tuner.core.policy.board;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Shape;
import dev.espalier.tuner.core.policy.Jobs;
import dev.espalier.tuner.core.session.JobPlan.ScheduleStep;
import java.util.List;
import org.junit.jupiter.api.Test;

class PathTest {
  private static final Setting CALM = Jobs.setting(0.1);
  private static final Setting BOLD = Jobs.setting(0.4);

  @Test
  void shapesAreToldInClocksOfTheMainline() {
    var path = new Path(List.of(new ScheduleStep(0, CALM)), BOLD);
    path.goOn(0, Shape.CONSTANT);
    path.goOn(3, Shape.linearToZero(6, 10));
    path.goOn(10, Shape.linearToZero(12, 20));

    assertThat(path.steps(100))
        .containsExactly(
            new ScheduleStep(0, CALM),
            new ScheduleStep(100, BOLD),
            new ScheduleStep(103, BOLD, Shape.linearToZero(106, 110)),
            new ScheduleStep(110, BOLD, Shape.linearToZero(112, 120)));
  }

  @Test
  void whatAncestorsRanAfterTheForkIsLeftOut() {
    var path =
        new Path(
            List.of(new ScheduleStep(0, CALM), new ScheduleStep(50, CALM, fall(60, 70))), BOLD);
    path.goOn(0, Shape.CONSTANT);

    assertThat(path.steps(50))
        .containsExactly(new ScheduleStep(0, CALM), new ScheduleStep(50, BOLD));
  }

  @Test
  void aSameRateGoesOnWithoutAStep() {
    var path = new Path(List.of(new ScheduleStep(0, CALM, fall(4, 8))), CALM);
    path.goOn(0, Shape.CONSTANT);
    path.goOn(5, Shape.CONSTANT);

    assertThat(path.steps(8)).containsExactly(new ScheduleStep(0, CALM, fall(4, 8)));
  }

  @Test
  void aFallThatIsCutShortEndsThere() {
    var path = new Path(List.of(), CALM);
    path.goOn(0, fall(4, 8));
    path.goOn(6, Shape.CONSTANT);

    assertThat(path.steps(0))
        .containsExactly(new ScheduleStep(0, CALM, fall(4, 8)), new ScheduleStep(6, CALM));
  }

  private static Shape fall(long from, long until) {
    return Shape.linearToZero(from, until);
  }
}
