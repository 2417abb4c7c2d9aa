package dev.espalier.ps.gpu;

import java.util.Arrays;

/// Which visits a round is made of and which one follows which: all of a plan, one after the other,
/// until two rounds in a row were the same; then as in those.
///
/// Source: the virtual iteration of IterStore (Cui et al. 2014) §3.1 and GeePS (Cui et al. 2016)
/// §4.2, recorded here from real rounds.
final class VisitOrder {
  private final int[] next;
  private final boolean[] isSeen;
  private int[] followed;
  private int[] last = new int[0];
  private final int[] now;
  private int count;

  /// @param visits number of visits of the plan
  VisitOrder(int visits) {
    followed = new int[visits];
    Arrays.setAll(followed, visit -> visit);
    next = new int[visits];
    isSeen = new boolean[visits];
    now = new int[visits];
    link();
  }

  /// A visit is made. Only the first one of its kind in a round counts: workers share visits.
  void visit(int visit) {
    if (!isSeen[visit]) {
      isSeen[visit] = true;
      now[count++] = visit;
    }
  }

  /// A round has ended.
  ///
  /// @return whether another order is followed from now on
  boolean endRound() {
    int[] round = Arrays.copyOf(now, count);
    for (int visit : round) {
      isSeen[visit] = false;
    }
    count = 0;
    boolean isNew =
        round.length > 0 && Arrays.equals(round, last) && !Arrays.equals(round, followed);
    last = round;
    if (isNew) {
      followed = round;
      link();
    }
    return isNew;
  }

  /// A visit outside of the round is followed by its first one.
  private void link() {
    Arrays.fill(next, followed[0]);
    for (int i = 0; i + 1 < followed.length; i++) {
      next[followed[i]] = followed[i + 1];
    }
  }

  /// The visit that is expected after another one.
  int after(int visit) {
    return next[visit];
  }

  /// The visits of a round, in order.
  int[] round() {
    return followed.clone();
  }
}
