package dev.espalier.tuner.persistence;

import java.util.List;
import org.springframework.data.jpa.repository.JpaRepository;

/// Rows of rounds.
interface RoundRepository extends JpaRepository<RoundEntity, RowKey> {
  List<RoundEntity> findByJobIdOrderByNumber(String jobId);
}
