using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Distributed;
using Ldvc.Kernels.Simd;
using Ldvc.Model;
using Ldvc.Tensors;

namespace Ldvc.Training;

/// <summary>What must be the same in all processes of a job, or they would train different models without a word.</summary>
internal static class JobFacts
{
    // Where things lie on a node and how it reads them: different paths may hold the same files, which are compared by their contents.
    private static readonly string[] OwnToANode =
        ["clip.path", "data.root", "data.workers", "data.prefetch", "data.cache", "train.out", "train.transductive.from", "ablate.out"];

    /// <summary>The program and every option, by its key.</summary>
    internal static IReadOnlyList<(string Name, string Value)> OfConfig(LdvcConfig config) =>
    [
        ("the program's version", typeof(JobFacts).Assembly.GetName().Version!.ToString()),
        ("the build of the program", typeof(JobFacts).Module.ModuleVersionId.ToString()),
        .. ConfigWriter.Flatten(config).Where(entry => !OwnToANode.Contains(entry.Key)).Select(entry => (entry.Key, entry.Value)),
    ];

    /// <summary>Pictures, classes, the CLIP and the weights that training starts from.</summary>
    internal static IReadOnlyList<(string Name, string Value)> OfInputs(
        LoadedModel loaded, SegmentationDataset training, SegmentationDataset validation) =>
    [
        ("the kind of device", loaded.Device is CpuDevice ? $"a CPU with vectors of {SimdLevel.Bits} bits (LDVC_SIMD sets fewer)" : "a GPU"),
        ("the list of training pictures", Digest(training)),
        ("the list of validation pictures", Digest(validation)),
        ("the list of classes", string.Join(", ", training.Classes.Texts)),
        ("the digest of the CLIP's weights", loaded.Clip.Digest ?? "not known"),
    ];

    /// <summary>What an evaluation is of: the weights that the checkpoint gave, and the pictures.</summary>
    /// <param name="loaded">The model; null for a CLIP alone.</param>
    /// <param name="dataset">The pictures.</param>
    internal static IReadOnlyList<(string Name, string Value)> OfEvaluation(LoadedModel? loaded, SegmentationDataset dataset) =>
    [
        ("the list of validation pictures", Digest(dataset)),
        ("the list of classes", string.Join(", ", dataset.Classes.Texts)),
        ("the digest of the CLIP's weights", loaded?.Clip.Digest ?? "not known"),
        ("the digest of the trained weights", loaded is null ? "none" : WeightDigest.Of(loaded.Model.Parameters())),
    ];

    private static string Digest(SegmentationDataset dataset) => $"one of {dataset.Count} with SHA-256 {SampleDigest.Of(dataset)}";
}
