using System.Runtime.CompilerServices;
using ILGPU;
using Ldvc.Tensors.Gpu;

namespace Ldvc.Kernels.Gpu;

/// <summary>A <see cref="DropoutKey"/> as a kernel gets it.</summary>
internal readonly struct GpuDropoutKey
{
    /// <summary>The device's <see cref="StepState"/>, or any memory.</summary>
    internal ArrayView<int> State { get; init; }

    /// <summary>1 when the stream is in the state.</summary>
    internal int Stored { get; init; }

    internal ulong Stream { get; init; }

    internal ulong Number { get; init; }

    /// <summary>A key for a kernel.</summary>
    /// <param name="launcher">The device's.</param>
    /// <param name="key">The key.</param>
    internal static GpuDropoutKey Of(GpuLauncher launcher, DropoutKey key) => new()
    {
        State = launcher.State.View.GpuInts,
        Stored = key.Stored ? 1 : 0,
        Stream = key.Stored ? 0 : key.Stream,
        Number = key.Number,
    };

    /// <summary>What a kernel gets that drops nothing: some memory, since every view must be valid.</summary>
    internal static GpuDropoutKey None(ArrayView<int> any) => new() { State = any };

    /// <summary>In a kernel: the key that comes so many draws later.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong Draw(GpuDropoutKey key, int later)
    {
        ulong stream = key.Stream;
        if (key.Stored != 0)
        {
            stream = (uint)key.State[StepState.StreamLow] | ((ulong)(uint)key.State[StepState.StreamHigh] << 32);
        }

        return DropoutKey.Of(stream, key.Number + (ulong)later);
    }
}
