using System.CommandLine;
using Ldvc.App.Cli;
using Ldvc.Lab.Evidence;
using Ldvc.Lab.Pages;
using Ldvc.Tensors;

namespace Ldvc.Bench.Evidence;

/// <summary>`bench tables`: makes the tables and plots of README.md and docs/ from the ledger.</summary>
internal static class TablesVerb
{
    private const int Differ = 1;

    internal static Command Create()
    {
        var check = new Option<bool>("--check")
        {
            Description = "Writes nothing; says what is not as the ledger says, and ends with 1 when something is.",
        };
        var command = new VerbCommand(
            "tables",
            "Writes the tables and plots of README.md and docs/*.md anew from results/*.json.",
            "dotnet run -c Release --project bench -- tables")
        {
            check,
        };
        command.SetAction(result => Run(result.GetValue(check)));
        return command;
    }

    private static int Run(bool check)
    {
        string here = Environment.CurrentDirectory;
        string root = SourceTree.Above(here, "Ldvc.sln")
            ?? throw new InputException($"{here}: expected a folder of the repository, found no Ldvc.sln here or above.");
        BitsChange bits = BitsHistory.Read(Path.Combine(Ledger.FolderFor(root), BitsHistory.FileName)).Current;
        IReadOnlyList<string> lines = check ? LedgerPages.Check(root, bits) : LedgerPages.Write(root, bits);
        foreach (string line in lines)
        {
            Console.WriteLine(check ? line : $"written: {line}");
        }

        if (lines.Count == 0)
        {
            Console.WriteLine("README.md and docs/ say what the ledger says");
        }

        return check && lines.Count > 0 ? Differ : 0;
    }
}
