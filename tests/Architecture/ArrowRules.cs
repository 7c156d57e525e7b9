namespace Ldvc.Tests.Architecture;

/// <summary>The rules of docs/architecture.md, on what a compiled assembly refers to.</summary>
internal static class ArrowRules
{
    /// <summary>The assemblies from the bottom to the top: each may refer to those before it.</summary>
    internal static readonly string[] Layers = ["Ldvc.Tensor", "Ldvc.Kernels", "Ldvc.Autograd", "Ldvc.Core", "Ldvc.Lab", "ldvc"];

    // A part of a name, at its beginning. Microsoft.ML.Tokenizers is no runtime: it cuts text into tokens.
    private static readonly string[] Runtimes =
        ["TorchSharp", "libtorch", "Microsoft.ML.OnnxRuntime", "TensorFlow", "SciSharp", "Keras", "MxNet", "DiffSharp", "OpenVINO",
            "Microsoft.AI.DirectML", "Python.Runtime", "ComputeSharp"];

    /// <summary>References of a layer that do not lie below it.</summary>
    internal static IEnumerable<string> Upward(string layer, IEnumerable<string> references) =>
        references.Where(reference => Array.IndexOf(Layers, reference) >= Array.IndexOf(Layers, layer));

    /// <summary>Packages or assemblies that are deep-learning runtimes.</summary>
    internal static IEnumerable<string> DeepLearning(IEnumerable<string> names) =>
        names.Where(name => Runtimes.Any(runtime => name.StartsWith(runtime, StringComparison.OrdinalIgnoreCase)));

    /// <summary>Uses of types from assemblies whose names begin so.</summary>
    internal static IEnumerable<Use> Of(IEnumerable<Use> uses, string assembly) =>
        uses.Where(use => use.Assembly == assembly || use.Assembly.StartsWith(assembly + ".", StringComparison.Ordinal));
}
