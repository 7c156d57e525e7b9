using System.Runtime.CompilerServices;
using Ldvc.Tensors;

namespace Ldvc.Kernels;

/// <summary>
/// The key of a <see cref="DropoutMask"/>: number Number - 1 of a stream of random bits, or with number 0 the stream's own bits. It is drawn where it
/// is used, so a launch names a stream and a number, which are the same at every step, and not a key, which is another one at each.
/// </summary>
/// <param name="Stream">The key of a <see cref="CounterRandom"/>.</param>
/// <param name="Number">0, or one more than its counter.</param>
/// <param name="Stored">
/// Whether a GPU finds the stream in the device's <see cref="StepState"/>, where it is the same, and so needs none in the launch.
/// </param>
internal readonly record struct DropoutKey(ulong Stream, ulong Number, bool Stored = false)
{
    /// <summary>The key itself.</summary>
    internal ulong Value => Of(Stream, Number);

    /// <summary>A key that is given.</summary>
    public static implicit operator DropoutKey(ulong key) => new(key, 0);

    /// <summary>The key that comes so many draws later.</summary>
    internal DropoutKey Later(int draws) => this with { Number = Number + (ulong)draws };

    /// <summary>The key of a stream and a number; the same on every device.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong Of(ulong stream, ulong number) => number == 0 ? stream : CounterRandom.Bits(stream, number);
}
