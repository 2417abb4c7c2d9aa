package dev.espalier.ps.table;

import dev.espalier.ps.optim.RuleOptions;
import dev.espalier.ps.optim.UpdateRule;

/// A table of `rows x columns` float parameters and the rule by which updates change them.
///
/// @param name unique within a parameter server, not blank
/// @param rows number of rows over all shards, >= 1
/// @param columns floats per row, >= 1
/// @param access how clocks touch the rows
/// @param rule name of the update rule, one of [UpdateRule#names]
/// @param options constants of the rule
public record TableSpec(
    String name, long rows, int columns, TableAccess access, String rule, RuleOptions options) {

  /// Checks the bounds and that the rule exists.
  public TableSpec {
    if (name.isBlank()) {
      throw new IllegalArgumentException("name of a table must not be blank");
    }
    if (rows < 1) {
      throw new IllegalArgumentException("rows must be >= 1 but is " + rows);
    }
    if (columns < 1) {
      throw new IllegalArgumentException("columns must be >= 1 but is " + columns);
    }
    UpdateRule.named(rule, options);
  }

  /// A table of which most clocks touch all rows, with the rule's default constants.
  public static TableSpec dense(String name, long rows, int columns, String rule) {
    return new TableSpec(
        name, rows, columns, TableAccess.DENSE, rule, RuleOptions.defaultsOf(rule));
  }

  /// A table whose rows are a matrix that each clock uses whole, with the rule's default constants.
  public static TableSpec matrix(String name, long rows, int columns, String rule) {
    return new TableSpec(
        name, rows, columns, TableAccess.MATRIX, rule, RuleOptions.defaultsOf(rule));
  }

  /// A table of which a clock touches few rows, with the rule's default constants.
  public static TableSpec sparse(String name, long rows, int columns, String rule) {
    return new TableSpec(
        name, rows, columns, TableAccess.SPARSE, rule, RuleOptions.defaultsOf(rule));
  }

  /// This table with other constants of its rule.
  public TableSpec withOptions(RuleOptions newOptions) {
    return new TableSpec(name, rows, columns, access, rule, newOptions);
  }

  /// Whether updates are means over samples; else they are sums, which are added as they are.
  public boolean takesMeans() {
    return updateRule().takesMeans();
  }

  /// The update rule.
  public UpdateRule updateRule() {
    return UpdateRule.named(rule, options);
  }
}
