using Ldvc.Autograd;
using Ldvc.Tensors;

namespace Ldvc.Clip;

/// <summary>
/// Where a model's weights come from: a checkpoint, or a random stream. Names and shapes are OpenAI's, projections excepted (see ClipModel).
/// </summary>
internal interface IWeightSource
{
    /// <summary>The weight of a name; `std` is the standard deviation of its normal initialisation; a constant when that is zero.</summary>
    Parameter Get(string name, Shape shape, double std, float constant = 0);

    /// <summary>
    /// A weight that is read by matrix products alone, [outputs, ...inputs]: a source of frozen weights may store it as the products want it.
    /// </summary>
    Parameter GetMatrix(string name, Shape shape, double std) => Get(name, shape, std);

    /// <summary>A projection stored as [outputs, inputs]; OpenAI stores its transpose.</summary>
    Parameter GetProjection(string name, int outputs, int inputs, double std);
}
