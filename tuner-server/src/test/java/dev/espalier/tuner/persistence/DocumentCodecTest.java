package dev.espalier.tuner.persistence;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.api.model.Communication;
import dev.espalier.api.rest.JobSpec;
import dev.espalier.tuner.core.session.SessionEvent;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class DocumentCodecTest {
  private final DocumentCodec codec = new DocumentCodec();

  @Test
  void samplesHoldEveryVariant() {
    Set<Class<?>> seen =
        EventSamples.EVENTS.stream().map(Object::getClass).collect(Collectors.toSet());
    Set<Class<?>> requests =
        EventSamples.EVENTS.stream()
            .filter(SessionEvent.Requested.class::isInstance)
            .map(event -> ((SessionEvent.Requested) event).request().getClass())
            .collect(Collectors.toSet());

    Set<Class<?>> variants = new HashSet<>(List.of(SessionEvent.class.getPermittedSubclasses()));
    assertThat(seen).isEqualTo(variants);
    assertThat(requests)
        .containsExactlyInAnyOrder(SessionEvent.UserRequest.class.getPermittedSubclasses());
  }

  @Test
  void everyEventComesBackEqual() {
    for (SessionEvent event : EventSamples.EVENTS) {
      assertThat(codec.readEvent(codec.write(event))).isEqualTo(event);
    }
  }

  @Test
  void eventsLookAsTheyDidWhenOldLogsWereWritten() throws IOException {
    String written =
        EventSamples.EVENTS.stream().map(codec::write).collect(Collectors.joining("\n", "", "\n"));

    assertThat(written).isEqualTo(golden("events.jsonl"));
  }

  @Test
  void oldLogsAreRead() throws IOException {
    List<SessionEvent> read = golden("events.jsonl").lines().map(codec::readEvent).toList();

    assertThat(read).isEqualTo(EventSamples.EVENTS);
  }

  @Test
  void logsOfBeforeProbesHadScoresAreRead() throws IOException {
    String old = golden("events.jsonl").replace(",\"scores\":[]", "");

    assertThat(old.lines().map(codec::readEvent).toList()).isEqualTo(EventSamples.EVENTS);
  }

  @Test
  void jobSpecComesBackEqual() throws IOException {
    String json = codec.write(EventSamples.spec());

    assertThat(codec.readSpec(json)).isEqualTo(EventSamples.spec());
    assertThat(json + "\n").isEqualTo(golden("job-spec.json"));
    assertThat(codec.readSpec(golden("job-spec.json"))).isEqualTo(EventSamples.spec());
  }

  @Test
  void jobSpecStoredBeforeThereWasCommunicationIsPlain() throws IOException {
    String stored = golden("job-spec.json").replaceFirst(",\"communication\":\\{[^}]*}", "");

    assertThat(stored).doesNotContain("communication");
    assertThat(codec.readSpec(stored).communication()).isEqualTo(Communication.PLAIN);
  }

  @Test
  void jobSpecStoredBeforeThereWasGpuMemoryIsOnTheHost() throws IOException {
    String stored = golden("job-spec.json").replaceFirst(",\"gpuMemoryBytes\":\\d+", "");

    assertThat(stored).doesNotContain("gpuMemory");
    assertThat(codec.readSpec(stored).gpuMemoryBytes()).isZero();
  }

  @Test
  void jobSpecStoredBeforeThereWereLimitsHasNone() throws IOException {
    String stored = golden("job-spec.json").replaceFirst(",\"limits\":\\{[^}]*}", "");

    assertThat(stored).doesNotContain("limits");
    assertThat(codec.readSpec(stored).limits()).isEqualTo(JobSpec.Limits.NONE);
  }

  @Test
  void jobSpecStoredBeforeThereWasExperienceHasNone() throws IOException {
    String stored =
        golden("job-spec.json")
            .replaceFirst(",\"prior\":\\[.*]}", "}")
            .replaceFirst(",\"warmStart\":true,\"holdOut\":false", "")
            .replaceFirst(",\"cooldown\":\\{[^}]*}", "");

    assertThat(stored)
        .doesNotContain("prior")
        .doesNotContain("warmStart")
        .doesNotContain("fromClock\":5");
    JobSpec spec = codec.readSpec(stored);
    assertThat(spec.prior()).isEmpty();
    assertThat(spec.tuning().warmStart()).isFalse();
    assertThat(spec.tuning().schedule().getFirst().cooldown()).isEmpty();
  }

  @Test
  void jobSpecStoredBeforeTheDefaultCameFirstDrawsAllItsRuns() throws IOException {
    String stored = golden("job-spec.json").replaceFirst(",\"defaultFirst\":true", "");

    assertThat(stored).doesNotContain("defaultFirst");
    assertThat(codec.readSpec(stored).tuning().runs().defaultFirst()).isFalse();
  }

  @Test
  void randomDoublesComeBackBitForBit() {
    long seed = Long.getLong("test.seed", 20_261_121L);
    var random = new Random(seed);
    for (int i = 0; i < 20_000; i++) {
      double value = Double.longBitsToDouble(random.nextLong());
      var event =
          new SessionEvent.Progressed(
              value,
              new dev.espalier.api.model.BranchId(1),
              i,
              List.of(value, (double) random.nextFloat()),
              List.of(random.nextDouble(), random.nextGaussian()));
      assertThat(codec.readEvent(codec.write(event))).as("seed %d", seed).isEqualTo(event);
    }
  }

  private static String golden(String name) throws IOException {
    try (InputStream in = DocumentCodecTest.class.getResourceAsStream(name)) {
      assertThat(in).as(name).isNotNull();
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
