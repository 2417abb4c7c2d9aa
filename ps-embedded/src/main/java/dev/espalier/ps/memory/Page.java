package dev.espalier.ps.memory;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;

/// A fixed block of rows in some [MemoryTier] with a reference count.
///
/// Whoever holds the only reference may write; a shared page is never written. References may be
/// taken and dropped by any thread, but only the owner of a reference may take another one.
public final class Page {
  private static final AtomicIntegerFieldUpdater<Page> REFERENCES =
      AtomicIntegerFieldUpdater.newUpdater(Page.class, "references");

  private final MemorySegment memory;
  private final PagePool pool;
  private volatile int references;
  private long stamp;

  Page(MemorySegment memory, PagePool pool) {
    this.memory = memory;
    this.pool = pool;
  }

  /// The memory, for a page that the host can address.
  ///
  /// @throws IllegalStateException when it lies on a device
  public MemorySegment segment() {
    if (isOnDevice()) {
      throw new IllegalStateException("tier of the page must be HOST or PINNED but is DEVICE");
    }
    return memory;
  }

  /// The address of the memory, on the device when it lies there.
  public long address() {
    return memory.address();
  }

  /// Whether only the device can address the memory.
  public boolean isOnDevice() {
    return pool.tier().kind() == MemoryTier.Kind.DEVICE;
  }

  /// Fills the page with zeros.
  public void zero() {
    pool.tier().zero(memory, pool.pageBytes());
  }

  /// Copies the start of another page of the same pool.
  public void copyFrom(Page other, long bytes) {
    pool.tier().copy(other.memory, memory, bytes);
  }

  /// Copies bytes to memory of the host.
  ///
  /// @param offset of the first byte in this page
  /// @param to memory of the host; its size says how much is copied
  public void download(long offset, MemorySegment to) {
    pool.tier().download(memory, offset, to);
  }

  /// Copies bytes from memory of the host.
  ///
  /// @param from memory of the host; its size says how much is copied
  /// @param offset of the first byte in this page
  public void upload(MemorySegment from, long offset) {
    pool.tier().upload(from, memory, offset);
  }

  /// The stamp of the last write: pages of one pool with equal stamps hold equal bytes.
  ///
  /// Written by the owner of the pool; steady while the page is shared.
  public long stamp() {
    return stamp;
  }

  /// Stamps the page, which is about to be written, unless nobody has asked for stamps since its
  /// last write.
  public void touch() {
    if (stamp <= pool.stampedUpTo()) {
      stamp = pool.nextStamp();
    }
  }

  /// Whether there is more than one reference, so that the page must not be written.
  public boolean isShared() {
    return references > 1;
  }

  /// Takes one more reference.
  public void retain() {
    if (REFERENCES.getAndIncrement(this) < 1) {
      REFERENCES.decrementAndGet(this);
      throw new IllegalStateException("page must have >= 1 references but has 0");
    }
  }

  /// Takes `count` more references at once.
  public void retain(int count) {
    if (REFERENCES.getAndAdd(this, count) < 1) {
      REFERENCES.addAndGet(this, -count);
      throw new IllegalStateException("page must have >= 1 references but has 0");
    }
  }

  /// Drops a reference; the last one returns the page to its pool.
  public void release() {
    int left = REFERENCES.decrementAndGet(this);
    if (left == 0) {
      pool.giveBack(this);
    } else if (left < 0) {
      REFERENCES.incrementAndGet(this);
      throw new IllegalStateException("page must have >= 1 references but has 0");
    }
  }

  /// Gives a page from the pool its first reference.
  void adopt() {
    references = 1;
    stamp = 0;
  }
}
