package dev.espalier.ps.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.fault.PsFault;
import dev.espalier.ps.machine.SystemMemory;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HostTierTest {
  private static final Pattern RANGE = Pattern.compile("([0-9a-f]{1,15})-([0-9a-f]+) ");

  /// Small blocks, and such as lie in large pages or end outside of them.
  @ParameterizedTest
  @ValueSource(longs = {64, 128 << 10, 2 << 20, (2 << 20) + (64 << 10), 5 << 20, (8 << 20) + 64})
  void blocksAreZeroAlignedAndApartUntilTheTierIsClosed(long bytes) {
    var tier = new HostTier();
    MemorySegment first = tier.allocate(bytes);
    MemorySegment second = tier.allocate(bytes);

    assertThat(first.byteSize()).isEqualTo(bytes);
    assertThat(first.address() % HostTier.ALIGNMENT_BYTES).isZero();
    assertThat(first.mismatch(MemorySegment.ofArray(new byte[(int) bytes]))).isEqualTo(-1);
    first.fill((byte) 1);
    assertThat(second.mismatch(MemorySegment.ofArray(new byte[(int) bytes]))).isEqualTo(-1);
    second.fill((byte) 2);
    assertThat(first.get(ValueLayout.JAVA_BYTE, bytes - 1)).isEqualTo((byte) 1);

    tier.close();
    assertThatThrownBy(() -> first.get(ValueLayout.JAVA_BYTE, 0))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> tier.allocate(bytes)).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void largeBlocksLieInLargePagesAndAreGivenBack() throws IOException {
    assumeTrue(SystemMemory.ofThisSystem().isPresent(), "this system cannot be asked");
    long before = mappedKibibytes();
    for (int i = 0; i < 64; i++) {
      try (var tier = new HostTier()) {
        MemorySegment block = tier.allocate(1 << 30);
        assertThat(block.address() % SystemMemory.LARGE_PAGE_BYTES).isZero();
        assertThat(mappedKibibytes() - before).isGreaterThan(1 << 19);
      }
    }
    assertThat(mappedKibibytes() - before).as("KiB that are left of 64 GiB").isLessThan(8 << 20);
  }

  @Test
  void theSystemIsAskedForLargePages() throws IOException {
    assumeTrue(
        Files.exists(Path.of("/sys/kernel/mm/transparent_hugepage/enabled")),
        "this system has no large pages on request");
    try (var tier = new HostTier()) {
      long address = tier.allocate(1 << 30).address();
      List<String> mapped = Files.readAllLines(Path.of("/proc/self/smaps"));
      int at =
          IntStream.range(0, mapped.size())
              .filter(i -> holds(mapped.get(i), address))
              .findFirst()
              .orElseThrow();
      assertThat(mapped.stream().skip(at).filter(line -> line.startsWith("VmFlags:")).findFirst())
          .hasValueSatisfying(flags -> assertThat(flags.split(" ")).contains("hg"));
    }
  }

  /// Whether a line such as `7f00-7f40 rw-p ..` is of addresses of which this is one.
  private static boolean holds(String line, long address) {
    Matcher range = RANGE.matcher(line);
    return range.lookingAt()
        && Long.parseLong(range.group(1), 16) <= address
        && address < Long.parseUnsignedLong(range.group(2), 16);
  }

  /// Addresses of this process that something lies at, or may.
  private static long mappedKibibytes() throws IOException {
    return Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(line -> line.startsWith("VmSize:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void moreThanTheSystemHasIsRefused() {
    try (var tier = new HostTier()) {
      assertThatThrownBy(() -> tier.allocate(1L << 56))
          .isInstanceOfSatisfying(
              PsException.class,
              refusal -> assertThat(refusal.fault()).isEqualTo(PsFault.OUT_OF_MEMORY_BUDGET));
      assertThat(tier.allocate(2 << 20).byteSize()).isEqualTo(2 << 20);
    }
  }
}
