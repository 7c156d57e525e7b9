namespace Ldvc.Ptx.Machine;

/// <summary>
/// How well the accesses of warps suit the memory of a card: shared memory serves 32 banks of four bytes at once, to a warp for accesses of up to
/// four bytes, to half of one for eight and a quarter for sixteen; device memory comes in sectors of 32 bytes.
/// </summary>
internal sealed class PtxTraffic
{
    private const int Banks = 32;
    private const int Sector = 32;

    private readonly Dictionary<int, long> _extraByLine = [];

    /// <summary>Turns that shared memory takes if no two lanes want different words of a bank.</summary>
    internal long SharedTurns { get; private set; }

    /// <summary>Turns on top of those.</summary>
    internal long ExtraTurns { get; private set; }

    /// <summary>Bytes that lanes asked device memory for, each counted once a warp.</summary>
    internal long Wanted { get; private set; }

    /// <summary>Bytes of the sectors that hold them.</summary>
    internal long Moved { get; private set; }

    /// <summary>The share of what device memory moves that is wanted.</summary>
    internal double Efficiency => Moved == 0 ? 1 : (double)Wanted / Moved;

    /// <summary>Lines of the text whose accesses take extra turns, and how many.</summary>
    internal IEnumerable<(int Line, long Extra)> Conflicts =>
        _extraByLine.Where(pair => pair.Value > 0).Select(pair => (pair.Key, pair.Value)).OrderByDescending(pair => pair.Value);

    /// <summary>Counts an access of a warp.</summary>
    /// <param name="line">Its line.</param>
    /// <param name="phase">For device memory, how far sectors are from multiples of their size; null for shared memory.</param>
    /// <param name="addresses">By lane.</param>
    /// <param name="active">The lanes that take part.</param>
    /// <param name="bytes">What a lane accesses.</param>
    internal void Count(int line, long? phase, long[] addresses, uint active, int bytes)
    {
        if (phase is { } shift)
        {
            var places = Lanes(active, 0, Banks).SelectMany(lane => Enumerable.Range(0, bytes).Select(i => addresses[lane] + i - shift)).ToHashSet();
            Wanted += places.Count;
            Moved += Sector * places.Select(place => place / Sector).Distinct().Count();
            return;
        }

        int together = bytes <= 4 ? 32 : 128 / bytes;
        for (int first = 0; first < Banks; first += together)
        {
            var words = Lanes(active, first, together).SelectMany(
                lane => Enumerable.Range(0, Math.Max(1, bytes / 4)).Select(i => (addresses[lane] / 4) + i)).Distinct().ToList();
            if (words.Count > 0)
            {
                int turns = words.GroupBy(word => word % Banks).Max(bank => bank.Count());
                SharedTurns++;
                ExtraTurns += turns - 1;
                _extraByLine[line] = _extraByLine.GetValueOrDefault(line) + turns - 1;
            }
        }
    }

    private static IEnumerable<int> Lanes(uint active, int first, int count) =>
        Enumerable.Range(first, count).Where(lane => (active >> lane & 1) != 0);
}
