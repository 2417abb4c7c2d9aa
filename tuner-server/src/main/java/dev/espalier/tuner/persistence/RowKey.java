package dev.espalier.tuner.persistence;

import java.io.Serializable;

/// A row that has a number in its job.
record RowKey(String jobId, int number) implements Serializable {}
