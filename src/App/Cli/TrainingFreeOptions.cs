using System.CommandLine;
using Ldvc.Configuration;
using Ldvc.Tensors;

namespace Ldvc.App.Cli;

/// <summary>Options of segmentation with a CLIP alone: --attention, --residual, --template and --activation.</summary>
internal sealed class TrainingFreeOptions
{
    private readonly Option<string?> _attention = new("--attention")
    {
        HelpName = "A",
        Description = "Without a checkpoint: what the last block's attention compares, plain | qq | qq+kk. Default: qq.",
    };

    private readonly Option<bool> _residual = new("--residual")
    {
        Description = "Without a checkpoint: keeps the last block's residual connections and its feed-forward part.",
    };

    private readonly Option<string[]> _template = CommandParts.Template(
        "Without a checkpoint: a sentence with {class} in it; several are averaged. Default: imagenet-80.");

    private readonly Option<string> _activation = CommandParts.Activation();

    /// <summary>Adds them to a verb.</summary>
    public void AddTo(Command command)
    {
        command.Options.Add(_attention);
        command.Options.Add(_residual);
        command.Options.Add(_template);
        command.Options.Add(_activation);
    }

    /// <summary>The settings and the CLIP's activation; null with a checkpoint, which has its own.</summary>
    /// <param name="result">The command line.</param>
    /// <param name="trained">Whether there is a checkpoint.</param>
    /// <exception cref="InputException">A value is not as it must be, or one is given with a checkpoint.</exception>
    public (TrainingFreeConfig Config, ClipActivation Activation)? Read(ParseResult result, bool trained)
    {
        string? attention = OptionValue.Text(result, _attention);
        string[] template = OptionValue.Utf8(_template.Name, result.GetValue(_template) ?? []);
        if (trained)
        {
            string? given = attention is not null ? _attention.Name
                : result.GetValue(_residual) ? _residual.Name
                : template.Length > 0 ? _template.Name
                : OptionValue.Activation(result, _activation) is not null ? _activation.Name : null;
            return given is null
                ? null
                : throw new InputException($"{given}: expected --clip without --checkpoint; a checkpoint has its own settings.");
        }

        var config = new TrainingFreeConfig();
        if (attention is not null)
        {
            SelfSimilarity[] all = Enum.GetValues<SelfSimilarity>();
            int found = Array.FindIndex(all, value => ConfigWriter.EnumName(value) == attention);
            config = found >= 0
                ? config with { Attention = all[found] }
                : throw new InputException($"{_attention.Name}: expected {string.Join(" or ", all.Select(value => ConfigWriter.EnumName(value)))}, "
                    + $"found {ConfigText.Quote(attention)}.");
        }

        config = config with
        {
            Residual = result.GetValue(_residual),
            Template = template.Length > 0 ? TextTemplates.Checked(template, _template.Name) : config.Template
        };
        return (config, OptionValue.ActivationChoice(result, _activation));
    }
}
