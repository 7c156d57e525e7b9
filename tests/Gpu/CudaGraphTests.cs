using Ldvc.Configuration;
using Ldvc.Distributed;
using Ldvc.Kernels;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Tensors.Distributed;
using Ldvc.Tensors.Gpu;
using Ldvc.Tensors.Gpu.Graphs;
using Ldvc.Tests.Clip;
using Ldvc.Tests.Data;
using Ldvc.Tests.Serialization;
using Ldvc.Training;
using Xunit;

namespace Ldvc.Tests.Gpu;

/// <summary>
/// What is asked of the CUDA driver when steps are captured, in which order, and what happens when it refuses; by a library that stands in for it.
/// </summary>
[Collection("simulator")]
public sealed class CudaGraphTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly GpuDevice _device = GpuPlatform.Open(GpuKind.Simulator, 0, memoryLimit: 64 << 20, chunkBytes: 1 << 20);
    private readonly List<string> _said = [];
    private int _runs, _undone;

    public void Dispose()
    {
        _device.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("NEW")]
    [InlineData("OLD")]
    public void AStepIsCapturedOnceAndStartedAgain(string driver)
    {
        var library = new GraphStandIn(_folder, driver);
        using (StepGraphs graphs = Graphs(library.Driver()))
        {
            for (int i = 0; i < 5; i++)
            {
                using GraphedStep step = graphs.Begin("a shape");
                step.Run("first", Work, Undo);
                step.Run("second", Work, Undo);
                step.Complete();
            }
        }

        // Two steps as they are, one captured part by part, two started.
        string[] capture = ["begin 77 1", "end 77 0", "instantiate 0 0", "destroy graph 0 0", "launch 77 0"];
        Assert.Equal(
            [.. capture, .. capture, "launch 77 0", "launch 77 0", "launch 77 0", "launch 77 0", "destroy executable 0 0", "destroy executable 0 0"],
            library.Calls);
        Assert.Equal((6, 0, 0), (_runs, _undone, library.Live));
        Assert.Equal(["simulator: the 0 kernels of a step are started as a CUDA graph from now on"], _said);
        Assert.Equal(6, _device.Counters.GraphCount);
    }

    [Theory]
    [InlineData("begin", 901, "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED", "cuStreamBeginCapture")]
    [InlineData("end", 901, "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED", "cuStreamEndCapture")]
    [InlineData("instantiate", 2, "CUDA_ERROR_OUT_OF_MEMORY", "cuGraphInstantiateWithFlags")]
    [InlineData("launch", 2, "CUDA_ERROR_OUT_OF_MEMORY", "cuGraphLaunch")]
    public void WhatTheDriverRefusesRunsAsItIs(string call, int code, string name, string function)
    {
        var library = new GraphStandIn(_folder);
        long blocks = _device.Pool.LiveBlocks;
        using (StepGraphs graphs = Graphs(library.Driver()))
        {
            for (int i = 0; i < 5; i++)
            {
                using GraphedStep step = graphs.Begin("a shape");
                step.Run("first", Work, Undo);
                if (i == 2)
                {
                    library.Fail(call, code);
                }

                step.Run("second", Work, Undo);
                step.Complete();
            }
        }

        // The second part fails when it is captured: it runs once more, and so do all parts from the next step on.
        Assert.Equal([$"simulator: steps run without a CUDA graph: second: {function}: {name}"], _said);
        Assert.Equal((call == "begin" ? 10 : 11, 1, 0), (_runs, _undone, library.Live));
        Assert.DoesNotContain("destroyed twice", library.Calls);
        Assert.Equal(blocks, _device.Pool.LiveBlocks);
    }

    [Fact]
    public void TheDefaultStreamIsRefused()
    {
        var library = new GraphStandIn(_folder);
        using StepGraphs graphs = Graphs(library.Driver(stream: 0));
        Steps(graphs, 4, Work);
        Assert.Equal(["simulator: steps run without a CUDA graph: step: cuStreamBeginCapture: CUDA_ERROR_STREAM_CAPTURE_IMPLICIT"], _said);
    }

    public static TheoryData<string, string> Unfit => new()
    {
        { "read", "the host reads 4 bytes" },
        { "wait", "the host waits for the device" },
        { "change", "4 bytes that are copied from the host change from step to step" },
        { "more", "2 copies from the host after 1" },
        { "compile", "kernel CudaGraphTests.Fill is compiled" },
    };

    [Theory]
    [MemberData(nameof(Unfit))]
    public void WhatAGraphCannotRepeatEndsTheCapture(string what, string reason)
    {
        var library = new GraphStandIn(_folder);
        using var number = _device.Zeros(new Shape(1));
        int step = 0;
        using (StepGraphs graphs = Graphs(library.Driver()))
        {
            Steps(graphs, 4, () =>
            {
                step++;
                switch (what)
                {
                    case "read": number.ToScalar(); break;
                    case "wait": _device.Synchronize(); break;
                    case "change": number.CopyFromHost<float>([step]); break;
                    case "compile" when step == 3: _device.Kernel<ILGPU.Index1D, ILGPU.ArrayView<float>>(Fill)(1, number.AsGpuView<float>()); break;
                    case "more":
                        number.CopyFromHost<float>([1]);
                        if (step == 3)
                        {
                            number.CopyFromHost<float>([1]);
                        }

                        break;
                }

                return Work();
            });
        }

        Assert.Equal([$"simulator: steps run without a CUDA graph: step: {reason}"], _said);
        Assert.Equal(["begin 77 1", "end 77 0", "destroy graph 0 0"], library.Calls);
        Assert.Equal((1, 0), (_undone, library.Live));
        Assert.Null(_device.Capture);
        Assert.Equal(5, step);
    }

    [Fact]
    public void ARequiredGraphThatFailsIsAnError()
    {
        var library = new GraphStandIn(_folder);
        library.Fail("end", 901);
        using StepGraphs graphs = Graphs(library.Driver(), required: true);
        Assert.Equal(
            "train.cuda_graph is on, but simulator: steps run without a CUDA graph: step: cuStreamEndCapture: CUDA_ERROR_STREAM_CAPTURE_INVALIDATED",
            Assert.Throws<InputException>(() => Steps(graphs, 4, Work)).Message);
    }

    [Fact]
    public void AGraphThatDoesNotStartAnyMoreIsAnError()
    {
        var library = new GraphStandIn(_folder);
        using StepGraphs graphs = Graphs(library.Driver());
        Steps(graphs, 3, Work);
        library.Fail("launch", 2);
        Assert.Equal(
            "simulator: the graph of a step cannot be started: cuGraphLaunch: CUDA_ERROR_OUT_OF_MEMORY; train.cuda_graph=off runs steps without one",
            Assert.Throws<InputException>(() => Steps(graphs, 1, Work)).Message);
    }

    [Fact]
    public void ManyShapesHaveFewGraphs()
    {
        var library = new GraphStandIn(_folder);
        using StepGraphs graphs = Graphs(library.Driver());
        var graphed = new List<int>();
        for (int i = 0; i < 12; i++)
        {
            graphed.Clear();
            for (int shape = 0; shape < StepGraphs.MaxShapes + 2; shape++)
            {
                using GraphedStep step = graphs.Begin($"shape {shape}");
                step.Run("step", Work, Undo);
                step.Complete();
                if (step.HasGraphs)
                {
                    graphed.Add(shape);
                }
            }
        }

        // One after the other: a capture takes memory out of the pool, and the next shape waits until the pool is steady again.
        Assert.Equal(Enumerable.Range(0, StepGraphs.MaxShapes), graphed);

        Assert.Equal(
            "simulator: steps of shape 4 run without a CUDA graph: 4 other shapes have one each",
            Assert.Single(_said, sentence => sentence.Contains("without")));
        Assert.Equal(StepGraphs.MaxShapes, library.Live);
    }

    /// <summary>Work that needs the memory that graphs hold gets it between steps; graphs are captured anew.</summary>
    [Fact]
    public void MemoryGoesBackWhereItIsShort()
    {
        var library = new GraphStandIn(_folder);
        using StepGraphs graphs = Graphs(library.Driver());
        IDisposable Large() => _device.Zeros(new Shape(8 << 20));
        Steps(graphs, 4, Large);
        Assert.Equal(1, library.Live);
        using (_device.Empty(new Shape(10 << 20)))
        {
            Assert.Equal(0, library.Live);
        }

        // The pool has to be steady again first.
        Steps(graphs, 3, Large);
        Assert.Equal(1, library.Live);
        Assert.Equal(2, library.Calls.Count(call => call.StartsWith("instantiate", StringComparison.Ordinal)));

        // In the middle of a step nothing is given back.
        using GraphedStep step = graphs.Begin("a shape");
        step.Run("step", Large, Undo);
        Assert.Contains("out of memory", Assert.Throws<InputException>(() => _device.Empty(new Shape(10 << 20))).Message);
        Assert.Equal(1, library.Live);
    }

    /// <summary>Graphs that are given up for other work's memory are missed when a step begins.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void GraphsThatAreGivenUpAreMissed(bool required)
    {
        using StepGraphs graphs = Graphs(new GraphStandIn(_folder).Driver(), required);
        for (int i = 0; i < StepGraphs.MaxAttempts; i++)
        {
            Steps(graphs, 4, () => _device.Zeros(new Shape(8 << 20)));
            _device.Empty(new Shape(10 << 20)).Dispose();
        }

        const string reason = "simulator: steps run without a CUDA graph: memory was short 3 times, and graphs keep that of a step to themselves";
        if (required)
        {
            Assert.Equal($"train.cuda_graph is on, but {reason}", Assert.Throws<InputException>(() => Steps(graphs, 1, Work)).Message);
            return;
        }

        Steps(graphs, 2, Work);
        Assert.Equal(reason, _said[^1]);
        Assert.Equal(2, _said.Count);
    }

    /// <summary>
    /// Half of a step is captured when there is no memory for the rest, or the driver ends the capture: the rest runs in what was set aside for the
    /// graphs.
    /// </summary>
    [Theory]
    [InlineData(true, "the device is asked for 40 MiB of memory, and has no more")]
    [InlineData(false, "cuStreamEndCapture: CUDA_ERROR_STREAM_CAPTURE_INVALIDATED")]
    public void TheRestOfAStepHasTheMemoryOfItsGraphs(bool kept, string reason)
    {
        var library = new GraphStandIn(_folder);
        using StepGraphs graphs = Graphs(library.Driver());
        for (int i = 0; i < 5; i++)
        {
            // 40 of 64 MiB; what a graph leaves stays for the next start.
            TwoParts(graphs, () => Large(kept), () =>
            {
                if (i == 2 && !kept)
                {
                    library.Fail("end", 901);
                }

                return Large(false);
            });
        }

        Assert.Equal([$"simulator: steps run without a CUDA graph: second: {reason}"], _said);
        Assert.Equal((0, 0), (library.Live, _device.Pool.LiveBlocks));

        IDisposable Large(bool keep)
        {
            var memory = _device.Zeros(new Shape(10 << 20));
            if (!keep)
            {
                memory.Dispose();
            }

            return memory;
        }
    }

    [Fact]
    public void MoreMemoryThanThereIsEndsTheGraphsAndNotTheRun()
    {
        using StepGraphs graphs = Graphs(new GraphStandIn(_folder).Driver());
        Steps(graphs, 4, () =>
        {
            _device.Capture?.Refuse("the device is asked for 3072 MiB of memory", 3L << 30);
            return Work();
        });
        Assert.Equal(["simulator: steps run without a CUDA graph: step: the device is asked for 3072 MiB of memory, and has no more"], _said);
        Assert.Equal((4, 1), (_runs, _undone));
    }

    /// <summary>
    /// What launches leave on the device for the next ones is cleared once, by a step that runs: a clearing that was captured has not run when the
    /// capture fails.
    /// </summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void WordsThatLaunchesShareAreClearedOutsideOfGraphs(bool half)
    {
        // The block that the pool gives them held other numbers.
        _device.FromHost([7f, 7, 7, 7, 7, 7, 7, 7], new Shape(8)).Dispose();
        var launcher = KernelSet.For(_device).Launcher!;
        var driver = new ReplayGraphs(_device) { FailingEnd = 1 };
        View words = default;
        using StepGraphs graphs = Graphs(driver);
        int count = 0;
        IDisposable Use()
        {
            words = ++count < 3 ? default : half ? launcher.Half.Largest : launcher.State.View;
            return new MemoryStream();
        }

        Steps(graphs, 3, Use);
        var values = new byte[2 * sizeof(int)];
        _device.Download(words.Storage, words.Offset * sizeof(int), values);
        Assert.All(values, value => Assert.Equal(0, value));

        // The next steps are captured: the words are there.
        Steps(graphs, 2, Use);
        Assert.Equal(
            ["simulator: steps run without a CUDA graph: step: the driver ended the capture"], _said);
    }

    /// <summary>Half a step is no step: its graph goes, and the next one is captured as a whole.</summary>
    [Fact]
    public void AStepThatEndsEarlyKeepsNoGraph()
    {
        var library = new GraphStandIn(_folder);
        using StepGraphs graphs = Graphs(library.Driver());
        TwoParts(graphs, Work, Work);
        TwoParts(graphs, Work, Work);
        using (GraphedStep step = graphs.Begin("a shape"))
        {
            step.Run("first", Work, Undo);
            Assert.True(step.HasGraphs);
        }

        Assert.Equal(0, library.Live);
        Assert.Empty(_said);
        TwoParts(graphs, Work, Work);
        TwoParts(graphs, Work, Work);
        Assert.Equal(["simulator: the 0 kernels of a step are started as a CUDA graph from now on"], _said);
        Assert.Equal((2, 7), (library.Live, _runs));
    }

    [Theory]
    [InlineData("ANCIENT", "the driver has no cuGraphInstantiateWithFlags, which comes with CUDA 11.4")]
    [InlineData("", "expected the CUDA driver, found no /no/libcuda.so")]
    public void AnOldDriverIsNamed(string define, string missing)
    {
        string file = define.Length == 0 ? "/no/libcuda.so" : new GraphStandIn(_folder, define).File;
        _device.GraphDriver = new CudaGraphs([file], () => GraphStandIn.Stream, () => false);
        Assert.Equal(missing, _device.GraphDriver.Missing);
        using StepGraphs graphs = StepGraphChoice.Of(new LdvcConfig(), _device, Alone, _said.Add);
        Assert.Equal([$"simulator: steps run without a CUDA graph: {missing}"], _said);
        Assert.False(graphs.IsActive);
        Assert.Equal(
            $"train.cuda_graph is on, but {missing}; auto runs steps without a CUDA graph where there can be none",
            Assert.Throws<InputException>(() => StepGraphChoice.Of(Configured(GraphUse.On), _device, Alone, _said.Add)).Message);
    }

    [Fact]
    public void WhereThereCanBeNoneIsSaidWhenItIsAskedFor()
    {
        using var cpu = new CpuDevice(1);
        Assert.False(StepGraphChoice.Of(Configured(GraphUse.Auto), cpu, Alone, _said.Add).IsActive);
        Assert.False(StepGraphChoice.Of(Configured(GraphUse.Off), cpu, Alone, _said.Add).IsActive);
        Assert.Empty(_said);
        Assert.Equal(
            "train.cuda_graph is on, but device cpu has none, expected --device cuda; auto runs steps without a CUDA graph where there can be none",
            Assert.Throws<InputException>(() => StepGraphChoice.Of(Configured(GraphUse.On), cpu, Alone, _said.Add)).Message);
        using var loaded = LoadedModel.Create(TinyClip.Folder, new ModelConfig(), cpu, 0);
        Assert.Contains(
            "train.cuda_graph is on",
            Assert.Throws<InputException>(() => new LdvcTrainer(loaded, new MemoryDataset(6), Configured(GraphUse.On))).Message);
    }

    [Fact]
    public void SeveralProcessesHaveNone()
    {
        ThreadProcessGroup.Run(2, group =>
        {
            using var device = GpuPlatform.Open(GpuKind.Simulator, 0);
            device.GraphDriver = new ReplayGraphs(device);
            var said = new List<string>();
            var job = new JobMember(group, 1, TestContext.Current.CancellationToken);
            Assert.False(StepGraphChoice.Of(Configured(GraphUse.Auto), device, job, said.Add).IsActive);
            Assert.Equal(["simulator: steps run without a CUDA graph: the gradients of 2 processes are summed while a step runs"], said);
        });
    }

    internal static void Fill(ILGPU.Index1D index, ILGPU.ArrayView<float> target) => target[index] = 1;

    private static JobMember Alone => JobMember.Alone(TestContext.Current.CancellationToken);

    private static LdvcConfig Configured(GraphUse use) => new() { Train = new TrainConfig { CudaGraph = use } };

    private StepGraphs Graphs(IGraphDriver driver, bool required = false) => new(_device, driver, required, _said.Add) { Plain = 2 };

    private void Steps(StepGraphs graphs, int count, Func<IDisposable> work)
    {
        for (int i = 0; i < count; i++)
        {
            using GraphedStep step = graphs.Begin("a shape");
            step.Run("step", work, Undo);
            step.Complete();
        }
    }

    private static void TwoParts(StepGraphs graphs, Func<IDisposable> first, Func<IDisposable> second)
    {
        using GraphedStep step = graphs.Begin("a shape");
        step.Run("first", first, () => { });
        step.Run("second", second, () => { });
        step.Complete();
    }

    private Tensor Work()
    {
        _runs++;
        return _device.Zeros(new Shape(1000));
    }

    private void Undo() => _undone++;
}
