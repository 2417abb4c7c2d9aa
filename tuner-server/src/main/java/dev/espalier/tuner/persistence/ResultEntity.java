package dev.espalier.tuner.persistence;

import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import org.hibernate.annotations.ColumnTransformer;

/// The row of what leads to a job's result.
@Entity
@Table(name = "job_result")
class ResultEntity {
  @Id
  @Column(name = "job_id")
  String jobId;

  @Column(name = "path")
  @ColumnTransformer(write = "?::json")
  String path;

  /// For JPA only.
  @SuppressWarnings("NullAway.Init")
  protected ResultEntity() {}

  ResultEntity(String jobId) {
    this.jobId = jobId;
    path = "[]";
  }
}
