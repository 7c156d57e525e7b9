using Ldvc.Autograd;
using Ldvc.Autograd.Modules;
using Ldvc.Clip;
using Ldvc.Configuration;
using Ldvc.Kernels.Gpu;
using Ldvc.Kernels.MatMul;
using Ldvc.Model;
using Ldvc.Prompts;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Bench.Compare.Ours;

/// <summary>Our models, empty or filled from a case's files.</summary>
internal static class Models
{
    internal static VisionPrompts Prompts(Device device, int count) =>
        new(new Initializer(device, 3), PeerData.ViTB16, new PromptConfig { Vision = count, Dropout = 0 });

    internal static LdvcModel Full(ClipModel clip, int prompts, double dropout)
    {
        var config = new ModelConfig
        {
            Prompts = new PromptConfig { Vision = prompts, Dropout = dropout },
            Decoder = new DecoderConfig { Dropout = dropout },
        };
        return new LdvcModel(clip, config, new Initializer(clip.LogitScale.Value.Device, 3), null);
    }

    /// <summary>Overwrites a module's parameters with model.safetensors.</summary>
    internal static void Fill(Module module, string folder, string prefix)
    {
        using var archive = TensorArchive.Open(Path.Combine(folder, "model.safetensors"));
        foreach (var (name, parameter) in module.Parameters(prefix))
        {
            parameter.Value.CopyFromHost<float>(archive.ReadFloat32(name));
        }
    }
}

/// <summary>Weights under our own names and layouts; the vision tower's matrices are stored as a checkpoint's are.</summary>
internal sealed class FileWeights(TensorArchive archive, Device device) : IWeightSource
{
    public Parameter Get(string name, Shape shape, double std, float constant = 0) =>
        new(device.FromHost(archive.ReadFloat32(name), shape), trainable: false);

    public Parameter GetMatrix(string name, Shape shape, double std) => name.StartsWith(
        "visual.", StringComparison.Ordinal) && MatMulPlan.StoredType(device, shape) is not DType.Float32 and var half
        ? new Parameter(device.FromHostRounded(archive.ReadFloat32(name), shape, half), trainable: false)
        : Get(name, shape, std);

    public Parameter GetProjection(string name, int outputs, int inputs, double std) => GetMatrix(name, new Shape(outputs, inputs), std);
}
