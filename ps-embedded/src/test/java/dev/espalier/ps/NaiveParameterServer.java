package dev.espalier.ps;

import dev.espalier.ps.optim.RuleOptions;
import dev.espalier.ps.optim.StepSize;
import dev.espalier.ps.table.TableSpec;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// A parameter server of maps of maps that copies everything at a fork; the model for tests.
final class NaiveParameterServer {

  /// One row: `planes x columns`, plane 0 the parameters.
  private record Branch(List<Map<Long, float[][]>> tables, long[] steps) {}

  private final List<TableSpec> specs;
  private final Map<Integer, Branch> branches = new HashMap<>();

  NaiveParameterServer(List<TableSpec> specs) {
    this.specs = specs;
  }

  void create(int branch) {
    List<Map<Long, float[][]>> tables = new ArrayList<>();
    for (int i = 0; i < specs.size(); i++) {
      tables.add(new HashMap<>());
    }
    branches.put(branch, new Branch(tables, new long[specs.size()]));
  }

  void fork(int child, int parent) {
    Branch from = branches.get(parent);
    List<Map<Long, float[][]>> tables = new ArrayList<>();
    for (Map<Long, float[][]> table : from.tables) {
      Map<Long, float[][]> copy = new HashMap<>();
      table.forEach((row, planes) -> copy.put(row, copy(planes)));
      tables.add(copy);
    }
    branches.put(child, new Branch(tables, from.steps.clone()));
  }

  private static float[][] copy(float[][] planes) {
    float[][] copy = new float[planes.length][];
    for (int i = 0; i < planes.length; i++) {
      copy[i] = planes[i].clone();
    }
    return copy;
  }

  void free(int branch) {
    branches.remove(branch);
  }

  float[] read(int branch, int table, long row) {
    return row(branch, table, row)[0];
  }

  void assign(int branch, int table, long row, float[] values) {
    row(branch, table, row)[0] = values.clone();
  }

  /// Sums by table, then row; a table that was touched is there even without rows.
  void apply(
      int branch, Map<Integer, TreeMap<Long, float[]>> sums, long divisor, StepSize stepSize) {
    sums.forEach((table, rows) -> {
      long step = ++branches.get(branch).steps[table];
      rows.forEach((row, sum) ->
          step(specs.get(table), row(branch, table, row), sum, divisor, stepSize, step));
    });
  }

  private float[][] row(int branch, int table, long row) {
    return branches
        .get(branch)
        .tables
        .get(table)
        .computeIfAbsent(row, _ -> new float[4][specs.get(table).columns()]);
  }

  private static void step(
      TableSpec spec, float[][] p, float[] sum, long divisor, StepSize stepSize, long t) {
    for (int i = 0; i < sum.length; i++) {
      step(spec, p, i, sum[i] / (spec.rule().equals("add") ? 1 : divisor), stepSize, t);
    }
  }

  private static void step(TableSpec spec, float[][] p, int i, float g, StepSize stepSize, long t) {
    RuleOptions o = spec.options();
    float lr = (float) stepSize.learningRate();
    float m = (float) (Double.isNaN(stepSize.momentum()) ? o.momentum() : stepSize.momentum());
    float eps = (float) o.epsilon();
    float rho = (float) o.decay();
    float b2 = (float) o.beta2();
    switch (spec.rule()) {
      case "add" -> p[0][i] += g;
      case "sgd" -> p[0][i] -= lr * g;
      case "momentum" -> {
        p[1][i] = m * p[1][i] + g;
        p[0][i] -= lr * p[1][i];
      }
      case "ema-momentum" -> {
        p[1][i] = m * p[1][i] + (1 - m) * g;
        p[0][i] -= lr * p[1][i];
      }
      case "nesterov" -> {
        p[1][i] = m * p[1][i] + g;
        p[0][i] -= lr * (g + m * p[1][i]);
      }
      case "adagrad" -> {
        p[1][i] += g * g;
        p[0][i] -= lr * g / (root(p[1][i]) + eps);
      }
      case "rmsprop" -> {
        p[1][i] = rho * p[1][i] + (1 - rho) * (g * g);
        p[0][i] -= lr * g / (root(p[1][i]) + eps);
      }
      case "adam", "adamw" -> {
        p[1][i] = m * p[1][i] + (1 - m) * g;
        p[2][i] = b2 * p[2][i] + (1 - b2) * (g * g);
        float first = p[1][i] * (float) (1 / (1 - Math.pow(m, t)));
        float second = p[2][i] * (float) (1 / (1 - Math.pow(b2, t)));
        p[0][i] -= lr * (first / (root(second) + eps) + (float) o.weightDecay() * p[0][i]);
      }
      case "adadelta" -> {
        p[1][i] = rho * p[1][i] + (1 - rho) * (g * g);
        float d = root(p[2][i] + eps) / root(p[1][i] + eps) * g;
        p[2][i] = rho * p[2][i] + (1 - rho) * (d * d);
        p[0][i] -= lr * d;
      }
      case "proximal-sgd" -> p[0][i] = prox(p[0][i] - lr * g, lr, o);
      case "proximal-adagrad" -> {
        p[1][i] += g * g;
        float h = lr / (root(p[1][i]) + eps);
        p[0][i] = prox(p[0][i] - h * g, h, o);
      }
      default -> throw new IllegalArgumentException(spec.rule());
    }
  }

  private static float prox(float u, float h, RuleOptions o) {
    float left = Math.abs(u) - h * (float) o.l1();
    return (left <= 0 ? 0 : Math.signum(u) * left) / (1 + h * (float) o.l2());
  }

  private static float root(float x) {
    return (float) Math.sqrt(x);
  }
}
