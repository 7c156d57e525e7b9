using Ldvc.Tensors;

namespace Ldvc.Kernels.Optimizer;

/// <summary>One AdamW step's numbers, in PyTorch's formulation.</summary>
/// <param name="LearningRate">Current learning rate.</param>
/// <param name="Beta1">Decay of the first moment.</param>
/// <param name="Beta2">Decay of the second moment.</param>
/// <param name="Epsilon">Added to the root of the second moment.</param>
/// <param name="Step">1 for the first step: bias correction.</param>
/// <param name="GradientScale">Gradients are multiplied by this first (1 / accumulation steps, clipping).</param>
internal readonly record struct AdamWStep(float LearningRate, float Beta1, float Beta2, float Epsilon, long Step, float GradientScale)
{
    /// <summary>The learning rate with the first moment's bias correction.</summary>
    internal float StepSize => (float)(LearningRate / (1 - Math.Pow(Beta1, Step)));

    /// <summary>The bias correction of the second moment's root.</summary>
    internal float InverseRootCorrection => (float)(1 / Math.Sqrt(1 - Math.Pow(Beta2, Step)));
}

/// <summary>A parameter of a step.</summary>
/// <param name="Weights">Updated in place.</param>
/// <param name="Gradients">Read.</param>
/// <param name="First">First moment, updated in place.</param>
/// <param name="Second">Second moment, updated in place.</param>
/// <param name="Count">Elements.</param>
/// <param name="WeightDecay">Decoupled: weights shrink by LearningRate * WeightDecay first.</param>
internal readonly record struct AdamWTensor(View Weights, View Gradients, View First, View Second, long Count, float WeightDecay);

/// <summary>Parameter updates.</summary>
internal interface IOptimizerKernels
{
    /// <summary>
    /// Updates the weights and both moments of many parameters in place. When stored, a GPU takes what changes from step to step from its
    /// <see cref="StepState"/>, and gradients times the clip there; else the clip is 1.
    /// </summary>
    void AdamW(IReadOnlyList<AdamWTensor> tensors, in AdamWStep step, bool stored = false);
}
