using Ldvc.Tensors;

namespace Ldvc.Autograd.Blocks;

/// <summary>What a <see cref="FrozenBlock"/>'s backward needs of its forward.</summary>
/// <param name="x">A handle to the input.</param>
/// <param name="prefixes">A handle to the stack of tokens that sequences begin with; null where there is none.</param>
internal sealed class BlockValues(Tensor x, Tensor? prefixes) : IDisposable
{
    internal Tensor X => x;

    internal Tensor? Prefixes => prefixes;

    internal Tensor? Mean1 { get; set; }

    internal Tensor? Rstd1 { get; set; }

    /// <summary>Queries, keys and values.</summary>
    internal Tensor? Packed { get; set; }

    internal Tensor? Attended { get; set; }

    internal Tensor? LogSumExp { get; set; }

    /// <summary>The sum after attention.</summary>
    internal Tensor? Middle { get; set; }

    internal Tensor? Mean2 { get; set; }

    internal Tensor? Rstd2 { get; set; }

    /// <summary>Before the activation.</summary>
    internal Tensor? Before { get; set; }

    /// <summary>All of them.</summary>
    internal IEnumerable<Tensor> All =>
        new[] { x, prefixes, Mean1, Rstd1, Packed, Attended, LogSumExp, Middle, Mean2, Rstd2, Before }.OfType<Tensor>();

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in All)
        {
            tensor.Dispose();
        }
    }
}
