using Ldvc.Tensors;

namespace Ldvc.Autograd.Modules;

/// <summary>Initial values of parameters, from one seeded stream in order of construction.</summary>
public sealed class Initializer
{
    private readonly bool _zeros;
    private CounterRandom _random;

    /// <summary>Starts a stream of initial values.</summary>
    public Initializer(Device device, ulong seed)
        : this(device, seed, zeros: false)
    {
    }

    private Initializer(Device device, ulong seed, bool zeros)
    {
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
    public Parameter Uniform(Shape shape, double bound)
    {
        if (_zeros)
        {
            return new Parameter(Device.Zeros(shape));
        }

        var values = new float[shape.Count];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = (float)_random.NextDouble(-bound, bound);
        }

        return new Parameter(Device.FromHost(values, shape));
    }

    /// <summary>Normal with mean 0.</summary>
    public Parameter Normal(Shape shape, double std)
    {
        if (_zeros)
        {
            return new Parameter(Device.Zeros(shape));
        }

        var values = new float[shape.Count];
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

        var values = new float[shape.Count];
        Array.Fill(values, value);
        return new Parameter(Device.FromHost(values, shape));
    }
}
