using Ldvc.Clip.Tokenization;
using Ldvc.Configuration;
using Ldvc.Data;
using Ldvc.Tensors;
using Ldvc.Training;

namespace Ldvc.Inspection;

/// <summary>The data of a configuration, read once from the first to the last picture: what is in it, what is wrong with it.</summary>
internal sealed class DataCheck
{
    /// <summary>The part that training reads.</summary>
    internal const string Training = "training";

    /// <summary>The part that is scored.</summary>
    internal const string Validation = "validation";

    private readonly List<PartSurvey> _parts = [];
    private readonly List<DataFinding> _warnings = [];
    private readonly List<string> _errors = [];

    private DataCheck()
    {
    }

    /// <summary>The parts that can be opened.</summary>
    internal IReadOnlyList<PartSurvey> Parts => _parts;

    /// <summary>What makes results worse or wrong.</summary>
    internal IReadOnlyList<DataFinding> Warnings => _warnings;

    /// <summary>What stops a run: parts that cannot be opened, files that cannot be read.</summary>
    internal IReadOnlyList<string> Errors => _errors;

    /// <summary>Pictures in both parts.</summary>
    internal IReadOnlyList<SharedPicture> Shared { get; private set; } = [];

    /// <summary>The class names in tokens; null when they were not looked at.</summary>
    internal IReadOnlyList<NamePieces>? Names { get; private set; }

    /// <summary>Why they were not.</summary>
    internal string? NamesSkipped { get; private set; }

    /// <summary>Reads both parts. What is wrong with the data is in the result and no exception.</summary>
    /// <param name="config">Says where the data lie, and the training setting.</param>
    /// <param name="registry">Opens them.</param>
    /// <param name="threads">Threads that read.</param>
    /// <param name="monitor">Follows.</param>
    /// <param name="cancellation">Checked before each picture.</param>
    /// <exception cref="OperationCanceledException">Told to stop.</exception>
    internal static DataCheck Run(LdvcConfig config, DatasetRegistry registry, int threads, IRunMonitor monitor, CancellationToken cancellation)
    {
        // Every picture is read once: nothing is worth keeping.
        config = config with { Data = config.Data with { Cache = 0 } };
        var check = new DataCheck();
        (string, Func<LdvcConfig, SegmentationDataset>)[] openers = [(Training, registry.OpenTraining), (Validation, registry.OpenValidation)];
        var open = new List<(string Part, SegmentationDataset Dataset)>();
        foreach ((string part, Func<LdvcConfig, SegmentationDataset> opener) in openers)
        {
            if (check.Try(() => opener(config), $"{part}: ") is { } dataset)
            {
                open.Add((part, dataset));
            }
        }

        foreach ((string part, SegmentationDataset dataset) in open)
        {
            PartSurvey survey = PartSurvey.Read(part, dataset, threads, monitor, cancellation);
            check._parts.Add(survey);

            // A file of both parts is one file to repair.
            check._errors.AddRange(survey.Pictures.SelectMany(p => p.Problems).Except(check._errors));
            check._warnings.AddRange(PartFindings.Of(survey, config.Train.Setting == TrainSetting.Inductive));
        }

        check.Compare();
        check.LookAtNames(config.Clip.Path, open.Select(o => o.Dataset).LastOrDefault());
        return check;
    }

    private void Compare()
    {
        if (_parts.Count == 2)
        {
            Shared = SharedPictures.Find(_parts[0], _parts[1]);
            Add(SharedPictures.Finding(Shared, _parts[1].Pictures.Count));
        }
    }

    private void LookAtNames(string? clip, SegmentationDataset? dataset)
    {
        if (clip is null || dataset is null)
        {
            NamesSkipped = clip is null ? "names were not looked at: clip.path, whose tokenizer would tell, is not set" : null;
            return;
        }

        int before = _errors.Count;
        ClipTokenizer? tokenizer = Try(() => NamePieces.Tokenizer(clip), "clip.path: ");
        if (tokenizer is null)
        {
            NamesSkipped = _errors.Count > before
                ? null
                : $"names were not looked at: beside {clip} there is no vocabulary, expected {VocabularyFiles.Expected}";
            return;
        }

        // A name may hold a token that was added to the CLIP later, which is an error of the names.
        Names = Try(() => NamePieces.Of(dataset.Classes, tokenizer), "names: ");
        Add(Names is null ? null : NamePieces.Finding(Names));
    }

    private void Add(DataFinding? finding)
    {
        if (finding is not null)
        {
            _warnings.Add(finding);
        }
    }

    private T? Try<T>(Func<T?> read, string place)
        where T : class
    {
        try
        {
            return read();
        }
        catch (InputException e)
        {
            // A missing folder is missing for both parts, and told of once.
            if (!_errors.Exists(known => known.EndsWith(": " + e.Message, StringComparison.Ordinal)))
            {
                _errors.Add(place + e.Message);
            }

            return null;
        }
    }
}
