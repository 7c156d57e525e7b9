using System.CommandLine;
using Ldvc.App.Terminal;
using Ldvc.Clip;
using Ldvc.Clip.Tokenization;
using Ldvc.Tensors;

namespace Ldvc.App.Cli;

/// <summary>What `ldvc convert` is told.</summary>
/// <param name="Clip">Folder or file of a CLIP.</param>
/// <param name="Out">The folder to write.</param>
/// <param name="Activation">The CLIP's activation; null = what its files say.</param>
/// <param name="Common">What every verb is told.</param>
internal sealed record ConvertOptions(string Clip, string Out, Kernels.Activation? Activation, CommonOptions Common);

/// <summary>`ldvc convert`: any readable CLIP as a Hugging Face folder with fp32 safetensors.</summary>
internal static class ConvertVerb
{
    /// <summary>The verb on the command line.</summary>
    /// <param name="host">Where it writes, and whether it has been told to stop.</param>
    public static Command Create(VerbHost host)
    {
        Option<string> clip = CommandParts.Clip();
        Option<string> activation = CommandParts.Activation();
        Option<string> output = CommandParts.Out("DIR", "The folder to write.");
        var command = new VerbCommand(
            "convert",
            "Rewrites any readable CLIP as a Hugging Face folder with safetensors.",
            "ldvc convert --clip ViT-B-16.pt --out clip-vit-b16")
        {
            clip,
            activation,
            output,
        };
        CommonOptionSet common = CommonOptionSet.AddTo(command);
        command.SetAction(result => Run(new ConvertOptions(
            OptionValue.RequiredPath(result, clip),
            OptionValue.RequiredPath(result, output),
            OptionValue.Activation(result, activation),
            common.Read(result, host))));
        return command;
    }

    /// <summary>Runs the verb and returns the exit code.</summary>
    /// <exception cref="InputException">The CLIP cannot be read, or the folder cannot be written or holds something already.</exception>
    public static int Run(ConvertOptions options)
    {
        AtomicFolder.Check(options.Out);
        var checkpoint = ClipCheckpoint.Find(options.Clip);
        bool hasTokenizer = VocabularyFiles.Exist(checkpoint.Folder);
        ClipTokenizer? tokenizer = hasTokenizer ? ClipTokenizer.Load(checkpoint.Folder) : null;
        using Device device = options.Common.OpenDevice();
        using ClipModel clip = checkpoint.Load(device, options.Activation);
        PreprocessorConfig preprocessor = PreprocessorConfigReader.Load(checkpoint.Folder, clip.Config);
        options.Common.Note(clip.CheckVocabulary(tokenizer, options.Clip));
        AtomicFolder.Write(options.Out, folder =>
        {
            ClipWriter.Save(clip, folder, DType.Float32, preprocessor, tokenizer);
            tokenizer?.Vocabulary.Save(folder);
            options.Common.Cancellation.ThrowIfCancellationRequested();
        });
        options.Common.WriteJson(new { options.Clip, options.Out, Tokenizer = hasTokenizer, Sizes = clip.Config });
        options.Common.Out.WriteLine(hasTokenizer
            ? $"{options.Out}: written, with the tokenizer."
            : $"{options.Out}: written, without a tokenizer: {checkpoint.Folder} has none ({VocabularyFiles.Expected}).");
        return 0;
    }
}
