using Ldvc.Tensors;

namespace Ldvc.Kernels.Optimizer;

/// <summary>One AdamW step's numbers, in PyTorch's formulation.</summary>
/// <param name="LearningRate">Current learning rate.</param>
/// <param name="Beta1">Decay of the first moment.</param>
/// <param name="Beta2">Decay of the second moment.</param>
/// <param name="Epsilon">Added to the root of the second moment.</param>
/// <param name="WeightDecay">Decoupled: weights shrink by LearningRate * WeightDecay first.</param>
/// <param name="Step">1 for the first step: bias correction.</param>
/// <param name="GradientScale">Gradients are multiplied by this first (1 / accumulation steps, clipping).</param>
internal readonly record struct AdamWStep(float LearningRate, float Beta1, float Beta2, float Epsilon, float WeightDecay, long Step, float GradientScale);

/// <summary>Parameter updates.</summary>
internal interface IOptimizerKernels
{
    /// <summary>Updates weights and both moments in place.</summary>
    void AdamW(View weights, View gradients, View first, View second, long count, in AdamWStep step);
}
