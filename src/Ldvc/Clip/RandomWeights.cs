using Ldvc.Autograd;
using Ldvc.Autograd.Modules;
using Ldvc.Tensors;

namespace Ldvc.Clip;

/// <summary>Fresh weights for pretraining, by the deviations of OpenAI's initialisation.</summary>
internal sealed class RandomWeights(Initializer init) : IWeightSource
{
    public Parameter Get(string name, Shape shape, double deviation, float constant = 0) => deviation > 0 ? init.Normal(shape, deviation) : init.Constant(shape, constant);

    public Parameter GetProjection(string name, int outputs, int inputs, double deviation) => init.Normal(new Shape(outputs, inputs), deviation);
}
