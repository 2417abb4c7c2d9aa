/// What is kept in PostgreSQL: the logs of the jobs and what they came to, tokens and answers.
///
/// Jobs, rounds, branches and tokens are JPA entities; the log, decisions, stream, schedule,
/// evaluations and losses are written in bulk with SQL, in the same transaction.
@NullMarked
package dev.espalier.tuner.persistence;

import org.jspecify.annotations.NullMarked;
