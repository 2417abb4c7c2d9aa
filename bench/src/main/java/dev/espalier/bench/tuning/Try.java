package dev.espalier.bench.tuning;

import java.nio.file.Path;
import java.util.*;

/// Try.
public final class Try {
  private Try() {}

  /// Main.
  public static void main(String[] a) throws Exception {
    for (Workload w :
        Workloads.locate(
            new ArrayList<>(Workloads.builtIn().values()), Optional.of(Path.of(a[0])))) {
      if (a.length > 1 && !Arrays.asList(a).contains(w.name())) continue;
      long t = System.nanoTime();
      CostModel c = Calibration.measure(w);
      System.out.println(w.name() + " " + c + " calibrated in " + (System.nanoTime() - t) / 1e9);
      for (String p : List.of("default", "mltuner")) {
        for (int s = 1; s < 3; s++) {
          Contender k =
              p.equals("default")
                  ? Contender.fixed("default", w.carefulSetting())
                  : Contender.named(p, Map.of());
          var r = new SimulatedRun(w, k, c, s, 4, false, x -> false);
          t = System.nanoTime();
          RunRecord rec = r.run();
          System.out.printf(
              "%s seed %d start %.4f best %.4f end %.3f share %.2f forks %d cpu %.2f wall %.2f %s evals %d%n",
              p,
              s,
              r.startQuality(),
              rec.best(w.metric().goal()),
              rec.endSeconds(),
              rec.tuningShare(),
              rec.forks(),
              rec.cpuSeconds(),
              (System.nanoTime() - t) / 1e9,
              rec.outcome(),
              rec.qualities().size());
          if (s == 1) {
            StringBuilder b = new StringBuilder();
            rec.qualities().stream()
                .limit(40)
                .forEach(q -> b.append(String.format("%.2f:%.4f ", q.seconds(), q.value())));
            System.out.println(b);
          }
        }
      }
    }
  }
}
