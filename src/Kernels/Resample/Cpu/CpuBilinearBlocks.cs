using System.Runtime.Intrinsics;

namespace Ldvc.Kernels.Resample.Cpu;

/// <summary>
/// Walks the output of a bilinear resize in blocks without storing it. The output is cut into strips of columns; in a strip, rows of the input are
/// stretched horizontally once each, and all output rows that lie between the same two of them form a block: output (row, column) is
/// Lower[column] + Weights[row] * (Upper[column] - Lower[column]). Kernels loop over blocks with vectors along the columns. The struct points into
/// scratch memory of its user and holds nothing to free.
/// </summary>
internal unsafe struct CpuBilinearBlocks
{
    /// <summary>Columns of a strip; a multiple of every vector width.</summary>
    internal const int Strip = ResamplePlan.CpuStrip;

    /// <summary>Rows of a block at most.</summary>
    internal const int BlockRows = ResamplePlan.CpuBlockRows;

    /// <summary>Floats of scratch: two stretched rows, column weights, two column indices and their offsets in a group, row weights.</summary>
    internal const int ScratchFloats = (6 * Strip) + BlockRows;

    /// <summary>Columns that are stretched together.</summary>
    private const int Group = ResamplePlan.CpuStretched;

    /// <summary>
    /// The input row above the block, stretched; columns from <see cref="Columns"/> on hold the value for columns outside the output.
    /// </summary>
    internal float* Lower;

    /// <summary>The input row below the block, stretched likewise.</summary>
    internal float* Upper;

    /// <summary>Weight of <see cref="Upper"/> for each row of the block.</summary>
    internal float* Weights;

    /// <summary>First column of the strip.</summary>
    internal int Start;

    /// <summary>Columns of the strip that exist.</summary>
    internal int Columns;

    /// <summary>First row of the block.</summary>
    internal int Row;

    /// <summary>Rows of the block.</summary>
    internal int Rows;

    /// <summary>Input row of <see cref="Lower"/>.</summary>
    internal int First;

    /// <summary>Input row of <see cref="Upper"/>; the same as <see cref="First"/> below the last one.</summary>
    internal int Second;

    private readonly CpuBilinearAxis _vertical;
    private readonly CpuBilinearAxis _horizontal;
    private readonly float* _columnWeights;
    private readonly int* _left;
    private readonly int* _right;
    private readonly int* _offsets;
    private readonly int _inputWidth;
    private readonly int _outputWidth;
    private uint _groups;
    private uint _wideGroups;
    private float* _input;
    private float* _scale;
    private int _endRow;
    private int _stride;
    private int _lowerRow;
    private int _upperRow;

    /// <summary>Prepares walks over planes of one size; scratch holds <see cref="ScratchFloats"/>.</summary>
    internal CpuBilinearBlocks(float* scratch, int inputHeight, int inputWidth, int outputHeight, int outputWidth)
    {
        Lower = scratch;
        Upper = Lower + Strip;
        _columnWeights = Upper + Strip;
        _left = (int*)(_columnWeights + Strip);
        _right = _left + Strip;
        _offsets = _right + Strip;
        Weights = (float*)(_offsets + Strip);
        _vertical = new CpuBilinearAxis(inputHeight, outputHeight);
        _horizontal = new CpuBilinearAxis(inputWidth, outputWidth);
        _inputWidth = inputWidth;
        _outputWidth = outputWidth;
    }

    /// <summary>Goes to the strip that starts at a column.</summary>
    internal void StartStrip(int start)
    {
        Start = start;
        Columns = Math.Min(Strip, _outputWidth - start);
        for (int i = 0; i < Columns; i++)
        {
            _horizontal.At(start + i, out _left[i], out _right[i], out _columnWeights[i]);
        }

        // When enlarging, eight neighbouring outputs need at most nine neighbouring inputs: two loads and permutations instead of sixteen loads. Down
        // to half the size, seventeen do. Not so near the right edge, where the second load would leave the row.
        _groups = 0;
        _wideGroups = 0;
        for (int i = 0; Vector256.IsHardwareAccelerated && i + Group <= Columns; i += Group)
        {
            for (int lane = 0; lane < Group; lane++)
            {
                _offsets[i + lane] = _left[i + lane] - _left[i];
            }

            int last = _offsets[i + Group - 1], room = _inputWidth - _left[i] - 1;
            _groups |= last < Group && room >= Group ? 1u << (i / Group) : 0;
            _wideGroups |= last is >= Group and < 2 * Group && room >= 2 * Group ? 1u << (i / Group) : 0;
        }
    }

    /// <summary>
    /// Goes to the rows firstRow..endRow-1 of the strip in the output of one input plane. Input values are multiplied by those of scale, a plane of
    /// the same size, unless it is null. A stride other than the width serves planes of which only a part exists.
    /// </summary>
    internal void StartPlane(float* input, int firstRow, int endRow, float outside = 0, float* scale = null, int stride = 0)
    {
        _input = input;
        _stride = stride == 0 ? _inputWidth : stride;
        _scale = scale;
        _endRow = endRow;
        _lowerRow = -1;
        _upperRow = -1;
        Row = firstRow;
        Rows = 0;
        new Span<float>(Lower + Columns, Strip - Columns).Fill(outside);
        new Span<float>(Upper + Columns, Strip - Columns).Fill(outside);
    }

    /// <summary>Goes to the next block of the strip; false at its end.</summary>
    internal bool NextRows()
    {
        Row += Rows;
        Rows = 0;
        while (Rows < BlockRows && Row + Rows < _endRow)
        {
            _vertical.At(Row + Rows, out int first, out int second, out float weight);
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

    /// <summary>Transposed stretch: adds values of the strip's columns to the columns of an input row that they are interpolated from.</summary>
    internal readonly void Reduce(float* values, float* target)
    {
        int i = 0;
        while (i < Columns)
        {
            int left = _left[i], right = _right[i];
            float sum = 0, weighted = 0;
            for (; i < Columns && _left[i] == left; i++)
            {
                sum += values[i];
                weighted += values[i] * _columnWeights[i];
            }

            target[left] += sum - weighted;
            target[right] += weighted;
        }
    }

    private readonly void Stretch(float* target, int row, ref int known)
    {
        if (known == row)
        {
            return;
        }

        known = row;
        float* input = _input + ((long)row * _stride);
        float* scale = _scale == null ? null : _scale + ((long)row * _stride);
        for (int i = 0; i < Columns; i += Group)
        {
            if (((_groups | _wideGroups) >> (i / Group) & 1) != 0)
            {
                StretchGroup(target, input, scale, i, (_wideGroups >> (i / Group) & 1) != 0);
                continue;
            }

            for (int column = i; column < Math.Min(i + Group, Columns); column++)
            {
                float left = input[_left[column]], right = input[_right[column]];
                if (scale != null)
                {
                    left *= scale[_left[column]];
                    right *= scale[_right[column]];
                }

                target[column] = left + (_columnWeights[column] * (right - left));
            }
        }
    }

    private readonly void StretchGroup(float* target, float* input, float* scale, int start, bool wide)
    {
        int position = _left[start];
        var offsets = Vector256.Load(_offsets + start);
        var inner = offsets & Vector256.Create(Group - 1);
        var left = Vector256.ShuffleNative(Scaled(input, scale, position), inner);
        var right = Vector256.ShuffleNative(Scaled(input, scale, position + 1), inner);
        if (wide)
        {
            var near = Vector256.LessThan(offsets, Vector256.Create(Group)).AsSingle();
            left = Vector256.ConditionalSelect(near, left, Vector256.ShuffleNative(Scaled(input, scale, position + Group), inner));
            right = Vector256.ConditionalSelect(near, right, Vector256.ShuffleNative(Scaled(input, scale, position + 1 + Group), inner));
        }

        (left + (Vector256.Load(_columnWeights + start) * (right - left))).Store(target + start);
    }

    private static Vector256<float> Scaled(float* input, float* scale, int position)
    {
        var values = Vector256.Load(input + position);
        return scale == null ? values : values * Vector256.Load(scale + position);
    }
}
