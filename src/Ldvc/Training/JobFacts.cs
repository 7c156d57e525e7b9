using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Ldvc.Clip;
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
    [
        "clip.path", "model.class_embeddings", "data.root", "data.colors", "data.workers", "data.prefetch", "data.cache", "train.out",
        "train.transductive.from", "ablate.out", "ablate.splits",
    ];

    /// <summary>The program.</summary>
    internal static IReadOnlyList<(string Name, string Value)> OfProgram() =>
    [
        ("the program's version", typeof(JobFacts).Assembly.GetName().Version!.ToString()),
        ("the build of the program", typeof(JobFacts).Module.ModuleVersionId.ToString()),
    ];

    /// <summary>The program and every option, by its key.</summary>
    internal static IReadOnlyList<(string Name, string Value)> OfConfig(LdvcConfig config) =>
    [
        .. OfProgram(),
        .. ConfigWriter.Flatten(config).Where(entry => !OwnToANode.Contains(entry.Key)).Select(entry => (entry.Key, entry.Value)),
    ];

    /// <summary>Pictures, classes, the CLIP and the weights that training starts from.</summary>
    internal static IReadOnlyList<(string Name, string Value)> OfInputs(
        LdvcConfig config, LoadedModel loaded, SegmentationDataset training, SegmentationDataset validation) =>
    [
        ("the kind of device", loaded.Device is CpuDevice ? $"a CPU with vectors of {SimdLevel.Bits} bits (LDVC_SIMD sets fewer)" : "a GPU"),
        .. OfPictures("training", training),
        .. OfPictures("validation", validation),
        .. OfClip(config, loaded, training),
    ];

    /// <summary>What an evaluation is of: the weights that the checkpoint gave, and the pictures.</summary>
    /// <param name="config">How they are read.</param>
    /// <param name="loaded">The model.</param>
    /// <param name="dataset">The pictures.</param>
    internal static IReadOnlyList<(string Name, string Value)> OfEvaluation(LdvcConfig config, LoadedModel loaded, SegmentationDataset dataset) =>
    [
        .. OfPictures("validation", dataset),
        .. OfClip(config, loaded, dataset),
        ("the digest of the trained weights", WeightDigest.Of(loaded.Model.Parameters())),
    ];

    /// <summary>A part of a data set: its pictures, its classes, and which of them are seen, for which a file of each node may stand.</summary>
    /// <param name="part">What the part is called: "training" or "validation".</param>
    /// <param name="dataset">The part.</param>
    internal static IReadOnlyList<(string Name, string Value)> OfPictures(string part, SegmentationDataset dataset) =>
    [
        ($"the list of {part} pictures", $"one of {dataset.Count} with SHA-256 {SampleDigest.Of(dataset)}"),
        ($"the list of {part} classes", string.Join(", ", dataset.Classes.Texts)),
        ($"the list of seen {part} classes", string.Join(", ", dataset.Split.Seen.Select(id => dataset.Classes[id]))),
    ];

    /// <summary>A CLIP's files, where nothing else tells its weights and what lies beside them.</summary>
    internal static IReadOnlyList<(string Name, string Value)> OfFiles(ClipCheckpoint clip) =>
    [
        ("the SHA-256 of the CLIP's weights", clip.Sha256()),
        ("the SHA-256 of the files beside the CLIP's weights", clip.BesideSha256()),
    ];

    // What lies beside the weights decides, too, what is computed with them.
    private static IEnumerable<(string Name, string Value)> OfClip(LdvcConfig config, LoadedModel loaded, SegmentationDataset dataset)
    {
        Imaging.ImageStatistics statistics = PictureStatistics.Of(config.Data, loaded.Statistics);
        string[] names = dataset.Classes.Texts;
        yield return ("the digest of the CLIP's weights", loaded.Clip.Digest ?? "not known");
        yield return ("what the CLIP computes", ClipForm.Of(loaded.Clip.Config));
        yield return (
            "the mean and deviation of pictures", string.Join(' ', statistics.Mean.Concat(statistics.Std).Select(value => ConfigText.Number(value))));
        if (loaded.Embeddings is { } embeddings)
        {
            yield return ("the digest of the class embeddings", embeddings.Digest(names));
        }
        else
        {
            yield return ("the digest of the tokens of the class names", Digest(loaded.Tokenize(names).Ids));
        }
    }

    private static string Digest(int[] values) => Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes(values.AsSpan())));
}
