using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Ldvc.Tensors;

namespace Ldvc.Autograd;

/// <summary>
/// What every operation asks of its arguments before it computes: kernels see addresses and sizes, and read or write foreign memory when these are
/// wrong. Each check names the operation, the argument, what it expects and what it got. Checks that pass allocate nothing.
/// </summary>
internal static class Guard
{
    /// <summary>Elements of an operand or a result: kernels index with 32 bits.</summary>
    internal const long MaxElements = int.MaxValue;

    /// <summary>
    /// x is alive, float32, on the tape's device and has fewer than 2^31 elements; returns its shape. A frozen weight in the order of the CPU's
    /// products is put in plain row-major order, and stays there.
    /// </summary>
    /// <exception cref="ArgumentException">It is of another type, on another device or too large.</exception>
    /// <exception cref="ObjectDisposedException">Its memory has been released.</exception>
    internal static Shape Floats(Tape tape, string op, [NotNull] Variable? x, [CallerArgumentExpression(nameof(x))] string name = "")
    {
        var value = Alive(tape, op, x, name);
        if (value.DType != DType.Float32)
        {
            throw Unfit(op, value, name, "float32");
        }

        InRows(x, value);
        return value.Shape;
    }

    /// <summary>As <see cref="Floats(Tape, string, Variable?, string)"/>, with as many dimensions as the form has, e.g. "[B, T, D]".</summary>
    internal static Shape Floats(
        Tape tape, string op, [NotNull] Variable? x, int rank, string form, [CallerArgumentExpression(nameof(x))] string name = "")
    {
        var shape = Floats(tape, op, x, name);
        return shape.Rank == rank ? shape : throw WrongRank(op, shape, form, name);
    }

    /// <summary>
    /// As <see cref="Floats(Tape, string, Variable?, string)"/>, and on a GPU with tensor cores it may be bf16 or fp16: the frozen vision tower is
    /// stored so.
    /// </summary>
    internal static Shape Stored(Tape tape, string op, [NotNull] Variable? x, [CallerArgumentExpression(nameof(x))] string name = "")
    {
        var value = Alive(tape, op, x, name);
        if (value.DType != DType.Float32 && !IsStored(tape, value.DType))
        {
            throw Unfit(op, value, name, Allowed(tape));
        }

        InRows(x, value);
        return value.Shape;
    }

    /// <summary>A product's weight [N, K]: as <see cref="Stored"/>, and it may be a frozen one in the order of the CPU's products.</summary>
    internal static Shape Weight(Tape tape, string op, [NotNull] Variable? x, [CallerArgumentExpression(nameof(x))] string name = "")
    {
        var value = Alive(tape, op, x, name);
        if (value.DType != DType.Float32 && !IsStored(tape, value.DType))
        {
            throw Unfit(op, value, name, Allowed(tape));
        }

        return value.Shape.Rank == 2 ? value.Shape : throw WrongRank(op, value.Shape, "[N, K]", name);
    }

    /// <summary>x is alive and on the tape's device, of any element type: for operations that move no values.</summary>
    internal static Shape Any(Tape tape, string op, [NotNull] Variable? x, [CallerArgumentExpression(nameof(x))] string name = "") =>
        Alive(tape, op, x, name).Shape;

    /// <summary>The element type of a result: float32, or bf16 or fp16 on a GPU with tensor cores.</summary>
    internal static void ResultType(Tape tape, string op, DType type, Shape shape, [CallerArgumentExpression(nameof(type))] string name = "")
    {
        if (type != DType.Float32 && !IsStored(tape, type))
        {
            throw new ArgumentException($"{op}: {name} must be {Allowed(tape)} on {tape.Device.Name}, got {type} ({shape})");
        }
    }

    /// <summary>A tensor that is no variable: alive, of one type, on the tape's device, with as many dimensions as the form has.</summary>
    internal static Shape Plain(
        Tape tape, string op, [NotNull] Tensor? x, DType type, int rank, string form, [CallerArgumentExpression(nameof(x))] string name = "")
    {
        if (x is null)
        {
            throw new ArgumentNullException(name, $"{op}: {name} is null");
        }

        if (x.IsDisposed)
        {
            throw Released(op, x, name);
        }

        if (x.DType != type)
        {
            throw Unfit(op, x, name, type.ToString());
        }

        CheckPlace(tape, op, x, name);
        return x.Shape.Rank == rank ? x.Shape : throw WrongRank(op, x.Shape, form, name);
    }

    /// <summary>Two arguments have one shape.</summary>
    internal static void Same(
        string op, Shape a, Shape b, [CallerArgumentExpression(nameof(a))] string nameA = "", [CallerArgumentExpression(nameof(b))] string nameB = "")
    {
        if (a != b)
        {
            throw new ArgumentException($"{op}: {nameA} and {nameB} must have one shape, got {a} and {b}");
        }
    }

    /// <summary>A dimension has the expected size.</summary>
    internal static void Size(
        string op, Shape shape, int dimension, int expected, string why, [CallerArgumentExpression(nameof(shape))] string name = "")
    {
        if (shape[dimension] != expected)
        {
            throw new ArgumentException($"{op}: dimension {dimension} of {name} must be {expected} ({why}), got {shape[dimension]} of {shape}");
        }
    }

    /// <summary>A dimension over which is summed or averaged has at least one element.</summary>
    internal static int NotEmpty(string op, Shape shape, int dimension, [CallerArgumentExpression(nameof(shape))] string name = "")
    {
        if (shape.Rank == 0)
        {
            throw new ArgumentException($"{op}: {name} must have at least 1 dimension, got {shape}");
        }

        int size = shape[dimension];
        return size > 0 ? size : throw new ArgumentException($"{op}: dimension {dimension} of {name} must have at least 1 element, got {shape}");
    }

    /// <summary>Number of innermost rows of a shape, which must not be empty.</summary>
    internal static int Rows(string op, Shape shape, [CallerArgumentExpression(nameof(shape))] string name = "") =>
        (int)(shape.Count / NotEmpty(op, shape, -1, name));

    /// <summary>start .. start + count lies in 0 .. length.</summary>
    internal static void Range(
        string op, int start, int count, int length, Shape shape,
        [CallerArgumentExpression(nameof(start))] string nameStart = "", [CallerArgumentExpression(nameof(count))] string nameCount = "")
    {
        if (start < 0 || count < 0 || start > length - count)
        {
            throw new ArgumentOutOfRangeException(null, $"{op}: expected {nameStart} and {nameCount} of at least 0 and {nameStart} + {nameCount} of "
                + $"at most {length}, got {nameStart}={start}, {nameCount}={count} ({shape})");
        }
    }

    /// <summary>An integer lies in low .. high, both included.</summary>
    internal static void Between(string op, int value, int low, int high, Shape shape, [CallerArgumentExpression(nameof(value))] string name = "")
    {
        if (value < low || value > high)
        {
            throw new ArgumentOutOfRangeException(null, $"{op}: {name} must be {low}..{high}, got {value} ({shape})");
        }
    }

    /// <summary>A width is a whole number of heads of at least one element.</summary>
    internal static void Heads(string op, int width, int heads, Shape shape)
    {
        if (heads < 1 || width < 1 || width % heads != 0)
        {
            throw new ArgumentException($"{op}: heads must be at least 1 and divide the width {width}, got heads={heads} ({shape})");
        }
    }

    /// <summary>A scalar is neither NaN nor infinite.</summary>
    internal static void Finite(string op, float value, Shape shape, [CallerArgumentExpression(nameof(value))] string name = "")
    {
        if (!float.IsFinite(value))
        {
            throw new ArgumentOutOfRangeException(null, $"{op}: {name} must be finite, got {value} ({shape})");
        }
    }

    /// <summary>A scalar is above 0 and finite.</summary>
    internal static void Positive(string op, float value, Shape shape, [CallerArgumentExpression(nameof(value))] string name = "")
    {
        if (!(value > 0) || !float.IsFinite(value))
        {
            throw new ArgumentOutOfRangeException(null, $"{op}: {name} must be above 0 and finite, got {value} ({shape})");
        }
    }

    /// <summary>A scalar is at least 0 and finite.</summary>
    internal static void NotNegative(string op, float value, Shape shape, [CallerArgumentExpression(nameof(value))] string name = "")
    {
        if (!(value >= 0) || !float.IsFinite(value))
        {
            throw new ArgumentOutOfRangeException(null, $"{op}: {name} must be at least 0 and finite, got {value} ({shape})");
        }
    }

    /// <summary>A value of an enumeration has a name.</summary>
    internal static void Defined<T>(string op, T value, Shape shape, [CallerArgumentExpression(nameof(value))] string name = "")
        where T : struct, Enum
    {
        if (!Enum.IsDefined(value))
        {
            throw new ArgumentOutOfRangeException(
                null, $"{op}: {name} must be one of {string.Join(", ", Enum.GetNames<T>())}, got {value} ({shape})");
        }
    }

    /// <summary>Sizes that the caller gives are those of a shape.</summary>
    internal static Shape Sizes(string op, ReadOnlySpan<int> sizes, Shape from, [CallerArgumentExpression(nameof(sizes))] string name = "")
    {
        if (sizes.Length <= Shape.MaxRank && Shape.TryCount(sizes, out _))
        {
            return new Shape(sizes);
        }

        string expected = $"at most {Shape.MaxRank} sizes of at least 0 that make fewer than 2^63 elements";
        throw new ArgumentException($"{op}: {name} must be {expected}, got [{string.Join(", ", sizes.ToArray())}] for {from}");
    }

    /// <summary>A share that is dropped: at least 0, below 1.</summary>
    internal static void Dropped(string op, float probability, Shape shape, [CallerArgumentExpression(nameof(probability))] string name = "")
    {
        if (!(probability >= 0 && probability < 1))
        {
            throw new ArgumentOutOfRangeException(null, $"{op}: {name} must be at least 0 and below 1, got {probability} ({shape})");
        }
    }

    /// <summary>Indices that come from the host lie in 0 .. count - 1.</summary>
    internal static void Indices(
        string op, ReadOnlySpan<int> indices, long count, Shape shape, [CallerArgumentExpression(nameof(indices))] string name = "")
    {
        for (int i = 0; i < indices.Length; i++)
        {
            if (indices[i] < 0 || indices[i] >= count)
            {
                throw new ArgumentOutOfRangeException(null, $"{op}: {name}[{i}] must be 0..{count - 1}, got {indices[i]} ({shape})");
            }
        }
    }

    /// <summary>
    /// Memory for a result, once its number of elements is known to be below 2^31; the tape's until the operation hands it over
    /// (<see cref="Tape.Rent(Shape, DType)"/>).
    /// </summary>
    internal static Tensor Result(Tape tape, string op, Shape shape, DType type = DType.Float32) => tape.Rent(Fits(op, shape), type);

    /// <summary>A result has fewer than 2^31 elements.</summary>
    internal static Shape Fits(string op, Shape shape) => shape.Count <= MaxElements
        ? shape
        : throw new ExtentException($"{op}: the result {shape} has {shape.Count} elements, expected fewer than 2^31");

    /// <summary>Two sizes along one dimension together.</summary>
    internal static int Sum(string op, int a, int b) =>
        (long)a + b <= int.MaxValue ? a + b : throw new ExtentException($"{op}: {a} + {b} elements along a dimension, expected fewer than 2^31");

    /// <summary>The product of two sizes as one size.</summary>
    internal static int Product(string op, int a, int b) =>
        (long)a * b is >= 0 and <= int.MaxValue
            ? a * b
            : throw new ExtentException($"{op}: {a} x {b} elements along a dimension, expected 0 to 2^31 - 1");

    private static Tensor Alive(Tape tape, string op, [NotNull] Variable? x, string name)
    {
        ArgumentNullException.ThrowIfNull(tape);
        if (x is null)
        {
            throw new ArgumentNullException(name, $"{op}: {name} is null");
        }

        // A new operation begins: what one before it made and could not hand over is nobody's.
        tape.FreeLoose();
        tape.Require(op, x);
        var value = x.Value;
        if (value.IsDisposed)
        {
            throw Released(op, value, name);
        }

        CheckPlace(tape, op, value, name);
        return value;
    }

    private static void CheckPlace(Tape tape, string op, Tensor value, string name)
    {
        if (value.Device != tape.Device)
        {
            throw new ArgumentException(
                $"{op}: {name} {value.Shape} is on {value.Device.Name}, but the tape's device is another, {tape.Device.Name}");
        }

        if (value.Count > MaxElements)
        {
            throw new ExtentException($"{op}: {name} {value.Shape} has {value.Count} elements, expected fewer than 2^31");
        }
    }

    // Other devices have no kernels for 16 bits; one that OpenCL cannot compile would spoil its context.
    private static bool IsStored(Tape tape, DType type) => type is DType.BFloat16 or DType.Float16 && tape.Device.HasTensorCores;

    private static string Allowed(Tape tape) => tape.Device.HasTensorCores ? "float32, bf16 or fp16" : "float32";

    private static ObjectDisposedException Released(string op, Tensor value, string name) =>
        new(name, $"{op}: {name} {value.Shape} was used after its memory was released");

    /// <summary>Puts a value in rows for good. What is trained is in rows; it may be frozen, and rearranged for products, later.</summary>
    internal static void InRows(Variable x, Tensor value)
    {
        if (x is not Parameter { Trainable: true } || value.InPanels)
        {
            value.StayInRows();
        }
    }

    private static ArgumentException Unfit(string op, Tensor value, string name, string expected) =>
        new($"{op}: {name} must be {expected}, got {value.DType} {value.Shape}");

    private static ArgumentException WrongRank(string op, Shape shape, string form, string name) =>
        new($"{op}: {name} must be {form}, got {shape}");
}
