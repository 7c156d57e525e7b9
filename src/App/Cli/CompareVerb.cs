using System.CommandLine;
using System.Globalization;
using Ldvc.App.Terminal;
using Ldvc.Comparison;
using Ldvc.Configuration;
using Ldvc.Tensors;
using Spectre.Console;

namespace Ldvc.App.Cli;

/// <summary>What `ldvc compare` is told.</summary>
/// <param name="Clip">Folder or file of a CLIP.</param>
/// <param name="Reference">The reference file.</param>
/// <param name="Tolerance">Bound of activations, logits and loss, null for the precision's; that of gradients follows it.</param>
/// <param name="Precision">Precision of the products.</param>
/// <param name="Activation">The CLIP's activation; null = what its files say.</param>
/// <param name="Common">What every verb is told.</param>
internal sealed record CompareOptions(
    string Clip, string Reference, double? Tolerance, Precision Precision, Kernels.Activation? Activation, CommonOptions Common);

/// <summary>`ldvc compare`: one line per tensor with its errors, its bound and the verdict, then one that sums up.</summary>
internal static class CompareVerb
{
    private const int Beyond = 1;

    /// <summary>The verb on the command line.</summary>
    /// <param name="host">Where it writes, and whether it has been told to stop.</param>
    public static Command Create(VerbHost host)
    {
        Option<string> clip = CommandParts.Clip();
        Option<string> activation = CommandParts.Activation();
        var reference = new Option<string>("--reference")
        {
            HelpName = "F",
            Description = "A safetensors file with inputs and expected values; tools/ has the script that writes such files.",
            Required = true,
        };
        var tolerance = new Option<string?>("--tolerance")
        {
            HelpName = "X",
            Description = "Largest relative error of activations, logits and loss. Default: 2e-5, gradients 10 X; with tf32 3e-3, with bf16 and fp16 "
                + "5e-3, gradients 4 X (docs/compare.md).",
        };
        Option<string> precision = CommandParts.Precision();
        var command = new VerbCommand(
            "compare",
            "Recomputes what a reference file holds, prints the largest absolute and relative error of every tensor; exit code 0 within the "
                + "tolerance, else 1.",
            "ldvc compare --clip clip-vit-b16 --reference clip-vit-b16-reference.safetensors")
        {
            clip,
            activation,
            reference,
            tolerance,
            precision,
        };
        CommonOptionSet common = CommonOptionSet.AddTo(command);
        command.SetAction(result => Run(new CompareOptions(
            OptionValue.RequiredPath(result, clip),
            OptionValue.RequiredPath(result, reference),
            OptionValue.Number(result, tolerance, 0, double.PositiveInfinity),
            OptionValue.Precision(result, precision),
            OptionValue.Activation(result, activation),
            common.Read(result, host))));
        return command;
    }

    /// <summary>Runs the verb; 0 when every tensor is within its bound, else 1.</summary>
    /// <exception cref="InputException">The CLIP or the reference file cannot be read, or they do not fit each other.</exception>
    public static int Run(CompareOptions options)
    {
        var tolerance = ComparisonTolerance.For(options.Precision, options.Tolerance);
        IReadOnlyList<ComparisonRow> rows;
        using (Device device = options.Common.OpenDevice(options.Precision))
        {
            rows = ReferenceComparison.Run(options.Clip, options.Reference, tolerance, device, options.Activation, options.Common.Cancellation);
        }

        bool within = rows.All(row => row.Within);
        options.Common.WriteJson(new
        {
            options.Clip,
            options.Reference,
            Precision = ConfigWriter.EnumName(options.Precision),
            Tolerance = tolerance.Values,
            Within = within,
            Rows = rows,
        });
        options.Common.CreateConsole().Write(Table(rows, options.Common.Host.Interactive));
        options.Common.Out.WriteLine(Summary(rows, tolerance.Values));
        return within ? 0 : Beyond;
    }

    private static Table Table(IReadOnlyList<ComparisonRow> rows, bool interactive)
    {
        Table table = new Table().Border(interactive ? TableBorder.Rounded : TableBorder.None);
        table.AddColumn(new TableColumn("tensor").NoWrap());
        foreach (string title in (string[])["max abs", "max rel", "bound"])
        {
            table.AddColumn(new TableColumn(title).RightAligned().NoWrap());
        }

        table.AddColumn(new TableColumn("verdict").NoWrap());
        foreach (ComparisonRow row in rows)
        {
            table.AddRow(
                new Text(row.Name),
                new Text(Number(row.MaxAbsolute)),
                new Text(Number(row.MaxRelative)),
                new Text(Number(row.Bound)),
                row.Within ? new Text("ok", new Style(Color.Green)) : new Text("BEYOND", new Style(Color.Red)));
        }

        return table;
    }

    /// <summary>For example: within the tolerance of 2.00e-05: 9 of 9 tensors are within their bounds; the worst is ...</summary>
    private static string Summary(IReadOnlyList<ComparisonRow> rows, double tolerance)
    {
        int good = rows.Count(row => row.Within);
        ComparisonRow worst = rows.MaxBy(Share)!;
        string share = (worst.MaxRelative, Share(worst)) switch
        {
            (var relative, _) when !double.IsFinite(relative) => ", with NaN or infinity here or in the file",
            (_, double.PositiveInfinity) => $", off by {Number(worst.MaxRelative)} of its size",
            (_, var times) => $" at {times.ToString("G2", CultureInfo.InvariantCulture)} times its bound",
        };
        string verdict = good == rows.Count ? "within" : "BEYOND";
        return $"{verdict} the tolerance of {Number(tolerance)}: {good} of {rows.Count} tensors are within their bounds; "
            + $"the worst is {worst.Name}{share}.";
    }

    // NaN counts as the largest error.
    private static double Share(ComparisonRow row) => row switch
    {
        { MaxRelative: double.NaN } => double.PositiveInfinity,
        { MaxRelative: 0 } => 0,
        _ => row.MaxRelative / row.Bound,
    };

    private static string Number(double value) => value == 0 ? "0" : value.ToString("0.00e+00", CultureInfo.InvariantCulture);
}
