using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using Ldvc.App.Cli;
using Ldvc.Configuration;
using Ldvc.Lab.Demo;
using Ldvc.Lab.Evidence;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Bench.Evidence;

/// <summary>
/// `bench bits`: runs the golden training and compares it with the history of the arithmetic, or writes that it is another one now.
/// </summary>
internal static class BitsVerb
{
    private const int Other = 1;

    internal static Command Create()
    {
        var reason = new Option<string?>("--reason")
        {
            HelpName = "TEXT",
            Description = "Writes the hashes as a new entry of results/bits.json, with what was changed, in one sentence. Without "
                + "AVX-512, the hash of such processors goes into the last entry, whose reason stays.",
        };
        var command = new VerbCommand(
            "bits",
            "Runs the golden training (50 steps, at 128, 256 and 512 bits) and says whether its results are those of results/bits.json; "
                + "ends with 1 when they are not.",
            "dotnet run -c Release --project bench -- bits --reason \"Sums of layer norms are taken in pairs.\"")
        {
            reason,
        };
        command.SetAction(result => Run(OptionValue.Text(result, reason)));
        return command;
    }

    private static int Run(string? reason)
    {
        if (!BitsHistory.IsOfThisPlatform)
        {
            throw new InputException($"bits: {BitsHistory.FileName} is of x64 with FMA on Linux, whose last digits are others than those of "
                + $"{RuntimeInformation.RuntimeIdentifier}; expected such a machine.");
        }

        string assets = DemoAssets.Find()
            ?? throw new InputException($"the demo's small CLIP was not found: expected a folder {DemoAssets.Folder} beside the program");
        string clip = Path.Combine(assets, DemoAssets.Clip);
        string path = Path.Combine(Ledger.FolderFor(Environment.CurrentDirectory), BitsHistory.FileName);
        BitsHistory history = BitsHistory.Read(path);
        SortedDictionary<string, string> measured = GoldenRun.Measure(clip);
        foreach (int width in GoldenRun.Widths)
        {
            string now = measured[$"{width}"], before = history.Current.Here(width) ?? "nothing";
            string how = BitsHistory.IsEmulated(width) ? " without AVX-512" : "";
            Console.WriteLine($"{width} bits{how}: {now}{(now == before ? "" : $", {before} in {path}")}");
        }

        string[] others = [.. measured.Keys.Where(width => measured[width] != history.Current.Here(int.Parse(width, CultureInfo.InvariantCulture)))];
        if (others.Length == 0)
        {
            Console.WriteLine($"bits {history.Current.Id} since {history.Current.Date}: {history.Current.Reason}");
            return reason is null
                ? 0
                : throw new InputException($"--reason: expected none, since the hashes are those of {path}, found {ConfigText.Quote(reason)}.");
        }

        if (reason is null)
        {
            Console.WriteLine($"the arithmetic is another one than {path} says (bits {history.Current.Id})");
            Console.WriteLine("if it is meant to be, run this again with --reason TEXT, and build again");
            return Other;
        }

        JsonText.Write(path, Written(history, measured, others, reason, out string next));
        Console.WriteLine(next);
        return 0;
    }

    // A processor without AVX-512 knows one of the four hashes that nobody else does, and not the one at 512 bits.
    private static BitsHistory Written(
        BitsHistory history, SortedDictionary<string, string> measured, string[] others, string reason, out string next)
    {
        if (Avx512F.IsSupported)
        {
            string date = DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
            var change = new BitsChange(date, reason, measured);
            next = $"bits {change.Id} from now on; run this again with DOTNET_EnableAVX512=0, for processors without AVX-512, then build again, and "
                + "measure again what pages show (bench tables --check names it)";
            return history.With(change);
        }

        if (others is not ["512"])
        {
            throw new InputException(
                $"--reason: expected a processor with AVX-512, whose hash at 512 bits is needed, too, found none; those at "
                    + $"{string.Join(" and ", others)} bits are others than recorded.");
        }

        next = $"bits {history.Current.Id} as before, with the hash of processors without AVX-512; build again";
        return new BitsHistory([.. history.Changes[..^1], history.Current with { Emulated = measured["512"] }]);
    }
}
