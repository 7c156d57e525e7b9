using Ldvc.Kernels.Tokens;
using Ldvc.Tensors;

namespace Ldvc.Cases.Kernels;

/// <summary>Token movement by itself: patches, and strides that no operation uses.</summary>
internal static class TokenKernelCases
{
    internal static IEnumerable<KernelCase> All =>
    [
        Patchify(1, 1, 1, 1, 1), Patchify(2, 3, 4, 6, 2), Patchify(1, 3, 21, 14, 7), Patchify(2, 2, 33, 18, 3), Patchify(
            1, 3, 512, 512, 16, real: true),
        CopyBlocks(3, 5, 0, 9, false), CopyBlocks(4, 7, 11, 7, true), CopyBlocks(1, 19, 19, 19, false), CopyBlocks(37, 33, 40, 35, true),
        SumBlocks(1, 1, 1), SumBlocks(4, 7, 9), SumBlocks(37, 33, 40),
        SpliceScale(new SpliceSizes(1, 1, 1, 0, 0, 1, false), accumulate: false),
        SpliceScale(new SpliceSizes(2, 7, 5, 1, 2, 3, false), accumulate: true),
        SpliceScale(new SpliceSizes(3, 41, 64, 1, 10, 10, false), accumulate: false),
        SpliceScale(new SpliceSizes(2, 9, 8, 0, 1, 2, true), accumulate: true),
        SpliceScale(new SpliceSizes(1, 1035, 768, 1, 10, 10, false), accumulate: false, real: true),
    ];

    private static KernelCase Patchify(int batch, int channels, int height, int width, int patch, bool real = false)
    {
        string variant = $"{batch} x {channels} x {height} x {width} by {patch}";
        int count = batch * channels * height * width, across = width / patch, size = channels * patch * patch;
        return new KernelCase(typeof(ITokenKernels), nameof(ITokenKernels.Patchify), variant, device =>
        {
            var run = new KernelRun(device);
            float[] pixels = CaseRandom.Normal($"image {variant}", count);
            Tensor image = run.Floats(pixels), patches = run.Empty(count);
            run.Launch = () => run.Kernels.Tokens.Patchify(image, patches, batch, channels, height, width, patch);
            run.Compare = () =>
            {
                var expected = new double[count];
                for (int i = 0; i < count; i++)
                {
                    int plane = i / (height * width), y = i / width % height, x = i % width;
                    int token = ((((plane / channels) * (height / patch)) + (y / patch)) * across) + (x / patch);
                    expected[(token * size) + (plane % channels * patch * patch) + (y % patch * patch) + (x % patch)] = pixels[i];
                }

                return [CaseDifference.Of("patches", expected, patches.ToArray(), 0)];
            };
            return run;
        })
        {
            Work = new CaseWork(0, 2.0 * count),
            Real = real,
        };
    }

    private static KernelCase CopyBlocks(int blocks, int length, int sourceStride, int targetStride, bool accumulate)
    {
        string variant = $"{blocks} of {length}, strides {sourceStride} and {targetStride}{(accumulate ? " accumulate" : "")}";
        return new KernelCase(typeof(ITokenKernels), nameof(ITokenKernels.CopyBlocks), variant, device =>
        {
            var run = new KernelRun(device);
            float[] values = CaseRandom.Normal($"source {variant}", (blocks * sourceStride) + length), before = CaseRandom.Normal(
                $"target {variant}", (blocks * targetStride) + length);
            Tensor source = run.Floats(values), target = run.Floats(before);
            run.Launch = () => run.Kernels.Tokens.CopyBlocks(source, sourceStride, target, targetStride, blocks, length, accumulate);
            run.Compare = () =>
            {
                double[] expected = Array.ConvertAll(before, v => (double)v);
                for (int i = 0; i < blocks * length; i++)
                {
                    int at = (i / length * targetStride) + (i % length);
                    expected[at] = values[(i / length * sourceStride) + (i % length)] + (accumulate ? expected[at] : 0);
                }

                return [CaseDifference.Of("target", expected, target.ToArray(), 1e-6)];
            };
            return run;
        })
        {
            Work = CaseWork.Move((double)blocks * length, (double)blocks * length),
        };
    }

    // A splice's gradient that says by which power of two its largest value comes into 8 .. 16; what becomes the gradient of tokens does not count.
    private static KernelCase SpliceScale(SpliceSizes sizes, bool accumulate, bool real = false)
    {
        string variant = $"scale {sizes}{(accumulate ? " accumulate" : "")}";
        int before = (int)(sizes.Batch * sizes.InStride), after = (int)(sizes.Batch * sizes.OutStride);
        return new KernelCase(typeof(ITokenKernels), nameof(ITokenKernels.SpliceBackward), variant, device =>
        {
            var run = new KernelRun(device);
            float[] values = CaseRandom.Normal($"dy {variant}", after, 1e-7), there = CaseRandom.Normal($"dx {variant}", before, 1e-6);
            for (int i = 0; i < after; i++)
            {
                int token = i / sizes.Width % sizes.After;
                values[i] *= token >= sizes.Start && token < sizes.Start + sizes.Count ? 1e9f : 1;
            }

            Tensor dy = run.Floats(values), dx = run.Floats(there), scale = run.Empty(2);
            Tensor dtokens = run.Empty((int)sizes.Block * (sizes.Own ? sizes.Batch : 1));
            run.Launch = () => run.Kernels.Tokens.SpliceBackward(sizes, dy, dx, accumulate, dtokens, accumulateTokens: false, scale);
            run.Compare = () =>
            {
                float largest = dx.ToArray().Max(MathF.Abs);
                double exponent = largest == 0 ? 0 : 3 - Math.Floor(Math.Log2(largest));
                return [CaseDifference.Of(
                    "scale", [Math.Pow(2, exponent), 1], [scale.ToArray()[0], scale.ToArray()[0] * scale.ToArray()[1]], 0)];
            };
            return run;
        })
        {
            Work = CaseWork.Move(before, after),
            Real = real,
        };
    }

    private static KernelCase SumBlocks(int blocks, int length, int stride)
    {
        string variant = $"{blocks} of {length}, stride {stride}";
        return new KernelCase(typeof(ITokenKernels), nameof(ITokenKernels.SumBlocks), variant, device =>
        {
            var run = new KernelRun(device);
            float[] values = CaseRandom.Normal($"source {variant}", blocks * stride), before = CaseRandom.Normal($"target {variant}", length);
            Tensor source = run.Floats(values), target = run.Floats(before);
            run.Launch = () => run.Kernels.Tokens.SumBlocks(source, stride, target, blocks, length);
            run.Compare = () =>
            {
                double[] expected = [.. Enumerable.Range(0, length)
                    .Select(i => before[i] + Enumerable.Range(0, blocks).Sum(b => (double)values[(b * stride) + i]))];
                return [CaseDifference.Of("target", expected, target.ToArray(), 1e-6)];
            };
            return run;
        })
        {
            Work = new CaseWork((double)blocks * length, (double)blocks * length),
        };
    }
}
