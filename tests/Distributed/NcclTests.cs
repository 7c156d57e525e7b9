using System.Diagnostics;
using System.Runtime.InteropServices;
using Ldvc.Tensors;
using Ldvc.Tensors.Distributed;
using Ldvc.Tensors.Distributed.Nccl;
using Ldvc.Tests.Serialization;
using Xunit;

namespace Ldvc.Tests.Distributed;

/// <summary>
/// What is asked of NCCL and of the CUDA driver, by a library that stands in for both, writes the calls down and adds the buffers (tests/data/nccl).
/// </summary>
public sealed class NcclTests : IDisposable
{
    private const nint Compute = 0x5500;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void SumsGoFromCardToCard(int size)
    {
        StandIn library = Build();
        library.Reset();
        ThreadProcessGroup.Run(size, inner =>
        {
            library.Begin(inner.Rank);
            using var device = new CpuDevice(1);
            var group = new NcclProcessGroup(inner, required: true, library.Parts(inner.Rank, inner.Rank));
            group.Use(device);
            Assert.EndsWith(", NCCL 2.27.3", group.Description);
            using Tensor whole = device.FromHost([.. Enumerable.Range(0, 12).Select(i => (float)i + inner.Rank)], new Shape(4, 3));
            using Tensor rows = whole.Slice(1, 2);
            int ranks = Enumerable.Range(0, size).Sum();
            for (int time = 0; time < 2; time++)
            {
                using Tensor values = rows.Clone();
                IPendingSum sum = group.BeginSum(values);
                sum.Wait();
                sum.Wait();
                Assert.Equal([.. Enumerable.Range(3, 6).Select(i => (float)(size * i) + ranks)], values.ToArray());
            }

            // In place, a part of a tensor alone.
            group.BeginSum(rows).Wait();
            Assert.Equal([.. Enumerable.Range(0, 12).Select(i => i is >= 3 and < 9 ? (float)(size * i) + ranks : i + inner.Rank)], whole.ToArray());
            using Tensor halves = device.FromHostRounded([1, 2, 3], new Shape(3));
            group.BeginSum(halves).Wait();
            group.Dispose();
        });

        // Rank 0 makes the id, once; each sum waits for the computation, and the computation for it; the second one finds the first one's buffer.
        string[][] calls = [.. Enumerable.Range(0, size).Select(library.Calls)];
        string[] sum24 = ["record compute", "side waits for compute", "copy 24 compute to side", "sum 6 of type 7", "copy 24 side to compute",
            "record side", "compute waits for side"];
        for (int rank = 0; rank < size; rank++)
        {
            string[] expected =
            [
                .. rank == 0 ? ["id"] : Array.Empty<string>(), $"join {rank} of {size}", "allocate 24", .. sum24, .. sum24, .. sum24,
                "record compute",
                "side waits for compute",
                "copy 6 compute to side",
                "sum 3 of type 9",
                "copy 6 side to compute",
                "record side",
                "compute waits for side",
                "leave",
            ];
            Assert.Equal(expected, calls[rank]);
        }

        // Events of the computation's context go with that context: one for each buffer.
        Assert.Equal(size, library.Live());
    }

    [Fact]
    public void AnErrorOfNcclSaysWhat()
    {
        StandIn library = Build();
        library.Reset();
        ThreadProcessGroup.Run(1, inner =>
        {
            library.Begin(0);
            using var device = new CpuDevice(1);
            var group = new NcclProcessGroup(inner, required: true, library.Parts(0, 0));
            group.Use(device);
            using Tensor values = device.Zeros(new Shape(3));
            library.Fail(6);
            Assert.Equal(
                "ncclAllReduce on rank 0: remote process exited", Assert.Throws<ProcessGroupException>(() => group.BeginSum(values)).Message);
        });
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void TwoProcessesOfOneCardAreRefusedOrGoThroughTheHost(bool required)
    {
        StandIn library = Build();
        library.Reset();
        void Body(IProcessGroup inner)
        {
            library.Begin(inner.Rank);
            using var device = new CpuDevice(1);
            var group = new NcclProcessGroup(inner, required, library.Parts(inner.Rank, 0));
            group.Use(device);
            using Tensor values = device.FromHost(new float[] { 1, 2 }, new Shape(2));
            group.BeginSum(values).Wait();
            Assert.Equal([2, 4], values.ToArray());
        }

        if (required)
        {
            Assert.Matches(
                @"^--dist nccl: rank \d and rank \d use the same card, card 0; start one process for each card\.$",
                Assert.Throws<InputException>(() => ThreadProcessGroup.Run(2, Body)).Message);
        }
        else
        {
            ThreadProcessGroup.Run(2, Body);
            Assert.Empty(library.Calls(0));
        }
    }

    [Fact]
    public void WhatIsMissingIsASentenceOrGoesThroughTheHost()
    {
        using var device = new CpuDevice(1);
        var machine = NcclParts.OfMachine(_ => null);
        NcclProcessGroup Open(bool required, NcclParts parts) => new(SingleProcessGroup.Instance, required, parts);
        Assert.Equal("--dist nccl: expected --device cuda, found cpu.", Assert.Throws<InputException>(() => Open(true, machine).Use(device)).Message);
        var lacking = new NcclParts(
            NcclLibrary.Files(name => name == NcclLibrary.Variable ? "/no/libnccl.so" : null),
            [],
            _ => new CudaCard("card", 0, 0, 0, _ => 0, () => new StandIn.Nothing()));
        Assert.StartsWith("--dist nccl: no /no/libnccl.so was found; ", Assert.Throws<InputException>(() => Open(true, lacking).Use(device)).Message);
        NcclProcessGroup group = Open(false, lacking);
        group.Use(device);
        using Tensor values = device.FromHost(new float[] { 3 }, new Shape(1));
        group.BeginSum(values).Wait();
        Assert.Equal([3], values.ToArray());
    }

    private StandIn Build()
    {
        string file = _folder.File("standin.so");
        StandInLibrary.Build("nccl", file);
        return new StandIn(file);
    }

    private sealed unsafe class StandIn(string file)
    {
        private readonly nint _library = NativeLibrary.Load(file);

        internal void Begin(int rank) => ((delegate* unmanaged<int, nint, void>)Function("standin_begin"))(rank, Compute + rank);

        internal void Reset() => ((delegate* unmanaged<void>)Function("standin_reset"))();

        internal void Fail(int code) => ((delegate* unmanaged<int, void>)Function("standin_fail"))(code);

        internal int Live() => ((delegate* unmanaged<int>)Function("standin_live"))();

        internal string[] Calls(int rank) =>
        [
            .. Marshal.PtrToStringUTF8((nint)((delegate* unmanaged<byte*>)Function("standin_log"))())!.Split('\n').Where(
                line => line.StartsWith($"{rank} ", StringComparison.Ordinal))
                .Select(line => line[(line.IndexOf(' ', StringComparison.Ordinal) + 1)..]),
        ];

        // Host memory plays the card's.
        internal NcclParts Parts(int rank, int card) => new(
            [file],
            [file],
            _ => new CudaCard(
                $"card {card}",
                card,
                Compute + rank,
                0x77,
                values => (nint)((CpuStorage)values.View.Storage).Pointer + (nint)(values.Offset * values.DType.Size()),
                () => new Nothing()));

        private nint Function(string name) => NativeLibrary.GetExport(_library, name);

        internal sealed class Nothing : IDisposable
        {
            public void Dispose()
            {
            }
        }
    }
}
