using Ldvc.Configuration;
using Ldvc.Tensors;

namespace Ldvc.Lab.Ablation;

/// <summary>One training of the comparison.</summary>
/// <param name="Variant">What is trained.</param>
/// <param name="Seed">train.seed.</param>
/// <param name="Split">Its unseen classes; null for the configuration's own.</param>
internal sealed record PlannedRun(AblationVariant Variant, long Seed, ClassSplit? Split = null)
{
    /// <summary>"zegclip, seed 0" or "zegclip, split b, seed 0".</summary>
    internal string Name => Split is null ? $"{Variant.Key}, seed {Seed}" : $"{Variant.Key}, split {Split.Name}, seed {Seed}";
}

/// <summary>
/// What `ldvc ablate` compares, and the trainings it takes. A sweep's value that comes to a row of the comparison shares that row's runs. Runs are
/// ordered by seed first, then by split: after the first of both there is a whole table.
/// </summary>
internal sealed record AblationPlan(
    IReadOnlyList<AblationVariant> Rows,
    IReadOnlyList<AblationVariant> Sweeps,
    IReadOnlyList<double> Penalties,
    IReadOnlyList<ClassSplit> Splits,
    IReadOnlyList<PlannedRun> Runs)
{
    /// <summary>The names of the sweeps, as --sweeps takes them: the keys of section ablate.</summary>
    internal static readonly string[] SweepNames = ["topk", "windows", "text_prompts", "vision_prompts", "heads", "penalties"];

    /// <summary>The CLIP alone, which is scored once for every split and not trained; null when it is not among ablate.rows.</summary>
    internal AblationVariant? TrainingFree { get; init; }

    /// <summary>The rows of tables that compare scores: the CLIP alone first.</summary>
    internal IReadOnlyList<AblationVariant> ScoredRows => TrainingFree is null ? Rows : [TrainingFree, .. Rows];

    /// <summary>Every variant that is trained, rows first.</summary>
    internal IEnumerable<AblationVariant> Variants => Rows.Concat(Sweeps).DistinctBy(v => v.Key);

    /// <summary>What means and standard deviations are over.</summary>
    internal string Repeats => Splits.Count > 0 ? "splits and seeds" : "seeds";

    /// <summary>What one of them is called.</summary>
    internal string Pair => Splits.Count > 0 ? "run" : "seed";

    /// <summary>The configuration that gives this plan without --sweeps: a sweep that was left out has no values.</summary>
    /// <param name="config">The configuration that the plan was made of.</param>
    internal LdvcConfig Narrow(LdvcConfig config)
    {
        AblateConfig ablate = config.Ablate;
        T[] Of<T>(string name, T[] values) => Sweeps.Any(variant => variant.Sweep == name) ? values : [];
        return config with
        {
            Ablate = ablate with
            {
                Topk = Of("topk", ablate.Topk),
                Windows = Of("windows", ablate.Windows),
                TextPrompts = Of("text_prompts", ablate.TextPrompts),
                VisionPrompts = Of("vision_prompts", ablate.VisionPrompts),
                Heads = Of("heads", ablate.Heads),
                Penalties = Penalties.Count > 0 ? ablate.Penalties : [],
            },
        };
    }

    /// <summary>Makes the plan.</summary>
    /// <param name="config">The configuration of the whole method.</param>
    /// <param name="sweeps">The sweeps to run; null = all that have values.</param>
    /// <exception cref="InputException">A sweep is asked for that has no values, there is nothing to compare, row ldvc has no text prompts, or a file
    /// of ablate.splits is bad.</exception>
    internal static AblationPlan Create(LdvcConfig config, IReadOnlyList<string>? sweeps)
    {
        AblateConfig ablate = config.Ablate;
        if (ablate.Curve.Length > 0 && ablate.Curve[^1] > config.Train.Steps)
        {
            // Other verbs do not read section ablate: a base may have a curve for more steps than theirs.
            throw new InputException(
                $"{config.Place}ablate.curve: expected steps of at most {config.Train.Steps}, the length of the training, found "
                    + $"{ablate.Curve[^1]}.");
        }

        LdvcConfig plain = config with { Ablate = new AblateConfig() };
        AblationVariant[] rows =
        [
            .. ablate.Rows.Where(row => row != AblationRow.TrainingFree).Select(row => new AblationVariant(
                ConfigWriter.EnumName(row), AblationVariant.TitleOf(row), null, "", AblationVariant.Configure(plain, row), ablate.Seeds)),
        ];
        if (config.Model.Prompts.Text == 0 && ablate.Rows.Contains(AblationRow.Ldvc))
        {
            throw new InputException(
                $"{config.Place}model.prompts.text: expected at least 1 for row ldvc of ablate.rows, found 0, which is row route.");
        }

        bool Wanted(string name, int values) => sweeps is null ? values > 0 : sweeps.Contains(name) && (values > 0
            ? true
            : throw new InputException($"{config.Place}ablate.{name}: expected the values that --sweeps {name} is to try, found none."));
        LdvcConfig whole = AblationVariant.Configure(plain, AblationRow.Ldvc);
        ModelConfig model = whole.Model;
        var swept = new List<AblationVariant>();
        void Sweep<T>(string name, T[] values, Func<T, ModelConfig> change)
        {
            if (!Wanted(name, values.Length))
            {
                return;
            }

            foreach (T value in values.Distinct())
            {
                string text = value is Enum e ? ConfigWriter.EnumName(e) : value!.ToString()!;
                LdvcConfig changed = whole with { Model = change(value) };
                string yaml = ConfigWriter.ToYaml(changed);
                AblationVariant? same = rows.Concat(swept).FirstOrDefault(v => ConfigWriter.ToYaml(v.Config) == yaml);
                string own = yaml == ConfigWriter.ToYaml(whole) ? ConfigWriter.EnumName(AblationRow.Ldvc) : $"{name.Replace('_', '-')}-{text}";
                swept.Add(new AblationVariant(same?.Key ?? own, $"{name} = {text}", name, text, changed, same?.Seeds ?? ablate.SweepSeeds));
            }
        }

        Sweep("topk", ablate.Topk, v => model with { Decoder = model.Decoder with { Topk = v } });
        Sweep("windows", ablate.Windows, v => model with { Decoder = model.Decoder with { Windows = v } });
        Sweep("text_prompts", ablate.TextPrompts, v => model with { Prompts = model.Prompts with { Text = v } });
        Sweep("vision_prompts", ablate.VisionPrompts, v => model with { Prompts = model.Prompts with { Vision = v } });
        Sweep("heads", ablate.Heads, v => model with { Head = v });

        // Other settings have no penalty (method.md 9); ablate.penalties may be set in a base of their configurations.
        bool inductive = config.Train.Setting == TrainSetting.Inductive;
        if (!inductive && sweeps?.Contains("penalties") == true)
        {
            throw new InputException($"--sweeps: expected no penalties, because {ConfigWriter.EnumName(config.Train.Setting)} training knows none.");
        }

        double[] penalties = inductive && Wanted("penalties", ablate.Penalties.Length) ? [.. ablate.Penalties.Distinct()] : [];
        AblationVariant? free = ablate.Rows.Contains(AblationRow.TrainingFree) ? TrainingFreeRow.Variant(plain) : null;
        if (rows.Length == 0 && swept.Count == 0 && free is null)
        {
            throw new InputException($"{config.Place}ablate.rows: expected rows or sweeps to compare, found neither.");
        }

        AblationVariant[] all = [.. rows.Concat(swept).DistinctBy(v => v.Key)];
        int max = all.Select(v => v.Seeds).DefaultIfEmpty().Max();
        if (config.Train.Seed > long.MaxValue - max)
        {
            throw new InputException(
                $"{config.Place}train.seed: expected room for {max} seeds, it and those after it, found {config.Train.Seed}.");
        }

        IReadOnlyList<ClassSplit> splits = ClassSplit.Read(ablate.Splits, config.Source);
        var runs =
            from seed in Enumerable.Range(0, max)
            from split in splits.DefaultIfEmpty()
            from variant in all
            where seed < variant.Seeds
            select new PlannedRun(variant, config.Train.Seed + seed, split);
        IEnumerable<PlannedRun> alone = free is null ? [] : splits.DefaultIfEmpty().Select(split => new PlannedRun(free, config.Train.Seed, split));
        return new AblationPlan(rows, swept, penalties, splits, [.. alone, .. runs]) { TrainingFree = free };
    }
}
