using Ldvc.Kernels.Resample;
using Ldvc.Kernels.Simd;

namespace Ldvc.Kernels.MaskLoss;

internal unsafe struct MaskLossArguments
{
    public MaskLossSizes Sizes;
    public float* Z;
    public byte* Labels;
    public float* Sums;
    public float* Dz;
    public bool Accumulate;
    public float FocalScale;
    public float DiceScale;
}

/// <summary>
/// Loss sums and gradient of one plane. The image is walked in strips of columns; in a strip, the logits' rows are stretched horizontally once
/// (h rows, not H), and all image rows between two of them are treated together, column vector by column vector: both stretched values stay in
/// registers and each pixel's logit is one fused multiply-add.
/// </summary>
internal static unsafe class CpuMaskLossPlane<S, V>
    where S : ISimd<V>
    where V : struct
{
    /// <summary>Columns treated together; a multiple of every vector width.</summary>
    private const int Strip = 128;

    /// <summary>Image rows treated together at most.</summary>
    private const int BlockRows = 16;

    /// <summary>The logit of columns beyond the image: sigmoid and loss vanish there, so that only whole vectors are needed.</summary>
    private const float Outside = -60f;

    internal static void Forward(MaskLossArguments* a, int tile, int worker)
    {
        var sizes = a->Sizes;
        Block block = default;
        float* scratch = stackalloc float[Block.Floats];
        block.Attach(scratch, a, tile);
        double positive = 0, probability = 0, focal = 0;
        long positives = 0;
        for (int start = 0; start < sizes.ImageWidth; start += Strip)
        {
            block.StartStrip(start);
            while (block.NextRows())
            {
                int count = block.FindPositives();
                V focals = S.Zero, probabilities = S.Zero, hits = S.Zero;
                if (count == 0)
                {
                    CpuMaskLossMath<S, V>.SumNegatives(block.Lower, block.Upper, block.Vectors, block.Weights, block.Rows, ref focals, ref probabilities);
                    focal += (1.0 - sizes.Alpha) * S.Sum(focals);
                }
                else
                {
                    CpuMaskLossMath<S, V>.SumMixed(
                        block.Lower, block.Upper, block.Vectors, block.Weights, block.Rows, block.Signs, Strip, sizes.Alpha, ref focals, ref probabilities, ref hits);
                    focal += S.Sum(focals);
                    positive += S.Sum(hits);
                    positives += count;
                }

                probability += S.Sum(probabilities);
            }
        }

        float* sums = a->Sums + (4L * tile);
        sums[0] = (float)positive;
        sums[1] = (float)probability;
        sums[2] = positives;
        sums[3] = (float)focal;
    }

    internal static void Backward(MaskLossArguments* a, int tile, int worker)
    {
        var sizes = a->Sizes;
        Block block = default;
        float* scratch = stackalloc float[Block.Floats];
        block.Attach(scratch, a, tile);
        float* gradient = stackalloc float[2 * Strip];
        float* lower = gradient;
        float* upper = gradient + Strip;
        float* dz = a->Dz + ((long)tile * sizes.Height * sizes.Width);
        if (!a->Accumulate)
        {
            new Span<float>(dz, sizes.Height * sizes.Width).Clear();
        }

        var slopes = MaskLossSlopes.Of(a, tile);
        for (int start = 0; start < sizes.ImageWidth; start += Strip)
        {
            block.StartStrip(start);
            new Span<float>(gradient, 2 * Strip).Clear();
            int first = 0, second = 0;
            while (block.NextRows())
            {
                if (block.First != first)
                {
                    // The rows above are done. Their lower neighbour is, as a rule, the upper neighbour of the rows that follow.
                    block.Reduce(lower, dz + ((long)first * sizes.Width));
                    if (block.First != second)
                    {
                        block.Reduce(upper, dz + ((long)second * sizes.Width));
                    }

                    float* done = lower;
                    lower = upper;
                    upper = done;
                    new Span<float>(upper, Strip).Clear();
                    if (block.First != second)
                    {
                        new Span<float>(lower, Strip).Clear();
                    }
                }

                first = block.First;
                second = block.Second;
                bool mixed = slopes.Present && block.FindPositives() > 0;
                if (mixed)
                {
                    CpuMaskLossMath<S, V>.SlopesMixed(block.Lower, block.Upper, block.Vectors, block.Weights, block.Rows, block.Signs, Strip, in slopes, lower, upper);
                }
                else
                {
                    CpuMaskLossMath<S, V>.SlopesNegatives(block.Lower, block.Upper, block.Vectors, block.Weights, block.Rows, in slopes, lower, upper);
                }
            }

            block.Reduce(lower, dz + ((long)first * sizes.Width));
            block.Reduce(upper, dz + ((long)second * sizes.Width));
        }
    }

    /// <summary>Walks the plane block by block: which rows, their weights, the stretched logits above and below them, the labels' signs.</summary>
    private struct Block
    {
        /// <summary>Scratch floats: two stretched rows, column weights and indices, row weights, signs.</summary>
        internal const int Floats = (5 * Strip) + BlockRows + (BlockRows * Strip);

        internal float* Lower;
        internal float* Upper;
        internal float* Weights;
        internal float* Signs;
        internal int First;
        internal int Second;
        internal int Rows;
        internal int Vectors;
        private float* _columnWeights;
        private int* _columns;
        private int* _nextColumns;
        private MaskLossArguments* _a;
        private float* _z;
        private byte* _labels;
        private CpuBilinearAxis _vertical;
        private byte _class;
        private int _start;
        private int _count;
        private int _row;
        private int _lowerRow;
        private int _upperRow;

        internal void Attach(float* scratch, MaskLossArguments* a, int plane)
        {
            Lower = scratch;
            Upper = Lower + Strip;
            _columnWeights = Upper + Strip;
            _columns = (int*)(_columnWeights + Strip);
            _nextColumns = _columns + Strip;
            Weights = (float*)(_nextColumns + Strip);
            Signs = Weights + BlockRows;
            var sizes = a->Sizes;
            _a = a;
            _z = a->Z + ((long)plane * sizes.Height * sizes.Width);
            _labels = a->Labels + ((long)(plane / sizes.Classes) * sizes.ImageHeight * sizes.ImageWidth);
            _class = (byte)(plane % sizes.Classes);
            _vertical = new CpuBilinearAxis(sizes.Height, sizes.ImageHeight);
        }

        internal void StartStrip(int start)
        {
            _start = start;
            _count = Math.Min(Strip, _a->Sizes.ImageWidth - start);
            Vectors = (_count + S.Count - 1) / S.Count * S.Count;
            var axis = new CpuBilinearAxis(_a->Sizes.Width, _a->Sizes.ImageWidth);
            for (int i = 0; i < _count; i++)
            {
                axis.At(start + i, out _columns[i], out _nextColumns[i], out _columnWeights[i]);
            }

            _row = 0;
            Rows = 0;
            _lowerRow = -1;
            _upperRow = -1;
            new Span<float>(Lower, Strip).Fill(Outside);
            new Span<float>(Upper, Strip).Fill(Outside);
        }

        /// <summary>Moves to the next rows that lie between the same two rows of logits; false at the end of the strip.</summary>
        internal bool NextRows()
        {
            _row += Rows;
            Rows = 0;
            int height = _a->Sizes.ImageHeight;
            while (Rows < BlockRows && _row + Rows < height)
            {
                _vertical.At(_row + Rows, out int first, out int second, out float weight);
                if (Rows > 0 && first != First)
                {
                    break;
                }

                First = first;
                Second = second;
                Weights[Rows++] = weight;
            }

            if (Rows == 0)
            {
                return false;
            }

            if (First == _upperRow && First != _lowerRow)
            {
                float* swap = Lower;
                Lower = Upper;
                Upper = swap;
                (_lowerRow, _upperRow) = (_upperRow, _lowerRow);
            }

            Stretch(Lower, First, ref _lowerRow);
            Stretch(Upper, Second, ref _upperRow);
            return true;
        }

        /// <summary>Number of pixels of the class in the block; where there are any, <see cref="Signs"/> is filled.</summary>
        internal int FindPositives()
        {
            int stride = _a->Sizes.ImageWidth;
            byte* labels = _labels + ((long)_row * stride) + _start;
            if (!CpuLabelMask.Contains(labels, stride, Rows, _count, _class))
            {
                return 0;
            }

            int positives = 0;
            for (int row = 0; row < Rows; row++, labels += stride)
            {
                float* signs = Signs + (row * Strip);
                positives += CpuLabelMask.Signs(labels, _count, _class, signs);
                new Span<float>(signs + _count, Vectors - _count).Fill(1f);
            }

            return positives;
        }

        /// <summary>Transposed stretch: adds a row of image columns to the logits' columns they were interpolated from, and leaves it as it is.</summary>
        internal readonly void Reduce(float* values, float* target)
        {
            int i = 0;
            while (i < _count)
            {
                int first = _columns[i], second = _nextColumns[i];
                float sum = 0, weighted = 0;
                for (; i < _count && _columns[i] == first; i++)
                {
                    sum += values[i];
                    weighted += values[i] * _columnWeights[i];
                }

                target[first] += sum - weighted;
                target[second] += weighted;
            }
        }

        private readonly void Stretch(float* target, int row, ref int known)
        {
            if (known == row)
            {
                return;
            }

            known = row;
            float* z = _z + ((long)row * _a->Sizes.Width);
            for (int i = 0; i < _count; i++)
            {
                float left = z[_columns[i]];
                target[i] = left + (_columnWeights[i] * (z[_nextColumns[i]] - left));
            }
        }
    }
}
