package dev.espalier.tuner.app.port;

import dev.espalier.api.model.Communication;
import dev.espalier.api.model.HeldOut;
import dev.espalier.api.model.SequencedCommand;
import dev.espalier.api.model.WorkerReport;
import dev.espalier.api.rest.WorkerView;
import java.util.List;
import java.util.Map;

/// The way to the workers of a job: an ordered broadcast that survives broken links.
///
/// Of one job there is one generation of workers at a time; `open` with a later one turns away all
/// that belong to an earlier one.
public interface WorkerGateway {
  /// Says that a job is to have workers, now or later: those that come while none may attach, and
  /// show a token, are asked to come again.
  void expect(String job);

  /// Says that a job will have no workers any more: those that come are told that it is not there.
  void forget(String job);

  /// Says that all jobs that the server knows are expected. Until then whoever comes is asked to
  /// come again.
  void expectNoMore();

  /// Makes a generation of a job's workers known: workers with the right secret may attach.
  void open(WorkerGroup group, Listener listener);

  /// Sends a command to all workers, in order; those that are away get it when they come back.
  void send(String job, SequencedCommand command);

  /// Tells workers what the tuner wishes at present; away workers hear it when they come back.
  ///
  /// @param held whether to stand still between clocks
  /// @param alone whether no command can come for now, so that they may go on by themselves
  void control(String job, boolean held, boolean alone);

  /// Reports of a worker up to this number are durable and need not be sent again.
  void acknowledge(String job, int worker, long reportSequence);

  /// Hears workers out that were not listened to since the listener took no reports.
  void listen(String job);

  /// Lets a job's workers go without a word, so that they look for the server that has it now.
  void abandon(String job);

  /// Turns a job's workers away for good.
  void close(String job, String reason);

  /// An API token was revoked: workers that were let in with it are let go, and come back only with
  /// a valid one. Those that the server starts show a secret of their own and stay.
  void tokenRevoked();

  /// {@return the workers of a job's current generation; empty when none may attach}
  List<WorkerView> workers(String job);

  /// A generation of workers and what they are told when they attach.
  ///
  /// @param begun whether all workers have been there, at a server before this one; then only they
  ///   may attach
  /// @param secretSha256 hash of the secret they must show
  /// @param arguments of the program
  /// @param data the job's data folder; empty for none
  /// @param checkpoints folder for checkpoints; empty to let each worker choose
  /// @param heldOut training samples that branches are judged by
  /// @param communication how workers exchange parameters and updates
  /// @param gpuMemoryBytes bytes of a GPU's memory in which each worker keeps its part of the
  ///   tables
  /// @param clockTimeoutSeconds how long one call of the program may run; 0 for no bound
  record WorkerGroup(
      String job,
      int generation,
      boolean begun,
      int workers,
      byte[] secretSha256,
      String program,
      Map<String, String> arguments,
      String data,
      long seed,
      String checkpoints,
      HeldOut heldOut,
      Communication communication,
      long gpuMemoryBytes,
      double clockTimeoutSeconds) {
    public WorkerGroup {
      arguments = Map.copyOf(arguments);
      secretSha256 = secretSha256.clone();
    }

    @Override
    public byte[] secretSha256() {
      return secretSha256.clone();
    }
  }

  /// Hears of a group's workers; called by the link's threads, must not block.
  interface Listener {
    void attached(int worker);

    void reported(int worker, long reportSequence, WorkerReport report);

    /// {@return whether there is room for more reports; where there is not, a worker is not
    /// listened to until `WorkerGateway.listen`, but for one message}
    boolean takesReports();

    void detached(int worker, String reason);

    /// A worker's program does not come back from a call.
    ///
    /// @param message what it has been at for how long; empty when it goes on
    /// @param timedOut whether it has taken longer than it may
    void stalled(int worker, String message, boolean timedOut);
  }
}
