namespace Ldvc.Tests.Architecture;

/// <summary>Cycles among the namespaces of one assembly.</summary>
internal static class NamespaceCycles
{
    /// <summary>The sets of namespaces that reach each other, each set and all of them in alphabetical order.</summary>
    internal static IReadOnlyList<string[]> Groups(IEnumerable<Use> uses)
    {
        Dictionary<string, HashSet<string>> graph = Graph(uses);
        Dictionary<string, HashSet<string>> reach = graph.Keys.ToDictionary(from => from, from => Reach(graph, from));
        return
        [
            .. graph.Keys
                .Where(space => reach[space].Contains(space))
                .Select(space => string.Join(' ',
                    graph.Keys.Where(other => reach[space].Contains(other) && reach[other].Contains(space)).Order(StringComparer.Ordinal)))
                .Distinct()
                .Order(StringComparer.Ordinal)
                .Select(group => group.Split(' ')),
        ];
    }

    /// <summary>A shortest cycle through the first namespace of a group: one use for each of its edges.</summary>
    internal static IReadOnlyList<Use> Shortest(IEnumerable<Use> uses, string[] group)
    {
        Use[] own = [.. Own(uses).Where(use => group.Contains(use.From) && group.Contains(use.To))
            .OrderBy(use => use.ToString(), StringComparer.Ordinal)];
        string start = group[0];
        var before = new Dictionary<string, Use>();
        var open = new Queue<string>([start]);
        while (!before.ContainsKey(start))
        {
            string at = open.Dequeue();
            foreach (Use use in own.Where(use => use.From == at))
            {
                if (before.TryAdd(use.To, use))
                {
                    open.Enqueue(use.To);
                }
            }
        }

        var cycle = new List<Use>();
        string to = start;
        do
        {
            cycle.Insert(0, before[to]);
            to = before[to].From;
        }
        while (to != start);
        return cycle;
    }

    private static IEnumerable<Use> Own(IEnumerable<Use> uses) => uses.Where(use => use.Assembly.Length == 0);

    private static Dictionary<string, HashSet<string>> Graph(IEnumerable<Use> uses) =>
        Own(uses).GroupBy(use => use.From).ToDictionary(group => group.Key, group => group.Select(use => use.To).ToHashSet());

    private static HashSet<string> Reach(Dictionary<string, HashSet<string>> graph, string start)
    {
        var seen = new HashSet<string>();
        var open = new Stack<string>([start]);
        while (open.TryPop(out string? at))
        {
            foreach (string to in graph.GetValueOrDefault(at) ?? [])
            {
                if (seen.Add(to))
                {
                    open.Push(to);
                }
            }
        }

        return seen;
    }
}
