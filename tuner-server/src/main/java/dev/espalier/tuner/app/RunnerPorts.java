package dev.espalier.tuner.app;

import dev.espalier.tuner.app.port.EventLog;
import dev.espalier.tuner.app.port.EventPublisher;
import dev.espalier.tuner.app.port.JobStore;
import dev.espalier.tuner.app.port.Stalls;
import dev.espalier.tuner.app.port.TunerMeters;
import dev.espalier.tuner.app.port.WorkerGateway;
import dev.espalier.tuner.app.port.WorkerLauncher;
import java.util.function.UnaryOperator;

/// All that runners need of the world.
///
/// @param checkpointFolder from a job's id to the folder of its checkpoints
public record RunnerPorts(
    JobStore jobs,
    EventLog log,
    EventPublisher publisher,
    WorkerGateway gateway,
    WorkerLauncher launcher,
    TunerMeters meters,
    Stalls stalls,
    WorkerLeases.Times leases,
    UnaryOperator<String> checkpointFolder) {}
