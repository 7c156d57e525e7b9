using Ldvc.Configuration;
using Ldvc.Imaging;
using Ldvc.Lab.Synthetic;
using Ldvc.Tensors;
using Ldvc.Training;

namespace Ldvc.App.Cli;

/// <summary>What `ldvc demo --write-data` is told.</summary>
/// <param name="Folder">Where to.</param>
/// <param name="Pictures">How many of each part.</param>
/// <param name="Common">What every verb is told.</param>
internal sealed record WriteDataOptions(string Folder, (int Train, int Val) Pictures, CommonOptions Common);

/// <summary>`ldvc demo --write-data`: the drawn benchmark as files.</summary>
internal static class WriteDataVerb
{
    /// <summary>Runs the verb and returns the exit code.</summary>
    /// <exception cref="InputException">The folder cannot be written.</exception>
    public static int Run(WriteDataOptions options)
    {
        CommonOptions common = options.Common;
        OutputFolder.Check(options.Folder);
        ulong seed = (ulong)(common.Seed ?? 0);
        SceneOptions scenes = SceneOptions.Of(SceneVocabulary.Scenes);
        var train = new SceneDataset("train", options.Pictures.Train, seed, scenes);
        var val = new SceneDataset("val", options.Pictures.Val, seed, scenes);
        int total = train.Count + val.Count;
        common.Monitor.Loop("picture", 0, total, progress =>
        {
            SceneFolder.Write(options.Folder, [train, val], done =>
            {
                common.Cancellation.ThrowIfCancellationRequested();
                progress.Report(new ProgressStatus(done, double.NaN, double.NaN, done));
            });
            return total;
        });
        common.Out.WriteLine(
            $"{total} pictures of {train.Classes.Count} classes, {train.Classes.Count - train.SeenCount} of them unseen, in {options.Folder}");
        common.Out.WriteLine(
            $"to train on them: data: {{kind: folder, root: {options.Folder}}}; to check them: cd {options.Folder} && sha256sum -c SHA256SUMS");
        common.WriteJson(new { options.Folder, Train = train.Count, Val = val.Count, Seed = seed, Classes = train.Classes, Seen = train.SeenCount });
        return 0;
    }
}
