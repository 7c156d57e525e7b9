using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Model;

/// <summary>A checkpoint without the optimiser's state: a third of the size, for everything but continuing the training.</summary>
internal static class LeanCheckpoint
{
    /// <summary>Key of the metadata that says so.</summary>
    internal const string Key = "lean";

    /// <summary>Copies a checkpoint without what only training needs.</summary>
    /// <exception cref="InputException">The checkpoint is damaged or of another kind, or the file cannot be written.</exception>
    internal static void Write(string checkpoint, string path)
    {
        LdvcCheckpoint.Open(checkpoint).Dispose();
        using var archive = TensorArchive.Open(checkpoint);
        archive.Verify();
        var writer = new SafetensorsWriter { Checksums = true };
        foreach (var (key, value) in archive.Metadata)
        {
            writer.SetMetadata(key, value);
        }

        writer.SetMetadata(Key, "true");
        foreach (var (name, entry) in archive.Entries.Where(entry => !TrainingState.IsMoment(entry.Key)))
        {
            if (entry.DType is DType.Float32 or DType.Float16 or DType.BFloat16)
            {
                writer.AddFloat32(name, entry.Shape, archive.ReadFinite(name), entry.DType);
            }
            else
            {
                throw new InputException(
                    $"{checkpoint}: tensor '{name}' holds {entry.DType}, expected the numbers of a checkpoint that `ldvc train` wrote.");
            }
        }

        writer.Save(path);
    }
}
