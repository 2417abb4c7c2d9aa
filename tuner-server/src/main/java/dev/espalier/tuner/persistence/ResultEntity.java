package dev.espalier.tuner.persistence;

import dev.espalier.tuner.core.session.SessionEffect;
import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import org.hibernate.annotations.ColumnTransformer;

/// The row of a job's result.
@Entity
@Table(name = "job_result")
class ResultEntity {
  @Id
  @Column(name = "job_id")
  String jobId;

  @Column(name = "branch")
  int branch;

  @Column(name = "start_number")
  int start;

  @Column(name = "mainline_clock")
  long mainlineClock;

  @Column(name = "epoch")
  double epoch;

  @Column(name = "value")
  double value;

  @Column(name = "path")
  @ColumnTransformer(write = "?::json")
  String path;

  /// For JPA only.
  @SuppressWarnings("NullAway.Init")
  protected ResultEntity() {}

  ResultEntity(String jobId, int start, SessionEffect.ResultChanged change, DocumentCodec codec) {
    this.jobId = jobId;
    path = "[]";
    change(start, change, codec);
  }

  final void change(int start, SessionEffect.ResultChanged change, DocumentCodec codec) {
    this.start = start;
    branch = change.branch().number();
    mainlineClock = change.mainlineClock();
    epoch = change.epoch();
    value = change.value();
    path = codec.writePath(change.path());
  }
}
