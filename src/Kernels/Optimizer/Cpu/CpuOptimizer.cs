using Ldvc.Kernels.Simd;
using Ldvc.Tensors;

namespace Ldvc.Kernels.Optimizer.Cpu;

internal unsafe struct AdamWArguments
{
    public float* Weights;
    public float* Gradients;
    public float* First;
    public float* Second;
    public float Shrink;
    public float Beta1;
    public float Beta2;
    public float StepSize;
    public float InverseRootCorrection;
    public float Epsilon;
    public float GradientScale;
    public long Count;
    public int Tiles;
}

/// <summary>CPU dispatch of the optimiser.</summary>
internal sealed unsafe class CpuOptimizer(CpuThreads threads) : IOptimizerKernels
{
    public void AdamW(IReadOnlyList<AdamWTensor> tensors, in AdamWStep step, bool stored = false)
    {
        for (int i = 0; i < tensors.Count; i++)
        {
            Update(tensors[i], step);
        }
    }

    private void Update(in AdamWTensor tensor, in AdamWStep step)
    {
        var a = new AdamWArguments
        {
            Weights = tensor.Weights.Floats,
            Gradients = tensor.Gradients.Floats,
            First = tensor.First.Floats,
            Second = tensor.Second.Floats,
            Shrink = 1f - (step.LearningRate * tensor.WeightDecay),
            Beta1 = step.Beta1,
            Beta2 = step.Beta2,
            StepSize = step.StepSize,
            InverseRootCorrection = step.InverseRootCorrection,
            Epsilon = step.Epsilon,
            GradientScale = step.GradientScale,
            Count = tensor.Count,
            Tiles = Tiling.Count(tensor.Count, 1),
        };
        SimdDispatch.For<CpuAdamW, AdamWArguments>(threads, a.Tiles, &a);
    }
}
