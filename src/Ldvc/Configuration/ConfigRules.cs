namespace Ldvc.Configuration;

/// <summary>What holds between several options. Whether a path is set is checked by the verb that needs it.</summary>
internal static class ConfigRules
{
    // A picture's side after the random resize.
    private const int LargestSide = 16384;

    /// <summary>Checks every rule; <paramref name="fail"/> gets the dotted key and "expected ..., found ..." and does not return.</summary>
    public static void Check(LdvcConfig config, Action<string, string> fail)
    {
        void Rule(bool holds, string key, string message)
        {
            if (!holds)
            {
                fail(key, message);
            }
        }

        CheckModel(config.Model, fail);
        CheckTrainingFree(config.TrainingFree, fail);

        CheckAugment(config.Augment, fail);
        DataRules.Check(config.Data, fail);

        SyntheticConfig scenes = config.Data.Synthetic.Resolve();
        Rule(
            scenes.MinObjects <= scenes.MaxObjects,
            "data.synthetic.max_objects",
            $"expected at least min_objects = {scenes.MinObjects}, found {scenes.MaxObjects}");
        Rule(
            scenes.MinSize <= scenes.MaxSize,
            "data.synthetic.max_size",
            $"expected at least min_size = {ConfigText.Number(scenes.MinSize!.Value)}, found {ConfigText.Number(scenes.MaxSize!.Value)}");
        Rule(
            scenes.MaxSize <= scenes.Size,
            "data.synthetic.max_size",
            $"expected at most size = {scenes.Size}, found {ConfigText.Number(scenes.MaxSize!.Value)}");

        Rule(
            scenes.Noise is null || scenes.Vocabulary != SceneVocabulary.Shapes,
            "data.synthetic.noise",
            "expected a data.synthetic.vocabulary of scenes beside it (those of shapes have the noise that they have), found shapes");

        TrainConfig train = config.Train;
        Rule(
            train.Batch % train.Accumulate == 0,
            "train.accumulate",
            $"expected a divisor of train.batch = {train.Batch}, found {train.Accumulate}");
        Rule(
            train.MinLr <= train.Lr,
            "train.min_lr",
            $"expected at most train.lr = {ConfigText.Number(train.Lr)}, found {ConfigText.Number(train.MinLr)}");
        Rule(
            train.KeepBest == BestScore.None || train.EvalEvery > 0,
            "train.keep_best",
            "expected train.eval_every above 0 (without evaluations on the way there is nothing to choose from), found "
                + $"{ConfigWriter.EnumName(train.KeepBest)} and 0");
        Rule(config.Loss.Focal + config.Loss.Dice > 0, "loss.dice", "expected loss.focal or loss.dice above 0, found both 0");
        Rule(
            config.Eval.Stride <= config.Eval.Window,
            "eval.stride",
            $"expected at most eval.window = {config.Eval.Window}, found {config.Eval.Stride}");

        Rule(config.Eval.Scales.Length > 0, "eval.scales", "expected at least one number, found none");
        PretrainConfig pretrain = config.Pretrain;
        Rule(
            pretrain.Vision.Image % pretrain.Vision.Patch == 0,
            "pretrain.vision.image",
            $"expected a multiple of pretrain.vision.patch = {pretrain.Vision.Patch}, found {pretrain.Vision.Image}");
        Rule(pretrain.Vision.Width % 64 == 0, "pretrain.vision.width", $"expected a multiple of 64 (one head), found {pretrain.Vision.Width}");
        Rule(pretrain.Text.Width % 64 == 0, "pretrain.text.width", $"expected a multiple of 64 (one head), found {pretrain.Text.Width}");
        AblateConfig ablate = config.Ablate;
        Rule(ablate.Rows.Distinct().Count() == ablate.Rows.Length, "ablate.rows", "expected each row once, found one twice");
        Rule(ablate.Queries.Length % 2 == 0, "ablate.queries", $"expected pairs of x and y, found {ablate.Queries.Length} numbers");
        Rule(
            ablate.Curve.Zip(ablate.Curve.Skip(1)).All(pair => pair.First < pair.Second),
            "ablate.curve",
            $"expected steps in ascending order, found [{string.Join(", ", ablate.Curve)}]");
        double many = pretrain.Captions.Two + pretrain.Captions.Three;
        Rule(many <= 1, "pretrain.captions.two", $"expected two + three of at most 1, found {ConfigText.Number(many)}");
    }

    /// <summary>Refuses options that do nothing beside the others: who wrote them expects something of them.</summary>
    internal static void CheckUsed(LdvcConfig config, Action<string, string> fail)
    {
        if (config.Train.Transductive.From is { } from && config.Train.Setting != TrainSetting.Transductive)
        {
            fail(
                "train.transductive.from",
                $"expected train.setting: transductive beside it (other training starts from no checkpoint), found {ConfigText.Quote(from)} and "
                    + $"{ConfigWriter.EnumName(config.Train.Setting)}");
        }

        if (config.Data.Kind != DataKind.Context && config.Data.Variant != new DataConfig().Variant)
        {
            fail(
                "data.variant",
                $"expected data.kind: context beside it, found {config.Data.Variant} and {ConfigWriter.EnumName(config.Data.Kind)}");
        }
    }

    /// <summary>The rules of section augment alone.</summary>
    internal static void CheckAugment(AugmentConfig augment, Action<string, string> fail)
    {
        void Rule(bool holds, string key, string message)
        {
            if (!holds)
            {
                fail(key, message);
            }
        }

        void Ordered(double[] range, string key) =>
            Rule(range[0] <= range[1], key, $"expected [smallest, largest], found [{ConfigText.Number(range[0])}, {ConfigText.Number(range[1])}]");

        Ordered(augment.Ratio, "augment.ratio");
        Ordered(augment.Contrast, "augment.contrast");
        Ordered(augment.Saturation, "augment.saturation");
        int[] scale = augment.Scale;
        Rule(scale[0] >= scale[1], "augment.scale", $"expected [long side, short side], found [{scale[0]}, {scale[1]}]");
        Rule(
            scale[0] * augment.Ratio[1] <= LargestSide,
            "augment.scale",
            $"resize box {scale[0]} times ratio {ConfigText.Number(augment.Ratio[1])}: expected at most {LargestSide}");
    }

    /// <summary>The rules of section model alone.</summary>
    internal static void CheckModel(ModelConfig model, Action<string, string> fail)
    {
        if (TextTemplates.Fault(model.Template) is { } fault)
        {
            fail("model.template", fault);
        }

        if (TextTemplates.Expand(model.Template).Length is > 1 and var sentences && model.Prompts.Text > 0)
        {
            fail(
                "model.template",
                $"expected one sentence for the {model.Prompts.Text} text prompts, which take the places of its words, found {sentences}; "
                    + "model.prompts.text = 0 has none");
        }

        if (model.ClassEmbeddings is not null && model.Prompts.Text != 0)
        {
            fail(
                "model.class_embeddings",
                $"expected model.prompts.text = 0, since embeddings from a file do not change in training, found {model.Prompts.Text} text prompts");
        }
    }

    /// <summary>The rules of section training_free alone.</summary>
    internal static void CheckTrainingFree(TrainingFreeConfig free, Action<string, string> fail)
    {
        if (TextTemplates.Fault(free.Template) is { } fault)
        {
            fail("training_free.template", fault);
        }

        if (free.Stride > free.Window)
        {
            fail("training_free.stride", $"expected at most training_free.window = {free.Window}, found {free.Stride}");
        }
    }
}
