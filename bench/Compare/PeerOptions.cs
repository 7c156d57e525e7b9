using System.Globalization;
using Ldvc.Tensors;

namespace Ldvc.Bench.Compare;

/// <summary>Command line of `bench peers`.</summary>
/// <param name="Filters">Parts of case names; a case runs when any of them occurs in its name. Empty runs all.</param>
/// <param name="Rounds">Turns of each engine.</param>
/// <param name="Threads">Threads of every engine.</param>
/// <param name="Json">Where to write the results; null for nowhere.</param>
internal sealed record PeerOptions(IReadOnlyList<string> Filters, int Rounds, int Threads, string? Json)
{
    internal static PeerOptions Parse(ReadOnlySpan<string> args)
    {
        var options = new PeerOptions([], 7, 2, null);
        for (int i = 0; i < args.Length; i += 2)
        {
            string value = i + 1 < args.Length ? args[i + 1] : throw new InputException($"'{args[i]}': expected a value after it");
            options = args[i] switch
            {
                "--filter" => options with { Filters = value.Split(',') },
                "--rounds" => options with { Rounds = Positive(args[i], value) },
                "--threads" => options with { Threads = Positive(args[i], value) },
                "--json" => options with { Json = value },
                _ => throw new InputException($"'{args[i]}': expected --filter, --rounds, --threads or --json"),
            };
        }

        return options;
    }

    private static int Positive(string name, string value) => int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number > 0
        ? number
        : throw new InputException($"{name} {value}: expected a whole number from 1 up");
}
