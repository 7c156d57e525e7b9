using System.Runtime.CompilerServices;

namespace Ldvc.Kernels.Resample.Cpu;

/// <summary>
/// Where the samples of one axis lie when it is resized with half-pixel centres and edge clamping (align_corners=false): output o is
/// (1 - weight) * input[first] + weight * input[second]. Positions are computed in single precision, as PyTorch does.
/// </summary>
internal readonly struct CpuBilinearAxis(int input, int output)
{
    private readonly float _scale = (float)input / output;

    /// <summary>Neighbours and weight of an output position; first never decreases with the position.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void At(int position, out int first, out int second, out float weight)
    {
        float source = MathF.Max((_scale * (position + 0.5f)) - 0.5f, 0f);
        first = Math.Min((int)source, input - 1);
        second = Math.Min(first + 1, input - 1);
        weight = Math.Clamp(source - first, 0f, 1f);
    }
}
