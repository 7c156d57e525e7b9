using Ldvc.Kernels;

namespace Ldvc.Autograd.Blocks;

/// <summary>
/// The weights of a pre-norm transformer block and what it computes with them: x + attention(norm1 x), then x + fc2 activation(fc1 norm2 x).
/// </summary>
/// <param name="Heads">A divisor of the width.</param>
/// <param name="Causal">Token i sees tokens 0 .. i.</param>
/// <param name="Activation">Between fc1 and fc2.</param>
/// <param name="Epsilon">Of both normalisations.</param>
/// <param name="Norm1">Weight and bias [D].</param>
/// <param name="In">Queries, keys and values [3 D, D] and [3 D].</param>
/// <param name="Out">[D, D] and [D].</param>
/// <param name="Norm2">Weight and bias [D].</param>
/// <param name="Fc1">[H, D] and [H].</param>
/// <param name="Fc2">[D, H] and [D].</param>
internal sealed record BlockWeights(
    int Heads,
    bool Causal,
    Activation Activation,
    float Epsilon,
    WeightAndBias Norm1,
    WeightAndBias In,
    WeightAndBias Out,
    WeightAndBias Norm2,
    WeightAndBias Fc1,
    WeightAndBias Fc2)
{
    /// <summary>Whether training leaves all of them as they are.</summary>
    internal bool Frozen => Norm1.Frozen && In.Frozen && Out.Frozen && Norm2.Frozen && Fc1.Frozen && Fc2.Frozen;

    /// <summary>Whether gradients meet fp16 in the backward (<see cref="StoredGradient"/>).</summary>
    internal bool WantGradientScale =>
        StoredGradient.WantsScale(In.Weight.Value.DType, Out.Weight.Value.DType, Fc1.Weight.Value.DType, Fc2.Weight.Value.DType);

    /// <summary>D.</summary>
    internal int Width => In.Weight.Shape[1];

    /// <summary>H.</summary>
    internal int Hidden => Fc1.Weight.Shape[0];
}

/// <summary>A matrix, or a normalisation's scale, with its bias.</summary>
internal readonly record struct WeightAndBias(Parameter Weight, Parameter Bias)
{
    /// <summary>Whether training leaves both as they are.</summary>
    internal bool Frozen => !Weight.Trainable && !Bias.Trainable;
}
