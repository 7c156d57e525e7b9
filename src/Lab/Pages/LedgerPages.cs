using System.Text;
using Ldvc.Configuration;
using Ldvc.Imaging;
using Ldvc.Lab.Evidence;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Lab.Pages;

/// <summary>
/// README.md and the pages of docs/ against the ledger. Notes in docs/lab are records of their day and have no blocks; an entry that no page shows is
/// history and may be of another arithmetic.
/// </summary>
internal static class LedgerPages
{
    private const int LargestPage = 4 << 20;

    /// <summary>What is wrong with the pages, a sentence each; nothing when they say what the ledger says.</summary>
    /// <param name="root">The repository.</param>
    /// <param name="bits">The arithmetic of today.</param>
    internal static IReadOnlyList<string> Check(string root, BitsChange bits)
    {
        var problems = new List<string>();
        foreach (string page in Pages(root))
        {
            try
            {
                var (text, wanted, files) = Make(root, page, bits);
                if (text != wanted)
                {
                    problems.Add($"{page}: {FirstDifference(text, wanted)}");
                }

                problems.AddRange(files
                    .Where(file => ReadOrNothing(Path.Combine(root, file.Path)) != file.Text)
                    .Select(file => $"{file.Path}: is not what the ledger says"));
            }
            catch (InputException e)
            {
                problems.Add(e.Message);
            }
        }

        return problems;
    }

    /// <summary>Writes the blocks of all pages anew.</summary>
    /// <param name="root">The repository.</param>
    /// <param name="bits">The arithmetic of today.</param>
    /// <returns>The files that were changed.</returns>
    /// <exception cref="InputException">An entry is missing, damaged or of another arithmetic, or a page cannot be written. Then none is.</exception>
    internal static IReadOnlyList<string> Write(string root, BitsChange bits)
    {
        var changed = new List<(string Path, string Text)>();
        foreach (string page in Pages(root))
        {
            var (text, wanted, files) = Make(root, page, bits);
            changed.AddRange(files.Where(file => ReadOrNothing(Path.Combine(root, file.Path)) != file.Text));
            if (text != wanted)
            {
                changed.Add((page, wanted));
            }
        }

        using var together = new AtomicFiles();
        foreach (var (path, text) in changed.DistinctBy(file => file.Path))
        {
            OutputFolder.Create(Path.GetDirectoryName(Path.Combine(root, path))!);
            together.Add(Path.Combine(root, path), stream => stream.Write(Encoding.UTF8.GetBytes(text)));
        }

        together.Commit();
        return [.. changed.Select(file => file.Path).Distinct()];
    }

    /// <summary>The pages, as paths from the repository.</summary>
    private static IEnumerable<string> Pages(string root) =>
    [
        "README.md",
        .. Directory.EnumerateFiles(Path.Combine(root, "docs"), "*.md").Select(
            path => "docs/" + Path.GetFileName(path)).Order(StringComparer.Ordinal),
    ];

    private static (string Text, string Wanted, List<(string Path, string Text)> Files) Make(string root, string page, BitsChange bits)
    {
        string text = Read(Path.Combine(root, page));
        var files = new List<(string Path, string Text)>();
        string wanted = PageBlocks.Fill(page, text, (name, views) =>
        {
            LedgerEntry entry = Entry(root, page, name, bits);
            var input = new ViewInput(name, entry, page.Contains('/') ? "../" : "");
            var lines = new List<string>();
            foreach (string called in views)
            {
                LedgerView view = Array.Find(LedgerViews.All, view => view.Name == called)
                    ?? throw new InputException(
                        $"{page}: expected views out of {string.Join(", ", LedgerViews.All.Select(v => v.Name))}, found {ConfigText.Quote(called)}");
                if (!view.Kinds.Contains(entry.Kind))
                {
                    throw new InputException(
                        $"{page}: view '{called}' expected an entry of {string.Join(" or ", view.Kinds).ToLowerInvariant()}, "
                        + $"found '{name}' of {entry.Kind.ToString().ToLowerInvariant()}");
                }

                ViewText made = view.Render(input);
                lines.AddRange(lines.Count > 0 ? ["", .. made.Lines] : made.Lines);
                files.AddRange(made.Files);
            }

            return lines;
        });
        return (text, wanted, files);
    }

    private static LedgerEntry Entry(string root, string page, string name, BitsChange bits)
    {
        string folder = Ledger.FolderFor(root);
        LedgerEntry entry;
        try
        {
            entry = Ledger.Read(folder, Ledger.CheckName(name, page));
        }
        catch (InputException e)
        {
            throw new InputException($"{page}: shows the ledger's entry '{name}', which cannot be read ({e.Message})", e);
        }

        // The golden run says nothing about other devices' arithmetic.
        return entry.Device != "cpu" || entry.Program.Bits == bits.Id ? entry : throw new InputException(
            $"{page}: shows results/{name}.json, which was measured with bits {entry.Program.Bits}, "
            + $"but they are {bits.Id} since {bits.Date} ({bits.Reason}); "
            + $"run '{entry.Command} --record {name}' again, or take the block out of the page");
    }

    private static string Read(string path) => Encoding.UTF8.GetString(PlainFile.ReadAll(path, LargestPage)).ReplaceLineEndings("\n");

    private static string? ReadOrNothing(string path) => File.Exists(path) ? Read(path) : null;

    private static string FirstDifference(string text, string wanted)
    {
        string[] found = text.Split('\n'), expected = wanted.Split('\n');
        int line = Enumerable.Range(0, Math.Max(found.Length, expected.Length))
            .First(i => found.ElementAtOrDefault(i) != expected.ElementAtOrDefault(i));
        string a = expected.ElementAtOrDefault(line) ?? "", b = found.ElementAtOrDefault(line) ?? "";
        int place = a.Zip(b).TakeWhile(pair => pair.First == pair.Second).Count();
        return $"line {line + 1}: expected {Around(a, place)}, as the ledger says, found {Around(b, place)}";
    }

    // What differs may stand far out in a long row.
    private static string Around(string line, int place) =>
        ConfigText.Quote(line[Math.Max(0, Math.Min(line.Length, place) - 12)..Math.Min(line.Length, place + 24)]);
}
