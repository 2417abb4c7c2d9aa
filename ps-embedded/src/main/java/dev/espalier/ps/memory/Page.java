package dev.espalier.ps.memory;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;

/// A fixed block of rows off heap with a reference count.
///
/// Whoever holds the only reference may write; a shared page is never written. References may be
/// taken and dropped by any thread, but only the owner of a reference may take another one.
public final class Page {
  private static final AtomicIntegerFieldUpdater<Page> REFERENCES =
      AtomicIntegerFieldUpdater.newUpdater(Page.class, "references");

  private final MemorySegment segment;
  private final PagePool pool;
  private volatile int references;

  Page(MemorySegment segment, PagePool pool) {
    this.segment = segment;
    this.pool = pool;
  }

  /// The memory.
  public MemorySegment segment() {
    return segment;
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
  }
}
