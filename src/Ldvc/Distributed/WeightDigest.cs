using System.Runtime.InteropServices;
using Ldvc.Autograd;

namespace Ldvc.Distributed;

/// <summary>
/// A number that tells whether processes hold the same weights, bit for bit. They start from the same ones and make the same steps; where one has
/// other weights, a file differs between nodes, or their processors round differently, and what it computes from then on is no gradient of the
/// others' model.
/// </summary>
internal static class WeightDigest
{
    private const ulong Start = 14695981039346656037, Prime = 1099511628211;

    /// <summary>FNV-1a over the bits of all values, a float at a time.</summary>
    internal static string Of(IEnumerable<(string Name, Parameter Parameter)> parameters)
    {
        ulong digest = Start;
        foreach (var (_, parameter) in parameters)
        {
            foreach (uint bits in MemoryMarshal.Cast<float, uint>(parameter.Value.ToArray()))
            {
                digest = (digest ^ bits) * Prime;
            }
        }

        return $"{digest:x16}";
    }
}
