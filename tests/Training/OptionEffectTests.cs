using System.Security.Cryptography;
using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Inference;
using Ldvc.Lab.Pretraining;
using Ldvc.Lab.Synthetic;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Tests.Clip;
using Ldvc.Tests.Data;
using Ldvc.Training;
using Xunit;

namespace Ldvc.Tests.Training;

/// <summary>No option is read and then ignored: each one, changed alone, changes what it is there to change.</summary>
public sealed class OptionEffectTests : IDisposable
{
    // Changed weights after two steps. Right of the bar: what has to be set, in both runs, for the option to matter.
    private static readonly string[] Trained =
    [
        "model.template=a picture of one {class}", "model.cls_twice=true", "model.head=dot", "model.adapter_init=identity", "model.prompts.vision=3",
            "model.prompts.text=2",
        "model.prompts.dropout=0.5",
        "model.prompts.dropout_per=picture|model.prompts.dropout=0.5",
        "model.decoder.kind=class-query|model.decoder.attention=none",
        "model.decoder.layers=3",
        "model.decoder.heads=4",
        "model.decoder.ffn_ratio=2",
        "model.decoder.dropout=0.5",
        "model.decoder.attention=full",
        "model.decoder.windows=2|model.decoder.topk=1",
        "model.decoder.topk=1",
        "loss.focal=10",
        "loss.dice=7",
        "loss.alpha=0.5",
        "data.kind=synthetic",
        "data.train_part=val",
        "data.unseen=[dog]",
        "data.image_mean=imagenet",
        "data.variant=60|data.kind=context,data.root=CONTEXT,data.unseen=[]",
        "data.synthetic.size=64|SCENES",
        "data.synthetic.min_objects=5|SCENES",
        "data.synthetic.max_objects=2|SCENES",
        "data.synthetic.min_size=40|SCENES",
        "data.synthetic.max_size=26|SCENES",
        "data.synthetic.max_overlap=1|SCENES",
        "data.synthetic.max_cut=0|SCENES",
        "data.synthetic.noise=80|data.kind=synthetic,data.synthetic.vocabulary=scenes",
        "data.synthetic.train_count=3|SCENES",
        "data.synthetic.seed=1|SCENES",
        "data.synthetic.vocabulary=scenes|SCENES",
        "augment.scale=[200,100]",
        "augment.exact_short_side=true|augment.scale=[70;60]",
        "augment.ratio=[1,1]",
        "augment.crop=48",
        "augment.cat_max_ratio=0.01",
        "augment.crop_tries=1|augment.cat_max_ratio=0.01",
        "augment.flip=1",
        "augment.brightness=0", "augment.contrast=[1,1]", "augment.saturation=[1,1]", "augment.hue=0",
        "train.setting=full",
        "train.iterations=3",
        "train.batch=1",
        "train.accumulate=2",
        "train.lr=1e-3",
        "train.betas=[0.5,0.9]",
        "train.eps=1e-3",
        "train.clip_grad=1e-9",
        "train.weight_decay=0.5",
        "train.warmup=0",
        "train.warmup_ratio=0.5",
        "train.poly_power=3",
        "train.min_lr=1e-4",
        "train.seed=1",
        "train.transductive.iterations=9|train.setting=transductive",
    ];

    // Changed scores of the untrained model on drawn scenes.
    private static readonly string[] Scored =
    [
        "data.synthetic.val_count=3", "eval.short_side=64", "eval.window=64|eval.stride=64", "eval.stride=40|eval.window=64,eval.stride=64",
            "eval.seen_penalty=0.3", "eval.background=0.9", "eval.flip=true", "eval.scales=[0.5,1]", "eval.limit=1",
    ];

    // Changed weights after two steps of `ldvc pretrain`.
    private static readonly string[] Pretrained =
    [
        "embed=32", "steps=5", "batch=6", "lr=1e-2", "warmup=0", "betas=[0.5,0.9]", "eps=1e-2", "weight_decay=0.9", "temperature=0.5",
            "least_temperature=0.2", "patch_loss=0", "patch_focus=10", "seed=1", "vision.image=72",
        "vision.patch=16",
        "vision.width=128",
        "vision.layers=2",
        "text.width=128",
        "text.layers=2",
        "text.context=24",
        "text.vocabulary=600",
        "captions.hard=0",
        "captions.partial=1",
        "captions.two=1|captions.hard=0,captions.three=0",
        "captions.three=1|captions.hard=0,captions.two=0",
        "captions.crop=1",
        "captions.one=1|captions.crop=1,captions.hard=0",
        "captions.vocabulary=scenes",
        "captions.stuff=1|captions.vocabulary=scenes,captions.hard=0",
    ];

    // What these do is not a matter of weights or scores; the tests that show it.
    private static readonly Dictionary<string, string> Elsewhere = new()
    {
        ["clip.path"] = "every run",
        ["clip.activation"] = nameof(Model.ClipRecognitionTests),
        ["data.root"] = "every run",
        ["train.out"] = "every run",
        ["pretrain.out"] = nameof(ReproducibilityTests),
        ["pretrain.init"] = nameof(Pretraining.InitialWeightsTests),
        ["data.workers"] = nameof(ReproducibilityTests),
        ["data.prefetch"] = nameof(ReproducibilityTests),
        ["data.cache"] = nameof(Data.CachedDatasetTests),
        ["eval.exact_short_side"] = nameof(Inference.SegmenterTests),
        ["model.class_embeddings"] = nameof(ClassEmbeddingTests),
        ["data.classes"] = nameof(Data.FolderMaskTests),
        ["data.ignore"] = nameof(Data.FolderMaskTests),
        ["data.zero_is_ignored"] = nameof(Data.FolderMaskTests),
        ["data.values"] = nameof(Data.FolderMaskTests),
        ["data.colors"] = nameof(Data.FolderMaskTests),
        ["data.images"] = nameof(Data.FolderMaskTests),
        ["data.masks"] = nameof(Data.FolderMaskTests),
        ["data.image_suffix"] = nameof(Data.FolderMaskTests),
        ["data.mask_suffix"] = nameof(Data.FolderMaskTests),
        ["eval.batch"] = nameof(Inference.SegmenterTests),
        ["data.val_part"] = nameof(Verbs.TrainTests),
        ["train.precision"] = nameof(Gpu.TensorCorePrecisionTests),
        ["train.cuda_graph"] = nameof(Gpu.CudaGraphTests),
        ["pretrain.precision"] = nameof(Gpu.TensorCorePrecisionTests),
        ["train.checkpoint_every"] = nameof(ResumeTests),
        ["train.keep"] = nameof(Verbs.TrainTests),
        ["train.keep_best"] = nameof(BestCheckpointTests),
        ["train.log_every"] = nameof(Verbs.TrainTests),
        ["train.eval_every"] = nameof(Verbs.TrainTests),
        ["train.transductive.from"] = nameof(Verbs.TrainTests),
        ["pretrain.checkpoint_every"] = nameof(ReproducibilityTests),
        ["pretrain.log_every"] = nameof(ReproducibilityTests),
        ["training_free.attention"] = nameof(Inference.TrainingFreeTests),
        ["training_free.residual"] = nameof(Inference.TrainingFreeTests),
        ["training_free.scale"] = nameof(Inference.TrainingFreeTests),
        ["training_free.template"] = nameof(Inference.TrainingFreeTests),
        ["training_free.background"] = nameof(Inference.TrainingFreeTests),
        ["training_free.short_side"] = nameof(Inference.TrainingFreeTests),
        ["training_free.window"] = nameof(Inference.TrainingFreeTests),
        ["training_free.stride"] = nameof(Inference.TrainingFreeTests),
        ["ablate.rows"] = nameof(Ablation.AblateTests),
        ["ablate.seeds"] = nameof(Ablation.AblateTests),
        ["ablate.splits"] = nameof(Ablation.AblateTests),
        ["ablate.jobs"] = nameof(Ablation.AblateTests),
        ["ablate.curve"] = nameof(Evidence.RecordTests),
        ["ablate.out"] = nameof(Ablation.AblateTests),
        ["ablate.topk"] = nameof(Ablation.PlanTests),
        ["ablate.windows"] = nameof(Ablation.PlanTests),
        ["ablate.text_prompts"] = nameof(Ablation.PlanTests),
        ["ablate.vision_prompts"] = nameof(Ablation.PlanTests),
        ["ablate.heads"] = nameof(Ablation.PlanTests),
        ["ablate.penalties"] = nameof(Ablation.AblateTests),
        ["ablate.sweep_seeds"] = nameof(Ablation.PlanTests),
        ["ablate.pictures"] = nameof(Ablation.AblateTests),
        ["ablate.route_pictures"] = nameof(Ablation.AblateTests),
        ["ablate.queries"] = nameof(Ablation.AblateTests),
    };

    private static readonly string[] TrainedBase =
    [
        "model.prompts.vision=2", "model.decoder.layers=2", "model.decoder.windows=4", "model.decoder.topk=3", "augment.scale=[128,80]",
            "augment.crop=64", "train.iterations=2",
        "train.batch=2", "train.warmup=3", "data.workers=1", "data.synthetic.train_count=40",
    ];

    private readonly TinyData _data = new();
    private readonly CpuDevice _device = new(1);

    public static TheoryData<string> TrainedCases => [.. Trained];

    public static TheoryData<string> ScoredCases => [.. Scored];

    public static TheoryData<string> PretrainedCases => [.. Pretrained];

    public void Dispose()
    {
        _device.Dispose();
        _data.Dispose();
    }

    [Fact]
    public void EveryOptionIsTried()
    {
        IEnumerable<string> tried = Trained.Concat(Scored).Concat(
            Pretrained.Select(p => "pretrain." + p)).Select(p => p.Split('=')[0]).Concat(Elsewhere.Keys);
        Assert.Equal(ConfigWriter.Flatten(new LdvcConfig()).Select(o => o.Key).Order(StringComparer.Ordinal), tried.Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(TrainedCases))]
    public void ChangesTheTrainedWeights(string change)
    {
        string config = SmallRun.OwnConfig(_data);
        var (setting, both) = Split(change, "SCENES", "data.kind=synthetic");
        Assert.NotEqual(Train(config, both), Train(config, [.. both, setting]));
    }

    [Theory]
    [MemberData(nameof(ScoredCases))]
    public void ChangesTheScores(string change)
    {
        var (setting, both) = Split(change, "", "");
        Assert.NotEqual(Score(both), Score([.. both, setting]));
    }

    [Theory]
    [MemberData(nameof(PretrainedCases))]
    public void ChangesThePretrainedWeights(string change)
    {
        var (setting, both) = Split(change, "", "");
        Assert.NotEqual(Pretrain(both), Pretrain([.. both, setting]));
    }

    private (string Setting, string[] Both) Split(string change, string name, string meaning)
    {
        string[] parts = change.Split('|');
        string both = parts.Length == 1 ? "" : parts[1] == name ? meaning : parts[1];
        if (both.Contains("CONTEXT", StringComparison.Ordinal))
        {
            both = both.Replace("CONTEXT", RealFormats.Context(_data), StringComparison.Ordinal);
        }

        // A semicolon stands for a comma inside a list.
        return (parts[0], [.. both.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(setting => setting.Replace(';', ','))]);
    }

    private string Train(string file, string[] settings)
    {
        LdvcConfig config = ConfigLoader.Load(file, [.. TrainedBase, .. settings]);
        using var loaded = LoadedModel.Create(TinyClip.Folder, config.Model, _device, (ulong)config.Train.Seed);
        using var trainer = new LdvcTrainer(loaded, DrawnData.Registry.OpenTraining(config), config);
        for (int i = 0; i < 2; i++)
        {
            trainer.RunStep();
        }

        return Hash(loaded.Model.Parameters().SelectMany(p => p.Parameter.Value.ToArray()));
    }

    private string Score(string[] settings)
    {
        LdvcConfig config = ConfigLoader.Load(SmallRun.Config("demo/train"), ["data.synthetic.val_count=2", "eval.seen_penalty=0", .. settings]);
        using var loaded = LoadedModel.Create(Path.Combine(Configuration.ConfigFiles.Repository, config.Clip.Path!), config.Model, _device, 1);
        Scores scores = Evaluator.Run(loaded, DrawnData.Registry.OpenValidation(config), config);
        return string.Join(' ', scores.Classes.Select(c => $"{c.Pixels} {c.IoU} {c.Accuracy}"));
    }

    private string Pretrain(string[] settings)
    {
        string[] small = ["steps=4", "batch=8", "warmup=2", "vision.width=64", "vision.layers=1", "text.width=64", "text.layers=1", "embed=16",
            "text.vocabulary=640"];
        LdvcConfig config = ConfigLoader.Load(SmallRun.Config("demo/pretrain"), [.. small.Concat(settings).Select(s => "pretrain." + s)]);
        using var trainer = new Pretrainer(config.Pretrain, _device, 1);
        CaptionBatches batches = trainer.CreateBatches();
        for (int i = 0; i < 4; i++)
        {
            trainer.RunStep(batches);
        }

        return Hash(trainer.Model.Parameters().SelectMany(p => p.Parameter.Value.ToArray()));
    }

    private static string Hash(IEnumerable<float> values) =>
        Convert.ToHexString(SHA256.HashData(System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(values.ToArray())));
}
