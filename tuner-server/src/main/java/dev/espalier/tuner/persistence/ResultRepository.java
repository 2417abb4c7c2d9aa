package dev.espalier.tuner.persistence;

import java.util.List;
import org.springframework.data.domain.Limit;
import org.springframework.data.jpa.repository.JpaRepository;
import org.springframework.data.jpa.repository.Query;

/// Rows of results.
interface ResultRepository extends JpaRepository<ResultEntity, String> {
  /// A job that has ended well, and what it came to.
  record Finished(JobEntity job, ResultEntity result) {}

  /// {@return jobs of a program that searched and came to an end, newest first}
  @Query(
      """
      select new dev.espalier.tuner.persistence.ResultRepository$Finished(j, r)
      from JobEntity j join ResultEntity r on r.jobId = j.id
      where j.program = :program and j.result.clock is not null
        and j.state = dev.espalier.api.model.JobState.COMPLETED
        and j.policy <> 'fixed'
      order by j.position desc
      """)
  List<Finished> finished(String program, Limit limit);
}
