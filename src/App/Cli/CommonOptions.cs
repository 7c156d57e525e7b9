using Ldvc.App.Terminal;
using Ldvc.Configuration;
using Ldvc.Distributed;
using Ldvc.Lab.Evidence;
using Ldvc.Tensors;
using Ldvc.Tensors.Distributed;
using Ldvc.Tensors.Serialization;
using Spectre.Console;

namespace Ldvc.App.Cli;

/// <summary>What every verb gets besides its own options.</summary>
/// <param name="Host">Where to write, and whether to stop.</param>
/// <param name="Device">Where to compute.</param>
/// <param name="Threads">CPU threads; 0 = one per core.</param>
/// <param name="Seed">--seed, null when it was not given; it overrides the configuration's seed.</param>
/// <param name="Json">File for the results as JSON, null when not wanted.</param>
internal sealed record CommonOptions(VerbHost Host, DeviceChoice Device, int Threads, long? Seed, string? Json)
{
    private const int TableWidth = 160;

    /// <summary>Results and progress.</summary>
    public TextWriter Out => Host.Output;

    /// <summary>Follows what a verb runs, on the console.</summary>
    public ConsoleMonitor Monitor { get; } = new(Host);

    /// <summary>Set by Ctrl-C; verbs check it at least once per step or image.</summary>
    public CancellationToken Cancellation => Host.Cancellation;

    /// <summary>This process's place in the job that its command line is run by.</summary>
    public JobMember Member { get => field ??= new JobMember(Group, Host.Job.Share?.Threads ?? 0, Cancellation); init; }

    /// <summary>--set arguments with --seed, when it was given, as the last of them: it sets train.seed and pretrain.seed.</summary>
    public string[] ApplySeed(string[] sets) => Seed is { } seed ? [.. sets, $"train.seed={seed}", $"pretrain.seed={seed}"] : sets;

    /// <summary>The processes that run this command line together: one, unless a launcher started several. The program closes it.</summary>
    public IProcessGroup Group => Host.Job.Group;

    /// <summary>
    /// Opens the device that --device and --threads name: of several processes each takes the card of its place on the node, and its share of the
    /// cores. A call of all processes.
    /// </summary>
    /// <exception cref="InputException">There is no such device, or not one for each process.</exception>
    public Device OpenDevice()
    {
        Device device = Device.Open(Threads > 0 ? Threads : Host.Job.Share?.Threads ?? 0, Group);
        try
        {
            Group.Use(device);
            return device;
        }
        catch
        {
            device.Dispose();
            throw;
        }
    }

    /// <summary>The same for a verb with --precision.</summary>
    /// <exception cref="InputException">The device cannot compute so.</exception>
    public Device OpenDevice(Precision precision)
    {
        Device device = OpenDevice();
        try
        {
            device.Precision = precision;
            return device;
        }
        catch
        {
            device.Dispose();
            throw;
        }
    }

    /// <summary>
    /// A Spectre console on <see cref="Out"/> for tables: plain text of any width unless it is a terminal. Of a table that is wider than a narrow
    /// terminal nothing would be left; the terminal breaks its lines instead.
    /// </summary>
    public IAnsiConsole CreateConsole()
    {
        IAnsiConsole console = ConsoleFactory.Create(Out, Host.Interactive);
        console.Profile.Width = Math.Max(console.Profile.Width, TableWidth);
        return console;
    }

    /// <summary>The command line as it is kept: what is measured, and not where the results go.</summary>
    public string CommandLine => CommandText.Of("ldvc", Host.Arguments, Environment.CurrentDirectory);

    /// <summary>Says before anything is measured that the ledger takes no files.</summary>
    /// <param name="name">--record; null = nothing is recorded.</param>
    /// <exception cref="InputException">Its folder cannot be written to.</exception>
    public void CheckRecord(string? name)
    {
        if (name is not null)
        {
            Imaging.OutputFolder.Check(LedgerFolder);
        }
    }

    private string LedgerFolder => Host.Results ?? Ledger.FolderFor(Environment.CurrentDirectory);

    /// <summary>Puts an entry into the ledger and says where.</summary>
    /// <param name="name">--record; null = nothing is recorded.</param>
    /// <param name="entry">Makes the entry from the command line.</param>
    /// <exception cref="InputException">The entry cannot be made or written.</exception>
    public void Record(string? name, Func<string, LedgerEntry> entry)
    {
        if (name is not null)
        {
            Out.WriteLine($"recorded {Ledger.Write(LedgerFolder, name, entry(CommandLine))}");
        }
    }

    /// <summary>Says what is to be known beside a result.</summary>
    /// <param name="sentence">A sentence; null = nothing.</param>
    public void Note(string? sentence)
    {
        if (sentence is not null)
        {
            Out.WriteLine($"note: {TerminalText.OneLine(sentence)}");
        }
    }

    /// <summary>Writes results to the --json file, if there is one: properties in snake_case, whole or not at all.</summary>
    /// <exception cref="InputException">The file cannot be written.</exception>
    public void WriteJson(object results)
    {
        if (Json is not null)
        {
            JsonText.Write(Json, results);
        }
    }
}
