package dev.espalier.ps.link;

import java.lang.ref.WeakReference;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Deque;
import java.util.List;

/// The row numbers that were sent last on a session, so that the same ones need not be sent again.
///
/// Both ends keep one and change it alike, with every list that is sent to be learned, in the order
/// in which the frames are taken; so a slot's number says which list is meant. What a frame changed
/// that was not taken whole is undone, so this holds also after a connection was cut.
///
/// Source: Li, Andersen, Park, Smola, Ahmed, Josifovski, Long, Shekita, Su, "Scaling Distributed
/// Machine Learning with the Parameter Server" (OSDI 2014), key caching; here lists are compared
/// and not hashed, so that no two can be taken for each other. A list is learned when it is sent
/// for the second time: those that never come again, as of random minibatches, are not kept. Not
/// thread-safe.
final class KeyCache {
  private static final int SLOTS = 32;
  private static final long[] NONE = new long[0];

  private final List<long[]> lists = new ArrayList<>(Collections.nCopies(SLOTS, NONE));
  private final Deque<long[]> replaced = new ArrayDeque<>();
  private final List<WeakReference<long[]>> once =
      new ArrayList<>(Collections.nCopies(SLOTS, new WeakReference<>(NONE)));
  private int next;
  private int nextOnce;
  private boolean isLost;

  /// Where a list is.
  ///
  /// @param keys not empty
  /// @return its slot, -1 when it is not there
  int find(long[] keys) {
    for (int slot = 0; slot < SLOTS; slot++) {
      long[] known = lists.get(slot);
      if (isSame(known, keys)) {
        return slot;
      }
    }
    return -1;
  }

  /// Whether a list that is not here was sent lately; the next time it was.
  ///
  /// @param keys not empty
  boolean isRepeated(long[] keys) {
    for (WeakReference<long[]> reference : once) {
      long[] known = reference.get();
      if (known != null && isSame(known, keys)) {
        return true;
      }
    }
    once.set(nextOnce, new WeakReference<>(keys));
    nextOnce = (nextOnce + 1) % SLOTS;
    return false;
  }

  private static boolean isSame(long[] one, long[] other) {
    return one == other || (isAlike(one, other) && Arrays.equals(one, other));
  }

  /// A quick look before all is compared.
  private static boolean isAlike(long[] one, long[] other) {
    int middle = other.length / 2;
    return one.length == other.length
        && one[0] == other[0]
        && one[middle] == other[middle]
        && one[one.length - 1] == other[one.length - 1];
  }

  /// Remembers a list in place of the oldest.
  void add(long[] keys) {
    replaced.push(lists.set(next, keys));
    next = (next + 1) % SLOTS;
  }

  /// A frame was taken whole, or will be.
  void commit() {
    replaced.clear();
  }

  /// What was added since the last commit was not.
  void undo() {
    while (!replaced.isEmpty()) {
      next = (next + SLOTS - 1) % SLOTS;
      lists.set(next, replaced.pop());
    }
  }

  /// A frame could not be read to its end: its lists may be known to the other side only, so from
  /// now on no name is sure to mean the same to both.
  void lose() {
    isLost = true;
  }

  /// The list of a slot.
  ///
  /// @throws IllegalArgumentException when there is none
  long[] get(int slot) {
    if (isLost) {
      throw new IllegalArgumentException(
          "row numbers cached as "
              + slot
              + " cannot be trusted: an earlier command of this session could not be read");
    }
    if (slot < 0 || slot >= SLOTS || lists.get(slot).length == 0) {
      throw new IllegalArgumentException("no row numbers are cached as " + slot);
    }
    return lists.get(slot);
  }
}
