using Ldvc.Bench.Compare.Ours;

namespace Ldvc.Bench.Compare;

/// <summary>What `bench peers` is told.</summary>
/// <param name="Filters">Parts of case names; a case runs when any of them occurs in its name. Empty runs all.</param>
/// <param name="Rounds">Turns of each engine.</param>
/// <param name="On">Where every engine computes, with how many threads, in which precision.</param>
/// <param name="Json">Where to write the results; null for nowhere.</param>
/// <param name="Record">Name of the ledger's entry; null for none.</param>
/// <param name="Arguments">The command line.</param>
internal sealed record PeerOptions(
    IReadOnlyList<string> Filters, int Rounds, WorkDevice On, string? Json, string? Record, IReadOnlyList<string> Arguments);
