namespace Ldvc.Kernels.Normalization;

/// <summary>Dropout of a branch before it is added.</summary>
/// <param name="Probability">0 for none.</param>
/// <param name="Key">Of the mask.</param>
/// <param name="First">Place of the first element in a larger tensor, whose mask the mask is a part of.</param>
internal readonly record struct BranchDropout(float Probability, DropoutKey Key, long First);
