using Ldvc.Autograd;
using Ldvc.Autograd.Optimizers;
using Ldvc.Tensors;

namespace Ldvc.Training;

/// <summary>
/// AdamW with the numbers of a configuration. Options are numbers of 64 bits, the optimiser's of 32: what is in its range there may be rounded out of
/// it here.
/// </summary>
internal static class ConfiguredAdamW
{
    /// <summary>Creates it.</summary>
    /// <param name="section">The options' section, for messages.</param>
    /// <param name="parameters">Names and parameters.</param>
    /// <param name="betas">Decays of the moments.</param>
    /// <param name="epsilon">Added to the root of the second moment.</param>
    /// <param name="weightDecay">The option.</param>
    /// <param name="decays">Whether a parameter decays, by its name.</param>
    /// <exception cref="InputException">A number is out of its range in 32 bits, or memory is full.</exception>
    internal static AdamW Create(
        string section,
        IEnumerable<(string Name, Parameter Parameter)> parameters,
        double[] betas,
        double epsilon,
        double weightDecay,
        Func<string, bool> decays)
    {
        float Single(string key, double value, Func<float, bool> fits, string expected) => fits((float)value)
            ? (float)value
            : throw new InputException(FormattableString.Invariant(
                $"{section}.{key}: expected {expected} as a number of 32 bits, got {value}, which becomes {(float)value}"));
        float Beta(int i) => Single("betas", betas[i], beta => beta < 1, "a number below 1");
        float decay = Single("weight_decay", weightDecay, float.IsFinite, "a finite number");
        float single = Single("eps", epsilon, eps => eps > 0 && float.IsFinite(eps), "a finite number above 0");
        return new AdamW(parameters, Beta(0), Beta(1), single, name => decays(name) ? decay : 0);
    }
}
