namespace Ldvc.Clip;

/// <summary>
/// Texts as a tree: tokens that several texts begin with are one node. Attention is causal, so what a layer makes of a token depends on nothing after
/// it, and is computed once for all texts that go through the node.
/// </summary>
internal sealed class TokenTree
{
    private TokenTree(int texts, int length)
    {
        (Texts, Length) = (texts, length);
        Sequences = new int[texts * length];
        Ends = new int[texts];
        EndNodes = new int[texts];
    }

    /// <summary>Number of texts.</summary>
    internal int Texts { get; }

    /// <summary>Tokens of the longest text.</summary>
    internal int Length { get; }

    /// <summary>Token id of each node; a node comes after those before it in its texts.</summary>
    internal int[] Ids { get; private set; } = [];

    /// <summary>Position of each node in its texts.</summary>
    internal int[] Positions { get; private set; } = [];

    /// <summary>[Texts * Length], the node of each token; node 0 behind the end of a text, where nothing looks.</summary>
    internal int[] Sequences { get; }

    /// <summary>For each node, where in <see cref="Sequences"/> it is first.</summary>
    internal int[] Origins { get; private set; } = [];

    /// <summary>For each text, where in <see cref="Sequences"/> its EOT token is.</summary>
    internal int[] Ends { get; }

    /// <summary>For each text, the node of its EOT token.</summary>
    internal int[] EndNodes { get; }

    /// <summary>Finds the beginnings that the texts share.</summary>
    internal static TokenTree Create(TokenBatch batch)
    {
        var tree = new TokenTree(batch.Count, batch.Length);
        var nodes = new Dictionary<(int Parent, int Id), int>();
        List<int> ids = [], positions = [], origins = [];
        for (int text = 0; text < batch.Count; text++)
        {
            int node = -1;
            for (int position = 0; position <= batch.Ends[text]; position++)
            {
                int at = (text * batch.Length) + position, id = batch.Ids[at];
                if (!nodes.TryGetValue((node, id), out int next))
                {
                    next = ids.Count;
                    nodes.Add((node, id), next);
                    ids.Add(id);
                    positions.Add(position);
                    origins.Add(at);
                }

                tree.Sequences[at] = node = next;
            }

            (tree.Ends[text], tree.EndNodes[text]) = ((text * batch.Length) + batch.Ends[text], node);
        }

        (tree.Ids, tree.Positions, tree.Origins) = ([.. ids], [.. positions], [.. origins]);
        return tree;
    }
}
