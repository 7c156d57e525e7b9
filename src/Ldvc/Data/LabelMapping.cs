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

/// <summary>From a data set's train ids to the labels a model is trained with.</summary>
internal sealed class LabelMapping
{
    private readonly byte[] _labels = new byte[256];
    private readonly byte[] _unseen = new byte[256];

    /// <summary>Builds the mapping of a split.</summary>
    public LabelMapping(ZeroShotSplit split, LabelProtocol protocol)
    {
        Protocol = protocol;
        ClassIds = protocol == LabelProtocol.Inductive ? split.Seen : [.. Enumerable.Range(0, split.ClassCount)];
        Array.Fill(_labels, LabelMap.Ignore);
        for (int output = 0; output < ClassIds.Length; output++)
        {
            _labels[ClassIds[output]] = (byte)output;
        }

        if (protocol == LabelProtocol.Transductive)
        {
            foreach (int id in split.Unseen)
            {
                _labels[id] = LabelMap.Ignore;
                _unseen[id] = 1;
            }
        }
    }

    /// <summary>The protocol.</summary>
    public LabelProtocol Protocol { get; }

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
}
