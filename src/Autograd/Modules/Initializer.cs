using Ldvc.Tensors;

namespace Ldvc.Autograd.Modules;

/// <summary>Initial values of parameters, from one seeded stream in order of construction.</summary>
public sealed class Initializer
{
    // Drawn values stay numbers of float32: no normal one is farther out than nine times its standard deviation.
    private const double Largest = 1e37;

    private readonly bool _zeros;
    private CounterRandom _random;

    /// <summary>Starts a stream of initial values.</summary>
    public Initializer(Device device, ulong seed)
        : this(device, seed, zeros: false)
    {
    }

    private Initializer(Device device, ulong seed, bool zeros)
    {
        ArgumentNullException.ThrowIfNull(device);
        Device = device;
        _zeros = zeros;
        _random = new CounterRandom(seed, 0x1A17);
    }

    /// <summary>
    /// Zeros everywhere, for a model whose values are read from a file next: millions of random numbers take longer than reading as many.
    /// </summary>
    internal static Initializer ForLoading(Device device) => new(device, seed: 0, zeros: true);

    /// <summary>Where the parameters will live.</summary>
    public Device Device { get; }

    /// <summary>Uniform in [-bound, bound).</summary>
    /// <exception cref="ArgumentOutOfRangeException">The bound is negative, NaN or above 1e37.</exception>
    public Parameter Uniform(Shape shape, double bound)
    {
        Check("uniform", nameof(bound), bound, shape);
        if (_zeros)
        {
            return new Parameter(Device.Zeros(shape));
        }

        float[] values = Room("uniform", shape);
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = (float)_random.NextDouble(-bound, bound);
        }

        return new Parameter(Device.FromHost(values, shape));
    }

    /// <summary>Normal with mean 0.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The standard deviation is negative, NaN or above 1e37.</exception>
    public Parameter Normal(Shape shape, double std)
    {
        Check("normal", nameof(std), std, shape);
        if (_zeros)
        {
            return new Parameter(Device.Zeros(shape));
        }

        float[] values = Room("normal", shape);
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = (float)(std * _random.NextNormal());
        }

        return new Parameter(Device.FromHost(values, shape));
    }

    /// <summary>One value everywhere.</summary>
    public Parameter Constant(Shape shape, float value)
    {
        if (_zeros)
        {
            return new Parameter(Device.Zeros(shape));
        }

        float[] values = Room("constant", shape);
        Array.Fill(values, value);
        return new Parameter(Device.FromHost(values, shape));
    }

    // A layer without inputs would start as NaN: its bound is 1 / sqrt(0).
    private static void Check(string method, string name, double value, Shape shape)
    {
        if (!(value >= 0 && value <= Largest))
        {
            throw new ArgumentOutOfRangeException(name, $"{method}: {name} must be 0 to {Largest:g1}, got {value} (parameter {shape})");
        }
    }

    private static float[] Room(string method, Shape shape) => shape.Count <= Array.MaxLength
        ? new float[shape.Count]
        : throw new ArgumentException($"{method}: expected a parameter of at most {Array.MaxLength} elements, got {shape}", nameof(shape));
}
