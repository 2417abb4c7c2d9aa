package dev.espalier.runtime;

import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.Communication;
import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.ps.ParameterServer;
import dev.espalier.ps.transport.Transport;
import dev.espalier.runtime.branch.CheckpointFolder;
import dev.espalier.runtime.branch.MemoryBudget;
import dev.espalier.runtime.branch.Opened;
import dev.espalier.runtime.branch.Together;
import dev.espalier.runtime.params.PsBackend;
import dev.espalier.sdk.ProgramEnvironment;
import dev.espalier.sdk.ProgramShape;
import dev.espalier.sdk.TableDeclaration;
import dev.espalier.sdk.TrainingProgram;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/// The model of a checkpoint: all its shards in one process, whose tables are read and written to a
/// file that other programs understand.
final class TrainedModel {
  private static final BranchId MODEL = new BranchId(0);

  private TrainedModel() {}

  /// What is wanted.
  ///
  /// @param arguments by name, with every default filled in
  /// @param data the job's data folder, from which the program knows how large its tables are;
  ///   empty for none
  /// @param workers how many wrote the checkpoint
  /// @param communication what they exchanged, which decides what a checkpoint holds
  /// @param checkpoint number of a durable one below the folder `checkpoints`
  /// @param file to be written
  record Request(
      String program,
      Map<String, String> arguments,
      String data,
      int workers,
      long seed,
      Communication communication,
      String checkpoints,
      long checkpoint,
      String file) {}

  /// Writes the tables of a checkpoint as a NumPy archive.
  ///
  /// @throws EspalierException `CHECKPOINT_MISSING` or `CHECKPOINT_FAILED`
  static void export(Request request, TrainingProgram program) throws InterruptedException {
    write(
        request,
        program.open(
            new ProgramEnvironment(
                request.arguments(),
                request.data().isEmpty() ? Optional.empty() : Optional.of(Path.of(request.data())),
                0,
                request.workers(),
                request.seed())));
  }

  private static void write(Request request, ProgramShape shape) throws InterruptedException {
    var servers = new ArrayList<ParameterServer>();
    try (var opened = new Opened()) {
      for (int worker = 0; worker < request.workers(); worker++) {
        ParameterServer server =
            PsBackend.openServer(
                request.workers(),
                worker,
                MemoryBudget.bytes(),
                shape.tables(),
                0,
                Worker.filters(request.communication()));
        opened.closeBy(server::close);
        servers.add(server);
      }
      Transport shards = Transport.inProcess(servers.stream().map(ParameterServer::shard).toList());
      // A session belongs to one thread, and restoring is done by all of them together.
      try (ExecutorService threads =
          Executors.newThreadPerTaskExecutor(Thread.ofPlatform().factory())) {
        var workers = new ArrayList<Callable<?>>();
        for (int worker = 0; worker < servers.size(); worker++) {
          int number = worker;
          workers.add(() -> {
            restore(request, shape, servers.get(number), number, shards);
            return request;
          });
        }
        Together.run(workers, threads);
      }
    }
  }

  /// Restores a worker's shard; the first worker reads the tables of all when all have come.
  private static void restore(
      Request request, ProgramShape shape, ParameterServer server, int worker, Transport shards) {
    var folder = new CheckpointFolder(Path.of(request.checkpoints()), worker);
    folder.readPlace(request.checkpoint());
    var parameters = new PsBackend(server, shards);
    parameters.restore(MODEL, folder.shardFile(request.checkpoint()));
    parameters.awaitAll("restored");
    if (worker == 0) {
      parameters.measure(
          MODEL,
          () -> {
            writeTables(Path.of(request.file()), shape, parameters);
            return request.file();
          });
    }
  }

  private static void writeTables(Path file, ProgramShape shape, PsBackend parameters) {
    try (var out = NumpyArchive.create(file)) {
      for (TableDeclaration table : shape.tables()) {
        out.add(table.name(), parameters.table(table.name()));
      }
    } catch (IOException failure) {
      throw new EspalierException(
          ErrorCode.INTERNAL, file + " cannot be written: " + failure.getMessage(), failure);
    }
  }
}
