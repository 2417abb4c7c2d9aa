/// The life of a job, the same for every policy, and the contract of the course that policies
/// differ in.
@NullMarked
package dev.espalier.tuner.core.policy.job;

import org.jspecify.annotations.NullMarked;
