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
