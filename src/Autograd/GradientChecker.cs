using System.Diagnostics.CodeAnalysis;
using Ldvc.Tensors;

namespace Ldvc.Autograd;

/// <summary>
/// Compares the backward of any composition of operations with central differences of its forward, on the device where it will run. The function is
/// float32, so the differences are of fourth order with a step that is large enough to stand out of float32's rounding, and all sums over the
/// output are float64.
/// </summary>
/// <param name="device">Where the function runs.</param>
/// <example>
/// A module: <c>new GradientChecker(device).Check(tape => module.Forward(tape, tape.Constant(x.Share())), module.Parameters())</c>
/// </example>
public sealed class GradientChecker(Device device)
{
    private readonly Device _device = device ?? throw new ArgumentNullException(nameof(device));

    // Steps 0.05, 0.0167, 0.0056, 0.0019 and 0.0006 with the default.
    private const int Shortenings = 4;
    private const double Shortening = 3;

    /// <summary>
    /// Distance of the first difference from an element's value, times that value where it is larger than one. Where backward and differences
    /// disagree, smaller steps are tried, too, and the differences that agree best among themselves are compared: small weights want small steps, and
    /// steps that are too small drown in rounding. A kink (Relu, a choice of windows) very near an input has no derivative that differences could
    /// find: choose other inputs.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is set to a number that is not above 0 and finite.</exception>
    public double Step
    {
        get;
        init => field = value > 0 && double.IsFinite(value)
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), $"gradient check: expected a step above 0, got {value}");
    } = 0.05;

    /// <summary>The largest error that passes, relative to the largest gradient of an input.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is set to a number that is negative or not finite.</exception>
    public double Tolerance
    {
        get;
        init => field = value >= 0 && double.IsFinite(value)
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), $"gradient check: expected a tolerance of at least 0, got {value}");
    } = 1e-3;

    /// <summary>
    /// An input's largest gradient counts as at least this part of the largest one of all inputs: one that is zero in theory (an attention's key
    /// bias) is rounding in practice.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is set to a number that is not from 0 to 1.</exception>
    public double Floor
    {
        get;
        init => field = value is >= 0 and <= 1
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), $"gradient check: expected a floor from 0 to 1, got {value}");
    } = 1e-3;

    /// <summary>
    /// How many elements of an input are looked at, chosen at random where it has more. Each costs four forwards, sixteen more where the first
    /// differences disagree.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is set to less than 1.</exception>
    public int MaxElements
    {
        get;
        init => field = value >= 1
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), $"gradient check: expected at least 1 element, got {value}");
    } = 256;

    /// <summary>Seed of the gradient that arrives at the output, of the choice of elements and of the tape's dropout masks.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Checks the gradients with respect to a function's inputs.</summary>
    /// <param name="function">Tape and inputs -> output of any shape. Called many times; it must give the same values for the same inputs.</param>
    /// <param name="inputs">Name and value of every input; the values stay as they are.</param>
    /// <exception cref="ArgumentException">There is nothing to check, a name stands for two inputs, or the output does not depend on it.</exception>
    public GradientReport Check(Func<Tape, IReadOnlyList<Variable>, Variable> function, params (string Name, Tensor Value)[] inputs)
    {
        ArgumentNullException.ThrowIfNull(function);
        ArgumentNullException.ThrowIfNull(inputs);
        var parameters = new List<(string Name, Parameter Parameter)>();
        try
        {
            foreach (var (name, value) in inputs)
            {
                Named(name, value, parameters.Count, nameof(inputs));
                parameters.Add((name, new Parameter(value.Clone())));
            }

            // Handles of the tape: operators on variables find it there.
            return Check(tape => function(tape, [.. parameters.Select(p => tape.Share(p.Parameter))]), parameters);
        }
        finally
        {
            foreach (var (_, parameter) in parameters)
            {
                parameter.Dispose();
            }
        }
    }

    /// <summary>Checks the gradients with respect to the trainable parameters of a module, e.g. <c>module.Parameters()</c>.</summary>
    /// <param name="function">Tape -> output of any shape. Called many times; it must give the same values for the same parameters.</param>
    /// <param name="parameters">Names and parameters; frozen ones are left out. Their values are changed on the way and restored at the end.</param>
    /// <exception cref="ArgumentException">There is nothing to check, or the output does not depend on it.</exception>
    public GradientReport Check(Func<Tape, Variable> function, IEnumerable<(string Name, Parameter Parameter)> parameters)
    {
        ArgumentNullException.ThrowIfNull(function);
        ArgumentNullException.ThrowIfNull(parameters);
        var checkedOnes = new List<(string Name, Parameter Parameter)>();
        int given = 0;
        foreach (var (name, parameter) in parameters)
        {
            Named(name, parameter, given++, nameof(parameters));
            if (parameter.Trainable && parameter.Value.Count > 0)
            {
                checkedOnes.Add((name, parameter));
            }
        }

        if (checkedOnes.GroupBy(p => p.Name, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1)?.Key is { } twice)
        {
            throw new ArgumentException($"gradient check: expected each name once, got '{twice}' for two inputs", nameof(parameters));
        }

        if (checkedOnes.Count == 0)
        {
            throw new ArgumentException("gradient check: there is no trainable input", nameof(parameters));
        }

        var analytic = Backward(function, checkedOnes);
        var errors = new List<(string Name, long Index, double Analytic, double Numeric)>();
        foreach (var ((name, parameter), gradient) in checkedOnes.Zip(analytic))
        {
            ForElements(parameter.Value, Elements((int)parameter.Value.Count), (values, i) =>
                errors.Add((name, i, gradient[i], Slope(function, parameter.Value, values, i, Step))));
        }

        long total = checkedOnes.Sum(p => p.Parameter.Value.Count);
        GradientReport first = Worst(errors) with { Total = total };
        if (first.Passed)
        {
            return first;
        }

        var largest = Largest(errors);
        foreach (var (name, parameter) in checkedOnes)
        {
            int[] doubtful = [.. Enumerable.Range(0, errors.Count)
                .Where(k => errors[k].Name == name && !(Error(errors[k], largest[name]) <= Tolerance))];
            int at = 0;
            ForElements(parameter.Value, [.. doubtful.Select(k => (int)errors[k].Index)], (values, i) =>
            {
                var e = errors[doubtful[at]];
                errors[doubtful[at++]] = e with { Numeric = BestSlope(function, parameter.Value, values, i, e.Numeric) };
            });
        }

        return Worst(errors) with { Total = total };
    }

    // The report tells inputs by their names.
    private static void Named(string name, [NotNull] object? value, int index, string argument)
    {
        if (name is null || value is null)
        {
            string what = name is null ? $"the name of input {index}" : $"input '{name}'";
            throw new ArgumentNullException(argument, $"gradient check: {what} is null");
        }
    }

    // Calls an action with all values and an index; the tensor is as it was in the end.
    private static void ForElements(Tensor tensor, int[] elements, Action<float[], int> action)
    {
        float[] values = tensor.ToArray();
        try
        {
            foreach (int i in elements)
            {
                action(values, i);
            }
        }
        finally
        {
            tensor.CopyFromHost<float>(values);
        }
    }

    // Differences with shorter and shorter steps approach the derivative until rounding takes over: best where two of them are nearest to each other.
    // What the backward says plays no part in the choice.
    private double BestSlope(Func<Tape, Variable> function, Tensor tensor, float[] values, int index, double slope)
    {
        double best = slope, nearest = double.PositiveInfinity, step = Step;
        for (int i = 0; i < Shortenings; i++)
        {
            step /= Shortening;
            double next = Slope(function, tensor, values, index, step), distance = Math.Abs(next - slope);
            if (distance < nearest)
            {
                (best, nearest) = (next, distance);
            }

            slope = next;
        }

        return best;
    }

    // What an input's errors are relative to.
    private Dictionary<string, double> Largest(List<(string Name, long Index, double Analytic, double Numeric)> errors)
    {
        static double Size((string Name, long Index, double Analytic, double Numeric) e) => Math.Max(Math.Abs(e.Analytic), Math.Abs(e.Numeric));
        double floor = Floor * errors.Max(Size);
        return errors.GroupBy(e => e.Name).ToDictionary(input => input.Key, input => Math.Max(floor, input.Max(Size)), StringComparer.Ordinal);
    }

    private static double Error((string Name, long Index, double Analytic, double Numeric) e, double largest) =>
        e.Analytic == e.Numeric ? 0 : Math.Abs(e.Analytic - e.Numeric) / largest;

    private GradientReport Worst(List<(string Name, long Index, double Analytic, double Numeric)> errors)
    {
        var largest = Largest(errors);
        GradientReport? worst = null;
        foreach (var e in errors)
        {
            double error = Error(e, largest[e.Name]);
            if (worst is null || !(error <= worst.RelativeError))
            {
                worst = new GradientReport(e.Name, e.Index, e.Analytic, e.Numeric, error, Tolerance, errors.Count);
                if (double.IsNaN(error))
                {
                    return worst;
                }
            }
        }

        return worst!;
    }

    private List<float[]> Backward(Func<Tape, Variable> function, List<(string Name, Parameter Parameter)> parameters)
    {
        foreach (var (_, parameter) in parameters)
        {
            parameter.ClearGradient();
        }

        using var tape = new Tape(_device, recording: true, Seed);
        var output = function(tape)
            ?? throw new ArgumentException("gradient check: the function gave null, expected the result of its last operation", nameof(function));
        if (!output.RequiresGradient)
        {
            throw new ArgumentException(
                $"gradient check: the output {output.Shape} depends on none of {string.Join(", ", parameters.Select(p => p.Name))}",
                nameof(function));
        }

        using var upstream = _device.FromHost(Upstream(output.Value.Count), output.Shape);
        tape.Backward(output, upstream);
        List<float[]> gradients = [.. parameters.Select(p => p.Parameter.Gradient?.ToArray() ?? new float[p.Parameter.Value.Count])];
        foreach (var (_, parameter) in parameters)
        {
            parameter.ClearGradient();
        }

        return gradients;
    }

    // f'(x) = (8 (f(x + h) - f(x - h)) - (f(x + 2h) - f(x - 2h))) / 12h + O(h^4)
    private double Slope(Func<Tape, Variable> function, Tensor tensor, float[] values, int index, double step)
    {
        float value = values[index];
        double h = step * Math.Max(1, Math.Abs(value));
        double At(double distance)
        {
            values[index] = (float)(value + distance);
            tensor.CopyFromHost<float>(values);
            values[index] = value;
            return Evaluate(function);
        }

        return ((8 * (At(h) - At(-h))) - (At(2 * h) - At(-2 * h))) / (12 * h);
    }

    private double Evaluate(Func<Tape, Variable> function)
    {
        // Recording, so that dropout drops what it dropped before the backward.
        using var tape = new Tape(_device, recording: true, Seed);
        float[] output = function(tape).Value.ToArray(), upstream = Upstream(output.Length);
        double sum = 0;
        for (int i = 0; i < output.Length; i++)
        {
            sum += (double)output[i] * upstream[i];
        }

        return sum;
    }

    private float[] Upstream(long count)
    {
        var random = new CounterRandom(Seed, 0x6C);
        var values = new float[count];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = (float)random.NextNormal();
        }

        return values;
    }

    private int[] Elements(int count)
    {
        int[] all = [.. Enumerable.Range(0, count)];
        if (count <= MaxElements)
        {
            return all;
        }

        var random = new CounterRandom(Seed, 0x6D);
        random.Shuffle<int>(all);
        return all[..MaxElements];
    }
}
