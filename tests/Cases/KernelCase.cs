using Ldvc.Tensors;

namespace Ldvc.Cases;

/// <summary>
/// One call of a contract method that no operation makes, or with options that no operation uses: run on any device, compared with a float64
/// reference.
/// </summary>
/// <param name="contract">The contract, e.g. typeof(IReductionKernels).</param>
/// <param name="method">The method under test.</param>
/// <param name="variant">Sizes and options; unique for the method.</param>
/// <param name="prepare">Uploads the inputs.</param>
internal sealed class KernelCase(Type contract, string method, string variant, Func<Device, KernelRun> prepare)
{
    /// <summary>The contract.</summary>
    internal Type Contract { get; } = contract;

    /// <summary>The method under test.</summary>
    internal string Method { get; } = method;

    /// <summary>Contract, method and variant; unique in the list.</summary>
    internal string Name { get; } = $"{contract.Name}.{method} {variant}";

    /// <summary>Uploads the inputs and binds the call.</summary>
    internal Func<Device, KernelRun> Prepare { get; } = prepare;

    /// <summary>Least work.</summary>
    internal required CaseWork Work { get; init; }

    /// <summary>A size of a real model or picture: for timings.</summary>
    internal bool Real { get; init; }

    /// <summary>Small enough for ILGPU's simulator.</summary>
    internal bool Tiny => !Real && Work.IsTiny;

    /// <inheritdoc/>
    public override string ToString() => Name;
}
