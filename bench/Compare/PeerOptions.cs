using System.Globalization;
using Ldvc.Bench.Compare.Ours;
using Ldvc.Tensors;

namespace Ldvc.Bench.Compare;

/// <summary>Command line of `bench peers`.</summary>
/// <param name="Filters">Parts of case names; a case runs when any of them occurs in its name. Empty runs all.</param>
/// <param name="Rounds">Turns of each engine.</param>
/// <param name="On">Where every engine computes, with how many threads, in which precision.</param>
/// <param name="Json">Where to write the results; null for nowhere.</param>
internal sealed record PeerOptions(IReadOnlyList<string> Filters, int Rounds, WorkDevice On, string? Json)
{
    internal static PeerOptions Parse(ReadOnlySpan<string> args)
    {
        var options = new PeerOptions([], 7, new WorkDevice("cpu", 2, Precision.Fp32), null);
        for (int i = 0; i < args.Length; i += 2)
        {
            string value = i + 1 < args.Length ? args[i + 1] : throw new InputException($"'{args[i]}': expected a value after it");
            options = args[i] switch
            {
                "--filter" => options with { Filters = value.Split(',') },
                "--rounds" => options with { Rounds = Positive(args[i], value) },
                "--threads" => options with { On = options.On with { Threads = Positive(args[i], value) } },
                "--device" when value is "cpu" or "cuda" => options with { On = options.On with { Name = value } },
                "--precision" when Enum.TryParse(value, true, out Precision precision) => options with { On = options.On with { Precision = precision } },
                "--json" => options with { Json = value },
                _ => throw new InputException($"'{args[i]} {value}': expected --filter A,B, --rounds N, --threads N, --device cpu|cuda, --precision fp32|tf32|bf16 or --json FILE"),
            };
        }

        return options;
    }

    private static int Positive(string name, string value) => int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number > 0
        ? number
        : throw new InputException($"{name} {value}: expected a whole number from 1 up");
}
