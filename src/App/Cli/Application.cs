using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using Ldvc.App.Terminal;
using Ldvc.Configuration;
using Ldvc.Distributed;
using Ldvc.Kernels.Simd;
using Ldvc.Tensors;
using Ldvc.Tensors.Distributed;
using Ldvc.Tensors.Distributed.Launch;
using Ldvc.Tensors.Gpu;

namespace Ldvc.App.Cli;

/// <summary>
/// The program `ldvc`: finds the verb, runs it, and turns every way of failing into one line and an exit code. 0 done, 1 the verb's own "no"
/// (compare: beyond the tolerance), 2 bad input, 70 a bug, 75 another process of the job is gone, 130 interrupted.
/// </summary>
internal static class Application
{
    internal const int BadInput = 2;
    internal const int Bug = 70;
    internal const int Interrupted = 130;

    private const string LessAtOnce = "less to do at once: smaller pictures, fewer classes, a smaller batch.";

    private const string About =
        "Zero-shot semantic segmentation: labels every pixel with any class names you give, seen in training or not (LDVC on CLIP).\n\n"
        + "New here? `ldvc demo` makes a first result with a picture report, `ldvc doctor` says what this machine can do.";

    /// <summary>Runs one command line.</summary>
    /// <param name="args">The arguments, without the program's name.</param>
    /// <param name="output">Results and progress.</param>
    /// <param name="error">One line when something is wrong.</param>
    /// <param name="interactive">Whether the output is a terminal: only then colours and moving progress bars are used.</param>
    /// <param name="cancellation">Set by Ctrl-C.</param>
    /// <returns>The exit code.</returns>
    public static int Run(
        string[] args,
        TextWriter output,
        TextWriter error,
        bool interactive = false,
        CancellationToken cancellation = default) =>
        Run(null, args, output, error, interactive, cancellation);

    /// <summary>The same with the ledger in a folder of its own.</summary>
    /// <param name="results">The ledger's folder; null = results/ of the repository, or of the folder that the program is called in.</param>
    /// <param name="args">The arguments.</param>
    /// <param name="output">Results and progress.</param>
    /// <param name="error">One line when something is wrong.</param>
    /// <param name="interactive">Whether the output is a terminal.</param>
    /// <param name="cancellation">Set by Ctrl-C.</param>
    internal static int Run(string? results, string[] args, TextWriter output, TextWriter error, bool interactive, CancellationToken cancellation)
    {
        using var cleanOutput = new CleanWriter(output);
        using var cleanError = new CleanWriter(error);
        var host = new VerbHost(cleanOutput, cleanError, interactive, cancellation) { Arguments = args, Results = results };
        int code = Guard(host, args, () => Invoke(host, args));
        cleanOutput.Flush();
        if (cleanOutput.Fault is not { } fault)
        {
            return code;
        }

        // What was to be computed and saved has been; what was to be read is lost.
        Say(host, $"standard output cannot be written ({fault.Message.TrimEnd('.')}).");
        return code == 0 ? BadInput : code;
    }

    /// <summary>Calls a body and reports what it throws as the program's users are to see it.</summary>
    internal static int Guard(VerbHost host, string[] args, Func<int> body)
    {
        try
        {
            return body();
        }
        catch (OperationCanceledException) when (host.Cancellation.IsCancellationRequested)
        {
            return Fail(host, Interrupted, "interrupted.", () => { });
        }
        catch (JobStoppedException)
        {
            return End(host, Interrupted, "interrupted.");
        }
        catch (InputException e) when (e.IsAgreed)
        {
            return End(host, BadInput, e.Message);
        }
        catch (InputException e)
        {
            return Fail(host, BadInput, e.Message, () => ShowDetails(host, args, e));
        }
        catch (ProcessGroupException e)
        {
            return Fail(host, ProcessGroupException.ExitCode, e.Message, () => ShowDetails(host, args, e));
        }
        catch (Exception e) when (GpuFault.IsOutOfMemory(e))
        {
            string sentence = $"there is not enough memory ({e.Message.TrimEnd('.')}); expected more of it, or {LessAtOnce}";
            return Fail(host, BadInput, sentence, () => ShowDetails(host, args, e));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            string what = HasFolder() ? $"a file or folder cannot be used ({e.Message.TrimEnd('.')})." : "the folder that this was typed in is gone.";
            return Fail(host, BadInput, what, () => ShowDetails(host, args, e));
        }
        catch (ExtentException e)
        {
            return Fail(host, BadInput, $"{e.Message}; expected {LessAtOnce}", () => ShowDetails(host, args, e));
        }
#pragma warning disable CA1031 // The last line of defence: whatever it is, the user gets one line and not a stack trace.
        catch (Exception e)
#pragma warning restore CA1031
        {
            string sentence = $"internal error, this is a bug: {e.GetType().Name}: {e.Message} (--verbose or LDVC_VERBOSE=1 shows where).";
            return Fail(host, Bug, sentence, () => ShowDetails(host, args, e));
        }
    }

    // Whoever deletes the folder that a shell stands in leaves it there.
    private static bool HasFolder()
    {
        try
        {
            return Environment.CurrentDirectory.Length > 0;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static int Invoke(VerbHost host, string[] args)
    {
        Command root = BuildRoot(host);

        // No response files: a class name or text may well begin with '@'.
        ParseResult result = root.Parse(args, new ParserConfiguration { EnablePosixBundling = false, ResponseFileTokenReplacer = null });
        if (result.Action is not (HelpWithExample or VersionAction) && ParseHint.UnknownOption(result, args) is { } unknown)
        {
            return Refuse(host, result, unknown);
        }

        if (result.Action is not ParseErrorAction)
        {
            OpenJob(host, result);
            var configuration = new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false,
                Output = host.Output,
                Error = host.Error,
            };
            int code = result.Invoke(configuration);
            host.Job.Close();
            return code;
        }

        return Refuse(host, result, ParseHint.Explain(result));
    }

    // The others may have command lines of their own, and would wait in MPI_Init for a process that has ended.
    private static int Refuse(VerbHost host, ParseResult result, string sentence)
    {
        if (result.CommandResult.Command is VerbCommand { Processes: VerbProcesses.Several })
        {
            Join(host);
        }

        return Fail(host, BadInput, sentence, () => { });
    }

    private static void Join(VerbHost host)
    {
        try
        {
            host.Job.Open(DistMode.Auto, sentence => Say(host, sentence));
        }
        catch (InputException)
        {
            // Without a library there is nobody to tell.
        }
    }

    // Before the verb reads its options: from here on one process speaks for all, of errors, too.
    private static void OpenJob(VerbHost host, ParseResult result)
    {
        if (result.CommandResult.Command is not VerbCommand verb || result.Action is HelpWithExample || verb.Processes == VerbProcesses.Each)
        {
            return;
        }

        if (verb.Processes == VerbProcesses.One)
        {
            Launcher.RefuseOthers($"ldvc {verb.Name}", Launcher.Find(Environment.GetEnvironmentVariable));
            SimdLevel.Check();
            return;
        }

        DistMode mode;
        try
        {
            mode = ProcessGroups.Parse(result.GetValue<string>(CommonOptionSet.DistName) ?? "");
        }
        catch (InputException)
        {
            Join(host);
            throw;
        }

        host.Job.Open(mode, sentence => Say(host, sentence));
        if (host.Job.IsShared)
        {
            host.Output.WriteLine(host.Job.Describe());
        }

        SimdLevel.Check();
        new JobMember(host.Job.Group, host.Job.Share?.Threads ?? 0, host.Cancellation).RequireAlike(CommandFacts.Of(result));
    }

    // All processes get here, with the same sentence: the job ends as after work that is done.
    private static int End(VerbHost host, int code, string sentence)
    {
        if (host.Job.Group.Rank == 0)
        {
            Say(host, sentence);
        }

        host.Job.Close();
        return code;
    }

    // One of several processes cannot just leave: the others would wait for it.
    private static int Fail(VerbHost host, int code, string sentence, Action showDetails)
    {
        if (host.Job.IsShared)
        {
            showDetails();
            host.Job.Group.Abort(code, OneLine(sentence));
        }

        Say(host, sentence);
        showDetails();
        return code;
    }

    private static Command BuildRoot(VerbHost host)
    {
        var root = new Command("ldvc", About)
        {
            new HelpOption("--help", "-h", "-?") { Description = "Explains the program, or the verb it follows.", Action = new HelpWithExample() },
            new Option<bool>("--version") { Description = "Prints the version.", Action = new VersionAction() },
            DemoVerb.Create(host),
            TrainVerb.Create(host),
            CheckVerb.Create(host),
            EvalVerb.Create(host),
            SegmentVerb.Create(host),
            ServeVerb.Create(host),
            EmbedVerb.Create(host),
            CompareVerb.Create(host),
            PretrainVerb.Create(host),
            AblateVerb.Create(host),
            ConvertVerb.Create(host),
            ExportVerb.Create(host),
            ImportVerb.Create(host),
            DoctorVerb.Create(host),
            ConfigVerb.Create(host),
        };
        root.SetAction(result => new HelpAction().Invoke(result));
        return root;
    }

    private static void Say(VerbHost host, string sentence) =>
        host.Error.WriteLine("ldvc: " + OneLine(sentence));

    private static string OneLine(string text) => string.Join(' ', text.Split('\n', '\r').Select(line => line.Trim()).Where(line => line.Length > 0));

    private static void ShowDetails(VerbHost host, string[] args, Exception e)
    {
        if (args.Contains(CommonOptionSet.VerboseName) || Environment.GetEnvironmentVariable("LDVC_VERBOSE") == "1")
        {
            host.Error.WriteLine(e);
        }
    }

    private sealed class VersionAction : SynchronousCommandLineAction
    {
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            parseResult.InvocationConfiguration.Output.WriteLine($"ldvc {VersionText}");
            return 0;
        }
    }

    /// <summary>For example 0.1.0.</summary>
    internal static string VersionText => typeof(Application).Assembly.GetName().Version!.ToString(3);
}
