package dev.espalier.programs.pagerank;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.MetricSpec;
import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.model.ProgramDescriptor.Argument;
import dev.espalier.api.model.Tunable;
import dev.espalier.data.DataFolder;
import dev.espalier.data.Graph;
import dev.espalier.data.GraphReader;
import dev.espalier.sdk.Evaluation;
import dev.espalier.sdk.ParameterTable;
import dev.espalier.sdk.ProgramContext;
import dev.espalier.sdk.ProgramEnvironment;
import dev.espalier.sdk.ProgramShape;
import dev.espalier.sdk.Progress;
import dev.espalier.sdk.TableDeclaration;
import dev.espalier.sdk.TrainingProgram;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/* PageRank as the solution of a linear system, after Page, Brin, Motwani and Winograd 1999.
 *
 *   M r = (1 - d) / N + d (sum over edges u -> v of r_u / outdegree_u + rank of dangling nodes / N)
 *   residual = r - M r;   r <- r - lr * residual
 *
 * With learning rate 1 a clock is one power iteration; other rates are relaxation. Table `ranks`
 * holds r, one row a node. A worker owns a run of nodes with about as many edges as any other
 * worker's, and sends the residual of its nodes only.
 */
/// Ranks the nodes of a graph by the links between them.
///
/// A clock is one sweep over all edges, whatever the batch size; its loss is the L1 norm of the
/// residual. Ranks sum to 1; self loops count; the rank of nodes without out-edges is spread over
/// all nodes.
public final class PageRank implements TrainingProgram {
  private static final String RANKS = "ranks";
  private static final String RESIDUAL = "residual";
  private static final String EDGES = ".txt";
  private static final int ASSIGNED_ROWS = 4096;

  private @Nullable Part part;
  private int[] ids = {};

  @Override
  public ProgramDescriptor describe() {
    return new ProgramDescriptor(
        "pagerank",
        "Ranks the nodes of a graph by PageRank.",
        false,
        List.of(
            Argument.decimal("damping", "probability to follow a link", 0.85).within(0, 0.999),
            Argument.choice(
                "optimizer",
                "sgd is the power iteration at learning rate 1",
                "sgd",
                List.of("sgd", "momentum", "nesterov"))),
        List.of(new Tunable.LogRange(Tunable.LEARNING_RATE, 0.1, 2, 1)),
        List.of(MetricSpec.minimize(RESIDUAL)));
  }

  @Override
  public ProgramShape open(ProgramEnvironment environment) {
    Graph graph =
        environment
            .data()
            .map(folder -> read(new DataFolder(folder)))
            .orElseGet(() -> GeneratedGraph.generate(2_000, 8));
    ids = graph.ids();
    part =
        Part.of(graph, environment.worker(), environment.workers(), environment.decimal("damping"));
    // Every worker sweeps over its nodes once a clock: one sample each, and an epoch is a clock.
    return new ProgramShape(
        List.of(TableDeclaration.dense(RANKS, graph.nodes(), 1, environment.text("optimizer"))),
        environment.workers(),
        1);
  }

  /// {@return the numbers of the nodes in their file}
  @Override
  public List<String> rowNames(String table) {
    return Arrays.stream(ids).mapToObj(Integer::toString).toList();
  }

  private static Graph read(DataFolder folder) {
    List<String> files = folder.names().stream().filter(name -> name.endsWith(EDGES)).toList();
    if (files.size() != 1) {
      throw new EspalierException(
          ErrorCode.INVALID_DATA,
          folder.path() + ": expected one file *" + EDGES + " with edges but found " + files);
    }
    return GraphReader.read(folder.require(files.getFirst()));
  }

  /// All ranks start equal.
  @Override
  public void initialise(ProgramContext context) {
    ParameterTable ranks = context.table(RANKS);
    float[] equal = new float[ASSIGNED_ROWS];
    Arrays.fill(equal, 1f / ranks.rows());
    for (long row = 0; row < ranks.rows(); row += ASSIGNED_ROWS) {
      ranks.assign(row, (int) Math.min(ASSIGNED_ROWS, ranks.rows() - row), equal, 0);
    }
  }

  @Override
  public Progress clock(ProgramContext context) {
    Part own = opened();
    ParameterTable ranks = context.table(RANKS);
    double residual = own.sweep(ranks);
    // The server takes the mean over one sample of each worker, but residuals are to be summed.
    own.scaleResiduals(context.workers());
    ranks.add(own.firstNode(), own.nodes(), own.residuals(), 0);
    return new Progress(residual * context.workers(), 1);
  }

  /// Measures the L1 norm of the residual.
  @Override
  public Evaluation evaluate(ProgramContext context) {
    double residual = opened().sweep(context.table(RANKS));
    return new Evaluation(Map.of(RESIDUAL, residual * context.workers()), 1);
  }

  private Part opened() {
    if (part == null) {
      throw new IllegalStateException("the program must be opened first");
    }
    return part;
  }

  @Override
  public void close() {
    part = null;
  }
}
