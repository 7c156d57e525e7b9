using Ldvc.Tensors;

namespace Ldvc.Autograd.Modules;

/// <summary>Initial values of parameters, from one seeded stream in order of construction.</summary>
public sealed class Initializer
{
    private CounterRandom _random;

    /// <summary>Starts a stream of initial values.</summary>
    public Initializer(Device device, ulong seed)
    {
        Device = device;
        _random = new CounterRandom(seed, 0x1A17);
    }

    /// <summary>Where the parameters will live.</summary>
    public Device Device { get; }

    /// <summary>Uniform in [-bound, bound).</summary>
    public Parameter Uniform(Shape shape, double bound)
    {
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
        var values = new float[shape.Count];
        Array.Fill(values, value);
        return new Parameter(Device.FromHost(values, shape));
    }
}
