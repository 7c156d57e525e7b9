using System.Globalization;
using System.Text.Json.Nodes;
using Ldvc.Configuration;
using Ldvc.Tensors;

namespace Ldvc.Lab.Evidence;

/// <summary>
/// One entry out of several that ran the same comparison with other seeds, on another day or machine: hours of training need not come in one piece.
/// </summary>
internal static class LedgerMerge
{
    // What may differ: which seeds a part has, and how many of its runs are computed at a time.
    private static readonly string[] s_free = ["train.seed", "ablate.seeds", "ablate.jobs"];

    private static readonly SortedDictionary<string, string> s_defaults = Options(Ledger.Configuration(new LdvcConfig()));

    /// <summary>Puts parts together.</summary>
    /// <param name="parts">Entries of `ldvc ablate` with their names, at least two, in any order.</param>
    /// <returns>The entry of all seeds; nothing in it says more than the parts did.</returns>
    /// <exception cref="InputException">
    /// A part is no comparison, is of other arithmetic, options, rows, pictures or scores of the CLIP alone, shares a seed with another one, or the
    /// seeds do not follow one another.
    /// </exception>
    internal static LedgerEntry Of(IReadOnlyList<(string Name, LedgerEntry Entry)> parts)
    {
        var ordered = parts.OrderBy(part => part.Entry.Seeds.DefaultIfEmpty().Min()).ToArray();
        foreach (var (name, entry) in ordered)
        {
            RequireWhole(name, entry);
            RequireAlike(ordered[0].Name, ordered[0].Entry, name, entry);
        }

        LedgerEntry first = ordered[0].Entry;
        long[] seeds = [.. ordered.SelectMany(part => part.Entry.Seeds)];
        for (int i = 1; i < seeds.Length; i++)
        {
            if (seeds[i] != seeds[0] + i)
            {
                throw new InputException(
                    $"{string.Join(", ", ordered.Select(part => part.Name))}: expected seeds that follow one another, each once, found "
                        + $"{string.Join(", ", seeds)}.");
            }
        }

        JsonObject? configuration = (JsonObject?)first.Configuration?.DeepClone();
        if (configuration?["ablate"] is JsonObject ablate)
        {
            ablate["seeds"] = seeds.Length;
        }

        return first with
        {
            Command = string.Join("; ", ordered.Select(part => part.Entry.Command).Distinct()),
            Recorded = ordered.Max(part => part.Entry.Recorded)!,
            MeasuredBy = [.. ordered.SelectMany(part => part.Entry.Origins).Distinct()],
            Seeds = seeds,
            Seconds = ordered.Sum(part => part.Entry.Seconds),
            Configuration = configuration,
            Rows =
            [
                .. first.Rows.Select((row, i) =>
                    row.Trained ? row with { Runs = [.. ordered.SelectMany(part => part.Entry.Rows[i].Runs)] } : row),
            ],
        };
    }

    private static void RequireWhole(string name, LedgerEntry entry)
    {
        if (entry.Kind != LedgerKind.Ablate)
        {
            throw new InputException($"{name}: expected an entry of ablate, found one of {entry.Kind.ToString().ToLowerInvariant()}.");
        }

        if (entry.CheckedSteps != 0)
        {
            throw new InputException($"{name}: expected runs that say which program trained them, found an entry whose runs do not.");
        }

        foreach (LedgerRow row in entry.Rows.Where(row => row.Trained))
        {
            long[] seeds = [.. row.Runs.Select(run => run.Seed).Distinct().Order()];
            if (!seeds.SequenceEqual(entry.Seeds))
            {
                throw new InputException(
                    $"{name}: row {row.Key}: expected a run of each seed ({string.Join(", ", entry.Seeds)}), found {string.Join(", ", seeds)}.");
            }
        }
    }

    private static void RequireAlike(string firstName, LedgerEntry first, string name, LedgerEntry entry)
    {
        void Same(string what, string expected, string found)
        {
            if (expected != found)
            {
                throw new InputException($"{name}: expected the {what} of {firstName}, {expected}, found {found}.");
            }
        }

        string Arithmetic(LedgerEntry of) =>
            string.Join(", ", of.Origins.Select(origin => $"bits {origin.Bits} at {origin.VectorBits}-bit vectors").Distinct());
        Same("arithmetic", Arithmetic(first), Arithmetic(entry));
        Same("device and precision", $"{first.Device} {first.Precision}", $"{entry.Device} {entry.Precision}");
        Same("number of pictures", Number(first.Pictures), Number(entry.Pictures));
        Same("rows", Rows(first), Rows(entry));
        SortedDictionary<string, string> wanted = Options(first.Configuration), options = Options(entry.Configuration);
        foreach (string key in wanted.Keys.Union(options.Keys))
        {
            // An option that an older entry does not know had the effect that it has where it is not set.
            string absent = s_defaults.GetValueOrDefault(key, "none");
            Same($"option {key}", wanted.GetValueOrDefault(key, absent), options.GetValueOrDefault(key, absent));
        }

        for (int i = 0; i < entry.Rows.Length; i++)
        {
            if (!entry.Rows[i].Trained)
            {
                Same($"scores of row {entry.Rows[i].Key}", Scores(first.Rows[i]), Scores(entry.Rows[i]));
            }
        }
    }

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Rows(LedgerEntry entry) => string.Join(", ", entry.Rows.Select(row => row.Key));

    private static string Scores(LedgerRow row) => string.Join(
        ", ",
        from run in row.Runs
        from score in run.Scores
        select $"{run.Split} {score.Key} {score.Value.ToString("R", CultureInfo.InvariantCulture)}".TrimStart());

    private static SortedDictionary<string, string> Options(JsonNode? configuration)
    {
        var options = new SortedDictionary<string, string>(StringComparer.Ordinal);
        void Add(string path, JsonNode? node)
        {
            if (node is JsonObject section)
            {
                foreach (var (key, value) in section)
                {
                    Add(path.Length == 0 ? key : $"{path}.{key}", value);
                }
            }
            else if (!s_free.Contains(path))
            {
                options[path] = node?.ToJsonString() ?? "null";
            }
        }

        Add("", configuration);
        return options;
    }
}
