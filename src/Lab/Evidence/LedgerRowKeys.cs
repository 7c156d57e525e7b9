namespace Ldvc.Lab.Evidence;

/// <summary>Rows of an entry that are no method.</summary>
internal static class LedgerRowKeys
{
    /// <summary>One method minus another, in points.</summary>
    internal const string Gain = "gain";
}
