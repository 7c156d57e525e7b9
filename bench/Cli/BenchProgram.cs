using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using Ldvc.App.Cli;
using Ldvc.Bench.Cases;
using Ldvc.Bench.Compare;
using Ldvc.Bench.Evidence;
using Ldvc.Bench.Launches;
using Ldvc.Bench.Load;
using Ldvc.Bench.Profile;
using Ldvc.Bench.Ptx;
using Ldvc.Bench.Reliability;
using Ldvc.Bench.Scale;
using Ldvc.Bench.Sweep;
using Ldvc.Bench.Tiles;
using Ldvc.Tensors;

namespace Ldvc.Bench.Cli;

/// <summary>The command line of `bench`: what is measured, and on what. 0 done, 1 a verb's own "no", 2 bad input, 130 stopped.</summary>
internal static class BenchProgram
{
    private const int BadInput = 2;
    private const int Stopped = 130;

    internal static int Run(string[] args)
    {
        var root = new Command(
            "bench",
            "How fast the program is, what it spends its time on, the code that it gives to a GPU, what its server bears, and the tables of its "
                + "pages.")
        {
            new HelpOption("--help", "-h", "-?") { Description = "Explains the program, or the verb it follows.", Action = new HelpWithExample() },
            PeersVerb.Create(),
            StepVerb.Create(),
            KernelsVerb.Create(),
            GemmBench.Create(),
            VitBench.Create(),
            SweepVerb.Create(),
            TilesVerb.Create(),
            LaunchesVerb.Create(),
            PtxVerb.Create(),
            LoadVerb.Create(),
            FuzzVerb.Create(),
            KillsVerb.Create(),
            ScaleVerb.Create(),
            BitsVerb.Create(),
            TablesVerb.Create(),
            MergeVerb.Create(),
            PatchesVerb.Create(),
            Worker.Create(),
            ScaleWorker.Create(),
        };
        root.SetAction(result =>
        {
            new HelpAction().Invoke(result);
            return BadInput;
        });
        try
        {
            ParseResult result = root.Parse(args, new ParserConfiguration { EnablePosixBundling = false, ResponseFileTokenReplacer = null });
            return result.Action is ParseErrorAction
                ? throw new InputException(ParseHint.Explain(result))
                : result.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
        }
        catch (InputException error)
        {
            Console.Error.WriteLine($"bench: {error.Message}");
            return BadInput;
        }
        catch (OperationCanceledException)
        {
            Console.Error.WriteLine("bench: stopped.");
            return Stopped;
        }
    }
}
