using System.Diagnostics;
using Ldvc.Tensors;

namespace Ldvc.Fuzz;

/// <summary>What a number of inputs did to a parser.</summary>
/// <param name="Parser">Its name.</param>
/// <param name="Inputs">How many there were.</param>
/// <param name="Accepted">How many it read to the end.</param>
/// <param name="Crashes">What it threw besides InputException, the first of each kind, with the input.</param>
/// <param name="CrashCount">How often.</param>
/// <param name="Beyond">How many took more memory than the parser's bound.</param>
/// <param name="Slowest">The longest time of one input, compilation at the beginning left out.</param>
/// <param name="MostBytes">The most managed memory that one input took.</param>
internal sealed record FuzzResult(
    string Parser,
    int Inputs,
    int Accepted,
    IReadOnlyList<(Exception Error, byte[] Input)> Crashes,
    int CrashCount,
    int Beyond,
    TimeSpan Slowest,
    long MostBytes);

/// <summary>Gives a parser damaged files, the same ones for the same seed.</summary>
internal static class FuzzRun
{
    // A third of the inputs are damaged as bytes, a third by what knows the format, a third are changed and stay well formed.
    private const int Kinds = 3;

    /// <summary>Runs a number of inputs.</summary>
    /// <param name="parser">What reads them.</param>
    /// <param name="count">How many.</param>
    /// <param name="seed">Which.</param>
    /// <param name="folder">An empty folder for its files.</param>
    /// <param name="cancellation">Ends it early, with the result so far.</param>
    internal static FuzzResult Run(FuzzParser parser, int count, int seed, string folder, CancellationToken cancellation = default)
    {
        parser.Prepare?.Invoke(folder);
        foreach (byte[] valid in parser.Seeds)
        {
            // A parser that refuses its own seeds would be tried with noise alone. It also compiles what is measured below.
            parser.Parse(new FuzzInput(valid, folder, parser.FileName));
        }

        var random = new Random(seed);
        var crashes = new List<(Exception, byte[])>();
        int done = 0, accepted = 0, crashed = 0, beyond = 0;
        var slowest = TimeSpan.Zero;
        long most = 0;
        for (; done < count && !cancellation.IsCancellationRequested; done++)
        {
            byte[] one = parser.Seeds[random.Next(parser.Seeds.Length)], other = parser.Seeds[random.Next(parser.Seeds.Length)];
            byte[] damaged = random.Next(Kinds) switch
            {
                0 => FuzzMutator.Bytes(one, other, random),
                1 => parser.Structure(one, other, random),
                _ => parser.Care(one, other, random),
            };
            var input = new FuzzInput(damaged, folder, parser.FileName);
            long before = GC.GetAllocatedBytesForCurrentThread(), began = Stopwatch.GetTimestamp();
            try
            {
                parser.Parse(input);
                accepted++;
            }
            catch (InputException)
            {
                // As it should be.
            }
#pragma warning disable CA1031 // Whatever it is, it is what is looked for.
            catch (Exception e)
#pragma warning restore CA1031
            {
                crashed++;
                if (!crashes.Exists(crash => crash.Item1.GetType() == e.GetType() && crash.Item1.StackTrace == e.StackTrace))
                {
                    crashes.Add((e, damaged));
                }
            }

            TimeSpan took = Stopwatch.GetElapsedTime(began);
            long bytes = GC.GetAllocatedBytesForCurrentThread() - before;
            beyond += bytes > parser.FreeBytes + (parser.BytesPerByte * damaged.Length) ? 1 : 0;
            (slowest, most) = (took > slowest ? took : slowest, Math.Max(most, bytes));
        }

        return new FuzzResult(parser.Name, done, accepted, crashes, crashed, beyond, slowest, most);
    }
}
