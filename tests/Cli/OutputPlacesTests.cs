using Ldvc.App.Cli;
using Ldvc.Tensors.Serialization;
using Ldvc.Tests.Clip;
using Ldvc.Tests.Serialization;
using Xunit;

namespace Ldvc.Tests.Cli;

/// <summary>Files that a command line writes: refused at once where they would replace an input or each other, or cannot be written.</summary>
public sealed class OutputPlacesTests
{
    // {0} is a folder with files c.yaml, m.safetensors, l.safetensors (a link to it), a.png, and a folder clip with config.json.
    [Theory]
    [InlineData("config {0}/c.yaml --json {0}/c.yaml", "--json: {0}/c.yaml would replace a file that was given (CONFIG); expected another one.")]
    [InlineData("check {0}/c.yaml --json {0}/./c.yaml", "would replace a file that was given (CONFIG)")]
    [InlineData("compare --clip x --reference {0}/m.safetensors --json {0}/m.safetensors", "would replace a file that was given (--reference)")]
    [InlineData("eval {0}/c.yaml --checkpoint {0}/m.safetensors --report {0}/m.safetensors", "would replace the checkpoint that was given")]
    [InlineData("eval {0}/c.yaml --checkpoint {0}/l.safetensors --json {0}/m.safetensors", "would replace the checkpoint that was given")]
    [InlineData("eval {0}/c.yaml --training-free --set clip.path={0}/m.safetensors --json {0}/m.safetensors", "a file that was given (--set)")]
    [InlineData("eval {0}/c.yaml --training-free --report {0}/new --json {0}/new", "{0}/new would also be the file of --")]
    [InlineData("embed --clip {0}/m.safetensors --text a --out {0}/m.safetensors", "would replace a file that was given (--clip)")]
    [InlineData("embed --clip {0}/clip --text a --out {0}/f.safetensors --json {0}/clip/config.json", "would replace a file that was given (--clip)")]
    [InlineData("embed --clip x --image {0}/a.png --out {0}/a.png", "--out: {0}/a.png would replace a file that was given (--image)")]
    [InlineData("embed --clip x --text a --out {0}/new --json {0}/new", "would also be the file of --")]
    [InlineData("export --checkpoint {0}/m.safetensors --out {0}/m.onnx --json {0}/m.onnx", "would also be the file of --")]
    [InlineData("embed --clip x --text a --out {0}/f.npy", "--out: expected a file NAME.safetensors, which is the format that is written, found '")]
    [InlineData("import {0}/a.png --clip x --out {0}/f.pth", "--out: expected a file NAME.safetensors, which is the format that is written, found '")]
    [InlineData("config {0}/c.yaml --json {0}/clip", "--json: expected a file in a folder that exists")]
    [InlineData("segment {0}/a.png --clip {1} --classes a --out {0}/c.yaml", "c.yaml: cannot be created (it is a file)")]
    [InlineData("segment {0}/a.png --clip {1} --classes a --out {0}/c.yaml/o/p", "c.yaml is a file), expected a folder for the results")]
    public void ResultsReplaceNoInputAndNotEachOther(string line, string expected)
    {
        using var folder = new TempFolder();
        foreach (string name in new[] { "c.yaml", "m.safetensors", "a.png", "clip/config.json", "clip/model.safetensors" })
        {
            Directory.CreateDirectory(Path.GetDirectoryName(folder.File(name))!);
            File.WriteAllText(folder.File(name), "");
        }

        File.CreateSymbolicLink(folder.File("l.safetensors"), folder.File("m.safetensors"));
        string[] before = Directory.GetFileSystemEntries(folder.Root, "*", SearchOption.AllDirectories);
        string Placed(string text) =>
            text.Replace("{0}", folder.Root, StringComparison.Ordinal).Replace("{1}", TinyClip.Folder, StringComparison.Ordinal);
        Assert.Contains(Placed(expected), CommandLine.Refuses([.. line.Split(' ').Select(Placed)]));
        Assert.Equal(before, Directory.GetFileSystemEntries(folder.Root, "*", SearchOption.AllDirectories));
        Assert.All(before.Where(File.Exists), file => Assert.Empty(File.ReadAllText(file)));
    }

    // {0} is a folder with c.yaml, a.png and a link, dead, to {0}/gone, which is not there.
    [Theory]
    [InlineData("config {0}/c.yaml --json -", "--json: expected the name of a file or folder, found '-': results are not written to the standard")]
    [InlineData("convert --clip {1} --out -", "--out: expected the name of a file or folder, found '-'")]
    [InlineData("segment {0}/a.png --clip {1} --classes a --out -", "--out: expected the name of a file or folder, found '-'")]
    [InlineData("embed --clip {1} --text a --out -", "--out: expected the name of a file or folder, found '-'")]
    [InlineData("demo --write-data -", "--write-data: expected the name of a file or folder, found '-'")]
    [InlineData("segment {0}/a.png --clip {1} --classes a --out {0}/dead", "dead: cannot be created (it is a link to {0}/gone, which is not there)")]
    [InlineData("segment {0}/a.png --clip {1} --classes a --out {0}/dead/o", "cannot be created ({0}/dead is a link to {0}/gone,")]
    [InlineData("convert --clip {1} --out {0}/dead", "dead: is a link to {0}/gone, which is not there; expected a folder to write")]
    [InlineData("demo --write-data {0}/c.yaml --pictures 1,1", "c.yaml: cannot be created (it is a file), expected a folder for the results")]
    [InlineData("segment {0}/a.png --clip {1} --classes a --out {0}/o --save none,overlay", "--save: expected none alone or other parts, found both")]
    [InlineData("compare --clip {1} --reference {0}/a.png --tolerance 1e999", "--tolerance: expected a number of at least 0, found '1e999'")]
    [InlineData("compare --clip {1} --reference {0}/a.png --tolerance Infinity", "--tolerance: expected a number of at least 0, found 'Infinity'")]
    public void PlacesThatAreNoneAreSaidAsWhatTheyAre(string line, string expected)
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder.File("c.yaml"), "");
        File.WriteAllText(folder.File("a.png"), "");
        File.CreateSymbolicLink(folder.File("dead"), folder.File("gone"));
        string Placed(string text) =>
            text.Replace("{0}", folder.Root, StringComparison.Ordinal).Replace("{1}", TinyClip.Folder, StringComparison.Ordinal);
        Assert.Contains(Placed(expected), CommandLine.Refuses([.. line.Split(' ').Select(Placed)]));
        Assert.Equal(["a.png", "c.yaml", "dead"], Directory.GetFileSystemEntries(folder.Root).Select(Path.GetFileName).Order());
    }

    // The standard output may be a plain file: a result that takes its name would take it from every process.
    [Theory]
    [InlineData("/dev/ldvc-results.json", "/dev/")]
    [InlineData("/proc/ldvc-results.json", "/proc/")]
    [InlineData("/sys/ldvc-results.json", "/sys/")]
    [InlineData("/dev/fd/../ldvc-results.json", "/dev/")]
    public void NamesOfTheSystemAreNoPlaceForResults(string path, string place)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "other systems have no such folders");
        using var folder = new TempFolder();
        File.WriteAllText(folder.File("c.yaml"), "");
        string error = CommandLine.Refuses("config", folder.File("c.yaml"), "--json", path);
        Assert.Contains($"{path}: expected a file to write, got a name in {place}, which the system keeps to itself.", error);
        Assert.False(File.Exists("/dev/ldvc-results.json"));
    }

    // What a verb wrote before it may write again; a training's checkpoint or a CLIP in the way of a typing error is worth more than that.
    [Theory]
    [InlineData("embed", "text_features")]
    [InlineData("import", "adapter.weight")]
    [InlineData("export", "adapter.weight")]
    public void TensorsOfAnotherKindStay(string verb, string own)
    {
        using var folder = new TempFolder();
        string there = folder.File("there.safetensors"), missing = folder.File("missing");
        string[] line = verb switch
        {
            "embed" => ["embed", "--clip", missing, "--classes", "cat", "--out", there],
            "import" => ["import", missing, "--clip", missing, "--out", there],
            _ => ["export", "--checkpoint", missing, "--lean", "--out", there],
        };
        foreach ((string[] names, bool stays) in new (string[], bool)[]
        {
            ([own], false),
            (["adapter.weight", "optimizer.first.adapter.weight"], true),
            (["visual.conv1.weight", "text_projection"], verb == "embed"),
        })
        {
            var writer = new SafetensorsWriter { Checksums = true };
            writer.SetMetadata("kind", "ldvc");
            foreach (string name in names)
            {
                writer.AddFloat32(name, [1], new float[1]);
            }

            writer.Save(there);
            byte[] before = File.ReadAllBytes(there);
            string message = CommandLine.Refuses(line);
            const string Expected = "there.safetensors is there already, and holds tensors; expected another name.";
            Assert.Equal(stays, message.Contains(Expected, StringComparison.Ordinal));
            Assert.Equal(before, File.ReadAllBytes(there));
        }
    }

    [Fact]
    public void ALinkToNothingIsNoResultToSpare()
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder.File("c.yaml"), "");
        File.CreateSymbolicLink(folder.File("dead"), folder.File("gone"));
        Assert.Equal(0, CommandLine.Run("config", folder.File("c.yaml"), "--json", folder.File("dead")).Code);
        Assert.StartsWith("{", File.ReadAllText(folder.File("dead")));
    }

    [Fact]
    public void WhatCannotBeWrittenIsKnownBeforeTheWork()
    {
        using var folder = new TempFolder();
        string config = folder.File("c.yaml");
        File.WriteAllText(config, "");
        string Refuses(string json) => CommandLine.Refuses("config", config, "--json", json);
        Assert.Contains("x.json: its name has 305 bytes, expected at most 255.", Refuses(folder.File(new string('x', 300) + ".json")));
        if (OperatingSystem.IsLinux())
        {
            Assert.Contains("/dev/null: expected a file to write, got a device.", Refuses("/dev/null"));
        }

        // Nobody means a table of results to replace these.
        foreach ((string kind, byte[] content) in new[]
        {
            ("a picture", (byte[])[0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10, 0]),
            ("tensors", [2, 0, 0, 0, 0, 0, 0, 0, (byte)'{', (byte)'}']),
            ("an archive", [(byte)'P', (byte)'K', 3, 4]),
            ("text that is no JSON", [.. "train: {iterations: 3}\n"u8]),
            ("text that is no JSON", [.. "old"u8]),
            ("lines of JSON", [.. "{\"step\":1}\n{\"step\":2}\n"u8]),
        })
        {
            File.WriteAllBytes(folder.File("there"), content);
            Assert.Contains($"there is there already, and holds {kind}; expected another name.", Refuses(folder.File("there")));
            Assert.Equal(content, File.ReadAllBytes(folder.File("there")));
        }

        foreach (string earlier in new[] { "", "{\"old\":1}\n", "\uFEFF{\n  \"old\": 1\n}\n\n", "[1,\n2]" })
        {
            File.WriteAllText(folder.File("there"), earlier);
            Assert.Equal(0, CommandLine.Run("config", config, "--json", folder.File("there")).Code);
        }

        File.Delete(folder.File("there"));

        // The folder of the ledger, before anything is measured.
        File.WriteAllText(folder.File("ledger"), "");
        using var error = new StringWriter();
        int code = Application.Run(
            folder.File("ledger"), ["demo", "--record", "x", "--out", folder.File("demo")], TextWriter.Null, error, false, CancellationToken.None);
        Assert.Equal(2, code);
        Assert.Contains("ledger: cannot be created (it is a file)", error.ToString());
        Assert.Equal(["c.yaml", "ledger"], Directory.GetFileSystemEntries(folder.Root).Select(Path.GetFileName).Order());
    }
}
