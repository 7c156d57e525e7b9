namespace Ldvc.Imaging.Matlab;

/// <summary>What stands before a data element.</summary>
/// <param name="Type">How its numbers are stored.</param>
/// <param name="Bytes">Bytes of them.</param>
/// <param name="Stored">The same with what they are filled up with.</param>
/// <param name="OwnBytes">Bytes of the tag itself.</param>
internal readonly record struct MatTag(MatType Type, long Bytes, long Stored, int OwnBytes)
{
    /// <summary>Bytes behind the numbers.</summary>
    internal long Padding => Stored - Bytes;
}
