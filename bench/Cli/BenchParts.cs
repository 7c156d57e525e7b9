using System.CommandLine;
using Ldvc.App.Cli;
using Ldvc.Bench.Compare.Ours;

namespace Ldvc.Bench.Cli;

/// <summary>Options that several verbs share.</summary>
internal static class BenchParts
{
    /// <summary>--filter TEXT.</summary>
    internal static Option<string?> Filter(string description) => new("--filter") { HelpName = "TEXT", Description = description };

    /// <summary>--rounds N.</summary>
    internal static Option<string> Rounds(int preset) => new(
        "--rounds")
    { HelpName = "N", Description = "How often each thing is measured; medians are shown.", DefaultValueFactory = _ => $"{preset}" };

    /// <summary>Reads --rounds.</summary>
    internal static int Rounds(ParseResult result, Option<string> option) => (int)OptionValue.WholeNumber(result, option, 1, 1_000_000);
}

/// <summary>--device, --precision and --threads, together a <see cref="WorkDevice"/>.</summary>
internal sealed class DeviceParts
{
    private readonly Option<string> _device, _precision = CommandParts.Precision(), _threads;

    private DeviceParts(string device, string description, int threads)
    {
        _device = new("--device") { HelpName = "D", Description = description, DefaultValueFactory = _ => device };
        _threads = CommandParts.Threads(threads);
    }

    /// <summary>Adds the three to a verb.</summary>
    internal static DeviceParts AddTo(Command command, string device, string description, int threads = 0)
    {
        var parts = new DeviceParts(device, description, threads);
        command.Add(parts._device);
        command.Add(parts._precision);
        command.Add(parts._threads);
        return parts;
    }

    /// <summary>The values given.</summary>
    /// <exception cref="Ldvc.Tensors.InputException">A value is not as it must be.</exception>
    internal WorkDevice Read(ParseResult result) =>
        new(OptionValue.RequiredText(result, _device), OptionValue.Threads(result, _threads), OptionValue.Precision(result, _precision));
}
