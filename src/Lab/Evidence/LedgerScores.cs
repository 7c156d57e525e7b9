namespace Ldvc.Lab.Evidence;

/// <summary>Names of scores in the ledger.</summary>
internal static class LedgerScores
{
    internal const string PixelAccuracy = "pixel_accuracy";
    internal const string Seen = "miou_seen";
    internal const string Unseen = "miou_unseen";
    internal const string Harmonic = "hiou";
    internal const string Pieces = "pieces_per_object";
    internal const string LargePieces = "large_pieces_per_object";
    internal const string RightPieces = "right_pieces_per_found";

    /// <summary>Before the four scores: without the seen penalty.</summary>
    internal const string NoPenalty = "no_penalty_";

    /// <summary>Before the four scores: with every class given another one's name.</summary>
    internal const string Shuffled = "shuffled_";

    /// <summary>Names of the four scores, and what tables call them.</summary>
    internal static readonly (string Name, string Header)[] Four =
        [(PixelAccuracy, "pAcc"), (Seen, "mIoU(S)"), (Unseen, "mIoU(U)"), (Harmonic, "hIoU")];

    /// <summary>Puts the four scores into a run's dictionary.</summary>
    /// <param name="into">The dictionary.</param>
    /// <param name="prefix">Before their names.</param>
    /// <param name="values">Pixel accuracy, mIoU of seen and unseen classes, their harmonic mean.</param>
    internal static void Add(SortedDictionary<string, double> into, string prefix, params ReadOnlySpan<double> values)
    {
        for (int i = 0; i < Four.Length; i++)
        {
            into.Add(prefix + Four[i].Name, values[i]);
        }
    }
}
