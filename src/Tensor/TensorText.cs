using System.Globalization;
using System.Text;

namespace Ldvc.Tensors;

/// <summary>A tensor's values as text, laid out as NumPy and PyTorch do.</summary>
internal sealed class TensorText
{
    private const int LineLength = 100;
    private const int Edge = 3;

    private readonly Shape _shape;
    private readonly Func<long, double> _value;

    // Beyond 2^53 a double is not every integer.
    private readonly long[]? _long;
    private readonly bool _summarised;
    private readonly string _format;
    private readonly int _width;
    private readonly StringBuilder _text = new();

    internal TensorText(Tensor tensor, int digits, int maxElements)
    {
        _shape = tensor.Shape;
        _long = tensor.DType == DType.Int64 ? tensor.ToArray<long>() : null;
        _value = _long is not null ? i => _long[i] : Read(tensor);
        _summarised = tensor.Count > maxElements;
        List<long> shown = [];
        Collect(0, 0, shown);
        bool integers = tensor.DType is DType.Int64 or DType.Int32 or DType.Int16 or DType.Int8 or DType.UInt8 or DType.Bool;
        _format = integers ? "0" : Choose(shown.ConvertAll(i => _value(i)), digits);
        _width = shown.Count == 0 ? 0 : shown.Max(i => Number(i).Length);
    }

    /// <inheritdoc/>
    public override string ToString()
    {
        _text.Clear();
        Write(0, 0);
        return _text.ToString();
    }

    // The values as they are stored: those that are not shown are not converted.
    private static Func<long, double> Read(Tensor tensor) => tensor.DType switch
    {
        DType.Float32 => Of<float>(tensor, v => v),
        DType.Float64 => Of<double>(tensor, v => v),
        DType.BFloat16 => Of<ushort>(tensor, bits => HalfConversion.BFloat16ToSingle(bits)),
        DType.Float16 => Of<ushort>(tensor, bits => HalfConversion.Float16ToSingle(bits)),
        DType.Int32 => Of<int>(tensor, v => v),
        DType.Int16 => Of<short>(tensor, v => v),
        DType.Int8 => Of<sbyte>(tensor, v => v),
        _ => Of<byte>(tensor, v => v),
    };

    private static Func<long, double> Of<T>(Tensor tensor, Converter<T, double> convert)
        where T : unmanaged
    {
        T[] values = tensor.ToArray<T>();
        return i => convert(values[i]);
    }

    // PyTorch's rule: whole numbers as "3.", others with so many digits, and powers of ten where those would hide digits or grow long.
    private static string Choose(List<double> shown, int digits)
    {
        double[] sizes = [.. shown.Where(v => double.IsFinite(v) && v != 0).Select(Math.Abs)];
        double largest = sizes.DefaultIfEmpty(1).Max(), smallest = sizes.DefaultIfEmpty(1).Min();
        string point = digits == 0 ? "0" : "0." + new string('0', digits);
        if (sizes.All(v => v == Math.Floor(v)))
        {
            return largest < 1e8 ? "0'.'" : point + "e+00";
        }

        return largest / smallest > 1000 || largest > 1e8 || smallest < 1e-4 ? point + "e+00" : point;
    }

    private string Number(long index) => _long is null ? Number(_value(index)) : _long[index].ToString(CultureInfo.InvariantCulture);

    private string Number(double value) => double.IsNaN(value) ? "nan"
        : double.IsInfinity(value) ? value > 0 ? "inf" : "-inf"
        : value.ToString(_format, CultureInfo.InvariantCulture);

    // Positions along a dimension that are shown; -1 stands for the dots.
    private IEnumerable<int> Shown(int dimension)
    {
        int size = _shape[dimension];
        for (int i = 0; i < size; i++)
        {
            if (_summarised && size > 2 * Edge && i == Edge)
            {
                yield return -1;
                i = size - Edge;
            }

            yield return i;
        }
    }

    private void Collect(int dimension, long index, List<long> shown)
    {
        if (dimension == _shape.Rank)
        {
            shown.Add(index);
            return;
        }

        foreach (int i in Shown(dimension))
        {
            if (i >= 0)
            {
                Collect(dimension + 1, (index * _shape[dimension]) + i, shown);
            }
        }
    }

    private void Write(int dimension, long index)
    {
        if (dimension == _shape.Rank)
        {
            _text.Append(Number(index).PadLeft(_width));
            return;
        }

        _text.Append('[');
        bool row = dimension == _shape.Rank - 1, first = true;
        int column = dimension + 1;
        foreach (int i in Shown(dimension))
        {
            int length = i < 0 ? 3 : _width;
            if (!first)
            {
                _text.Append(',');
                bool wraps = !row || column + length + 3 > LineLength;
                if (wraps)
                {
                    // A blank line more for every dimension above rows sets matrices apart.
                    _text.Append('\n', Math.Max(1, _shape.Rank - 1 - dimension)).Append(' ', dimension + 1);
                    column = dimension + 1;
                }
                else
                {
                    _text.Append(' ');
                    column += 2;
                }
            }

            first = false;
            column += length;
            if (i < 0)
            {
                _text.Append("...");
            }
            else
            {
                Write(dimension + 1, (index * _shape[dimension]) + i);
            }
        }

        _text.Append(']');
    }
}
