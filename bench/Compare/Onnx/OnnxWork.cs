using Ldvc.Interop;
using Ldvc.Tensors.Serialization;
using Microsoft.ML.OnnxRuntime;

namespace Ldvc.Bench.Compare.Onnx;

/// <summary>ONNX Runtime, forward only, with all graph optimisations and constant weights it may pack.</summary>
internal sealed class OnnxWork : IWork
{
    private readonly SessionOptions _options = new();
    private readonly RunOptions _run = new();
    private readonly InferenceSession _session;
    private readonly Dictionary<string, OrtValue> _inputs = [];
    private readonly string _output;
    private readonly string _result;

    internal OnnxWork(PeerCase @case, string folder, int threads)
    {
        string path = Path.Combine(folder, "model.onnx");
        (_output, _result) = Build(@case, folder, path);
        _options.IntraOpNumThreads = threads;
        _options.InterOpNumThreads = 1;
        _options.ExecutionMode = ExecutionMode.ORT_SEQUENTIAL;
        _options.GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL;
        _session = new InferenceSession(path, _options);
    }

    public IReadOnlyList<Named> Check()
    {
        using var outputs = _session.Run(_run, _inputs, [_output]);
        var shape = outputs[0].GetTensorTypeAndShape().Shape;
        return [new Named(_result, [.. shape.Select(s => (int)s)], outputs[0].GetTensorDataAsSpan<float>().ToArray())];
    }

    public void Run() => _session.Run(_run, _inputs, [_output]).Dispose();

    public void Dispose()
    {
        foreach (var value in _inputs.Values)
        {
            value.Dispose();
        }

        _session.Dispose();
        _run.Dispose();
        _options.Dispose();
    }

    private (string Output, string Result) Build(PeerCase @case, string folder, string path)
    {
        using var inputs = TensorArchive.Open(Path.Combine(folder, "inputs.safetensors"));
        var graph = new OnnxGraph();
        string output;
        string result;
        switch (@case.Kind)
        {
            case "gemm":
                Add(inputs, "x");
                string w = graph.Constant(OnnxClip.Transpose(inputs.ReadFloat32("w"), @case["n"], @case["k"]), @case["k"], @case["n"]);
                output = graph.Node("MatMul", [graph.Input("x", false, @case["m"], @case["k"]), w]);
                graph.Output(output, @case["m"], @case["n"]);
                result = "y";
                break;
            case "attention":
                Add(inputs, "qkv");
                int width = @case["heads"] * @case["dim"], tokens = @case["tokens"];
                output = OnnxClip.Attention(graph, graph.Input("qkv", false, 1, tokens, 3 * width), 1, tokens, width, @case["heads"], false);
                graph.Output(output, 1, tokens, width);
                result = "y";
                break;
            case "encoder":
                Add(inputs, "image");
                using (var weights = TensorArchive.Open(Path.Combine(folder, "clip.safetensors")))
                {
                    var clip = new OnnxClip(graph, weights);
                    clip.Vision(PeerData.ViTB16, @case["size"]);
                    (output, result) = (clip.Result, "feature");
                }

                break;
            case "text":
                AddIds(inputs, @case["count"], @case["length"]);
                using (var weights = TensorArchive.Open(Path.Combine(folder, "clip.safetensors")))
                {
                    var clip = new OnnxClip(graph, weights);
                    clip.Text(PeerData.ViTB16, @case["count"], @case["length"]);
                    (output, result) = (clip.Result, "features");
                }

                break;
            default:
                throw new InvalidOperationException($"no ONNX model for '{@case.Kind}'");
        }

        graph.Save(path, "ldvc bench");
        return (output, result);
    }

    private void Add(TensorArchive inputs, string name) =>
        _inputs.Add(name, OrtValue.CreateTensorValueFromMemory(inputs.ReadFloat32(name), inputs.Entry(name).Shape));

    private void AddIds(TensorArchive inputs, int count, int length)
    {
        int[] ids = inputs.ReadInt32("ids");
        var ends = new long[count];
        for (int i = 0; i < count; i++)
        {
            ends[i] = Array.IndexOf(ids, PeerData.End, i * length);
        }

        _inputs.Add("ids", OrtValue.CreateTensorValueFromMemory(Array.ConvertAll(ids, i => (long)i), [count, length]));
        _inputs.Add("ends", OrtValue.CreateTensorValueFromMemory(ends, [count]));
    }
}
