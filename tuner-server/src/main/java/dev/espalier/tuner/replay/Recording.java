package dev.espalier.tuner.replay;

import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.rest.JobSpec;
import dev.espalier.tuner.core.session.Decision;
import dev.espalier.tuner.core.session.SessionEvent;
import java.util.List;

/// All that a policy saw of a job, and all that it decided.
///
/// @param job id of the job
/// @param policyVersion of the policy that decided; 0 when it was not written down
/// @param program the descriptor of the job's program
/// @param events in the order the session took them
/// @param decisions in the order of the log
public record Recording(
    String job,
    int policyVersion,
    JobSpec spec,
    ProgramDescriptor program,
    List<SessionEvent> events,
    List<Decision> decisions) {
  public Recording {
    events = List.copyOf(events);
    decisions = List.copyOf(decisions);
  }
}
