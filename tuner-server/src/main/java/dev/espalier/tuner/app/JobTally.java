package dev.espalier.tuner.app;

import dev.espalier.api.model.BranchId;
import dev.espalier.tuner.app.port.EventLog;
import dev.espalier.tuner.app.port.TunerMeters;
import dev.espalier.tuner.core.session.SessionEffect;
import dev.espalier.tuner.core.session.SessionEvent;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// What the log of a job adds up to beside its session: the seconds of each branch, and the figures
/// that a monitor sees.
final class JobTally {
  private final String job;
  private final TunerMeters meters;
  private final Map<BranchId, Double> branchSeconds = new HashMap<>();
  private final Set<BranchId> liveBranches = new HashSet<>();
  private double tuningShare;

  JobTally(String job, TunerMeters meters) {
    this.job = job;
    this.meters = meters;
  }

  /// {@return the losses of clocks, each at the seconds that its branch had trained by then}
  ///
  /// @param progressed not added yet
  List<EventLog.MetricPoint> points(SessionEvent.Progressed progressed) {
    var points = new ArrayList<EventLog.MetricPoint>();
    double seconds = secondsOf(progressed.branch());
    for (int i = 0; i < progressed.losses().size(); i++) {
      seconds += progressed.seconds().get(i);
      points.add(
          new EventLog.MetricPoint(
              progressed.branch().number(),
              progressed.fromClock() + i,
              seconds,
              progressed.losses().get(i)));
    }
    return points;
  }

  void add(SessionEvent.Progressed progressed) {
    double seconds = secondsOf(progressed.branch());
    for (double clock : progressed.seconds()) {
      seconds += clock;
    }
    branchSeconds.put(progressed.branch(), seconds);
  }

  private double secondsOf(BranchId branch) {
    return branchSeconds.getOrDefault(branch, 0.0);
  }

  void add(SessionEffect.BranchChanged changed) {
    boolean live =
        switch (changed.state()) {
          case FORKING, WAITING, RUNNING, MEASURED -> true;
          // A kept branch that still trains is reported as running next; else it has been freed.
          case KEPT, DISCARDED, FAILED, LOST -> false;
        };
    if (live) {
      liveBranches.add(changed.branch());
    } else {
      liveBranches.remove(changed.branch());
    }
  }

  void add(SessionEffect.TimeSpent spent) {
    tuningShare = JobPlans.tuningShare(spent);
  }

  /// Shows a monitor how things stand.
  void gauge() {
    meters.branches(job, liveBranches.size());
    meters.tuningShare(job, tuningShare);
  }
}
