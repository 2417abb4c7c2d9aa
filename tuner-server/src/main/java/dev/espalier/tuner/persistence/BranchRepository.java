package dev.espalier.tuner.persistence;

import dev.espalier.api.model.BranchKind;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import org.springframework.data.domain.Limit;
import org.springframework.data.jpa.repository.JpaRepository;
import org.springframework.data.jpa.repository.Query;

/// Rows of branches.
interface BranchRepository extends JpaRepository<BranchEntity, RowKey> {
  Optional<BranchEntity> findByJobIdAndNumber(String jobId, int number);

  /// Those that matter most of a job with many: the newest, and of the mainline's chain and the
  /// live ones as many again. It costs what these are, however many the job has.
  @Query(
      nativeQuery = true,
      value =
          """
          with recursive chain (number, parent_branch, depth) as (
            select number, parent_branch, 1 from branch
            where job_id = :job
              and number = (select mainline_branch from job where job_id = :job)
            union all
            select parent.number, parent.parent_branch, chain.depth + 1
            from chain cross join lateral (
              select number, parent_branch from branch
              where job_id = :job and number = chain.parent_branch limit 1) as parent
            where chain.depth < :most
          ), live as (
            select number from branch where job_id = :job
              and state in ('FORKING', 'WAITING', 'RUNNING', 'MEASURED')
            order by number desc limit :most
          ), newest as (
            select number from branch where job_id = :job order by number desc limit :most
          ), kept as (
            select number from (select number from chain union select number from live) as either
            order by number desc limit :most
          )
          select branch.* from (select number from newest union select number from kept) as chosen
          cross join lateral (
            select * from branch where job_id = :job and number = chosen.number limit 1) as branch
          order by number
          """)
  List<BranchEntity> mainOnes(String job, int most);

  @Query(
      """
      select b from BranchEntity b
      where b.jobId = :job and b.state in (FORKING, WAITING, RUNNING, MEASURED)
      order by b.number
      """)
  List<BranchEntity> alive(String job);

  /// One page; `round` -1 stands for all rounds.
  @Query(
      """
      select b from BranchEntity b
      where b.jobId = :job and b.number > :after and b.kind in :kinds
        and (:round = -1 or b.round = :round)
      order by b.number
      """)
  List<BranchEntity> page(
      String job, int after, int round, Collection<BranchKind> kinds, Limit limit);
}
