package dev.espalier.ps.memory;

import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.fault.PsFault;

/// The bytes that pages may take, and how many they have taken.
///
/// Thread-safe.
public final class MemoryBudget {
  private long limitBytes;
  private long usedBytes;
  private String whyLowered = "";

  /// Creates a budget.
  ///
  /// @param limitBytes bytes allowed, >= 1
  public MemoryBudget(long limitBytes) {
    if (limitBytes < 1) {
      throw new IllegalArgumentException("limitBytes must be >= 1 but is " + limitBytes);
    }
    this.limitBytes = limitBytes;
  }

  /// Takes bytes if they are there.
  ///
  /// @return whether they were taken
  public synchronized boolean tryTake(long bytes) {
    if (bytes > limitBytes - usedBytes) {
      return false;
    }
    usedBytes += bytes;
    return true;
  }

  /// Gives bytes back.
  public synchronized void giveBack(long bytes) {
    usedBytes -= bytes;
  }

  /// Bytes taken.
  public synchronized long usedBytes() {
    return usedBytes;
  }

  /// Bytes allowed.
  public synchronized long limitBytes() {
    return limitBytes;
  }

  /// Lowers what is allowed, since the memory behind it ended before the budget.
  ///
  /// @param refusedBytes so many more could not be had
  /// @param reason what was said then
  public synchronized void lower(long refusedBytes, PsException reason) {
    long before = limitBytes;
    limitBytes = Math.min(limitBytes, usedBytes + refusedBytes - 1);
    whyLowered = " (lowered from %d: %s)".formatted(before, reason.getMessage());
  }

  /// The failure to tell when bytes cannot be taken.
  public synchronized PsException exceeded(long wantedBytes) {
    return new PsException(
        PsFault.OUT_OF_MEMORY_BUDGET,
        "%d more bytes of pages are needed, but %d of %d bytes of the budget are taken%s"
            .formatted(wantedBytes, usedBytes, limitBytes, whyLowered));
  }
}
