package dev.espalier.tuner.grpc;

import dev.espalier.api.model.SequencedCommand;
import dev.espalier.api.rest.WorkerView;
import dev.espalier.tuner.app.port.WorkerGateway;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/// The workers of every job, by their gRPC streams.
public final class GrpcWorkerGateway implements WorkerGateway {
  private final Map<String, WorkerCrew> crews = new ConcurrentHashMap<>();
  private final Set<String> expected = ConcurrentHashMap.newKeySet();
  private volatile boolean knowsAll;
  private volatile Runnable onRevocation = () -> {};

  @Override
  public void expect(String job) {
    expected.add(job);
  }

  @Override
  public void forget(String job) {
    expected.remove(job);
  }

  @Override
  public void expectNoMore() {
    knowsAll = true;
  }

  boolean isExpected(String job) {
    return expected.contains(job);
  }

  /// {@return whether a job that is not expected is one that does not run}
  boolean knowsAll() {
    return knowsAll;
  }

  @Override
  public void open(WorkerGroup group, Listener listener) {
    WorkerCrew before = crews.put(group.job(), new WorkerCrew(group, listener));
    if (before != null) {
      before.close("generation " + group.generation() + " of workers has begun");
    }
  }

  @Override
  public void send(String job, SequencedCommand command) {
    WorkerCrew crew = crews.get(job);
    if (crew != null) {
      crew.send(command);
    }
  }

  @Override
  public void control(String job, boolean held, boolean alone) {
    WorkerCrew crew = crews.get(job);
    if (crew != null) {
      crew.control(held, alone);
    }
  }

  @Override
  public void acknowledge(String job, int worker, long reportSequence) {
    WorkerCrew crew = crews.get(job);
    if (crew != null) {
      crew.acknowledge(worker, reportSequence);
    }
  }

  @Override
  public void listen(String job) {
    WorkerCrew crew = crews.get(job);
    if (crew != null) {
      crew.listen();
    }
  }

  @Override
  public void abandon(String job) {
    WorkerCrew crew = crews.remove(job);
    if (crew != null) {
      crew.abandon();
    }
  }

  @Override
  public void close(String job, String reason) {
    WorkerCrew crew = crews.remove(job);
    if (crew != null) {
      crew.close(reason);
    }
  }

  @Override
  public void tokenRevoked() {
    crews.values().forEach(WorkerCrew::forgetToken);
    onRevocation.run();
  }

  /// @param check looks again at every token that a worker has shown
  void onRevocation(Runnable check) {
    onRevocation = check;
  }

  @Override
  public List<WorkerView> workers(String job) {
    WorkerCrew crew = crews.get(job);
    return crew == null ? List.of() : crew.view();
  }

  @Nullable WorkerCrew crew(String job) {
    return crews.get(job);
  }
}
