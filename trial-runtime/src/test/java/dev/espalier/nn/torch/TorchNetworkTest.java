package dev.espalier.nn.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.Setting;
import dev.espalier.nn.Activation;
import dev.espalier.nn.ArrayTables;
import dev.espalier.nn.Batch;
import dev.espalier.nn.LayerSpec;
import dev.espalier.nn.Network;
import dev.espalier.nn.NetworkSpec;
import dev.espalier.nn.Outcome;
import dev.espalier.nn.Shape;
import dev.espalier.nn.TestNetworks;
import dev.espalier.nn.host.HostEngine;
import dev.espalier.ps.ParameterServer;
import dev.espalier.ps.filter.FilterOptions;
import dev.espalier.ps.gpu.GpuProvider;
import dev.espalier.ps.transport.Transport;
import dev.espalier.runtime.params.PsBackend;
import dev.espalier.sdk.ParameterTable;
import dev.espalier.sdk.ProgramContext;
import dev.espalier.sdk.TableView;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.concurrent.Executors;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// libtorch against Java; left out on machines without the compiled library.
final class TorchNetworkTest {
  private static final BranchId BRANCH = new BranchId(1);

  @BeforeAll
  static void needsTheLibrary() {
    if (TorchLibrary.probe() instanceof TorchLibrary.Missing(String reason)) {
      Assumptions.abort(reason);
    }
  }

  static Stream<NetworkSpec> networks() {
    return TestNetworks.all();
  }

  private static List<TorchEngine> engines() {
    return TorchLibrary.probe() instanceof TorchLibrary.Found found && found.devices() > 0
        ? List.of(TorchEngine.values())
        : List.of(TorchEngine.HOST);
  }

  @ParameterizedTest
  @MethodSource("networks")
  void computesWhatJavaComputes(NetworkSpec spec) {
    var random = new Random(11);
    var tables = new ArrayTables(spec, random);
    Batch batch = TestNetworks.batch(spec, 5, random);
    Outcome expected;
    List<float[]> gradients = new ArrayList<>();
    try (Network java = new HostEngine().build(spec)) {
      expected = java.train(tables, batch, 0.01);
      spec.parameters().forEach(p -> gradients.add(tables.gradients(p.table()).clone()));
    }
    for (TorchEngine engine : engines()) {
      try (Network torch = engine.build(spec)) {
        same(torch.train(tables, batch, 0.01), expected);
        for (int i = 0; i < gradients.size(); i++) {
          String table = spec.parameters().get(i).table();
          assertThat(tables.gradients(table))
              .as(table)
              .containsExactly(gradients.get(i), within(2e-4f));
        }
        try (Network.Reading parameters = torch.read(tables)) {
          Outcome predicted = parameters.predict(batch);
          assertThat(predicted.lossSum()).isCloseTo(expected.lossSum(), within(1e-4));
          assertThat(predicted.correct()).isEqualTo(expected.correct());
        }
      }
    }
  }

  @Test
  void isUsedByAnotherThreadThanTheOneThatBuiltIt() throws Exception {
    NetworkSpec spec = networks().findFirst().orElseThrow();
    var random = new Random(11);
    var tables = new ArrayTables(spec, random);
    Batch batch = TestNetworks.batch(spec, 5, random);
    try (Network torch = TorchEngine.HOST.build(spec);
        var threads = Executors.newSingleThreadExecutor()) {
      Outcome trained = threads.submit(() -> torch.train(tables, batch, 0)).get();
      assertThat(trained.judged()).isEqualTo(batch.labelled());
    }
  }

  private static void same(Outcome outcome, Outcome expected) {
    assertThat(outcome.lossSum()).isCloseTo(expected.lossSum(), within(1e-4));
    assertThat(outcome.penalty()).isCloseTo(expected.penalty(), within(1e-4));
    assertThat(outcome.correct()).isEqualTo(expected.correct());
    assertThat(outcome.judged()).isEqualTo(expected.judged());
  }

  /// Where a network is computed and its tables lie.
  ///
  /// @param gpuMemoryBytes for the tables; 0 for the host
  private record Place(TorchEngine engine, long gpuMemoryBytes, NetworkSpec spec) {
    /// @throws org.opentest4j.TestAbortedException where this machine lacks it
    void isNeeded() {
      Assumptions.assumeTrue(engines().contains(engine), "libtorch finds no GPU");
      GpuProvider choice = GpuProvider.chosen();
      Assumptions.assumeTrue(gpuMemoryBytes == 0 || choice.isPresent(), choice.reason());
    }

    boolean hasTablesOnDevice() {
      return gpuMemoryBytes > 0;
    }
  }

  static Stream<Place> places() {
    NetworkSpec small = TestNetworks.all().skip(3).findFirst().orElseThrow();
    // 12 pages of a device, which has 8 for them.
    NetworkSpec large =
        new NetworkSpec(
            new Shape(10, 10, 7),
            List.of(
                new LayerSpec.Dense(1500, Activation.RELU),
                new LayerSpec.Dense(1000, Activation.RELU),
                new LayerSpec.Dense(5, Activation.NONE)));
    return Stream.of(
        new Place(TorchEngine.HOST, 0, small),
        new Place(TorchEngine.HOST, 0, large),
        new Place(TorchEngine.GPU, 0, small),
        new Place(TorchEngine.GPU, 64 << 20, small),
        new Place(TorchEngine.GPU, 64 << 20, large),
        new Place(TorchEngine.GPU, 8 << 20, large));
  }

  /// Parameters are views of pages, gradients come last layer first, each as soon as it exists, and
  /// the update of the server is what the next view shows.
  @ParameterizedTest
  @MethodSource("places")
  void trainsOnThePagesOfTheParameterServer(Place place) {
    place.isNeeded();
    NetworkSpec spec = place.spec();
    Batch batch = TestNetworks.batch(spec, 6, new Random(3));
    var log = new ArrayList<String>();
    try (ParameterServer server = server(place);
        var backend = new PsBackend(server, Transport.inProcess(List.of(server.shard())));
        Network torch = place.engine().build(spec);
        Network java = new HostEngine().build(spec)) {
      assertThat(server.stats().device().isPresent()).isEqualTo(place.hasTablesOnDevice());
      backend.create(BRANCH);
      var tables = new Tables(backend, log);
      backend.initialise(
          BRANCH,
          () -> {
            var random = new SplittableRandom(3);
            for (NetworkSpec.Parameters parameters : spec.parameters()) {
              tables
                  .table(parameters.table())
                  .assign(0, parameters.rows(), spec.draw(parameters, random), 0);
            }
          });
      Setting setting = Setting.of(Map.of("learningRate", 0.05));
      double first = Double.NaN;
      double last = Double.NaN;
      for (int clock = 0; clock < 20; clock++) {
        backend.select(BRANCH, setting, 1);
        double expected;
        try (Network.Reading parameters = java.read(tables)) {
          expected = parameters.predict(batch).lossSum();
        }
        log.clear();
        last = torch.train(tables, batch, 0).lossSum();
        assertThat(last).isCloseTo(expected, within(1e-3));
        first = clock == 0 ? last : first;
        backend.tick(batch.count());
      }
      assertThat(last).isLessThan(0.8 * first);
      String where = place.hasTablesOnDevice() ? " on a device" : "";
      assertThat(log)
          .containsExactly(
              "view layer0" + where,
              "view layer1" + where,
              "view layer2" + where,
              "add layer2" + where,
              "add layer1" + where,
              "add layer0" + where,
              "close layer0",
              "close layer1",
              "close layer2");
      boolean mustMove = place.gpuMemoryBytes() == 8 << 20;
      assertThat(server.stats().device().map(use -> use.bytesIn() > 0))
          .isEqualTo(Optional.of(mustMove).filter(_ -> place.hasTablesOnDevice()));
    }
  }

  private static ParameterServer server(Place place) {
    return PsBackend.openServer(
        1,
        0,
        64 << 20,
        place.spec().parameters().stream().map(p -> p.declaration("sgd")).toList(),
        place.gpuMemoryBytes(),
        FilterOptions.NONE);
  }

  /// The tables of a backend, which write down what is asked of them.
  private record Tables(PsBackend backend, List<String> log) implements ProgramContext {
    @Override
    public ParameterTable table(String name) {
      return new Logged(backend.table(name), name, log);
    }

    @Override
    public Setting setting() {
      return Setting.EMPTY;
    }

    @Override
    public int worker() {
      return 0;
    }

    @Override
    public int workers() {
      return 1;
    }

    @Override
    public int[] samples() {
      return new int[0];
    }

    @Override
    public long clock() {
      return 0;
    }

    @Override
    public RandomGenerator random() {
      return new Random(0);
    }
  }

  private record Logged(ParameterTable table, String name, List<String> log)
      implements ParameterTable {
    @Override
    public long rows() {
      return table.rows();
    }

    @Override
    public int columns() {
      return table.columns();
    }

    @Override
    public void read(long firstRow, int count, float[] values, int offset) {
      log.add("read " + name);
      table.read(firstRow, count, values, offset);
    }

    @Override
    public void read(long[] rows, int count, float[] values) {
      table.read(rows, count, values);
    }

    @Override
    public Optional<TableView> view() {
      Optional<TableView> given = table.view();
      boolean isOnDevice = given.map(TableView::isOnDevice).orElse(false);
      log.add("view " + name + (isOnDevice ? " on a device" : ""));
      return given.map(view ->
          new TableView() {
            @Override
            public long address() {
              return view.address();
            }

            @Override
            public boolean isOnDevice() {
              return view.isOnDevice();
            }

            @Override
            public void close() {
              log.add("close " + name);
              view.close();
            }
          });
    }

    @Override
    public boolean addFromDevice(long address) {
      boolean isTaken = table.addFromDevice(address);
      if (isTaken) {
        log.add("add " + name + " on a device");
      }
      return isTaken;
    }

    @Override
    public void add(long firstRow, int count, float[] gradients, int offset) {
      log.add("add " + name);
      table.add(firstRow, count, gradients, offset);
    }

    @Override
    public void add(long[] rows, int count, float[] gradients) {
      table.add(rows, count, gradients);
    }

    @Override
    public void assign(long firstRow, int count, float[] values, int offset) {
      table.assign(firstRow, count, values, offset);
    }
  }

  @Test
  void aFailureInTheTablesComesBackAsItWas() {
    NetworkSpec spec = TestNetworks.all().findFirst().orElseThrow();
    Batch batch = TestNetworks.batch(spec, 2, new Random(1));
    try (Network torch = TorchEngine.HOST.build(spec)) {
      var tables =
          new ArrayTables(TestNetworks.all().skip(6).findFirst().orElseThrow(), new Random(1));
      assertThatThrownBy(() -> torch.train(tables, batch, 0)).isInstanceOf(RuntimeException.class);
      // An error must not cross the library either, which would end the process.
      var failing =
          (ProgramContext)
              Proxy.newProxyInstance(
                  ProgramContext.class.getClassLoader(),
                  new Class<?>[] {ProgramContext.class},
                  (_, _, _) -> {
                    throw new StackOverflowError("in a table");
                  });
      assertThatThrownBy(() -> torch.train(failing, batch, 0))
          .isInstanceOf(StackOverflowError.class)
          .hasMessage("in a table");
    }
  }
}
