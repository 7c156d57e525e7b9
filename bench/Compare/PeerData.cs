using Ldvc.Autograd;
using Ldvc.Autograd.Modules;
using Ldvc.Clip;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Bench.Compare;

/// <summary>The random inputs and weights that all engines of a case read: inputs.safetensors, clip.safetensors, model.safetensors.</summary>
internal static class PeerData
{
    internal const int Start = 49406;
    internal const int End = 49407;

    internal static readonly ClipConfig ViTB16 = new(new TowerConfig(768, 12, 12, 3072), new TowerConfig(512, 12, 8, 2048), 512, 224, 16, 77, 49408);

    /// <summary>Writes what a case needs.</summary>
    internal static void Write(PeerCase @case, string folder)
    {
        var inputs = new InputFile();
        switch (@case.Kind)
        {
            case "gemm":
                inputs.Normal("x", 1, @case["m"], @case["k"]);
                inputs.Normal("w", 1 / Math.Sqrt(@case["k"]), @case["n"], @case["k"]);
                break;
            case "attention":
                inputs.Normal("qkv", 1, 1, @case["tokens"], 3 * @case["heads"] * @case["dim"]);
                inputs.Normal("dy", 1, 1, @case["tokens"], @case["heads"] * @case["dim"]);
                break;
            case "route":
                foreach (string name in new[] { "q", "k", "v", "dy" })
                {
                    inputs.Normal(name, 1, 1, @case["grid"] * @case["grid"], @case["width"]);
                }

                break;
            case "mask":
                inputs.Normal("z", 2, 1, @case["classes"], @case["grid"], @case["grid"]);
                inputs.Labels(@case["size"], @case["classes"], @case.Batch);
                break;
            case "encoder":
                inputs.Image(@case["size"], @case.Batch);
                WriteTower(folder, vision: true);
                break;
            case "prompts":
                inputs.Image(@case["size"], @case.Batch);
                int patches = @case["size"] / 16 * (@case["size"] / 16);
                inputs.Normal("dg", 1, @case.Batch, 512);
                inputs.Normal("dv", 1, @case.Batch, patches, 512);
                WriteTower(folder, vision: true);
                WriteModel(@case, folder, vision: true);
                break;
            case "text":
                inputs.Ids(@case["count"], 77, 5, 40);
                WriteTower(folder, vision: false);
                break;
            case "step" or "window":
                inputs.Image(@case["size"], @case.Batch);
                inputs.Ids(@case["classes"], 77, 8, 9);
                inputs.Labels(@case["size"], @case["classes"], @case.Batch);
                WriteTower(folder, null);
                WriteModel(@case, folder, vision: false);
                break;
            default:
                throw new InvalidOperationException($"no inputs for '{@case.Kind}'");
        }

        inputs.Save(Path.Combine(folder, "inputs.safetensors"));
    }

    private static void WriteTower(string folder, bool? vision)
    {
        using var device = new CpuDevice(1);
        var weights = new RandomWeights(new Initializer(device, 1));
        using Module tower = vision switch
        {
            true => new VisionTower(weights, ViTB16),
            false => new TextTower(weights, ViTB16),
            null => new ClipModel(weights, ViTB16),
        };
        Save(Path.Combine(folder, "clip.safetensors"), tower.Parameters(vision == true ? "visual." : string.Empty));
    }

    private static void WriteModel(PeerCase @case, string folder, bool vision)
    {
        using var device = new CpuDevice(1);
        using Module model = vision
            ? Ours.Models.Prompts(device, @case["prompts"])
            : Ours.Models.Full(new ClipModel(new EmptyWeights(device), ViTB16), @case["prompts"], 0);
        Save(Path.Combine(folder, "model.safetensors"), model.Parameters(vision ? "visual.prompt." : string.Empty));
    }

    // Initial values that are constants (biases, layer norms) would hide mistakes: everything gets a little noise.
    private static void Save(string path, IEnumerable<(string Name, Parameter Parameter)> parameters)
    {
        var random = new CounterRandom(5);
        var writer = new SafetensorsWriter();
        foreach (var (name, parameter) in parameters)
        {
            var values = parameter.Value.ToArray();
            for (int i = 0; i < values.Length; i++)
            {
                values[i] += 0.01f * (float)random.NextDouble(-1, 1);
            }

            writer.AddFloat32(name, [.. parameter.Shape.ToArray().Select(s => (long)s)], values);
        }

        writer.Save(path);
    }

    // For a tower of which nothing is written: it only tells the model around it its sizes.
    private sealed class EmptyWeights(Device device) : IWeightSource
    {
        public Parameter Get(string name, Shape shape, double std, float constant = 0) => new(device.Zeros(shape), trainable: false);

        public Parameter GetProjection(string name, int outputs, int inputs, double std) => Get(name, new Shape(outputs, inputs), std);
    }
}
