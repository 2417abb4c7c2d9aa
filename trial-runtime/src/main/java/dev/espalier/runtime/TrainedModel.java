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
import dev.espalier.runtime.branch.ProgramFailure;
import dev.espalier.runtime.branch.Together;
import dev.espalier.runtime.params.PsBackend;
import dev.espalier.sdk.ProgramEnvironment;
import dev.espalier.sdk.ProgramShape;
import dev.espalier.sdk.TableDeclaration;
import dev.espalier.sdk.TrainingProgram;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/// The model of a checkpoint: all its shards in one process, whose tables are read and written to a
/// file that other programs understand.
final class TrainedModel implements AutoCloseable {
  private static final BranchId MODEL = new BranchId(0);
  private static final String ROWS = ".rows";

  private final Request request;
  private final TrainingProgram program;
  private final ProgramShape shape;
  private final Opened opened = new Opened();
  private final List<PsBackend> shards = new ArrayList<>();

  private TrainedModel(Request request, TrainingProgram program, ProgramShape shape) {
    this.request = request;
    this.program = program;
    this.shape = shape;
  }

  /// What is wanted.
  ///
  /// @param arguments by name, with every default filled in
  /// @param data the job's data folder, from which the program knows how large its tables are;
  ///   empty for none
  /// @param workers how many wrote the checkpoint
  /// @param communication what they exchanged, which decides what a checkpoint holds
  /// @param checkpoint number of a durable one below the folder `checkpoints`
  record Request(
      String program,
      Map<String, String> arguments,
      String data,
      int workers,
      long seed,
      Communication communication,
      String checkpoints,
      long checkpoint) {}

  /// Restores a checkpoint.
  ///
  /// @param program is opened, and stays the caller's to close, after the model
  /// @throws EspalierException `CHECKPOINT_MISSING` or `CHECKPOINT_FAILED`
  static TrainedModel open(Request request, TrainingProgram program) throws InterruptedException {
    ProgramShape shape =
        ProgramFailure.requireReturned(
            request.program(),
            program.open(
                new ProgramEnvironment(
                    request.arguments(),
                    request.data().isEmpty()
                        ? Optional.empty()
                        : Optional.of(Path.of(request.data())),
                    0,
                    request.workers(),
                    request.seed())),
            "open");
    var model = new TrainedModel(request, program, shape);
    try {
      model.openShards();
      model.restore();
      return model;
    } catch (InterruptedException | RuntimeException | Error failure) {
      try (TrainedModel _ = model) {
        throw failure;
      }
    }
  }

  private void openShards() {
    var servers = new ArrayList<ParameterServer>();
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
    Transport transport =
        Transport.inProcess(servers.stream().map(ParameterServer::shard).toList());
    for (ParameterServer server : servers) {
      var backend = new PsBackend(server, transport);
      opened.closeBy(backend::close);
      shards.add(backend);
    }
  }

  /// Restoring is done by all workers together, each in a thread.
  private void restore() throws InterruptedException {
    try (ExecutorService threads =
        Executors.newThreadPerTaskExecutor(Thread.ofPlatform().factory())) {
      var workers = new ArrayList<Callable<?>>();
      for (int worker = 0; worker < shards.size(); worker++) {
        int number = worker;
        workers.add(() -> {
          restore(number);
          return request;
        });
      }
      Together.run(workers, threads);
    }
  }

  private void restore(int worker) {
    var folder = new CheckpointFolder(Path.of(request.checkpoints()), worker);
    folder.readPlace(request.checkpoint());
    PsBackend parameters = shards.get(worker);
    parameters.restore(MODEL, folder.shardFile(request.checkpoint()));
    parameters.awaitAll("restored");
  }

  /// Writes the tables as a NumPy archive: `NAME` is a table, `NAME.rows` what its rows are called
  /// where the program names them.
  void write(Path file) {
    PsBackend parameters = shards.getFirst();
    parameters.measure(
        MODEL,
        () -> {
          writeTables(file, parameters);
          return file;
        });
  }

  private void writeTables(Path file, PsBackend parameters) {
    try (var out = NumpyArchive.create(file)) {
      for (TableDeclaration table : shape.tables()) {
        out.add(table.name(), parameters.table(table.name()));
        List<String> names = rowNames(table);
        if (!names.isEmpty()) {
          out.add(table.name() + ROWS, names);
        }
      }
    } catch (IOException failure) {
      throw new EspalierException(
          ErrorCode.INTERNAL, file + " cannot be written: " + failure.getMessage(), failure);
    }
  }

  private List<String> rowNames(TableDeclaration table) {
    List<String> names = program.rowNames(table.name());
    if (!names.isEmpty() && names.size() != table.rows()) {
      throw new EspalierException(
          ErrorCode.PROGRAM_FAILED,
          "rowNames of table %s must give %d names, one for each row, but gives %d"
              .formatted(table.name(), table.rows(), names.size()));
    }
    return names;
  }

  /// Ends the sessions, and frees the tables.
  @Override
  public void close() {
    opened.close();
  }
}
