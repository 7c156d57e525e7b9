using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Ldvc.Tensors;
using Ldvc.Tensors.Distributed;
using Ldvc.Tensors.Distributed.Mpi;

namespace Ldvc.Worker;

/// <summary>Every operation of a group at several lengths, against what each process can compute alone.</summary>
internal static class CollectiveChecks
{
    private static readonly int[] s_lengths = [0, 1, 2, 3, 7, 255, 1000, 4097, 100_003];

    /// <summary>Runs them; "N checks, HASH" with the hash of sums whose bits must be the same every time.</summary>
    internal static string Run(IProcessGroup group)
    {
        int checks = 0;
        foreach (int length in s_lengths)
        {
            checks += Reductions(group, length);
            checks += Broadcasts(group, length);
        }

        checks += Gathers(group);
        checks += Pending(group);
        checks += Tensors(group);
        checks += Cut(group);
        string hash = Bits(group);
        group.Barrier();
        Expect(group.TimeInCommunication > TimeSpan.Zero, "no time in communication");
        Expect(group.LocalSize == group.Size && group.LocalRank == group.Rank, "one node, expected the ranks of the job");
        return $"{checks} checks, {hash}";
    }

    private static int Reductions(IProcessGroup group, int length)
    {
        long all = Enumerable.Range(1, group.Size).Sum(), most = group.Size;
        var floats = Values(length, i => (float)((i % 13) * (group.Rank + 1)));
        group.Sum(floats);
        Expect(floats.Select((value, i) => value == (i % 13) * all).All(same => same), $"sum of {length} float");
        var doubles = Values(length, i => (i % 13) * (group.Rank + 1.0));
        group.Sum(doubles);
        Expect(doubles.Select((value, i) => value == (i % 13) * all).All(same => same), $"sum of {length} double");
        var longs = Values(length, i => (i + (1L << 40)) * (group.Rank + 1));
        group.Sum(longs);
        Expect(longs.Select((value, i) => value == (i + (1L << 40)) * all).All(same => same), $"sum of {length} long");
        var largest = Values(length, i => (double)((i + group.Rank) % group.Size));
        group.Max(largest);
        Expect(largest.All(value => value == most - 1), $"max of {length} double");
        var longest = Values(length, i => -(long)((i + group.Rank) % group.Size) - (1L << 40));
        group.Max(longest);
        Expect(longest.All(value => value == -(1L << 40)), $"max of {length} long");
        return 5;
    }

    private static int Broadcasts(IProcessGroup group, int length)
    {
        for (int root = 0; root < group.Size; root++)
        {
            byte[] data = Values(length, i => group.Rank == root ? (byte)((i * 7) + root) : (byte)255);
            group.Broadcast(data, root);
            Expect(data.Select((value, i) => value == (byte)((i * 7) + root)).All(same => same), $"broadcast of {length} bytes from {root}");
        }

        return group.Size;
    }

    // Uneven: rank r has r * 1001 bytes, so rank 0 has none.
    private static int Gathers(IProcessGroup group)
    {
        static byte[] Part(int rank) => Values(rank * 1001, i => (byte)((i * 3) + rank));
        for (int root = 0; root < group.Size; root++)
        {
            byte[][]? gathered = group.Gather(Part(group.Rank), root);
            Expect((gathered is null) == (group.Rank != root), $"gather to {root}: expected parts at the root alone");
            Expect(gathered is null || Same(gathered, Part), $"gather to {root}");
        }

        Expect(Same(group.AllGather(Part(group.Rank)), Part), "gather to all");
        Expect(group.AllGather([]).All(part => part.Length == 0), "gather of nothing");
        return group.Size + 2;
    }

    private static int Pending(IProcessGroup group)
    {
        var buffers = Enumerable.Range(0, 5).Select(k => Values(10_000 * k, i => (float)(k + group.Rank))).ToArray();
        IPendingSum[] pending = [.. buffers.Select(buffer => group.BeginSum(buffer.AsMemory()))];

        // Another operation in between, and waits in another order than the starts.
        long[] other = [group.Rank];
        group.Sum(other);
        for (int k = buffers.Length - 1; k >= 0; k--)
        {
            pending[k].Wait();
            pending[k].Wait();
            float expected = (group.Size * k) + Enumerable.Range(0, group.Size).Sum();
            Expect(buffers[k].All(value => value == expected), $"pending sum {k}");
        }

        Expect(other[0] == Enumerable.Range(0, group.Size).Sum(), "sum between pending ones");
        return buffers.Length + 1;
    }

    private static int Tensors(IProcessGroup group)
    {
        using var device = new CpuDevice(1);
        group.Use(device);
        using Tensor whole = device.FromHost(Values(60, i => (float)(i + group.Rank)), new Shape(6, 10));
        using Tensor rows = whole.Slice(2, 3);
        group.BeginSum(rows).Wait();
        int ranks = Enumerable.Range(0, group.Size).Sum();
        Expect(
            whole.ToArray().Select((value, i) => value == (i is >= 20 and < 50 ? (group.Size * i) + ranks : i + group.Rank)).All(same => same),
            "sum of a tensor's rows");
        using Tensor rounded = device.FromHostRounded(Values(7, i => i * 0.5f), new Shape(7));
        group.BeginSum(rounded).Wait();
        float[] sums = new float[7];
        ElementConversion.ToFloat32(DType.BFloat16, MemoryMarshal.AsBytes(rounded.ToArray<ushort>().AsSpan()), sums);
        Expect(sums.Select((value, i) => value == group.Size * i * 0.5f).All(same => same), "sum of bf16");
        return 2;
    }

    // Calls count in an int: with a small limit the same code cuts what is longer.
    private static int Cut(IProcessGroup group)
    {
        if (group is not MpiProcessGroup { CallElements: var usual } mpi)
        {
            return 0;
        }

        mpi.CallElements = 100;
        float[] values = Values(1234, i => (float)(i + group.Rank));
        group.BeginSum(values.AsMemory()).Wait();
        Expect(values.Select((value, i) => value == (group.Size * i) + Enumerable.Range(0, group.Size).Sum()).All(same => same), "sum in pieces");
        int checks = 2 + Broadcasts(group, 255) + Gathers(group);
        mpi.CallElements = usual;
        return checks;
    }

    // Sums of numbers whose rounding depends on the order.
    private static string Bits(IProcessGroup group)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (int length in s_lengths)
        {
            for (int time = 0; time < 2; time++)
            {
                var random = new CounterRandom(5, (ulong)group.Rank);
                float[] values = Values(length, i => (float)(random.NextDouble() - 0.5) * MathF.Pow(10, i % 7));
                if (time == 0)
                {
                    group.Sum(values);
                }
                else
                {
                    group.BeginSum(values.AsMemory()).Wait();
                }

                byte[] bytes = MemoryMarshal.AsBytes(values.AsSpan()).ToArray();
                Expect(group.AllGather(bytes).All(other => other.AsSpan().SequenceEqual(bytes)), $"sum of {length}: other bits on another rank");
                hash.AppendData(bytes);
            }
        }

        return Convert.ToHexString(hash.GetHashAndReset());
    }

    private static bool Same(byte[][] gathered, Func<int, byte[]> part) =>
        gathered.Select((bytes, rank) => bytes.AsSpan().SequenceEqual(part(rank))).All(same => same);

    private static T[] Values<T>(int length, Func<int, T> value) => [.. Enumerable.Range(0, length).Select(value)];

    private static void Expect(bool holds, string what)
    {
        if (!holds)
        {
            throw new InputException($"{what}: wrong");
        }
    }
}
