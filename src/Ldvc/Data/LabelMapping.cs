using Ldvc.Imaging;

namespace Ldvc.Data;

/// <summary>What training may see of the labels (method.md section 8).</summary>
internal enum LabelProtocol
{
    /// <summary>Only seen classes exist: they are re-indexed 0..S-1, everything else is 255.</summary>
    Inductive,

    /// <summary>
    /// All classes exist with their own ids; unseen pixels are 255 until pseudo labels replace them, and it is known which they are.
    /// </summary>
    Transductive,

    /// <summary>All classes with all their labels.</summary>
    Supervised,
}

/// <summary>
/// From a data set's train ids to the labels a model is trained with. They are bytes with 255 for "no label", or 32-bit integers with 65535 where a
/// byte does not hold all classes and the number under which pixels wait for a pseudo label besides.
/// </summary>
internal sealed class LabelMapping
{
    /// <summary>The most classes of a data set whose training labels are bytes.</summary>
    internal const int MaxInBytes = ClassList.MaxInBytes - 1;

    private readonly byte[] _labels = [];
    private readonly int[] _wideLabels = [];
    private readonly byte[] _unseen;

    /// <summary>Builds the mapping of a split.</summary>
    public LabelMapping(ZeroShotSplit split, LabelProtocol protocol)
    {
        Protocol = protocol;
        IsWide = split.ClassCount > MaxInBytes;
        ClassIds = protocol == LabelProtocol.Inductive ? split.Seen : [.. Enumerable.Range(0, split.ClassCount)];
        int numbers = IsWide ? LabelMap.WideIgnore + 1 : LabelMap.Ignore + 1;
        var labels = new int[numbers];
        _unseen = new byte[numbers];
        Array.Fill(labels, LabelMap.WideIgnore);
        for (int output = 0; output < ClassIds.Length; output++)
        {
            labels[ClassIds[output]] = output;
        }

        if (protocol == LabelProtocol.Transductive)
        {
            foreach (int id in split.Unseen)
            {
                labels[id] = LabelMap.WideIgnore;
                _unseen[id] = 1;
            }
        }

        if (IsWide)
        {
            _wideLabels = labels;
        }
        else
        {
            // "No label" has all bits set in either width.
            _labels = Array.ConvertAll(labels, label => (byte)label);
        }
    }

    /// <summary>The protocol.</summary>
    public LabelProtocol Protocol { get; }

    /// <summary>Whether labels are 32-bit integers.</summary>
    public bool IsWide { get; }

    /// <summary>Under which number unseen pixels wait for their pseudo label: no class, and not "no label".</summary>
    public int PseudoLabelMarker => IsWide ? LabelMap.WideIgnore + 1 : LabelMap.Ignore - 1;

    /// <summary>The train ids of the model's outputs in training, in order: their names are what is encoded.</summary>
    public int[] ClassIds { get; }

    /// <summary>Whether <see cref="Apply(ReadOnlySpan{byte}, Span{byte}, Span{byte})"/>'s last output ever holds a 1.</summary>
    public bool HasUnseenMask => Protocol == LabelProtocol.Transductive;

    /// <summary>Maps train ids to labels; both may be the same memory.</summary>
    public void Apply(ReadOnlySpan<byte> trainIds, Span<byte> labels)
    {
        for (int i = 0; i < trainIds.Length; i++)
        {
            labels[i] = _labels[trainIds[i]];
        }
    }

    /// <summary>Also sets <paramref name="unseen"/> to 1 where the ground truth is an unseen class (transductive), else 0.</summary>
    public void Apply(ReadOnlySpan<byte> trainIds, Span<byte> labels, Span<byte> unseen)
    {
        for (int i = 0; i < trainIds.Length; i++)
        {
            byte id = trainIds[i];
            unseen[i] = _unseen[id];
            labels[i] = _labels[id];
        }
    }

    /// <summary>Maps train ids of a wide mapping in place.</summary>
    /// <param name="labels">Train ids before, labels after.</param>
    /// <param name="unseen">Set as by the other method; may be empty.</param>
    public void Apply(Span<int> labels, Span<byte> unseen)
    {
        for (int i = 0; i < labels.Length; i++)
        {
            int id = labels[i];
            if (!unseen.IsEmpty)
            {
                unseen[i] = _unseen[id];
            }

            labels[i] = _wideLabels[id];
        }
    }
}
