package dev.espalier.ps.memory;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;
import java.util.function.Consumer;

/// A fixed block of rows in some [MemoryTier] with a reference count.
///
/// Whoever holds the only reference may write; a shared page is never written. References may be
/// taken and dropped by any thread, but only the owner of a reference may take another one.
public final class Page {
  private static final AtomicIntegerFieldUpdater<Page> REFERENCES =
      AtomicIntegerFieldUpdater.newUpdater(Page.class, "references");

  /// Where a page lies: memory, and the pool that it came from and goes back to.
  private record Place(MemorySegment memory, PagePool pool) {
    MemoryTier tier() {
      return pool.tier();
    }
  }

  private volatile Place place;
  private volatile int life;
  private volatile int references;
  private volatile int pins;
  private int trades;
  private long stamp;

  Page(MemorySegment memory, PagePool pool) {
    place = new Place(memory, pool);
  }

  /// The memory, for a page that the host can address.
  ///
  /// @throws IllegalStateException when it lies on a device
  public MemorySegment segment() {
    Place now = place;
    if (now.tier().kind() == MemoryTier.Kind.DEVICE) {
      throw new IllegalStateException("tier of the page must be HOST or PINNED but is DEVICE");
    }
    return now.memory();
  }

  /// The address of the memory, on the device when it lies there.
  public long address() {
    return place.memory().address();
  }

  /// Whether only the device can address the memory.
  public boolean isOnDevice() {
    return place.tier().kind() == MemoryTier.Kind.DEVICE;
  }

  /// Whether it lies in ordinary memory of the host, from where no device takes it away: then
  /// [#segment] may be read as long as the page is held. What else the host can address may be on
  /// its way from the device, and [#download] waits for it.
  public boolean isOnHost() {
    return place.tier().kind() == MemoryTier.Kind.HOST;
  }

  /// Fills the page with zeros.
  public void zero() {
    Place now = place;
    now.tier().zero(now.memory(), now.pool().pageBytes());
  }

  /// Copies the start of another page of the same tier.
  public void copyFrom(Page other, long bytes) {
    Place now = place;
    now.tier().copy(other.place.memory(), now.memory(), bytes);
  }

  /// Copies bytes to memory of the host.
  ///
  /// @param offset of the first byte in this page
  /// @param to memory of the host; its size says how much is copied
  public void download(long offset, MemorySegment to) {
    whereItStays(now -> now.tier().downloadArrived(now.memory(), offset, to));
  }

  /// The same for a page that has come to its place, unless it has moved since it had moved so
  /// often.
  ///
  /// @return whether they were copied
  synchronized boolean downloadUnmoved(int seenTrades, long offset, MemorySegment to) {
    if (trades == seenTrades) {
      place.tier().downloadArrived(place.memory(), offset, to);
    }
    return trades == seenTrades;
  }

  /// How often it has moved.
  synchronized int trades() {
    return trades;
  }

  /// Where it lies.
  MemoryTier tier() {
    return place.tier();
  }

  /// Copies bytes from memory of the host.
  ///
  /// @param from memory of the host; its size says how much is copied
  /// @param offset of the first byte in this page
  public void upload(MemorySegment from, long offset) {
    whereItStays(now -> now.tier().upload(from, now.memory(), offset));
  }

  /// Does something with a page that has come to its place and stays there meanwhile.
  private void whereItStays(Consumer<Place> work) {
    while (true) {
      int seenTrades;
      Place seen;
      synchronized (this) {
        seenTrades = trades;
        seen = place;
      }
      // Whoever moves pages needs this page's monitor before it lets its own lock go.
      seen.tier().awaitMoves();
      synchronized (this) {
        if (trades == seenTrades) {
          work.accept(seen);
          return;
        }
      }
    }
  }

  /// Trades places with another page, to move to another tier; bytes stay where they are.
  ///
  /// A download that another thread has begun is over, or queued, before the trade.
  ///
  /// @param other a page that the caller alone knows
  /// @return false, and nothing is traded, when this page has no reference any more or is pinned
  public synchronized boolean trade(Page other) {
    if (references < 1 || pins > 0) {
      return false;
    }
    trades++;
    Place mine = place;
    place = other.place;
    other.place = mine;
    return true;
  }

  /// Takes one more reference, and keeps the page where it lies until [#unpin].
  public synchronized void pin() {
    retain();
    pins++;
  }

  /// Undoes one [#pin].
  public void unpin() {
    synchronized (this) {
      if (pins < 1) {
        throw new IllegalStateException("page must have >= 1 pins but has 0");
      }
      pins--;
    }
    release();
  }

  /// Whether the page must stay where it lies.
  public boolean isPinned() {
    return pins > 0;
  }

  /// Whether nobody holds the page.
  public boolean isFree() {
    return references < 1;
  }

  /// How often the page has been handed out: another number means other content.
  public int life() {
    return life;
  }

  /// The stamp of the last write: pages of one table with equal stamps hold equal bytes.
  ///
  /// Written by the owner of the table; steady while the page is shared.
  public long stamp() {
    return stamp;
  }

  /// Stamps the page, which is about to be written, unless nobody has asked for stamps since its
  /// last write.
  ///
  /// @param pool from which the table takes its pages, wherever this one lies now: each pool counts
  ///   its own stamps
  public void touch(PagePool pool) {
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
      giveBack();
    } else if (left < 0) {
      REFERENCES.incrementAndGet(this);
      throw new IllegalStateException("page must have >= 1 references but has 0");
    }
  }

  private void giveBack() {
    PagePool pool;
    synchronized (this) {
      // A trade that had begun is over, and another one is refused.
      pool = place.pool();
    }
    // Not in this page's monitor: whoever makes room holds the pool's and trades pages.
    pool.giveBack(this);
  }

  /// Gives a page from the pool its first reference.
  @SuppressWarnings("NonAtomicVolatileUpdate") // only the pool writes it, under its monitor
  void adopt() {
    life++;
    references = 1;
    stamp = 0;
  }
}
