package dev.espalier.tuner.grpc;

import dev.espalier.api.model.Communication;
import dev.espalier.api.model.HeldOut;
import dev.espalier.api.model.WorkerReport;
import dev.espalier.tuner.app.Secrets;
import dev.espalier.tuner.app.port.WorkerGateway;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;

/// A generation of two workers, and what is heard of them.
final class CrewOfTwo implements WorkerGateway.Listener {
  static final String JOB = "job_1";
  static final String SECRET = "secret of the generation";
  static final int GENERATION = 3;

  private volatile int room = Integer.MAX_VALUE;
  private volatile Runnable beforeAttached = () -> {};
  private final List<String> heard = new CopyOnWriteArrayList<>();

  static WorkerGateway.WorkerGroup group(boolean begun) {
    return new WorkerGateway.WorkerGroup(
        JOB,
        GENERATION,
        begun,
        2,
        Secrets.sha256(SECRET),
        "mlp",
        Map.of(),
        "",
        1,
        "",
        HeldOut.NOTHING,
        Communication.PLAIN,
        0,
        0);
  }

  /// From now on there is room for so many reports in all.
  void room(int reports) {
    room = reports;
  }

  /// What happens before it is heard that a worker is there.
  void beforeAttached(Runnable event) {
    beforeAttached = event;
  }

  List<String> heard() {
    return List.copyOf(heard);
  }

  @Override
  public void attached(int worker) {
    beforeAttached.run();
    heard.add("attached " + worker);
  }

  @Override
  public void reported(int worker, long reportSequence, WorkerReport report) {
    heard.add("report " + reportSequence + " of " + worker);
  }

  @Override
  public boolean takesReports() {
    return heard.stream().filter(one -> one.startsWith("report")).count() < room;
  }

  @Override
  public void detached(int worker, String reason) {
    heard.add("detached " + worker);
  }

  @Override
  public void stalled(int worker, String message, boolean timedOut) {
    heard.add("stall of " + worker + ": " + message + (timedOut ? ", timed out" : ""));
  }
}
