using System.Text.Json;
using Ldvc.Cases;
using Ldvc.Kernels;
using Ldvc.Kernels.Gpu;
using Ldvc.Kernels.MatMul;
using Ldvc.Tensors;

namespace Ldvc.Ptx;

/// <summary>
/// How kernels are launched on a card: by a training step of ViT-B/16 on one picture of 512 pixels and by the segmentation of one, in every
/// precision. Kernels that neither launches are shown with the largest case of the tests' list that does, or with a product of their kind. All is run
/// on the simulator with launches recorded instead of run, so the numbers are the program's own; the values that are computed with are whatever
/// memory holds.
/// </summary>
internal sealed class PtxLaunches : IDisposable
{
    /// <summary>Of an A100, which decides about tiles.</summary>
    internal const int Multiprocessors = 108;

    private readonly Device _device = DeviceFactory.Open("simulator");
    private readonly List<(string Kernel, PtxLaunch Launch)> _found = [];
    private readonly HashSet<string> _seen = [];
    private string _by = string.Empty;

    private PtxLaunches()
    {
        var launcher = KernelSet.For(_device).Launcher!;
        launcher.Multiprocessors = Multiprocessors;
        launcher.Recorder = Add;
    }

    /// <summary>Kernel name -> its different launches, in order; every kernel of the catalog has some.</summary>
    internal static ILookup<string, PtxLaunch> Record()
    {
        using var launches = new PtxLaunches();
        using IDisposable repeating = CaseRandom.Repeating();
        foreach (var precision in Enum.GetValues<Precision>())
        {
            launches.Steps(precision);
        }

        foreach (var precision in Enum.GetValues<Precision>())
        {
            launches._device.Precision = precision;
            launches.Cases();
            launches.Products();
            launches.Stored();
        }

        return launches._found.ToLookup(pair => pair.Kernel, pair => pair.Launch);
    }

    /// <inheritdoc/>
    public void Dispose() => _device.Dispose();

    private void Add(GpuLaunch launch)
    {
        var recorded = new PtxLaunch(_by, [launch.GridX, launch.GridY, launch.GridZ], launch.DynamicSharedBytes, PtxArguments.Of(launch.Arguments));

        // Launches that only differ in where their views lie are one.
        var numbers = recorded.Arguments.Where(pair => pair.Value is not string);
        if (_seen.Add($"{launch.Kernel} {_by} {JsonSerializer.Serialize(recorded.Grid)} {string.Join(' ', numbers)}"))
        {
            _found.Add((launch.Kernel.Name, recorded));
        }
    }

    private void Steps(Precision precision)
    {
        _device.Precision = precision;
        _by = Label("making the model");
        using var system = new PtxSystem(_device);
        _by = Label("training step");
        system.Train();
        _by = Label("segmentation");
        system.Segment();
    }

    // Real sizes first, then the largest; kept is what launches kernels that nothing before did.
    private void Cases()
    {
        var cases = OpCaseList.All.Select(c => (c.Name, c.Real, c.Work, Run: (Action)(() =>
            {
                using var run = new OpRun(c, _device);
                run.ForwardBackward();
            })))
            .Concat(KernelCaseList.All.Select(c => (c.Name, c.Real, c.Work, Run: (Action)(() =>
            {
                using var run = c.Prepare(_device);
                run.Launch();
            }))));
        foreach (var c in cases.OrderByDescending(c => c.Real).ThenByDescending(c => c.Work.Flops + c.Work.Floats))
        {
            KeepNew(c.Name, c.Run);
        }
    }

    // Kernels that stored numbers meet in operations alone: the frozen blocks of a step join them with a product.
    private void Stored() => KeepNew("activation backward of stored values", () =>
    {
        if (_device.Precision.HalfType() is not { } half)
        {
            return;
        }

        const int count = 1035 * 3072;
        using Tensor before = _device.Empty(new Shape(count), half), dy = _device.Empty(new Shape(count));
        KernelSet.For(_device).Elementwise.ActivateBackward(before, dy, dy, Activation.QuickGelu, false, count);
    });

    // Both ways of storing each operand, sizes of whole quads and others, tiles of either size; stored in float32, and in 16 bits where the sizes
    // allow it.
    private void Products()
    {
        foreach (int size in new[] { 2048, 2047, 192, 191 })
        {
            for (int form = 0; form < 8; form++)
            {
                bool transposeA = (form & 1) != 0, transposeB = (form & 2) != 0, stored = (form & 4) != 0;
                // Where the device multiplies otherwise, what is stored is widened.
                DType half = _device.Precision.HalfType() ?? (_device.Precision == Precision.Fp32 ? DType.BFloat16 : DType.Float16);
                if (!stored || size % 8 == 0)
                {
                    KeepNew($"product {size} x {size} x {size} "
                        + $"{(transposeA ? 'T' : 'N')}{(transposeB ? 'T' : 'N')}{(stored ? ", a stored in 16 bits" : "")}", () =>
                    {
                        using Tensor a = _device.Empty(
                            new Shape(size, size),
                            stored ? half : DType.Float32), b = _device.Empty(new Shape(size, size)), c = _device.Empty(new Shape(size, size));
                        KernelSet.For(_device).MatMul.Run(new Gemm(size, size, size, a, b, c) { TransposeA = transposeA, TransposeB = transposeB });
                    });
                }
            }
        }
    }

    private void KeepNew(string name, Action run)
    {
        var used = _found.Select(pair => pair.Kernel).ToHashSet();
        if (used.Count < GpuKernelCatalog.All.Count(kernel => !kernel.OpenClOnly))
        {
            int before = _found.Count;
            _by = Label(name);
            run();
            var added = _found.GetRange(before, _found.Count - before);
            _found.RemoveRange(before, added.Count);
            _found.AddRange(added.Where(pair => !used.Contains(pair.Kernel)));
        }
    }

    private string Label(string what) => $"{what}, {_device.Precision.ToString().ToLowerInvariant()}";
}
