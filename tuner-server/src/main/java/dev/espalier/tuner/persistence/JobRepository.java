package dev.espalier.tuner.persistence;

import dev.espalier.api.model.JobState;
import jakarta.persistence.LockModeType;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import org.springframework.data.domain.Limit;
import org.springframework.data.jpa.repository.JpaRepository;
import org.springframework.data.jpa.repository.Lock;
import org.springframework.data.jpa.repository.Query;

/// Rows of jobs.
interface JobRepository extends JpaRepository<JobEntity, String> {
  @Lock(LockModeType.PESSIMISTIC_WRITE)
  @Query("select j from JobEntity j where j.id = ?1")
  Optional<JobEntity> findLocked(String id);

  /// One page, newest first.
  ///
  /// @param name pattern of names in lower case
  @Query(
      """
      select j from JobEntity j
      where j.position < :before and j.state in :states
        and (:name = '%%' or lower(j.name) like :name escape '\\')
      order by j.position desc
      """)
  List<JobEntity> page(long before, Collection<JobState> states, String name, Limit limit);

  List<JobEntity> findByStateNotInOrderByPosition(Collection<JobState> states);
}
