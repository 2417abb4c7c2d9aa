/// What a session works with: the branches of a job, its checkpoints and seconds, and the words and
/// evidence of its decisions.
@NullMarked
package dev.espalier.tuner.core.policy.board;

import org.jspecify.annotations.NullMarked;
