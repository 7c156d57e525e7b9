using Ldvc.Configuration;
using Ldvc.Lab.Ablation;
using Ldvc.Tensors;
using Ldvc.Tests.Configuration;
using Xunit;

namespace Ldvc.Tests.Ablation;

public sealed class PlanTests
{
    [Fact]
    public void RowsAreTheBaselineConfigurations()
    {
        AblationPlan plan = AblationPlan.Create(new LdvcConfig(), null);
        Assert.Equal(["zegclip", "language-driven", "self-attention", "route", "ldvc"], plan.Rows.Select(v => v.Key));
        // The CLIP alone is scored once, before the first training.
        Assert.Equal((15 + 1, "training-free, seed 0"), (plan.Runs.Count, plan.Runs[0].Name));
        Assert.Equal(["training-free", .. plan.Rows.Select(v => v.Key)], plan.ScoredRows.Select(v => v.Key));
        Assert.DoesNotContain(plan.TrainingFree, plan.Variants);
        foreach (AblationVariant row in plan.Rows)
        {
            // The rows differ in the decoder alone; the published recipe of ZegCLIP differs in more.
            string[] decoderAlone = row.Key == "zegclip" ? ["model.cls_twice=false", "model.prompts.dropout_per=batch"] : [];
            LdvcConfig file = ConfigLoader.Load(Path.Combine(ConfigFiles.Repository, "configs", "voc", row.Key + ".yaml"), decoderAlone);
            Assert.Equal(
                ConfigWriter.Flatten(file.Model).Select(e => (e.Key, e.Value)), ConfigWriter.Flatten(row.Config.Model).Select(e => (e.Key, e.Value)));
        }
    }

    [Fact]
    public void TheFirstSeedIsFinishedFirst()
    {
        AblationPlan plan = AblationPlan.Create(
            ConfigFiles.Load("", "ablate.rows=[zegclip, ldvc]", "ablate.seeds=2", "ablate.topk=[4, 16]", "train.seed=5"), null);
        Assert.Equal(["zegclip, seed 5", "ldvc, seed 5", "topk-4, seed 5", "zegclip, seed 6", "ldvc, seed 6"], plan.Runs.Select(r => r.Name));
        plan = AblationPlan.Create(ConfigFiles.Load("", "ablate.rows=[]", "ablate.topk=[4]", "ablate.sweep_seeds=2"), null);
        Assert.Equal(["topk-4, seed 0", "topk-4, seed 1"], plan.Runs.Select(r => r.Name));
    }

    [Fact]
    public void SweepsChangeOneOptionAndShareTheMethodsOwnValue()
    {
        AblationPlan plan = AblationPlan.Create(
            ConfigFiles.Load(
                "",
                "ablate.topk=[1, 16]",
                "ablate.windows=[4]",
                "ablate.text_prompts=[0, 2]",
                "ablate.vision_prompts=[0]",
                "ablate.heads=[dot, attention]",
                "ablate.penalties=[0, 0.2]"), null);
        Assert.Equal(
            ["topk-1", "ldvc", "windows-4", "route", "text-prompts-2", "vision-prompts-0", "heads-dot", "ldvc"], plan.Sweeps.Select(v => v.Key));
        Assert.Equal(3, plan.Sweeps[1].Seeds);
        Assert.Equal([0, 0.2], plan.Penalties);
        var own = Options(plan.Rows[^1]);
        (string Key, string Change)[] expected =
        [
            ("topk-1", "model.decoder.topk: 1"), ("windows-4", "model.decoder.windows: 4"), ("text-prompts-2", "model.prompts.text: 2"),
            ("vision-prompts-0", "model.prompts.vision: 0"), ("heads-dot", "model.head: dot"),
        ];
        foreach (var (key, change) in expected)
        {
            Assert.Equal([change], Options(plan.Sweeps.First(v => v.Key == key)).Except(own));
        }

        Assert.Equal(1 + 15 + 5, plan.Runs.Count);
    }

    [Fact]
    public void SeedsThatNoNumberHoldsAreRefused() => Assert.Contains(
        "train.seed: expected room for 3 seeds, it and those after it, found 9223372036854775806.",
        Assert.Throws<InputException>(() => AblationPlan.Create(ConfigFiles.Load("", "train.seed=9223372036854775806"), null)).Message);

    [Fact]
    public void OnlyTheNamedSweepsAreRun()
    {
        LdvcConfig config = ConfigFiles.Load("", "ablate.topk=[1]", "ablate.windows=[4]");
        Assert.Equal(["windows-4"], AblationPlan.Create(config, ["windows"]).Sweeps.Select(v => v.Key));
        Assert.Empty(AblationPlan.Create(config, []).Sweeps);
        Assert.Contains(
            "ablate.heads: expected the values that --sweeps heads is to try",
            Assert.Throws<InputException>(() => AblationPlan.Create(config, ["heads"])).Message);
    }

    [Fact]
    public void WhatCannotBeComparedIsRefused()
    {
        Assert.Contains("model.prompts.text: expected at least 1", Refused("model.prompts.text=0"));
        Assert.Contains("expected rows or sweeps", Refused("ablate.rows=[]"));
        string Error(string set) => Assert.Throws<InputException>(() => ConfigFiles.Load("", set)).Message;
        Assert.Contains(
            "ablate.rows: expected a list out of zegclip, language-driven, self-attention, route, ldvc, training-free, found",
            Error("ablate.rows=[zegklip]"));
        Assert.Contains("ablate.rows: expected each row once", Error("ablate.rows=[ldvc, ldvc]"));
        Assert.Contains("ablate.queries: expected pairs", Error("ablate.queries=[0.1]"));
        Assert.Contains("ablate.topk: expected a list of whole numbers from 1 to 65536, found", Error("ablate.topk=[0]"));
        Assert.Contains("ablate.depth: no such key", Error("ablate.depth=1"));
    }

    [Fact]
    public void PenaltiesAreForInductiveTraining()
    {
        string[] settings = ["ablate.penalties=[0, 0.1]", "ablate.rows=[ldvc]"];
        Assert.Equal([0, 0.1], AblationPlan.Create(ConfigFiles.Load("", settings), null).Penalties);
        LdvcConfig full = ConfigFiles.Load("", [.. settings, "train.setting=full"]);
        Assert.Empty(AblationPlan.Create(full, null).Penalties);
        Assert.Contains(
            "--sweeps: expected no penalties, because full training knows none.",
            Assert.Throws<InputException>(() => AblationPlan.Create(full, ["penalties"])).Message);
    }

    [Fact]
    public void MeanAndStandardDeviationAreThoseOfASample()
    {
        SampleStatistics sample = SampleStatistics.Of([0.71, 0.75, 0.79]);
        Assert.Equal((0.75, 0.04, 3), (Math.Round(sample.Mean, 12), Math.Round(sample.StandardDeviation, 12), sample.Count));
        Assert.Equal("75.0 ± 4.0", sample.Text());
        Assert.Equal("75.0", SampleStatistics.Of([0.75]).Text());
        Assert.Equal("-", SampleStatistics.Of([0.75, double.NaN]).Text());
        Assert.Equal("-", SampleStatistics.Of([]).Text());
    }

    private static string Refused(string set) => Assert.Throws<InputException>(() => AblationPlan.Create(ConfigFiles.Load("", set), null)).Message;

    private static IEnumerable<string> Options(AblationVariant variant) => ConfigWriter.Flatten(variant.Config).Select(e => $"{e.Key}: {e.Value}");
}
