package dev.espalier.ps;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.ps.branch.BranchRef;
import dev.espalier.ps.clock.Staleness;
import dev.espalier.ps.optim.StepSize;
import dev.espalier.ps.table.TableSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

final class ForkLeakTest {

  @Test
  @Timeout(60)
  void noPageIsInUseAfterTenThousandForksAndFrees() {
    long seed = 11;
    Random random = new Random(seed);
    try (ParameterServer server =
            ParameterServer.open(
                ParameterServerConfig.of(1, 0, 64 << 20).withPageBytes(4096, 4096),
                List.of(
                    TableSpec.dense("d", 2000, 1, "momentum"),
                    TableSpec.sparse("s", 9000, 2, "adarevision")));
        WorkerSession session = server.session()) {
      List<BranchRef> alive = new ArrayList<>();
      BranchRef root = new BranchRef(0);
      session.create(root);
      alive.add(root);
      for (int number = 1; number <= 10_000; number++) {
        BranchRef child = new BranchRef(number);
        session.fork(child, alive.get(random.nextInt(alive.size())));
        alive.add(child);
        train(session, alive.get(random.nextInt(alive.size())), random);
        while (alive.size() > 1 + random.nextInt(20)) {
          session.free(alive.remove(random.nextInt(alive.size())));
        }
      }
      alive.forEach(session::free);
      session.awaitQuiet();
      assertThat(server.stats().pagesInUse()).as("seed %d", seed).isZero();
      assertThat(server.stats().forks()).isEqualTo(10_000);
      assertThat(server.stats().branches()).isZero();
    }
  }

  private static void train(WorkerSession session, BranchRef branch, Random random) {
    session.select(branch, new Staleness(2), StepSize.of(0.1));
    long[] rows = {random.nextInt(9000), random.nextInt(9000)};
    session.read(1, rows, 2, new float[4]);
    session.add(1, rows, 2, new float[] {1, 2, 3, 4});
    session.add(0, random.nextInt(1000), 1000, new float[1000], 0);
    session.tick(1);
  }
}
