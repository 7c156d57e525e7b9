using Ldvc.Tests.Cli;
using Ldvc.Tests.Comparison;
using Ldvc.Tests.Data;
using Ldvc.Tests.Training;
using Xunit;

namespace Ldvc.Tests.Model;

/// <summary>
/// Checkpoints without checksums, as other programs write them anew, whose parts are not of one model: what was left over was passed over, and the
/// labels were another model's.
/// </summary>
public sealed class CheckpointPartsTests : IDisposable
{
    private readonly TinyData _data = new();

    public void Dispose() => _data.Dispose();

    [Fact]
    public void WhatTheConfigurationHasNoPlaceForIsRefused()
    {
        string run = _data.At("run");
        SmallRun.Train(SmallRun.OwnConfig(_data), run, ["train.iterations=1"]);
        string checkpoint = SmallRun.Checkpoint(run, 1);
        Assert.Contains("attention: route", EditedArchive.Load(checkpoint).Metadata["config"]);
        foreach (var (edit, expected) in new (Action<EditedArchive>, string)[]
        {
            (a => Replace(a, "config", "attention: route", "attention: none"), "'decoder.layers.0.self.k.bias' is of no part of the model"),
            (a => Replace(a, "config", "kind: vision-query", "kind: class-query"), "'decoder.layers.0.self.k.bias' is of no part of the model"),
            (a => a.Floats.Add("decoder.layers.0.scale", ([2], [1, 1])), "'decoder.layers.0.scale' is of no part of the model"),
            (a => a.Floats.Add("model.adapter.bias", a.Floats["adapter.bias"]), "'model.adapter.bias' is of no part of the model"),
            (a => a.Metadata["seen_classes"] = """["zebra"]""", "'seen_classes' is damaged; 'zebra' is none of its classes"),
        })
        {
            EditedArchive archive = EditedArchive.Load(checkpoint);
            edit(archive);
            string path = archive.Save(_data.At("edited.safetensors"));
            string message = CommandLine.Refuses([.. SmallRun.Verb("eval", SmallRun.OwnConfig(_data)), "--checkpoint", path]);
            Assert.True(
                message.Contains(expected, StringComparison.Ordinal)
                    || message.Contains("as " + path + " was trained with", StringComparison.Ordinal),
                message);
            message = CommandLine.Refuses("export", "--checkpoint", path, "--out", _data.At("model.onnx"), "--classes", "a,b");
            Assert.Contains(path, message);
            Assert.Contains(expected, message);
            Assert.False(File.Exists(_data.At("model.onnx")));
        }
    }

    private static void Replace(EditedArchive archive, string key, string old, string text) =>
        archive.Metadata[key] = archive.Metadata[key].Replace(old, text, StringComparison.Ordinal);
}
