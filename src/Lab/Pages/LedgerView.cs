using Ldvc.Lab.Evidence;

namespace Ldvc.Lab.Pages;

/// <summary>A block's contents.</summary>
/// <param name="Lines">Lines of Markdown.</param>
/// <param name="Files">Pictures that they show, by their path from the repository.</param>
internal sealed record ViewText(IReadOnlyList<string> Lines, IReadOnlyList<(string Path, string Text)> Files)
{
    internal static ViewText Of(IEnumerable<string> lines) => new([.. lines], []);
}

/// <summary>What a view is given.</summary>
/// <param name="Name">The entry's name.</param>
/// <param name="Entry">The entry.</param>
/// <param name="Up">From the page to the repository: "" or "../".</param>
internal sealed record ViewInput(string Name, LedgerEntry Entry, string Up)
{
    /// <summary>What a pair of runs is called.</summary>
    internal string Pair => Entry.Rows.SelectMany(row => row.Runs).Any(run => run.Split is not null) ? "run" : "seed";
}

/// <summary>One way to show an entry.</summary>
/// <param name="Name">As blocks call it.</param>
/// <param name="Kinds">Entries that can be shown so.</param>
/// <param name="Render">Makes the lines.</param>
internal sealed record LedgerView(string Name, LedgerKind[] Kinds, Func<ViewInput, ViewText> Render);
