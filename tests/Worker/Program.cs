using System.Runtime.InteropServices;
using Ldvc.Tensors;
using Ldvc.Tensors.Distributed;
using Ldvc.Tensors.Distributed.Launch;
using Ldvc.Worker;

// Rank 0 speaks, and whoever fails does as the program ldvc: one sentence, and the job ends.
const int BadInput = 2;

TextWriter output = LaunchedOutput.Out, error = LaunchedOutput.Error;
void Say(string sentence) => error.WriteLine($"worker: {sentence}");
IProcessGroup group = SingleProcessGroup.Instance;
try
{
    group = ProcessGroups.Open(ProcessGroups.Parse(args[0]), Environment.GetEnvironmentVariable, Say);
    int victim = args.Length > 2 ? int.Parse(args[2], System.Globalization.CultureInfo.InvariantCulture) : -1;
    switch (args[1])
    {
        case "collectives":
            string result = CollectiveChecks.Run(group);
            if (group.Rank == 0)
            {
                output.WriteLine($"{group.Description}: {result}");
            }

            break;
        case "fail":
            // The others are in a sum that cannot end.
            if (group.Rank == victim || victim < 0)
            {
                throw new InputException("picture.png: expected a picture, found a text.");
            }

            group.Sum(new float[1000]);
            break;
        case "die":
        case "stop":
            if (group.Rank == victim)
            {
                Signals.Send(args[1] == "die" ? Signals.Kill : Signals.Stop);
            }

            group.Sum(new float[1000]);
            break;
        case "leave":
            // Ends without a word, while the others wait.
            if (group.Rank == victim)
            {
                Environment.Exit(0);
            }

            group.Sum(new float[1000]);
            break;
        default:
            throw new InputException($"worker: unknown command {args[1]}.");
    }

    group.Dispose();
    return 0;
}
catch (Exception e) when (e is InputException or ProcessGroupException)
{
    int code = e is InputException ? BadInput : ProcessGroupException.ExitCode;
    if (group.Size > 1)
    {
        group.Abort(code, e.Message);
    }

    Say(e.Message);
    return code;
}

/// <summary>Signals that a process sends to itself.</summary>
internal static partial class Signals
{
    internal const int Kill = 9;
    internal const int Stop = 19;

    internal static void Send(int signal) => _ = SendTo(Environment.ProcessId, signal);

    [LibraryImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SendTo(int process, int signal);
}
