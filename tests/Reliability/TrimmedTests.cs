using System.Diagnostics;
using System.Text.Json.Nodes;
using Ldvc.Tests.Distributed;
using Ldvc.Tests.Serialization;
using Xunit;

namespace Ldvc.Tests.Reliability;

/// <summary>What the SDK switches off in a trimmed program is not needed (docs/library.md, "Publishing").</summary>
public sealed class TrimmedTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(3);

    // PublishTrimmed sets this switch, and System.Text.Json then refuses every call without a resolver.
    private const string Switch = "System.Text.Json.JsonSerializer.IsReflectionEnabledByDefault";

    [Fact]
    public async Task CheckpointsAndResultsNeedNoSerializerOfTheirHost()
    {
        using var folder = new TempFolder();
        JsonNode options = JsonNode.Parse(await File.ReadAllTextAsync(MpiLauncher.Beside("ldvc.runtimeconfig.json"), Token))!;
        options["runtimeOptions"]!["configProperties"]![Switch] = false;
        await File.WriteAllTextAsync(folder.File("trimmed.json"), options.ToJsonString(), Token);
        string assets = MpiLauncher.Beside("assets/demo");
        await File.WriteAllTextAsync(
            folder.File("two.yaml"),
            $$"""
            base: '{{assets}}/demo.yaml'
            clip: {path: '{{assets}}/clip'}
            train: {iterations: 2, warmup: 1, checkpoint_every: 2, out: '{{folder.File("run")}}'}
            data: {synthetic: {val_count: 1} }
            """,
            Token);
        await Run("demo", "--write-data", folder.File("data"), "--pictures", "1,1");
        await Run("train", folder.File("two.yaml"), "--threads", "2");
        await Run(
            "segment", folder.File("data/JPEGImages/val-00000.jpg"), "--checkpoint", folder.File("run"), "--classes", "red circle, b", "--out",
            folder.File("labels"), "--json", folder.File("labels.json"));
        Assert.True(File.Exists(folder.File("labels/val-00000.json")));
        await Run("export", "--checkpoint", folder.File("run"), "--out", folder.File("model.onnx"));

        async Task Run(params string[] arguments)
        {
            string host = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";
            string[] start = ["exec", "--runtimeconfig", folder.File("trimmed.json"), "--depsfile", MpiLauncher.Beside("ldvc.deps.json")];
            using Process ldvc = Process.Start(new ProcessStartInfo(host, [.. start, MpiLauncher.Beside("ldvc.dll"), .. arguments])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            Task<string> output = ldvc.StandardOutput.ReadToEndAsync(Token), errors = ldvc.StandardError.ReadToEndAsync(Token);
            await ldvc.WaitForExitAsync(Token).WaitAsync(s_limit, Token);
            Assert.True(ldvc.ExitCode == 0, await output + await errors);
        }
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;
}
