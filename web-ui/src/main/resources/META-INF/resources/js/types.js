// The views of the REST interface, as dev.espalier.api.rest writes them. Types only.

/** @typedef {Record<string, number>} Setting value by tunable */

/**
 * @typedef {{id: string, name: string, program: string, policy: string, searcher: string,
 *     workers: number, seed: number, state: string, reason: string, message: string,
 *     waitingFor: string, stall: Stall | null, since: string, createTime: string, endTime: string | null,
 *     setting: Setting, mainlineBranch: number, mainlineClock: number, epoch: number, start: number,
 *     earlierEpochs: number, loss: number | null, metrics: Record<string, number>, round: number,
 *     tuningSeconds: number,
 *     trainingSeconds: number, evaluationSeconds: number, modelled: boolean, tuningShare: number, branches: number,
 *     generation: number, launch: string, version: number, events: number, createdBy: string,
 *     secondsLeft: number | null, result: Result | null, trail: Trail}} JobView
 */

/** @typedef {{since: string, reason: string}} Stall since when and why a job stands still */

/**
 * @typedef {{start: number, branch: number, clock: number, epoch: number,
 *     value: number | null}} Result a model, and where it lies
 */

/**
 * @typedef {{clocks: number, losses: (number | null)[], turns: number[], speed: number | null,
 *     firstSpeed: number | null}} Trail
 */

/**
 * @typedef {{branch: number, parent: number | null, kind: string, round: number,
 *     setting: Setting, state: string, start: number, forkClock: number, clocks: number, seconds: number,
 *     verdict: string | null, speed: number | null, slope: number | null, noise: number | null,
 *     windowMeans: (number | null)[], windowSeconds: number[],
 *     heldOutLoss: number | null, heldOutMetric: string | null,
 *     validation: BestValidation | null}} BranchView
 */

/**
 * @typedef {{metric: string, goal: string, best: number, epoch: number}} BestValidation the best
 *     result of a branch on the validation data
 */

/**
 * @typedef {{round: number, trigger: string, phase: string, parent: number, trials: number,
 *     maxTrials: number, trialSeconds: number, winner: number | null, outcome: string}} RoundView
 */

/**
 * @typedef {{sequence: number, key: string, rule: string, outcome: string, actor: string,
 *     round: number, evidence: Record<string, any>, time: string}} DecisionView
 */

/** @typedef {{fromClock: number, fromEpoch: number, branch: number, setting: Setting}} Step */

/** @typedef {{fromClock: number, untilClock: number}} Fall of a learning rate, linear, to zero */

/**
 * @typedef {{fromClock: number, setting: Setting, cooldown: Fall | null}} ResultStep
 */

/** @typedef {{start: number, clock: number, epoch: number, steps: ResultStep[]}} ResultView the path to the result */

/** @typedef {{job: string, steps: Step[], result: ResultView | null}} ScheduleView */

/**
 * @typedef {{start: number, branch: number | null, leads: boolean, mainlineClock: number,
 *     epoch: number, atSeconds: number, metrics: Record<string, number | null>}} EvaluationView
 */

/**
 * @typedef {{fromClock: number, toClock: number, seconds: number, min: number | null,
 *     max: number | null, mean: number | null, nonFinite: number}} Bucket
 */

/** @typedef {{branch: number, forkClock: number, buckets: Bucket[]}} SeriesView */

/** @typedef {Bucket & {branch: number}} MainlineBucket clocks are the mainline's */

/**
 * @typedef {{snapshot: number, branch: number, start: number, mainlineClock: number, epoch: number,
 *     setting: Setting, state: string, sizeBytes: number, pinned: boolean,
 *     createTime: string}} SnapshotView
 */

/** @typedef {{worker: number, attached: boolean, lastHeardTime: string | null, stall: string | null}} WorkerView */

/**
 * @typedef {{id: string, name: string, createTime: string, lastUseTime: string | null,
 *     revokeTime: string | null, token: string | null}} TokenView
 */

/**
 * @typedef {{job: JobView, branches: BranchView[], branchesLeftOut: number, rounds: RoundView[],
 *     roundsLeftOut: number, schedule: ScheduleView, evaluations: EvaluationView[],
 *     evaluationsLeftOut: number, decisions: DecisionView[], moreDecisions: boolean,
 *     snapshots: SnapshotView[], snapshotsLeftOut: number}} Snapshot the views of a job
 */

/** @typedef {{x: number, y: number, low: number, high: number}} Point a place on the axis and loss */

export {};
