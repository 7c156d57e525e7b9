using Ldvc.Autograd;
using Ldvc.Autograd.Modules;
using Ldvc.Tensors;

namespace Ldvc.Clip;

/// <summary>Fresh weights for pretraining, by the standard deviations of OpenAI's initialisation.</summary>
internal sealed class RandomWeights(Initializer init) : IWeightSource
{
    public Parameter Get(string name, Shape shape, double std, float constant = 0) =>
        std > 0 ? init.Normal(shape, std) : init.Constant(shape, constant);

    public Parameter GetProjection(string name, int outputs, int inputs, double std) => init.Normal(new Shape(outputs, inputs), std);
}
