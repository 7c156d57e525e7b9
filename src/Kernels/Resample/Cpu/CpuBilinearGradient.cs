
namespace Ldvc.Kernels.Resample.Cpu;

/// <summary>
/// Collects the gradient of a strip walked by <see cref="CpuBilinearBlocks"/>: kernels add to <see cref="Lower"/> and <see cref="Upper"/>, the
/// gradients of the two stretched rows, and each finished row is reduced into the input's gradient once.
/// </summary>
internal unsafe struct CpuBilinearGradient
{
    /// <summary>Floats of scratch.</summary>
    internal const int ScratchFloats = 2 * CpuBilinearBlocks.Strip;

    /// <summary>Gradient of <see cref="CpuBilinearBlocks.Lower"/>.</summary>
    internal float* Lower;

    /// <summary>Gradient of <see cref="CpuBilinearBlocks.Upper"/>.</summary>
    internal float* Upper;

    private readonly float* _plane;
    private readonly int _width;
    private int _first;
    private int _second;

    /// <summary>Starts a strip; plane is the input's gradient, added to, with rows of a width.</summary>
    internal CpuBilinearGradient(float* scratch, float* plane, int width)
    {
        Lower = scratch;
        Upper = scratch + CpuBilinearBlocks.Strip;
        _plane = plane;
        _width = width;
        new Span<float>(scratch, ScratchFloats).Clear();
    }

    /// <summary>Goes to the block that was just entered: whatever rows it does not touch are done.</summary>
    internal void Enter(in CpuBilinearBlocks blocks)
    {
        if (blocks.First != _first)
        {
            blocks.Reduce(Lower, _plane + ((long)_first * _width));
            new Span<float>(Lower, CpuBilinearBlocks.Strip).Clear();
            if (blocks.First == _second)
            {
                // As a rule the row below the old block is the row above the new one.
                float* swap = Lower;
                Lower = Upper;
                Upper = swap;
            }
            else
            {
                blocks.Reduce(Upper, _plane + ((long)_second * _width));
                new Span<float>(Upper, CpuBilinearBlocks.Strip).Clear();
            }
        }

        _first = blocks.First;
        _second = blocks.Second;
    }

    /// <summary>Ends the strip.</summary>
    internal readonly void Finish(in CpuBilinearBlocks blocks)
    {
        blocks.Reduce(Lower, _plane + ((long)_first * _width));
        blocks.Reduce(Upper, _plane + ((long)_second * _width));
    }
}
