namespace Ldvc.Cases;

/// <summary>
/// A gradient by central differences of the float64 reference. Of a large input only some elements are looked at one by one; the slope along a random
/// direction of ones and minus ones then speaks for all the others.
/// </summary>
/// <param name="Elements">The elements looked at, ascending.</param>
/// <param name="Values">Their gradients.</param>
/// <param name="Direction">A one or minus one for every element; null when all elements were looked at.</param>
/// <param name="Slope">Gradient times direction.</param>
internal sealed record ExpectedGradient(int[] Elements, double[] Values, double[]? Direction, double Slope);

/// <summary>Output and gradients of a case in float64.</summary>
internal sealed class ExpectedResult
{
    // Larger inputs get this many samples and a direction.
    private const int AllUpTo = 160;
    private const int Samples = 40;

    // The truncation error is h^2 f'''/6, the rounding error 1e-16 f/h: both near 1e-10 here.
    private const double Step = 1e-5;

    private ExpectedResult(double[] output, ExpectedGradient[] gradients)
    {
        Output = output;
        Gradients = gradients;
    }

    /// <summary>The output.</summary>
    internal double[] Output { get; }

    /// <summary>A gradient for every input.</summary>
    internal ExpectedGradient[] Gradients { get; }

    /// <summary>Evaluates the case's reference.</summary>
    internal static ExpectedResult Of(OpCase c)
    {
        var reference = c.Reference ?? throw new InvalidOperationException($"{c.Name} has no float64 reference: compare it with the CPU's result");
        double[][] inputs = [.. c.Draw().Select(values => Array.ConvertAll(values, v => (double)v))];
        double[] output = reference(inputs), upstream = Array.ConvertAll(c.Upstream(output.Length), v => (double)v);
        var gradients = new ExpectedGradient[inputs.Length];
        for (int i = 0; i < inputs.Length; i++)
        {
            gradients[i] = Gradient(c, reference, inputs, i, upstream);
        }

        return new ExpectedResult(output, gradients);
    }

    private static ExpectedGradient Gradient(OpCase c, Func<double[][], double[]> reference, double[][] inputs, int at, double[] upstream)
    {
        double[] original = inputs[at];
        int count = original.Length;
        if (!c.Differentiable)
        {
            return new ExpectedGradient([.. Enumerable.Range(0, count)], new double[count], null, 0);
        }

        bool all = count <= AllUpTo;
        var random = CaseRandom.Stream($"{c.Name}/{c.Inputs[at].Name}/samples");
        int[] elements = [.. Enumerable.Range(0, count)];
        if (!all)
        {
            random.Shuffle<int>(elements);
            elements = elements[..Samples];
            Array.Sort(elements);
        }

        double Slope(Action<double[], double> move)
        {
            double Evaluate(double step)
            {
                inputs[at] = [.. original];
                move(inputs[at], step);
                return Dot(reference(inputs), upstream);
            }

            return (Evaluate(Step) - Evaluate(-Step)) / (2 * Step);
        }

        double[] values = [.. elements.Select(i => Slope((x, step) => x[i] += step))];
        double[]? direction = null;
        double slope = 0;
        if (!all)
        {
            direction = [.. Enumerable.Range(0, count).Select(_ => random.NextInt(2) == 0 ? -1.0 : 1.0)];
            slope = Slope((x, step) =>
            {
                for (int i = 0; i < count; i++)
                {
                    x[i] += step * direction[i];
                }
            });
        }

        inputs[at] = original;
        return new ExpectedGradient(elements, values, direction, slope);
    }

    private static double Dot(double[] a, double[] b)
    {
        double sum = 0;
        for (int i = 0; i < a.Length; i++)
        {
            sum += a[i] * b[i];
        }

        return sum;
    }
}
