using System.CommandLine;
using System.Diagnostics;
using Ldvc.App.Cli;
using Ldvc.Tensors;

namespace Ldvc.Bench.Reliability;

/// <summary>
/// Kills the program at random moments of what it does, looks at its files after every kill, lets it go on, and compares what it ends with, with what
/// a run that nobody killed ended with.
/// </summary>
internal static class KillsVerb
{
    // A verb that begins anew each time would take all kills where the machine is busier than it was when times were taken.
    private const int MaxKillsPerRun = 8;
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);

    internal static Command Create()
    {
        var count = new Option<string>("--count")
        {
            HelpName = "N",
            Description = "Kills in all, over the verbs in turn.",
            DefaultValueFactory = _ => "60"
        };
        var seed = new Option<string>("--seed") { HelpName = "S", Description = "Which moments.", DefaultValueFactory = _ => "1" };
        var data = new Option<string>("--data")
        {
            HelpName = "DIR",
            Description = "The folder of the tests' data.",
            DefaultValueFactory = _ => Path.Combine("tests", "data")
        };
        var command = new VerbCommand(
            "kills",
            "Kills train, segment, import, check, ablate and serve at random moments. Exit code 1 when a file is half-written or a run ends "
                + "otherwise than one that was not killed.",
            "dotnet run -c Release --project bench -- kills --count 200 --seed 7")
        {
            count, seed, data,
        };
        command.SetAction(result => Run(
            (int)OptionValue.WholeNumber(result, count, 1, 1_000_000),
            (int)OptionValue.WholeNumber(result, seed, 0, int.MaxValue),
            OptionValue.RequiredText(result, data)));
        return command;
    }

    private static int Run(int count, int seed, string data)
    {
        string root = Directory.CreateTempSubdirectory("ldvc-kills-").FullName;
        var work = new KillWork(root, Path.GetFullPath(data));
        work.Prepare();
        string Folder(string name) => Directory.CreateDirectory(Path.Combine(root, name)).FullName;

        // What each verb takes and ends with when it is left alone; serve answers what train has made.
        string trained = Path.Combine(root, "whole-train", "checkpoints", "ckpt-00000200.safetensors");
        IReadOnlyList<KillVerb> verbs = KillVerbs.All(work, trained);
        var times = new Dictionary<string, TimeSpan>();
        foreach (KillVerb verb in verbs.Where(verb => verb.Ends))
        {
            long began = Stopwatch.GetTimestamp();
            using var child = new KillChild(verb.Arguments(Folder($"whole-{verb.Verb}")));
            int code = child.End(Longest);
            times[verb.Verb] = Stopwatch.GetElapsedTime(began);
            if (code is not (0 or 1))
            {
                throw new InputException($"{verb.Verb}: expected it to end when it is left alone, got exit code {code}: {child.Errors}");
            }
        }

        var random = new Random(seed);
        var tally = verbs.ToDictionary(verb => verb.Verb, _ => (Kills: 0, Ended: 0, Faults: 0));
        for (int kills = 0, run = 0; kills < count; run++)
        {
            KillVerb verb = verbs[run % verbs.Count];
            string folder = Folder($"{verb.Verb}-{run}");
            bool ended = false;
            for (int here = 0; !ended && kills < count; here++)
            {
                using var child = new KillChild(verb.Arguments(folder));
                TimeSpan most = times.GetValueOrDefault(verb.Verb, TimeSpan.FromSeconds(3));
                ended = child.WaitForExit(here < MaxKillsPerRun || !verb.Ends ? random.NextDouble() * most : Longest);
                (int Kills, int Ended, int Faults) sum = tally[verb.Verb];
                string? fault;
                if (ended)
                {
                    fault = verb.Same(folder, Path.Combine(root, $"whole-{verb.Verb}"))
                        ? null
                        : "ended with something else than a run that was not killed";
                    sum.Ended++;
                }
                else
                {
                    child.Kill();
                    kills++;
                    sum.Kills++;
                    fault = verb.Check(folder);
                    ended = !verb.Ends;
                }

                if (fault is not null)
                {
                    sum.Faults++;
                    Console.Error.WriteLine($"{verb.Verb}, kill {kills}: {fault} {(ended ? child.Errors : "")}");
                }

                tally[verb.Verb] = sum;
            }
        }

        Console.WriteLine("| verb | kills | runs that went on to their end | faults |");
        Console.WriteLine("|---|---|---|---|");
        foreach (var (verb, sum) in tally)
        {
            Console.WriteLine($"| {verb} | {sum.Kills} | {sum.Ended} | {sum.Faults} |");
        }

        bool faults = tally.Values.Any(sum => sum.Faults > 0);
        Console.WriteLine(faults ? $"files: {root}" : "");
        if (!faults)
        {
            Directory.Delete(root, recursive: true);
        }

        return faults ? 1 : 0;
    }
}
