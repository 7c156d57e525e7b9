using Ldvc.Tensors.Gpu;

namespace Ldvc.Kernels.Gpu;

/// <summary>
/// Lets a tensor-core kernel run on a device once it has agreed there with the portable one: a check of a small problem on first use, whose outcome
/// is kept. A kernel that disagrees, or that the device's compiler refuses, is replaced by the portable one from then on, and a warning says so. The
/// simulator is not checked: it is what the tests check everything on.
/// </summary>
/// <param name="device">The device.</param>
/// <param name="warn">Gets a sentence.</param>
/// <param name="always">Check on every kind of device: for tests.</param>
internal sealed class TensorCoreGate(GpuDevice device, Action<string> warn, bool always = false)
{
    private readonly Dictionary<string, bool> _verdicts = [];
    private readonly HashSet<string> _checking = [];

    /// <summary>Whether a kernel may be used.</summary>
    /// <param name="kernel">Its name, or the common name of kernels that are checked together.</param>
    /// <param name="shape">The problem that it is checked on, for the warning.</param>
    /// <param name="tolerance">Largest difference allowed, relative to the largest value.</param>
    /// <param name="difference">Runs both kernels and returns that difference.</param>
    internal bool Allows(string kernel, string shape, double tolerance, Func<double> difference)
    {
        if (_verdicts.TryGetValue(kernel, out bool known))
        {
            return known;
        }

        if (device.Kind != GpuKind.Cuda && !always)
        {
            return _verdicts[kernel] = true;
        }

        // The check itself runs the kernel. A verdict is written only when there is one: a check that ends in an error is run again.
        if (!_checking.Add(kernel))
        {
            return true;
        }

        try
        {
            return _verdicts[kernel] = Check(kernel, shape, tolerance, difference);
        }
        finally
        {
            _checking.Remove(kernel);
        }
    }

    /// <summary>
    /// Largest difference of two results relative to the largest value of the first; infinite if the second holds anything that is not finite.
    /// </summary>
    internal static double Difference(float[] expected, float[] actual)
    {
        double largest = 1e-20, worst = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            double difference = Math.Abs((double)expected[i] - actual[i]);
            worst = difference <= double.MaxValue ? Math.Max(worst, difference) : double.PositiveInfinity;
            largest = Math.Max(largest, Math.Abs(expected[i]));
        }

        return worst / largest;
    }

    private bool Check(string kernel, string shape, double tolerance, Func<double> difference)
    {
        string problem;
        try
        {
            double found = difference();
            if (found <= tolerance)
            {
                return true;
            }

            problem = $"differs at {shape} from the portable kernel by {found:e1} of the largest value, at most {tolerance:e1} expected";
        }
        catch (NotSupportedException e)
        {
            problem = $"cannot be used ({e.Message})";
        }

        warn($"{device.Name}: tensor-core kernel {kernel} {problem}; the portable kernel takes its place");
        return false;
    }
}
