package dev.espalier.tuner.persistence;

import java.util.List;
import org.springframework.data.domain.Limit;
import org.springframework.data.jpa.repository.JpaRepository;

/// Rows of rounds.
interface RoundRepository extends JpaRepository<RoundEntity, RowKey> {
  List<RoundEntity> findByJobIdAndNumberGreaterThanOrderByNumber(
      String jobId, int after, Limit limit);

  List<RoundEntity> findByJobIdOrderByNumberDesc(String jobId, Limit limit);
}
