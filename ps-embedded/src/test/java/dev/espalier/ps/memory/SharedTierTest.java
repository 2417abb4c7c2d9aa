package dev.espalier.ps.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.ps.fault.PsException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

@EnabledOnOs(OS.LINUX)
final class SharedTierTest {

  @Test
  void whatIsWrittenIsInTheFile() throws Exception {
    try (SharedTier tier = SharedTier.ofSize(1 << 20).orElseThrow()) {
      MemorySegment first = tier.allocate(100);
      MemorySegment second = tier.allocate(4096);
      assertThat(second.address() % HostTier.ALIGNMENT_BYTES).isZero();
      assertThat(second.get(ValueLayout.JAVA_BYTE, 4095)).isZero();
      second.set(ValueLayout.JAVA_BYTE, 7, (byte) 42);
      try (FileChannel file = FileChannel.open(Path.of(tier.path()))) {
        assertThat(file.size()).isEqualTo(tier.bytes());
        ByteBuffer one = ByteBuffer.allocate(1);
        file.read(one, tier.offsetOf(second) + 7);
        assertThat(one.get(0)).isEqualTo((byte) 42);
        ByteBuffer mark = ByteBuffer.allocate(16);
        file.read(mark, 0);
        assertThat(new UUID(mark.getLong(0), mark.getLong(8))).isEqualTo(tier.mark());
      }
      assertThat(tier.offsetOf(first)).isPositive();
    }
  }

  @Test
  void itEndsAtItsSizeAndWithItsTier() {
    SharedTier tier = SharedTier.ofSize(8192).orElseThrow();
    MemorySegment block = tier.allocate(8192);
    assertThatThrownBy(() -> tier.allocate(1))
        .isInstanceOf(PsException.class)
        .hasMessageContaining("8192 of 8192 bytes");
    tier.close();
    assertThatThrownBy(() -> block.get(ValueLayout.JAVA_BYTE, 0))
        .isInstanceOf(IllegalStateException.class);
  }
}
