package dev.espalier.ps.kernel;

/// The numbers of one Adam or AdamW step.
///
/// @param learningRate step size `lr`
/// @param beta1 decay of the first moment
/// @param beta2 decay of the second moment
/// @param epsilon added to the root of the second moment
/// @param factor1 of the first moment, which began at zero: `1 / (1 - beta1^t)`
/// @param factor2 of the second moment: `1 / (1 - beta2^t)`
/// @param weightDecay decoupled weight decay, 0 for Adam
public record AdamStep(
    float learningRate,
    float beta1,
    float beta2,
    float epsilon,
    float factor1,
    float factor2,
    float weightDecay) {}
