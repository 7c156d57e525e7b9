using System.Globalization;
using Ldvc.Configuration;
using Ldvc.Tensors;

namespace Ldvc.Model;

/// <summary>A run's folder in the place of one of its checkpoints.</summary>
internal static class RunCheckpoint
{
    /// <summary>
    /// A file as it is; for the folder of a run (or its folder "checkpoints") the best checkpoint where one is kept (train.keep_best), else the
    /// newest.
    /// </summary>
    /// <exception cref="InputException">It is a folder without a checkpoint.</exception>
    internal static string Resolve(string path)
    {
        if (!Directory.Exists(path))
        {
            return path;
        }

        string inner = Path.Combine(path, "checkpoints"), folder = Directory.Exists(inner) ? inner : path,
            best = Path.Combine(folder, "best.safetensors");
        if (File.Exists(best))
        {
            return best;
        }

        return Directory.EnumerateFiles(folder, "ckpt-*.safetensors").Select(
            file => (File: file, Step: StepOf(file))).Where(c => c.Step >= 0).OrderBy(c => c.Step).LastOrDefault().File
            ?? throw new InputException(
                $"{path}: expected a checkpoint, or the folder of a run of `ldvc train` with one in it, found a folder without any.");
    }

    /// <summary>A file as it is; for the folder of a run the checkpoint of half of its steps, where transductive training starts.</summary>
    /// <exception cref="InputException">It is another folder, or that checkpoint is not there.</exception>
    internal static string HalfWay(string path)
    {
        if (!Directory.Exists(path))
        {
            return path;
        }

        string config = Path.Combine(path, "config.yaml");
        if (!File.Exists(config))
        {
            throw new InputException($"{path}: expected a checkpoint, or the folder of a run of `ldvc train`, found a folder without config.yaml.");
        }

        string file = Path.Combine(path, "checkpoints", $"ckpt-{ConfigLoader.Load(config).Train.HalfWay:D8}.safetensors");
        return File.Exists(file)
            ? file
            : throw new InputException($"{file}: file not found, expected the half-way checkpoint of {path}, where transductive training starts.");
    }

    private static int StepOf(string file) =>
        int.TryParse(Path.GetFileNameWithoutExtension(file)["ckpt-".Length..], NumberStyles.None, CultureInfo.InvariantCulture, out int step)
            ? step
            : -1;
}
