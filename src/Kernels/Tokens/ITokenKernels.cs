using Ldvc.Tensors;

namespace Ldvc.Kernels.Tokens;

/// <summary>Moving rows and blocks of tokens about: embedding, prompt insertion and replacement, slicing, patch extraction.</summary>
internal interface ITokenKernels
{
    /// <summary>
    /// For each of `blocks` blocks of `length` floats: target[i * targetStride ..] = (or +=) source[i * sourceStride ..]. A source stride of 0
    /// repeats one block.
    /// </summary>
    void CopyBlocks(
        View source, long sourceStride, View target, long targetStride, int blocks, long length, bool accumulate, BlockRepeat repeat = default);

    /// <summary>target [length] += sum over blocks of source[i * sourceStride ..], in an order that depends on the sizes alone.</summary>
    void SumBlocks(View source, long sourceStride, View target, int blocks, long length, BlockRepeat repeat = default);

    /// <summary>y [Batch, After, Width]: x [Batch, Length, Width] with its tokens replaced as the sizes say.</summary>
    void Splice(in SpliceSizes sizes, View x, View tokens, View y);

    /// <summary>
    /// Gradients of <see cref="Splice"/>; either may be absent. dx is overwritten, zeros where tokens went, or added to when accumulate is set.
    /// dtokens, the sum over the sequences in order where they share their tokens, is overwritten or added to, too.
    /// scale, where wanted, gets what <see cref="Reduction.IReductionKernels.GradientScale"/> would make of dx afterwards.
    /// </summary>
    void SpliceBackward(in SpliceSizes sizes, View dy, View dx, bool accumulate, View dtokens, bool accumulateTokens, View scale = default);

    /// <summary>
    /// y = x minus the mean over the tokens of each sequence, [batch, tokens, width], tokens xRow and yRow floats apart; y may be x. scratch holds
    /// batch * width floats.
    /// </summary>
    void RemoveMean(View x, int xRow, View y, int yRow, View scratch, int batch, int tokens, int width);

    /// <summary>y [batch, width] = log(mean over tokens of e^(sharpness x)) / sharpness, x [batch, tokens, width]; NaN stays NaN.</summary>
    void LogMeanExp(View x, View y, int batch, int tokens, int width, float sharpness);

    /// <summary>dx [batch, tokens, width] = (or +=) dy e^(sharpness (x - y)) / tokens.</summary>
    void LogMeanExpGradient(View x, View y, View dy, View dx, bool accumulate, int batch, int tokens, int width, float sharpness);

    /// <summary>y [count, columns] = table rows at indices int32 [count]; indices are checked by the caller.</summary>
    void Gather(View table, View indices, View y, int count, int columns);

    /// <summary>dtable[indices[i]] += dy[i], i ascending; parallel over columns, so deterministic.</summary>
    void ScatterAdd(View dy, View indices, View dtable, int count, int columns);

    /// <summary>
    /// Pictures [B, channels, H, W] cut into patches [B, H/p * W/p, channels * p * p], values in the order of a convolution weight [out, channels, p,
    /// p].
    /// </summary>
    void Patchify(View image, View patches, int batch, int channels, int height, int width, int patch);
}
