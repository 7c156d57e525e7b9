using Ldvc.Clip;
using Ldvc.Kernels.Devices;
using Ldvc.Tensors;

namespace Ldvc.Comparison;

/// <summary>`ldvc compare`: reruns what a reference file holds and compares every tensor.</summary>
internal static class ReferenceComparison
{
    /// <summary>One row per output tensor of the file, in the order they were computed.</summary>
    /// <exception cref="InputException">The file is of neither kind, or does not fit the CLIP, or the device's precision does not hold its
    /// numbers.</exception>
    /// <exception cref="OperationCanceledException">It was told to stop.</exception>
    internal static IReadOnlyList<ComparisonRow> Run(
        string clipPath,
        string referencePath,
        ComparisonTolerance tolerance,
        Device device,
        Kernels.Activation? activation = null,
        CancellationToken cancellation = default)
    {
        using var file = new ReferenceFile(referencePath, tolerance.Values, cancellation);

        // What a plain CLIP's file cannot have makes it an LDVC file, so that one without options is told what it lacks.
        bool ldvc = file.Metadata.ContainsKey("options") || file.Entries.Keys.Any(k => k.StartsWith("param.", StringComparison.Ordinal));
        using var clip = ClipCheckpoint.Find(clipPath).Load(device, activation);
        if (TrainingFreeOptions.AreIn(file))
        {
            TrainingFreeComparison.Run(file, clip, device);
        }
        else if (ldvc)
        {
            LdvcComparison.Run(file, clip, device, tolerance);
        }
        else
        {
            ClipComparison.Run(file, clip, device);
        }

        Fp16Overflow.Refuse(device);
        return file.Rows.Count > 0
            ? file.Rows
            : throw new InputException($"{referencePath}: holds nothing to compare; expected a reference file as tools/make_reference.py writes it.");
    }
}
