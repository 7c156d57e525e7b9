using System.CommandLine;
using Ldvc.App.Cli;
using Ldvc.Lab.Evidence;
using Ldvc.Tensors;

namespace Ldvc.Bench.Evidence;

/// <summary>`bench merge`: one entry of the ledger out of several that differ in their seeds.</summary>
internal static class MergeVerb
{
    internal static Command Create()
    {
        var names = new Argument<string[]>("NAME") { Description = "Entries: results/NAME.json.", Arity = new ArgumentArity(2, 100) };
        var into = new Option<string>("--into") { HelpName = "NAME", Description = "The entry to write; it may be one of them.", Required = true };
        var command = new VerbCommand(
            "merge",
            "Puts entries of the ledger together that ran the same comparison with other seeds.",
            "dotnet run -c Release --project bench -- merge small small-more --into small")
        {
            names,
            into,
        };
        command.SetAction(result => Run(result.GetValue(names)!, result.GetValue(into)!));
        return command;
    }

    private static int Run(string[] names, string into)
    {
        string folder = Ledger.FolderFor(Environment.CurrentDirectory);
        Ledger.CheckName(into, "--into");
        LedgerEntry merged = LedgerMerge.Of([.. names.Select(name => (Ledger.CheckName(name, "NAME"), Ledger.Read(folder, name)))]);
        Console.WriteLine($"written: {Ledger.Write(folder, into, merged)}, {merged.Seeds.Length} seeds; `bench tables` makes its tables anew");
        return 0;
    }
}
