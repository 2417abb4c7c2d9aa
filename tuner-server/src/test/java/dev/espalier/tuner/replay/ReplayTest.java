package dev.espalier.tuner.replay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.PolicyName;
import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.rest.JobSpec;
import dev.espalier.api.rest.JobSpecReader;
import dev.espalier.programs.mf.MatrixFactorization;
import dev.espalier.tuner.app.JobPlans;
import dev.espalier.tuner.core.policy.Policies;
import dev.espalier.tuner.core.session.Decision;
import dev.espalier.tuner.core.session.JobPlan;
import dev.espalier.tuner.core.session.QuadraticModel;
import dev.espalier.tuner.core.session.SessionEvent;
import dev.espalier.tuner.core.session.SimulatedWorkers;
import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

final class ReplayTest {
  private static final ProgramDescriptor PROGRAM = new MatrixFactorization().describe();

  static List<String> policies() {
    return PolicyName.ALL;
  }

  @ParameterizedTest
  @MethodSource("policies")
  void aRecordingReadBackIsDecidedTheSame(String policy) throws IOException {
    Recording recording = recorded(policy);
    var text = new StringWriter();
    new RecordingCodec().write(recording, text);

    Recording back = new RecordingCodec().read(new StringReader(text.toString()), "test");
    Replay replay = Replay.of(back);

    assertThat(back.events()).isEqualTo(recording.events());
    assertThat(back.spec()).isEqualTo(recording.spec());
    assertThat(replay.differences()).as(policy).isEmpty();
    assertThat(replay.recorded()).isEqualTo(replay.replayed()).isPositive();
  }

  @Test
  void aRecordingThatWasCutOffIsNotTakenForAWholeOne() throws IOException {
    Recording recording = recorded("mltuner");
    var written = new StringWriter();
    new RecordingCodec().write(recording, written);
    List<String> lines = written.toString().lines().toList();
    List<String> cut = lines.subList(0, lines.size() - 1);
    var gap = new ArrayList<>(lines);
    gap.remove(3);
    List<String> older =
        cut.stream().map(line -> line.replace("recording-2", "recording-1")).toList();

    assertThatThrownBy(() -> read(cut))
        .isInstanceOf(EspalierException.class)
        .hasMessageContaining("test is cut off")
        .hasMessageContaining("its last line, which counts them, is missing");
    assertThatThrownBy(() -> read(gap))
        .hasMessageContaining("its last line says " + recording.events().size());
    assertThat(read(older).events()).isEqualTo(recording.events());
  }

  private static Recording read(List<String> lines) throws IOException {
    return new RecordingCodec().read(new StringReader(String.join("\n", lines)), "test");
  }

  @Test
  void aDecisionThatDiffersIsShownWithWhatDiffers() {
    Recording recording = recorded("mltuner");
    var decisions = new ArrayList<>(recording.decisions());
    Decision third = decisions.get(2);
    var evidence = new LinkedHashMap<>(third.evidence());
    String changed = evidence.keySet().iterator().next();
    evidence.put(changed, "something else");
    decisions.set(
        2,
        new Decision(
            third.key(), third.rule(), "another outcome", third.actor(), third.round(), evidence));

    Replay replay = Replay.of(with(recording, recording.events(), decisions));

    assertThat(replay.isSame()).isFalse();
    assertThat(replay.differences())
        .singleElement()
        .satisfies(difference -> {
          assertThat(difference.kind()).isEqualTo(Replay.Kind.CHANGED);
          assertThat(difference.position()).isEqualTo(3);
          assertThat(difference.parts()).containsExactly("evidence." + changed);
        });
  }

  /// Sentences are for people, and change with versions.
  @Test
  void aDecisionInOtherWordsIsTheSame() {
    Recording recording = recorded("mltuner");
    List<Decision> decisions =
        recording.decisions().stream()
            .map(decision ->
                new Decision(
                    decision.key(),
                    decision.rule(),
                    "in other words",
                    decision.actor(),
                    decision.round(),
                    decision.evidence()))
            .toList();

    assertThat(Replay.of(with(recording, recording.events(), decisions)).isSame()).isTrue();
  }

  @Test
  void allDifferencesAreFoundThoughOneIsNewAndOneIsGone() {
    Recording recording = recorded("racing");
    var decisions = new ArrayList<>(recording.decisions());
    Decision gone = decisions.remove(1);
    Decision last = decisions.removeLast();
    decisions.add(2, with(gone, "elsewhere"));
    decisions.addFirst(last);

    Replay replay = Replay.of(with(recording, recording.events(), decisions));

    assertThat(replay.count(Replay.Kind.ADDED)).isEqualTo(1);
    assertThat(replay.count(Replay.Kind.MISSING)).isEqualTo(1);
    assertThat(replay.differences())
        .filteredOn(difference -> difference.kind() != Replay.Kind.CHANGED)
        .extracting(Replay.Difference::key)
        .containsExactly(gone.key(), "elsewhere");
    assertThat(replay.differences())
        .filteredOn(difference -> difference.kind() == Replay.Kind.CHANGED)
        .allSatisfy(difference -> assertThat(difference.parts()).containsExactly("order"))
        .isNotEmpty();
  }

  private static Decision with(Decision decision, String key) {
    return new Decision(
        key,
        decision.rule(),
        decision.outcome(),
        decision.actor(),
        decision.round(),
        decision.evidence());
  }

  @Test
  void anotherLossIsAnotherDecision() {
    Recording recording = recorded("mltuner");
    List<SessionEvent> events =
        recording.events().stream().map(ReplayTest::withHigherLoss).toList();

    assertThat(Replay.of(with(recording, events, recording.decisions())).isSame()).isFalse();
  }

  @Test
  void anotherPolicyDecidesOtherwise() {
    Replay replay = Replay.of(recorded("mltuner"), "random");

    assertThat(replay.isSame()).isFalse();
    assertThat(replay.differences().getFirst().position()).isEqualTo(1);
  }

  @Test
  void missingDecisionsAreADifference() {
    Recording recording = recorded("fixed");
    Replay replay = Replay.of(with(recording, recording.events(), List.of()));

    assertThat(replay.count(Replay.Kind.ADDED)).isEqualTo(replay.replayed()).isPositive();
  }

  @Test
  void whatIsNoRecordingIsNamedWithItsLine() {
    assertThatThrownBy(() -> new RecordingCodec().read(new StringReader("{\"event\":{}}"), "x"))
        .isInstanceOf(EspalierException.class)
        .hasMessageStartingWith("x line 1 is no recording of a job: ");
    assertThatThrownBy(() -> new RecordingCodec().read(new StringReader(""), "x"))
        .hasMessage("x line 1 is no recording of a job: it is empty");
  }

  private static SessionEvent withHigherLoss(SessionEvent event) {
    return event instanceof SessionEvent.Progressed progressed
        ? new SessionEvent.Progressed(
            progressed.atSeconds(),
            progressed.branch(),
            progressed.fromClock(),
            progressed.losses().stream().map(loss -> 1.5 * loss).toList(),
            progressed.seconds())
        : event;
  }

  private static Recording with(
      Recording recording, List<SessionEvent> events, List<Decision> decisions) {
    return new Recording(
        recording.job(),
        recording.policyVersion(),
        recording.spec(),
        recording.program(),
        events,
        decisions);
  }

  private static Recording recorded(String policy) {
    Map<String, Object> document =
        Map.of(
            "program", "mf",
            "tunables",
                Map.of(
                    "learningRate", Map.of("type", "log", "min", 1e-4, "max", 1),
                    "batchSize", Map.of("type", "choice", "values", List.of(16, 64))),
            "time", Map.of("model", Map.of("perClockSeconds", 0.002, "perSampleSeconds", 5e-5)),
            "tuning",
                Map.of(
                    "policy",
                    policy,
                    "searcher",
                    "random",
                    "maxTrials",
                    6,
                    "runs",
                    Map.of("max", 4, "population", 4)),
            "stop", Map.of("maxEpochs", 4));
    JobSpec spec = JobSpecReader.read(document, name -> Optional.of(PROGRAM)).spec().orElseThrow();
    JobPlan plan = JobPlans.of(spec, PROGRAM);
    SimulatedWorkers run =
        new SimulatedWorkers(
                Policies.open(plan),
                QuadraticModel.quiet(2),
                spec.time().orElseThrow(),
                plan.validation().name(),
                spec.workers(),
                6400,
                7)
            .run();
    return new Recording(
        "job_1", Policies.version(policy), spec, PROGRAM, run.events(), run.decisions());
  }
}
