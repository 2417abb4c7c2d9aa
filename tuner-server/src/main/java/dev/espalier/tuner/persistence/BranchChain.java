package dev.espalier.tuner.persistence;

/// The branches that lead to another one, as a common table expression of SQL.
final class BranchChain {
  /// The chain of the branch whose number is the second parameter; the first and the third are the
  /// job. Rows have `number`, `fork_clock`, `setting` and `depth`, 0 for the branch itself.
  static final String OF_BRANCH = chain("?");

  /// The chain of the mainline; all three parameters are the job.
  static final String OF_MAINLINE = chain("(select mainline_branch from job where job_id = ?)");

  private BranchChain() {}

  /// One lookup a step: a join would read all branches in each where the planner knows no better.
  ///
  /// @param start a constant of this class: the number of the first branch in SQL
  private static String chain(String start) {
    return """
    with recursive chain (number, parent_branch, fork_clock, setting, depth) as (
      select number, parent_branch, fork_clock, setting, 0 from branch
      where job_id = ? and number = %s
      union all
      select parent.number, parent.parent_branch, parent.fork_clock, parent.setting,
        chain.depth + 1
      from chain cross join lateral (
        select number, parent_branch, fork_clock, setting from branch
        where job_id = ? and number = chain.parent_branch limit 1) as parent
      where chain.depth < 10000
    )
    """
        .formatted(start);
  }
}
