using Ldvc.Tensors;

namespace Ldvc.Kernels.MatMul;

/// <summary>
/// A product as the sum of matrices, for a reader that adds them up itself: a product that was cut leaves its parts in scratch memory, where they
/// stay until the next product.
/// </summary>
/// <param name="Values">The first one.</param>
/// <param name="Count">How many there are; 1 for a whole product.</param>
/// <param name="Stride">Floats from one to the next.</param>
internal readonly record struct GemmParts(View Values, int Count = 1, long Stride = 0);
