namespace Ldvc.Ptx;

/// <summary>Special registers (PTX ISA 10).</summary>
internal static class PtxSpecial
{
    private static readonly HashSet<string> s_dimensions = ["%tid", "%ntid", "%ctaid", "%nctaid"];
    private static readonly HashSet<string> s_words =
    [
        "%laneid", "%warpid", "%nwarpid", "%smid", "%nsmid", "%lanemask_eq", "%lanemask_le", "%lanemask_lt", "%lanemask_ge", "%lanemask_gt", "%clock",
        "%total_smem_size", "%dynamic_smem_size",
    ];

    /// <summary>The type of a special register, or null where the name is none.</summary>
    internal static PtxType? TypeOf(string name)
    {
        bool dimension = name.Length > 2 && name[^2] == '.' && name[^1] is 'x' or 'y' or 'z' && s_dimensions.Contains(name[..^2]);
        return dimension || s_words.Contains(name) ? new PtxType('u', 32) : name is "%clock64" or "%globaltimer" ? new PtxType('u', 64) : null;
    }

    /// <summary>Whether it is the same for all threads of a group.</summary>
    internal static bool IsUniform(string name) => !name.StartsWith(
        "%tid", StringComparison.Ordinal) && name is not ("%laneid" or "%warpid" or "%clock" or "%clock64" or "%globaltimer")
        && !name.StartsWith("%lanemask", StringComparison.Ordinal);
}
