using Ldvc.Tensors;

namespace Ldvc.Configuration;

/// <summary>
/// Checks sections that were put together in code as those of a file are checked: every value against its option's range, then the rules between
/// options. What runs on a section of its own calls this, so a range stands in one place, at the option.
/// </summary>
internal static class ConfigCheck
{
    /// <summary>Checks section augment.</summary>
    /// <exception cref="InputException">A value is out of its range, or two do not fit each other.</exception>
    internal static void Augment(AugmentConfig augment)
    {
        Ranges(augment, "augment.");
        ConfigRules.CheckAugment(augment, (key, message) => throw new InputException($"{key}: {message}."));
    }

    /// <summary>Checks a whole configuration; what it was read from, if anything, has been checked before, and may have been changed since.</summary>
    /// <exception cref="InputException">A value is out of its range, or two do not fit each other.</exception>
    internal static void Whole(LdvcConfig config)
    {
        Ranges(config, config.Place);
        ConfigRules.Check(config, (key, message) => throw new InputException($"{config.Place}{key}: {message}."));
    }

    /// <summary>Checks section model.</summary>
    /// <exception cref="InputException">As for a whole configuration.</exception>
    internal static void Model(ModelConfig model)
    {
        Ranges(model, "model.");
        ConfigRules.CheckModel(model, (key, message) => throw new InputException($"{key}: {message}."));
    }

    /// <summary>Checks section training_free.</summary>
    /// <exception cref="InputException">As for a whole configuration.</exception>
    internal static void TrainingFree(TrainingFreeConfig free)
    {
        Ranges(free, "training_free.");
        ConfigRules.CheckTrainingFree(free, (key, message) => throw new InputException($"{key}: {message}."));
    }

    private static void Ranges(object section, string path)
    {
        foreach (ConfigOption option in ConfigOption.Of(section.GetType()))
        {
            object? value = option.Property.GetValue(section);
            if (value is null && !option.Nullable)
            {
                throw new InputException($"{path}{option.Key}: expected {(option.IsSection ? "a section" : option.Expected)}, found nothing.");
            }

            if (option.IsSection)
            {
                Ranges(value!, $"{path}{option.Key}.");
                continue;
            }

            if (value is Enum choice && !Enum.IsDefined(choice.GetType(), choice))
            {
                throw new InputException($"{path}{option.Key}: expected {option.Expected}, found {choice:D}.");
            }

            bool list = value is Array array && option.Rule.Length > 0 && array.Length != option.Rule.Length;
            double[] wrong = [.. Numbers(value).Where(number => !double.IsFinite(number) || !option.InRange(number))];
            if (list || wrong.Length > 0)
            {
                string hint = wrong.Length > 0 ? option.AsSingle(wrong[0]) : "";
                throw new InputException($"{path}{option.Key}: expected {option.Expected}, found {ConfigWriter.Value(value)}{hint}.");
            }
        }
    }

    private static IEnumerable<double> Numbers(object? value) => value switch
    {
        Array array => array.Cast<object?>().SelectMany(Numbers),
        int number => [number],
        long number => [number],
        double number => [number],
        _ => [],
    };
}
